from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Figure, Report
from shiplap.core.run import Run

numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
cells = st.none() | st.booleans() | numbers | st.text(max_size=8)
findings = st.builds(
    Finding,
    check=st.text(max_size=8),
    verdict=st.sampled_from(["good", "note", "warn", "fail"]),
    means=st.text(max_size=8),
    columns=st.lists(st.text(max_size=4), max_size=2).map(tuple),
    value=st.none() | st.text(max_size=4) | st.floats(allow_nan=False, allow_infinity=False),
)
tables = st.builds(
    DataTable,
    name=st.text(max_size=4),
    title=st.text(max_size=4),
    columns=st.just(("a", "b")),
    rows=st.lists(st.tuples(cells, cells), max_size=3).map(tuple),
)
figures = st.builds(
    Figure,
    name=st.text(max_size=4),
    title=st.just("t"),
    kind=st.sampled_from(["line", "bar", "interval"]),
    data=st.dictionaries(st.text(max_size=3), st.lists(cells, max_size=3), max_size=2),
    x=st.just("x"),
    y=st.just(("y",)),
    marks=st.lists(st.tuples(st.floats(0, 1), st.text(max_size=3)), max_size=2).map(tuple),
)
reports = st.builds(
    Report,
    verb=st.text(max_size=8),
    title=st.text(max_size=8),
    findings=st.lists(findings, max_size=2).map(tuple),
    tables=st.lists(tables, max_size=2).map(tuple),
    figures=st.lists(figures, max_size=2).map(tuple),
    metrics=st.dictionaries(st.text(max_size=4), cells, max_size=3),
    run=st.none() | st.builds(Run, id=st.text(max_size=4), verb=st.text(max_size=4), parameters=st.just({"a": [1]})),
)


@given(reports, reports)
def test_a_report_with_its_parts_goes_through_json_unchanged(report: Report, part: Report) -> None:
    whole = msgspec.structs.replace(report, parts=(part,))
    assert msgspec.json.decode(whole.to_json(), type=Report) == whole


def test_json_has_no_word_for_nan() -> None:
    report = Report(verb="train", title="t", metrics={"auc": math.nan})
    assert msgspec.json.decode(report.to_json(), type=Report).metrics == {"auc": None}


def test_parts_figures_and_tables_are_found_by_name() -> None:
    figure = Figure(name="missing", title="t", kind="bar", data={"x": [1], "y": [2.0]}, x="x", y=("y",))
    table = DataTable(name="leaks", title="t", columns=("a",), rows=((1,),))
    explored = Report(verb="explore", title="t", figures=(figure,), tables=(table,))
    report = Report(verb="run", title="t", parts=(explored,))
    assert report.part("explore").figure("missing") is figure
    assert report.part("explore").table("leaks") is table
    for ask in (report.part, report.figure, report.table):
        with pytest.raises(KeyError, match="nothing"):
            ask("nothing")


def test_a_report_shows_itself_in_words() -> None:
    report = Report(verb="assess", title="Is it worth it?", verdict="go", metrics={"auc": 0.71})
    for shown in (str(report), report.to_markdown(), report.to_html(), report._repr_html_()):
        assert "Is it worth it?" in shown


def test_a_report_is_one_line_at_a_prompt() -> None:
    figure = Figure(name="f", title="F", kind="bar", data={"x": list(range(1000))}, x="x", y=("x",))
    assert repr(Report(verb="assess", title="Worth it?", verdict="go", figures=(figure,))) == (
        "Report('assess', 'Worth it?', verdict='go')"
    )
