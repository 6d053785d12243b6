"""The dashboard and the alerts of the documentation ask for metrics and labels that there are."""

import json
import re
from pathlib import Path

import pytest
import yaml

from shiplap.engineer.deploy.serve.seen.catalog import METRICS

FOLDER = Path(__file__).parents[5] / "docs" / "monitoring"
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}
KNOWN = {metric.name + end: set(metric.labels) for metric in METRICS for end in SUFFIXES.get(metric.kind, ("",))}
OUTSIDE = {"instance", "job", "le"}


def expressions() -> list[str]:
    alerts = yaml.safe_load((FOLDER / "alerts.yml").read_text())
    dashboard = json.loads((FOLDER / "grafana.json").read_text())
    return [
        *(rule["expr"] for group in alerts["groups"] for rule in group["rules"]),
        *(target["expr"] for panel in dashboard["panels"] for target in panel["targets"]),
    ]


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_asks_for_what_there_is(expression):
    names = set(re.findall(r"\b(?:shiplap|process)_[a-z_]+", expression))
    assert names <= KNOWN.keys()
    assert names or expression.startswith("up{")
    matched = re.findall(r"([a-z_]+)=|([a-z_]+)!=", re.sub(r'"[^"]*"', "", expression))
    grouped = [label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")]
    labels = {label for pair in matched for label in pair if label} | set(grouped)
    assert labels <= OUTSIDE.union(*(KNOWN[name] for name in names))


def test_a_legend_names_labels_that_the_expression_keeps():
    dashboard = json.loads((FOLDER / "grafana.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            kept = {
                label.strip() for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for label in group.split(",")
            }
            name = re.search(r"\b(?:shiplap|process)_[a-z_]+", target["expr"])
            assert named <= (kept or KNOWN[name[0]]), panel["title"]
