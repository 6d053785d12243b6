import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiplap.adapters.figures import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1234567, "1,234,567"),
        (1234.5678, "1,235"),
        (0.000123456, "0.000123"),
        (0.1 + 0.2, "0.3"),
        (-12.345, "−12.3"),
        (1e-9, "1 × 10⁻⁹"),
        (2.5e20, "2.5 × 10²⁰"),
        (math.nan, "–"),
        (-math.inf, "−∞"),
        (None, "–"),
        (99.96, "100"),
    ],
)
def test_numbers_read_well(value: float | None, text: str) -> None:
    assert words.number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_shows_more_than_its_digits(value: float) -> None:
    text = words.number(value)
    whole, _, rest = text.partition("×")
    assert len(whole.strip().lstrip("−").partition(".")[2]) <= 6
    assert rest or abs(value) >= 1e15 or "e" not in text


@pytest.mark.parametrize(("share", "text"), [(0.0, "0%"), (1.0, "100%"), (1e-7, "<0.001%"), (-0.031, "−3.1%")])
def test_shares_are_percentages(share: float, text: str) -> None:
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [(1290.456, "$", "$1,290"), (-0.5, "EUR", "−0.50 EUR"), (math.inf, "$", "–"), (99.999, "", "100")],
)
def test_money_has_its_unit(amount: float, unit: str, text: str) -> None:
    assert words.money(amount, unit) == text


def test_a_column_of_shares_is_one_manner_throughout() -> None:
    assert words.column_cells("late share", [0.5, 0.123, None, 1.0]) == ["50%", "12.3%", "–", "100%"]
    assert words.column_cells("shares held", [120.0, 0.5]) == ["120", "0.5"]


def test_metrics_take_their_unit_from_their_name() -> None:
    named = {"gain_low": -3.0, "cold_start_ms": 182.34, "rows_per_s_1024": 1234567.8, "ship": "ef" * 32, "unit": "EUR"}
    assert words.metrics(named) == [
        ("gain low", "−3 EUR"),
        ("cold start", "182 ms"),
        ("rows per second, batches of 1024", "1,234,568"),
        ("ship", "efefefefefef"),
    ]


@given(st.text())
def test_no_text_can_steer_a_terminal(text: str) -> None:
    shown = words.plain(text)
    assert len(shown) == len(text)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u2066" for char in shown)
