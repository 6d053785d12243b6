from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiplap.core.errors import TableError
from shiplap.core.schema import Column, Schema

SCHEMA = Schema(
    (
        Column(name="age", kind="number", dtype="BIGINT", low=18.0, high=90.0),
        Column(name="plan", kind="category", dtype="VARCHAR", categories=("basic", "gold"), nullable=True),
        Column(name="left", kind="boolean", dtype="VARCHAR", true=("yes",), false=("no",)),
    )
)

columns = st.builds(
    Column,
    name=st.text(max_size=5),
    kind=st.sampled_from(["number", "boolean", "category", "date", "text", "id", "constant"]),
    dtype=st.just("VARCHAR"),
    low=st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    categories=st.lists(st.text(), max_size=3).map(tuple),
    known_at=st.sampled_from([None, "decision", "later"]),
)


def test_columns_are_found_by_name_in_order() -> None:
    assert SCHEMA.names == ("age", "plan", "left")
    assert len(SCHEMA) == 3
    assert [column.kind for column in SCHEMA] == ["number", "category", "boolean"]
    assert SCHEMA["plan"].categories == ("basic", "gold")
    assert "plan" in SCHEMA
    assert "Plan" not in SCHEMA
    assert SCHEMA.select(("left", "age")).names == ("left", "age")


@pytest.mark.parametrize("ask", [lambda: SCHEMA["plam"], lambda: SCHEMA.select(("age", "plam"))])
def test_an_unknown_column_is_answered_with_the_nearest(ask) -> None:
    with pytest.raises(TableError, match=r"no column 'plam' .did you mean 'plan'"):
        ask()


@given(st.lists(columns, max_size=4).map(lambda found: Schema(tuple(found))))
def test_a_schema_goes_through_json_unchanged(schema: Schema) -> None:
    assert msgspec.json.decode(msgspec.json.encode(schema), type=Schema) == schema


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="Invalid enum value"):
        msgspec.json.decode(b'[[{"name": "a", "kind": "float", "dtype": "DOUBLE"}]]', type=tuple[tuple[Column, ...]])
