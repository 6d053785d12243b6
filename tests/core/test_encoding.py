from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiplap.core.encoding import Boolean, Category, Date, Encoding, Number

names = st.text(max_size=6)
texts = st.lists(st.text(max_size=4), max_size=3).map(tuple)
numbers = st.floats(allow_nan=False, allow_infinity=False)
maybe = st.none() | numbers


@st.composite
def categories(draw: st.DrawFn) -> Category:
    width = draw(st.integers(1, 3))
    row = st.lists(maybe, min_size=width, max_size=width).map(tuple)
    vocabulary = draw(texts | st.lists(numbers, max_size=3).map(tuple))
    values = tuple(draw(row) for _ in vocabulary)
    return Category(
        column=draw(names),
        missing=draw(texts),
        categories=vocabulary,
        values=values,
        if_missing=draw(row),
        if_unseen=draw(row),
    )


PARTS = ["year", "month", "day", "weekday", "day_of_year", "hour", "minute", "second", "epoch_s"]
operations = (
    st.builds(Number, column=names, missing=texts)
    | st.builds(Boolean, column=names, true=texts, false=texts)
    | categories()
    | st.builds(Date, column=names, parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=9).map(tuple))
)
encodings = st.lists(operations, max_size=5).map(lambda found: Encoding(operations=tuple(found)))


@given(encodings)
def test_an_encoding_goes_through_json_unchanged(encoding: Encoding) -> None:
    text = msgspec.json.encode(encoding)
    back = msgspec.json.decode(text, type=Encoding)
    assert back == encoding
    assert msgspec.json.encode(back) == text


@given(encodings)
def test_width_and_columns_are_those_of_the_operations(encoding: Encoding) -> None:
    expected = 0
    for operation in encoding.operations:
        expected += len(operation.parts) if isinstance(operation, Date) else 1
        if isinstance(operation, Category):
            expected += len(operation.if_unseen) - 1
    assert encoding.width == expected
    assert set(encoding.columns) == {operation.column for operation in encoding.operations}
    assert len(set(encoding.columns)) == len(encoding.columns)


def test_columns_stand_in_order_of_first_use() -> None:
    encoding = Encoding(operations=(Number(column="b"), Date(column="a", parts=("hour",)), Boolean(column="b")))
    assert encoding.columns == ("b", "a")


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"op": "python", "column": "a"}, "Invalid value 'python'"),
        ({"column": "a"}, "missing required field `op`"),
        ({"op": "number"}, "missing required field `column`"),
        ({"op": "number", "column": "a", "code": "x"}, "unknown field `code`"),
        ({"op": "date", "column": "a", "parts": ["century"]}, "Invalid enum value 'century'"),
        ({"op": "category", "column": "a", "categories": [["nested"]]}, "Expected `float | str`"),
    ],
)
def test_the_list_of_operations_is_closed(operation: dict[str, Any], message: str) -> None:
    text = msgspec.json.encode({"version": 1, "operations": [operation]})
    with pytest.raises(msgspec.ValidationError, match=message.replace("|", r"\|")):
        msgspec.json.decode(text, type=Encoding)
