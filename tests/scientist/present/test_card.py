import re

import msgspec

from shiplap.core.report import Report
from shiplap.scientist.present import model_card

HEADINGS = [
    "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data",
    "Quantitative analyses", "Ethical considerations", "Caveats and recommendations",
]  # fmt: skip


def test_the_card_has_the_headings_of_the_paper(flights: Report) -> None:
    card = model_card(flights)
    assert re.findall(r"^## (.*)$", card, flags=re.MULTILINE) == HEADINGS
    for said in (
        "LightGBM, 212 trees",
        "+$1,290 per 1,000 decisions",
        "54,221 rows, the latest by `time_hour` from 2013-11-01",
        "Left out as leaks: `arr_time`, `dep_delay`",
        "| visib | below 2 |",
        "`tailnum`",
    ):
        assert said in card


def test_a_heading_without_records_says_so() -> None:
    card = model_card(Report(verb="run", title="t", metrics={"name": "a|b"}))
    assert card.startswith("# Model card: a\\|b\n")
    assert card.count("The records say nothing about this.") == len(HEADINGS) - 2


def test_calm_findings_are_no_caveats(flights: Report) -> None:
    caveats = model_card(flights).partition("## Caveats")[2]
    assert "differ by 3%" in caveats
    assert "surely above nothing" not in caveats


def test_the_card_needs_no_brief(flights: Report) -> None:
    parts = tuple(msgspec.structs.replace(part, run=None) for part in flights.parts)
    assert "`arr_delay > 15`" in model_card(msgspec.structs.replace(flights, parts=parts))
