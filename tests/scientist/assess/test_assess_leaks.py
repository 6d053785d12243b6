"""Leaks in the reports of both rooms: shown once, priced, and told apart from what the user must say."""

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

from shiplap.methods.question import pose
from shiplap.methods.splits import honest_split
from shiplap.scientist.assess import assess
from shiplap.scientist.assess.leaks import row_leaks
from shiplap.scientist.explore import explore

VALUE = {"tp": 10, "fp": -20, "unit": "EUR"}


def leaky() -> pd.DataFrame:
    rows = load_breast_cancer(as_frame=True).frame
    return rows.assign(result=np.where(rows["target"] == 1, "fine", "ill"))


def leaks(report) -> list[str]:
    return [f.check for f in report.findings if f.check.startswith("leak.") and f.verdict == "fail"]


def test_both_rooms_accuse_the_column_and_one_is_enough():
    explored = explore(leaky(), target="target", value=VALUE)
    assert "leak.relabelled" in leaks(explored)
    assert {"leaks", "questions"} <= {table.name for table in explored.tables}
    assert {"alone", "stakes"} <= {figure.name for figure in explored.figures}
    priced = dict(zip(explored.figure("stakes").data["column"], explored.figure("stakes").data["money"], strict=True))
    assert set(priced) == {"result"}
    alone = assess(leaky(), target="target", value=VALUE)
    assert "leak.relabelled" in leaks(alone)
    told = assess(leaky(), target="target", value=VALUE, drop=("result",), explored=explored)
    assert leaks(told) == []
    assert [f.check for f in told.findings if f.check.startswith("leak.")] == ["leak.no_overlap"]


def test_the_gain_without_copies_is_stated():
    rows = load_breast_cancer(as_frame=True).frame
    twice = pd.concat([rows, rows]).sample(frac=1, random_state=0).reset_index(drop=True)
    report = assess(twice, target="target", value=VALUE)
    (finding,) = [f for f in report.findings if f.check == "leak.duplicates"]
    assert finding.verdict == "warn"
    assert "without them the gain is" in finding.means
    assert report.metrics["share_of_twins"] > 0.5


def test_what_rows_of_one_customer_bring_is_drawn_as_it_is_said():
    rng = np.random.default_rng(0)
    who = rng.integers(0, 150, 1500)
    rows = pd.DataFrame({"a": rng.normal(size=1500), "customer": [f"C{number}" for number in who]})
    rows["target"] = rows["a"] + 2 * rng.normal(size=150)[who] + rng.normal(size=1500)
    problem = pose(rows, question={"target": "target"})
    part = row_leaks(problem, honest_split(problem), [])
    (finding,) = [f for f in part.findings if f.check == "leak.group_overlap"]
    (figure,) = part.figures
    assert figure.data["column"] == ["customer"]
    assert figure.data["low"][0] < figure.data["gain"][0] == finding.value < figure.data["high"][0]
