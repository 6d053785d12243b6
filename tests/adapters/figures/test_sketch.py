import math

from shiplap.adapters.figures.sketch import MOST_CATEGORIES, sketch
from shiplap.core.report import Figure


def figure(**fields: object) -> Figure:
    given = {"name": "f", "title": "F", "kind": "line", "x": "x", "y": ("y",)}
    return Figure(**{**given, **fields})  # type: ignore[arg-type]


def test_dates_are_told_from_categories() -> None:
    for texts in (["2013-01", "2013-02"], ["2013-01-31", None], ["2013-01-31T10:00:00Z", "2013-02-01 10:00:00"]):
        assert sketch(figure(data={"x": texts, "y": [1, 2]})).x.kind == "date"
    for texts in (["2013-01", "later"], ["2013", "2014"], ["", None]):
        assert sketch(figure(data={"x": texts, "y": [1, 2]})).x.kind == "category"


def test_a_date_is_milliseconds_and_a_missing_one_is_nan() -> None:
    x = sketch(figure(data={"x": ["1970-01-02", None], "y": [1, 2]})).x
    assert x.values[0] == 86_400_000
    assert math.isnan(x.values[1])


def test_many_categories_are_cut_and_counted() -> None:
    names = [f"c{number}" for number in range(MOST_CATEGORIES + 5)]
    drawn = sketch(figure(kind="bar", data={"x": names, "y": list(range(len(names)))}))
    assert drawn.omitted == 5
    assert len(drawn.x.values) == len(drawn.series[0].values) == MOST_CATEGORIES


def test_shares_are_known_by_their_name_and_range() -> None:
    labels = {"y": "Late share"}
    assert sketch(figure(data={"x": [1], "y": [0.2]}, labels=labels)).series[0].texts == ["20%"]
    assert sketch(figure(data={"x": [1], "y": [20.0]}, labels=labels)).series[0].texts == ["20"]


def test_a_histogram_that_adds_up_to_one_holds_shares() -> None:
    columns = {"x": [0.25, 0.75], "y": [0.9, 0.1], "z": [9, 1]}
    drawn = sketch(figure(kind="histogram", data=columns, y=("y", "z"), labels={"y": "late", "z": "rows"}))
    assert [axis.texts for axis in drawn.series] == [["90%", "10%"], ["9", "1"]]
    assert sketch(figure(data=columns, labels={"y": "late"})).series[0].texts == ["0.9", "0.1"]


def test_years_have_no_thousands_separator() -> None:
    assert sketch(figure(data={"x": [1956, 2013], "y": [1, 2]}, labels={"x": "Year built"})).x.texts == ["1956", "2013"]


def test_nothing_to_draw_is_said() -> None:
    assert sketch(figure(data={"x": [1, 2], "y": [None, math.nan]})).is_empty
    assert sketch(figure(data={})).is_empty
