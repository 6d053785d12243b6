from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiplap.core.brief import Brief, Budget, ColumnBrief, Value, read_brief
from shiplap.core.errors import BriefError

WHOLE = """
name = "late"
table = "flights.csv.zip"
target = "arr_delay > 15"
positive = true
task = "binary"
decision = "warn the passenger"
time = "time_hour"
id = ["flight"]
private = ["tailnum"]
drop = ["year"]
test_from = 2013-11-01
seed = 7

[value]
tp = "0.2 * fare"
fp = -5
unit = "$"
effort = 3

[budget]
p99_ms = 1
train_seconds = 60

[columns.dep_delay]
known_at = "later"

[columns."sched dep"]
kind = "date"
missing = ["-", "n/a"]
"""


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "shiplap.toml").write_text(WHOLE, encoding="utf-8")
    brief = read_brief(tmp_path)
    assert brief == read_brief(tmp_path / "shiplap.toml")
    assert brief == Brief(
        name="late",
        table="flights.csv.zip",
        target="arr_delay > 15",
        positive=True,
        task="binary",
        decision="warn the passenger",
        time="time_hour",
        id=("flight",),
        private=("tailnum",),
        drop=("year",),
        test_from="2013-11-01",
        seed=7,
        value=Value(tp="0.2 * fare", fp=-5.0, unit="$", effort=3.0),
        budget=Budget(p99_ms=1.0, train_seconds=60.0),
        columns={
            "dep_delay": ColumnBrief(known_at="later"),
            "sched dep": ColumnBrief(kind="date", missing=("-", "n/a")),
        },
    )
    assert brief.value is not None
    assert brief.value.fn is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tarbet": "x"}, r"the brief has no key 'tarbet' .did you mean 'target'"),
        ({"zzz": "x"}, r"the brief has no key 'zzz' .there are: target, table"),
        ({"value": {"tpp": 1}}, r"\[value\] has no key 'tpp' .did you mean 'tp'"),
        ({"budget": {"p99": 1}}, r"\[budget\] has no key 'p99' .did you mean 'p99_ms'"),
        ({"columns": {"age": {"knownat": "later"}}}, r"\[columns.age\] has no key 'knownat' .did you mean 'known_at'"),
        ({"target": 5}, r"the brief: target must be a text, not a whole number"),
        ({"task": "forcast"}, r"task must be one of binary, .*forecast, anomaly, not 'forcast'"),
        ({"id": "customer"}, r"id must be a list, not a text"),
        ({"value": 5}, r"value must be a table, not a whole number"),
        ({"columns": {"age": 3}}, r"columns\[...\] must be a table, not a whole number"),
        ({"columns": {"age": {"kind": "float"}}}, r"Invalid enum value 'float'"),
        ({"positive": object()}, r"the brief: .*object"),
        ({"budget": {"p99_ms": "fast"}}, r"the brief: budget.p99_ms must be a number, not a text"),
        ({"budget": {"p99_ms": 0}}, r"budget.p99_ms must be above 0, not 0"),
        ({"budget": {"train_seconds": -1}}, r"budget.train_seconds must be above 0"),
        ({"budget": {"size_mb": math.nan}}, r"budget.size_mb must be above 0, not nan"),
        ({"seed": -1}, r"seed must be from 0 to 4294967295, not -1"),
        ({"seed": 2**32}, r"seed must be from 0"),
        ({"value": {}}, r"value needs exactly one of"),
        ({"value": {"unit": "$"}}, r"value needs exactly one of"),
        ({"value": {"tp": 1, "over": 1}}, r"value needs exactly one of"),
        ({"value": {"matrix": {"a": {"a": 1}}, "fp": 1}}, r"value needs exactly one of"),
        ({"value": {"over": -1}}, r"value.over is the price .* not -1"),
        ({"value": {"tp": math.nan}}, r"value.tp must be a finite number, not nan"),
        ({"value": {"over": math.inf}}, r"value.over must be a finite number, not inf"),
        ({"value": {"matrix": {"a": {"b": math.inf}}}}, r"value.matrix.a.b must be a finite number, not inf"),
        ({"drop": ["a", "b"], "keep": ["b"]}, r"column 'b' is both in drop and in keep"),
    ],
)
def test_what_is_wrong_is_said(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BriefError, match=message):
        Brief.make(**fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("target = ", "is not valid TOML"),
        ("target = 'x'\ntarget = 'y'", "is not valid TOML"),
        ("tarbet = 'x'", "no key 'tarbet'"),
        ("[vlaue]\ntp = 1", "no key 'vlaue' .did you mean 'value'"),
    ],
)
def test_a_file_that_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "shiplap.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BriefError, match=message):
        read_brief(tmp_path)


def test_a_file_that_is_not_text_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(BriefError, match=r"no brief at '.*shiplap.toml' .write one with `shiplap init"):
        read_brief(tmp_path)
    (tmp_path / "shiplap.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(BriefError, match="is not valid TOML"):
        read_brief(tmp_path)


def test_plain_values_become_nouns() -> None:
    brief = Brief.make(
        target="y", value={"tp": 1}, budget=Budget(p99_ms=2), columns={"a": ColumnBrief(private=True)}, id=["a", "b"]
    )
    assert brief.value == Value(tp=1.0)
    assert brief.budget.p99_ms == 2
    assert brief.columns["a"].private
    assert brief.id == ("a", "b")


def test_numbers_of_numpy_are_numbers() -> None:
    brief = Brief.make(positive=np.int64(1), value={"tp": np.float64(2.5)})
    assert brief.positive == 1
    assert type(brief.positive) is int
    assert brief.value == Value(tp=2.5)


def test_none_leaves_a_field_alone() -> None:
    brief = Brief.make(target="y", time=None, seed=3)
    assert brief.replaced(time="at", target=None, seed=None) == Brief(target="y", time="at", seed=3)
    with pytest.raises(BriefError, match="no key 'tme'"):
        brief.replaced(tme="at")
    with pytest.raises(BriefError, match="both in drop and in keep"):
        Brief.make(drop=["a"]).replaced(keep=["a"])


names = st.text(min_size=1, max_size=8)
worth = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text(min_size=1, max_size=8)
briefs = st.builds(
    Brief,
    target=names,
    positive=st.none() | st.text() | st.integers(-(2**53), 2**53) | st.booleans(),
    value=st.none() | st.builds(Value, tp=worth.filter(lambda value: value is not None), fp=worth, fn=worth, tn=worth),
    budget=st.builds(Budget, p99_ms=st.none() | st.floats(0.001, 1e6)),
    id=st.lists(names, max_size=3).map(tuple),
    columns=st.dictionaries(names, st.builds(ColumnBrief, known_at=st.sampled_from([None, "decision", "later"]))),
    seed=st.integers(0, 2**32 - 1),
)


@given(briefs)
def test_a_brief_goes_through_json_and_plain_values_unchanged(brief: Brief) -> None:
    assert msgspec.json.decode(msgspec.json.encode(brief), type=Brief) == brief
    assert Brief.make(**msgspec.to_builtins(brief)) == brief
    assert brief.replaced() == brief
