from __future__ import annotations

from typing import Any

import pytest

from shiplap.core.signature import Signature
from shiplap.engineer.deploy.serve import Limits
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.records.told import Truth, read_outcomes

FLAGS = Truth([Signature(inputs=(), task="binary", classes=(False, True))])
DIGITS = Truth([Signature(inputs=(), task="multiclass", classes=(0, 1, 2))])
TENSOR = Truth([Signature(inputs=(), task="tensor", outputs=("x", "y"))])


@pytest.mark.parametrize(
    ("truth", "outcome", "meant"),
    [
        (FLAGS, True, True),
        (DIGITS, 1, 1),
        (DIGITS, 2.0, 2),
        (TENSOR, [1, 2.5], [1.0, 2.5]),
    ],
)
def test_an_outcome_is_said_as_the_model_says_it(truth: Truth, outcome: Any, meant: Any) -> None:
    found = truth.checked(outcome)
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize(
    ("truth", "outcome"),
    [(FLAGS, 1), (FLAGS, "true"), (DIGITS, True), (DIGITS, "1"), (DIGITS, 3), (TENSOR, [1]), (TENSOR, [1, "2"])],
)
def test_what_only_looks_like_an_outcome_is_refused(truth: Truth, outcome: Any) -> None:
    with pytest.raises(ProblemError) as caught:
        truth.checked(outcome)
    assert caught.value.members["expected"] == truth.expected


def test_versions_may_know_different_classes() -> None:
    both = Truth([Signature(inputs=(), task="multiclass", classes=names) for names in (("a", "b"), ("b", "c"))])
    assert both.expected == "one of a, b, c"
    assert both.schema() == {"enum": ["a", "b", "c"]}
    assert both.checked("c") == "c"


def test_many_classes_are_not_all_listed() -> None:
    many = Truth([Signature(inputs=(), task="multiclass", classes=tuple(range(100)))])
    assert many.expected.endswith("18, 19 and 80 more")


@pytest.mark.parametrize("body", [b'{"id": "a", "outcome": [[[[1]]]]}', b'[{"id": "a", "outcome": [[[[1]]]]}]'])
def test_what_is_nested_too_deep_is_refused(body: bytes) -> None:
    for lines in (False, True):
        with pytest.raises(ProblemError, match="nested deeper than 3 levels"):
            read_outcomes(body, DIGITS, Limits(depth=3), lines=lines)
