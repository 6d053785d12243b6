"""The encoder: every path gives the same bits, and every refusal names its place."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shiplap.core.encoding import Boolean, Category, Date, Encoding, Number, Operation, Text
from shiplap.core.errors import InputError, RowError
from shiplap.scoring import Encoder

ALL_PARTS = ("year", "month", "day", "weekday", "day_of_year", "hour", "minute", "second", "epoch_s")
OPERATIONS: dict[str, Operation] = {
    "number": Number(column="x"),
    "number, markers": Number(column="x", missing=("?", "-9", " NA ")),
    "boolean": Boolean(column="x"),
    "boolean, words": Boolean(column="x", true=("Y", "2"), false=("N", "1"), missing=("?",)),
    "texts": Category(column="x", categories=("a", "b", "3", "3.0", "1.5", "9007199254740993", "true")),
    "texts, wide": Category(
        column="x",
        categories=("", "0", "?", "False"),
        values=((1.0, 0.0), (0.0, None), (3.0, 4.0), (5.0, 6.0)),
        missing=("?", "gone"),
        if_missing=(7.0, 8.0),
        if_unseen=(-1.0, -0.0),
    ),
    "numbers": Category(column="x", categories=(0.0, 1.0, -2.5, 3.0), missing=("?", "7"), if_missing=(9.0,)),
    "date": Date(column="x", parts=ALL_PARTS, missing=("?",)),
    "date, format": Date(column="x", parts=("year", "day", "epoch_s"), format="%d/%m/%Y"),
    "date, digits": Date(column="x", parts=("month", "day"), format="%Y%m%d"),
}

moments = st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29))
zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
near = st.datetimes(min_value=datetime(1680, 1, 1), max_value=datetime(2260, 1, 1))
WORDS = ["", " ", "a", "b", "3", "3.0", "03", "+3", "?", " ? ", "NA", " NA", "-9", "-9.0", "Y", "N", " Y", "true",
    " TRUE", "False", "0", "1", "2", "1.5", "nan", "inf", "-Infinity", "1_0", "٣", "1e400", "0x1", "7", "7.0",
    "\x1c5", "5\u00a0",
    "9007199254740993", "gone", "é", "20130131", "31/01/2013", "2013-01-31", "2013-01-31T05:06:07Z"]  # fmt: skip
words = st.sampled_from(WORDS)
NUMBERS = [0, 1, 2, 3, 3.0, -9, -9.0, 7, 1.5, -2.5, -0.0, 2**53, 2**53 + 1, 10**400, -(10**400), 20130131]
numbers = st.one_of(
    st.floats(),
    st.integers(),
    st.sampled_from(NUMBERS),
    st.floats(width=32).map(np.float32),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.booleans(),
    st.booleans().map(np.bool_),
    st.sampled_from([Decimal("3"), Decimal("0.1"), Decimal("NaN"), Fraction(3, 2), Fraction(3), np.longdouble("1.5")]),
)
dates = st.one_of(
    moments,
    st.datetimes(min_value=datetime(2, 1, 3), max_value=datetime(9998, 12, 29), timezones=zones),
    moments.map(datetime.isoformat),
    st.datetimes(datetime(2, 1, 3), datetime(9998, 12, 29), timezones=zones).map(str),
    moments.map(datetime.date),
    near.map(pd.Timestamp),
    near.map(lambda moment: np.datetime64(moment, "ns") + np.timedelta64(999, "ns")),
    moments.map(lambda moment: f"{moment.day:02}/{moment.month:02}/{moment.year:04}"),
)
absent = st.sampled_from([None, math.nan, pd.NA, pd.NaT, np.datetime64("NaT"), np.float64("nan")])
odd = st.sampled_from([[], {}, [1], b"a", 1j, timedelta(1), np.timedelta64(3, "D"), object, np.array([1.0])])
values = st.one_of(numbers, words, dates, absent, st.text(max_size=5), odd)
readable = st.one_of(numbers, words, dates, absent)


def encoder(*operations: Operation) -> Encoder:
    return Encoder(Encoding(operations=operations))


def bits(matrix: NDArray[np.float64]) -> list[int]:
    """Return the bits of each number, any NaN as one."""
    plain = np.where(np.isnan(matrix), np.float64("nan"), matrix)
    return np.ascontiguousarray(plain).view(np.int64).ravel().tolist()


def answer(encode: Any, X: Any) -> Any:
    try:
        return bits(encode(X))
    except RowError as error:
        return error.row, error.column, str(error).split("expected ")[1]


def one_by_one(made: Encoder, column: list[object]) -> NDArray[np.float64]:
    out = np.full((len(column), made.width), 77.0)
    for index, value in enumerate(column):
        try:
            made.row({"x": value}, out[index])
        except RowError as error:
            raise RowError(error.message, row=index, column=error.column) from None
    return out


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=100)
@given(column=st.lists(values, min_size=1, max_size=4))
def test_all_paths_agree_on_python_values(name: str, column: list[object]) -> None:
    made = encoder(OPERATIONS[name])
    expected = answer(lambda column: one_by_one(made, column), column)
    assert answer(made.matrix, [{"x": value} for value in column]) == expected
    assert answer(made.matrix, {"x": column}) == expected
    assert answer(made.matrix, {"x": tuple(column)}) == expected
    held = np.empty(len(column), dtype=object)
    held[:] = column
    assert answer(made.matrix, {"x": held}) == expected
    assert answer(made.matrix, pd.DataFrame({"x": pd.Series(held, dtype=object)})) == expected


@pytest.mark.parametrize("name", OPERATIONS)
def test_all_paths_agree_on_each_known_value(name: str) -> None:
    made = encoder(OPERATIONS[name])
    for value in (*WORDS, *NUMBERS, True, False, np.True_, np.False_, None):
        for column in ([value], [value, None], [value, "3"]):
            expected = answer(lambda column: one_by_one(made, column), column)
            assert answer(made.matrix, {"x": column}) == expected, column
            assert answer(made.matrix, [{"x": held} for held in column]) == expected, column


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("value", [0, 1, 3, 2**53 + 1, -9, 20130131])
def test_integers_beside_a_missing_value_stay_exact(name: str, value: int) -> None:
    agree_everywhere(OPERATIONS[name], [value, None], pa.int64(), pl.Int64(), "Int64")


@pytest.mark.parametrize("unit", ["D", "s", "us"])
def test_moments_outside_the_calendar_are_refused(unit: str) -> None:
    made = encoder(Date(column="x", parts=("year", "day_of_year")))
    edges = np.array(["0001-01-01", "NaT", "9999-12-31"], dtype=f"M8[{unit}]")
    assert bits(made.matrix({"x": edges})) == bits(np.array([[1.0, 1.0], [math.nan] * 2, [9999.0, 365.0]]))
    for outside in ("0000-12-31", "10000-01-01"):
        held = np.array(["2013-01-01", outside], dtype=f"M8[{unit}]")
        with pytest.raises(RowError, match="row 1, column 'x': expected a date"):
            made.matrix({"x": held})
        with pytest.raises(RowError, match="expected a date"):
            made.row({"x": held[1]}, np.empty(2))


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=60)
@given(column=st.lists(st.one_of(words, st.text(max_size=4), st.none()), min_size=1, max_size=5))
def test_columns_of_text_agree(name: str, column: list[str | None]) -> None:
    agree_everywhere(OPERATIONS[name], column, pa.string(), pl.String(), "str")
    made = encoder(OPERATIONS[name])
    expected = answer(lambda column: one_by_one(made, column), column)
    coded = pd.Categorical(column, categories=[*{text for text in column if text is not None}, "unused"])
    assert answer(made.matrix, pd.DataFrame({"x": coded})) == expected
    assert answer(made.matrix, pa.table({"x": pa.array(column, pa.string()).dictionary_encode()})) == expected
    assert answer(made.matrix, pl.DataFrame({"x": pl.Series(column, dtype=pl.Categorical())})) == expected


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=40)
@given(data=st.data())
def test_columns_of_numbers_agree(name: str, data: st.DataObject) -> None:
    whole, nullable = data.draw(st.booleans()), data.draw(st.booleans())
    usual = st.sampled_from([0, 1, 2, 3, -9, 7, 2**53 + 1, 9007199254740993, 20130131])
    item = usual | st.integers(-(2**63), 2**63 - 1) if whole else usual.map(float) | st.floats()
    column = data.draw(st.lists(item | st.none() if nullable else item, min_size=1, max_size=5))
    kinds = (pa.int64(), pl.Int64(), "Int64") if whole else (pa.float64(), pl.Float64(), "Float64")
    agree_everywhere(OPERATIONS[name], column, *kinds)
    if None not in column:
        array = np.array(column, dtype=np.int64 if whole else np.float64)
        expected = answer(encoder(OPERATIONS[name]).matrix, {"x": column})
        assert answer(encoder(OPERATIONS[name]).matrix, {"x": array}) == expected
        assert answer(encoder(OPERATIONS[name]).matrix, pd.DataFrame({"x": array})) == expected
        assert answer(encoder(OPERATIONS[name]).matrix, pl.DataFrame({"x": array})) == expected


@pytest.mark.parametrize("name", OPERATIONS)
@given(column=st.lists(st.one_of(st.booleans(), st.none()), min_size=1, max_size=5))
def test_columns_of_booleans_agree(name: str, column: list[bool | None]) -> None:
    agree_everywhere(OPERATIONS[name], column, pa.bool_(), pl.Boolean(), "boolean")


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=40)
@given(column=st.lists(st.one_of(near, st.none()), min_size=1, max_size=5), unit=st.sampled_from(["us", "ns", "ms"]))
def test_columns_of_moments_agree(name: str, column: list[datetime | None], unit: Any) -> None:
    if unit == "ms":
        column = [moment and moment.replace(microsecond=moment.microsecond // 1000 * 1000) for moment in column]
    agree_everywhere(OPERATIONS[name], column, pa.timestamp(unit), pl.Datetime(unit), f"datetime64[{unit}]")
    array = np.array(column, dtype=f"M8[{unit}]")
    made = encoder(OPERATIONS[name])
    assert answer(made.matrix, {"x": array}) == answer(made.matrix, {"x": list(array)})
    aware = [moment and moment.replace(tzinfo=UTC) for moment in column]
    zone = "America/New_York"
    agree_everywhere(
        OPERATIONS[name], aware, pa.timestamp(unit, zone), pl.Datetime(unit, zone), f"datetime64[{unit}, {zone}]"
    )


@given(column=st.lists(st.one_of(moments.map(datetime.date), st.none()), min_size=1, max_size=5))
def test_columns_of_dates_agree(column: list[date | None]) -> None:
    made = encoder(OPERATIONS["date"])
    expected = answer(lambda column: one_by_one(made, column), column)
    assert answer(made.matrix, pa.table({"x": pa.array(column, pa.date32())})) == expected
    assert answer(made.matrix, pl.DataFrame({"x": pl.Series(column, dtype=pl.Date())})) == expected


def agree_everywhere(operation: Operation, column: list[Any], arrow: Any, polars: Any, pandas: str) -> None:
    """Check that pandas, polars and Arrow columns of a type give what the plain values give."""
    made = encoder(operation)
    table = pa.table({"x": pa.array(column, arrow)})
    frames = [table, table.to_batches()[0], pl.DataFrame({"x": pl.Series(column, dtype=polars)})]
    frames.append(pd.DataFrame({"x": pd.array(column, dtype=pandas)}))
    frames += [{"x": frame["x"]} for frame in frames[2:]] + [{"x": table.column("x")}]
    expected = answer(lambda column: one_by_one(made, column), column)
    for frame in frames:
        found = answer(made.matrix, frame)
        if isinstance(expected, tuple):  # how a refused value is described depends on the library that held it
            assert found[:2] == expected[:2]
        else:
            assert found == expected, type(frame)


@given(near, st.sampled_from(ALL_PARTS))
def test_parts_are_those_of_pandas(moment: datetime, part: Any) -> None:
    [[found]] = encoder(Date(column="x", parts=(part,))).matrix([{"x": moment}])
    stamp = pd.Timestamp(moment)
    if part == "epoch_s":
        assert found == stamp.value // 1000 / 1e6
    else:
        assert found == getattr(stamp, {"weekday": "day_of_week"}.get(part, part))


def test_columns_that_nobody_reads_are_ignored_and_absent_ones_are_missing() -> None:
    made = encoder(Number(column="a"), Category(column="b", categories=("u",), if_missing=(5.0,)))
    assert bits(made.matrix([{"a": 1, "z": object()}])) == bits(np.array([[1.0, 5.0]]))
    out = np.empty(2)
    made.row({"b": "u", "z": []}, out)
    assert bits(out) == bits(np.array([math.nan, 0.0]))


@pytest.mark.parametrize(
    ("X", "says"),
    [
        ([{"aeg": 1}], "row 0: it holds none of the model's columns (did you mean 'age'?)"),
        ([{"age": 1}, 3], "row 1: expected a mapping of columns, got one of type int"),
        ([{"age": 1}, {"age": "old"}], "row 1, column 'age': expected a number, got the text 'old'"),
        ([{"age": [3]}], "row 0, column 'age': expected a number, got a list"),
        ({"age": ["x" * 99]}, f"row 0, column 'age': expected a number, got the text '{'x' * 40}'..."),
        ({"aeg": [1]}, "the rows have no column 'age' (did you mean 'aeg'?)"),
        ({"age": [1, 2], "b": [1]}, "column 'b' holds 1 rows where 2 rows are expected"),
        ({"age": [1, 2], "b": 3}, "column 'b' holds one of type int where 2 rows are expected"),
        ({"age": np.zeros((2, 2))}, "a column has one dimension, not 2"),
        (pd.DataFrame({"aeg": [1]}), "the rows have no column 'age' (did you mean 'aeg'?)"),
        (pd.DataFrame([[1, 2]], columns=["age", "age"]), "column 'age' is there more than once"),
        (pl.DataFrame({"aeg": [1]}), "the rows have no column 'age' (did you mean 'aeg'?)"),
        (pl.DataFrame({"age": [1]}).lazy(), "a lazy frame holds no rows yet (call .collect() first)"),
        (pa.table({"aeg": [1]}), "the rows have no column 'age' (did you mean 'aeg'?)"),
        (pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["age", "age"]), "column 'age' is there more than once"),
        (pd.DataFrame({"age": [datetime(2013, 1, 1)]}), "row 0, column 'age': expected a number, got 2013-01-01"),
        ("age", "rows cannot be read from an object of type str"),
        (7, "rows cannot be read from an object of type int"),
    ],
)  # fmt: skip
def test_what_is_refused_is_said(X: Any, says: str) -> None:
    with pytest.raises(InputError) as raised:
        encoder(Number(column="age")).matrix(X)
    assert str(raised.value).startswith(says)


def test_a_single_row_is_refused_like_many() -> None:
    made = encoder(Number(column="age"), Boolean(column="paid"))
    out = np.empty(2)
    with pytest.raises(RowError, match=r"^column 'paid': expected yes or no .*, got 2 \(int\)$") as raised:
        made.row({"age": 3, "paid": 2}, out)
    assert (raised.value.row, raised.value.column) == (0, "paid")
    with pytest.raises(RowError, match="none of the model's columns"):
        made.row({}, out)


@pytest.mark.parametrize("X", [[], {"age": []}, pd.DataFrame({"age": []}), pl.DataFrame({"age": []})])
def test_no_rows_give_an_empty_matrix(X: Any) -> None:
    assert encoder(Number(column="age"), Date(column="age", parts=("day", "hour"))).matrix(X).shape == (0, 3)


@given(st.text(max_size=20), st.text(max_size=20))
def test_names_and_vocabularies_never_become_code(column: str, word: str) -> None:
    made = encoder(Category(column=column, categories=(word,)))
    out = np.empty(1)
    made.row({column: word}, out)
    assert out[0] == 0.0


def test_a_frame_made_of_an_array_has_numbers_for_names() -> None:
    encoder = Encoder(Encoding(operations=(Number(column="1"), Number(column="0"))))
    assert encoder.matrix(pd.DataFrame(np.array([[3.0, 4.0]]))).tolist() == [[4.0, 3.0]]


def test_chunks_make_up_the_whole_matrix_and_name_rows_of_the_whole() -> None:
    encoder = Encoder(Encoding(operations=(Number(column="a"), Category(column="b", categories=("x", "y")))))
    n_rows = encoder.chunk + 5
    frame = pd.DataFrame({"a": np.arange(n_rows, dtype=float), "b": pd.Categorical(["x", "y"] * (n_rows // 2) + ["x"])})
    parts = list(encoder.matrices(frame))
    assert [len(part) for part in parts] == [encoder.chunk, 5]
    np.testing.assert_array_equal(np.vstack(parts), encoder.matrix(frame))
    assert [part.shape for part in encoder.matrices(frame.iloc[:0])] == [(0, 2)]
    texts = [*map(str, range(n_rows - 1)), "ten"]
    with pytest.raises(RowError, match=f"row {n_rows - 1}, column 'a': expected a number"):
        list(encoder.matrices({"a": texts, "b": ["x"] * n_rows}))


def test_a_chunk_of_a_wide_encoding_is_bounded() -> None:
    encoder = Encoder(Encoding(operations=(Text(column="note", n_features=100_000),)))
    assert encoder.chunk * encoder.width * 8 <= 64e6
    assert [len(part) for part in encoder.matrices({"note": ["a text"] * 20})] == [8, 8, 4]
