from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiplap.core import errors
from shiplap.core.errors import DoesNotHoldError, MissingExtraError, RowError, ShiplapError, nearest

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]


def test_every_error_is_in_the_tree_that_is_drawn() -> None:
    assert len(CLASSES) > 8
    drawing = errors.__doc__ or ""
    for error in CLASSES:
        assert issubclass(error, ShiplapError)
        assert error.__name__ in drawing
        assert error.__name__ in errors.__all__


def test_exit_codes() -> None:
    assert {error.exit_code for error in CLASSES if error is not DoesNotHoldError} == {2}
    assert DoesNotHoldError("no").exit_code == 1


def test_a_message_carries_its_hint() -> None:
    assert str(ShiplapError("no file")) == "no file"
    error = RowError("no number", row=3, column="age", hint="send one")
    assert (str(error), error.row, error.column) == ("no number (send one)", 3, "age")
    assert 'pip install "shiplap[lab]"' in str(MissingExtraError("training", extra="lab"))


@pytest.mark.parametrize(
    ("word", "choices", "hint"),
    [
        ("Churned", ["churned", "age"], "did you mean 'churned'?"),
        ("CHURN", ["churned", "age"], "did you mean 'churned'?"),
        ("zzz", ["b", "a"], "there are: b, a"),
        ("zzz", [], "there are none"),
        ("zzz", [f"column_{number}" for number in range(20)], " and 8 more"),
    ],
)
def test_the_nearest_choice_is_named(word: str, choices: list[str], hint: str) -> None:
    assert nearest(word, iter(choices)).endswith(hint)


@given(st.text(), st.lists(st.text()))
def test_a_hint_is_found_for_any_word(word: str, choices: list[str]) -> None:
    assert nearest(word, choices)
