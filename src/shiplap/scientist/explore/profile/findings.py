"""What a profile says about the state of its columns, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from shiplap.core.finding import Finding, Grade
from shiplap.scientist.explore.profile import spelling
from shiplap.scientist.explore.profile.moments import moment_findings, zone_findings
from shiplap.scientist.explore.profile.records import ColumnProfile, Numbers, Profile, Value

__all__ = ["column_findings"]

_GAP = 0.5
_FENCE = 10.0
_RARE = 0.001
_NEARLY_ALL = 0.995
_NUMBER_CODES = frozenset(float(sign * int("9" * digits)) for sign in (-1, 1) for digits in range(2, 9)) | {-1.0, -9.0}
_MOST_NAMED = 3


def column_findings(profile: Profile, sample: pd.DataFrame, *, today: np.datetime64 | None = None) -> list[Finding]:
    """Say what is wrong with single columns.

    Parameters
    ----------
    profile : Profile
        Counts over all rows.
    sample : pandas.DataFrame
        Some of the rows, for columns of texts whose values are too many to be counted one by one.
    today : numpy.datetime64, optional
        The day after which the future begins; that of the clock when left out.
    """
    today = np.datetime64("today") if today is None else today
    found = zone_findings(profile)
    for column in profile.columns:
        for check in _CHECKS:
            found += check(column)
        found += moment_findings(column, today)
        if column.column.kind in ("category", "text", "id"):
            found += _written(column, sample[column.name])
    return found


def _note(
    check: str, column: ColumnProfile, means: str, todo: str = "", *, verdict: Grade = "note", value: float
) -> Finding:
    return Finding(
        check=f"column.{check}", verdict=verdict, means=means, todo=todo, columns=(column.name,), value=value
    )


def _gap(column: ColumnProfile) -> Iterator[Finding]:
    if column.missing_share > _GAP and column.n_present:
        means = f"'{column.name}' is missing on {column.missing_share:.0%} of the rows"
        yield _note("missing", column, means, value=column.missing_share)


def _near_constant(column: ColumnProfile) -> Iterator[Finding]:
    if not column.values or column.column.kind == "constant" or column.missing_share > _GAP:
        return
    most = column.values[0]
    if _NEARLY_ALL * column.n_rows <= most.rows < column.n_rows:
        means = f"'{column.name}' is {most.shown} on all but {column.n_rows - most.rows:,} of {column.n_rows:,} rows"
        yield _note("near_constant", column, means, value=most.rows / column.n_rows)


def _infinite(column: ColumnProfile) -> Iterator[Finding]:
    if column.numbers and column.numbers.n_infinite:
        means = f"'{column.name}' holds {column.numbers.n_infinite:,} infinite numbers"
        yield _note(
            "infinite", column, means, "see where they come from", verdict="warn", value=column.numbers.n_infinite
        )


def _codes(column: ColumnProfile) -> Iterator[Finding]:
    for value in _number_codes(column):
        means = (
            f"'{column.name}' is {value.shown} on {value.rows:,} rows, far from its other values: a code for missing?"
        )
        todo = f'if so, say missing = ["{value.shown}"] for it in the brief'
        yield _note("placeholder", column, means, todo, verdict="warn", value=float(value.shown))


def _number_codes(column: ColumnProfile) -> list[Value]:
    """Find usual codes at the end of a column, apart from the rest: 999 above ages, -1 below counts."""
    numbers = column.numbers
    if numbers is None or len(numbers.tally.rows) < 3:
        return []
    first, _, third = numbers.quartiles
    tally, found = numbers.tally, []
    for value in column.values:
        number = float(value.shown)
        if number not in _NUMBER_CODES or value.rows < max(3, _RARE * column.n_present):
            continue
        above = number == numbers.high and number - tally.high[-2] > max(third - first, 0.1 * abs(number))
        below = number == numbers.low and (tally.low[1] >= 0 or tally.low[1] - number > 2 * (third - first))
        if above or below:
            found.append(value)
    return found


def _extreme(column: ColumnProfile) -> Iterator[Finding]:
    numbers = column.numbers
    if numbers is None or _number_codes(column):
        return
    first, middle, third = numbers.quartiles
    fence = _FENCE * (third - first)
    far = numbers.tally.outside(middle - fence, middle + fence) if fence > 0 else 0
    if 0 < far <= _RARE * numbers.tally.n_rows:
        worst = _furthest(numbers, middle)
        means = f"'{column.name}' has {far:,} values of {numbers.tally.n_rows:,} far out, the furthest {worst:,.6g}"
        yield _note("extreme", column, means, "see whether they are errors or codes for missing", value=far)


def _furthest(numbers: Numbers, middle: float) -> float:
    return numbers.high if numbers.high - middle > middle - numbers.low else numbers.low


_CHECKS: tuple[Callable[[ColumnProfile], Iterator[Finding]], ...] = (
    _gap, _near_constant, _infinite, _codes, _extreme,
)  # fmt: skip


@dataclass(frozen=True)
class _Words:
    what: str
    todo: str


_FAULTS = {
    "mojibake": _Words("with a broken encoding", "read the file in the encoding it was written in"),
    "invisible": _Words("with control or invisible characters", "remove them: they make equal values unequal"),
    "blanks": _Words("with blanks before or after the text", "strip them: they make equal values unequal"),
}


def _written(column: ColumnProfile, sample: pd.Series) -> Iterator[Finding]:
    values, rows = _seen(column, sample)
    for fault, found in spelling.faults(values).items():
        words = _FAULTS[fault]
        share = sum(value.rows for value in found)
        means = f"'{column.name}' has {share:,} {rows} {words.what}: {_named(found)}"
        yield _note(fault, column, means, words.todo, value=share)
    if column.column.kind != "category":
        return
    if same := spelling.variants(values):
        more = f", and {len(same) - 1} more" if len(same) > 1 else ""
        means = f"'{column.name}' writes one value in several ways: {_named(same[0])}{more}"
        yield _note(
            "spelling",
            column,
            means,
            "make them one: a model takes them for different things",
            verdict="warn",
            value=len(same),
        )
    for value in spelling.placeholder_words(values):
        means = f"'{column.name}' is {value.shown!r} on {value.rows:,} {rows}: a word for missing?"
        todo = f'if so, say missing = ["{value.shown}"] for it in the brief'
        yield _note("placeholder", column, means, todo, value=value.rows)
    if spelling.is_amount(values) and len(values) > 2 and not all(value.shown.isdigit() for value in values):
        means = f"'{column.name}' holds numbers written as texts: {_named(values)}"
        yield _note(
            "numbers_as_text", column, means, "take the signs away, so that it counts as a number", value=len(values)
        )


def _seen(column: ColumnProfile, sample: pd.Series) -> tuple[list[Value], str]:
    if column.complete:
        return list(column.values), "rows"
    counts = sample.value_counts()
    listed = [Value(str(value), int(rows)) for value, rows in counts.items()]
    return listed, f"of {len(sample):,} rows looked at"


def _named(values: list[Value] | tuple[Value, ...]) -> str:
    shown = [
        repr(value.shown if len(value.shown) <= 40 else value.shown[:37] + "...") for value in values[:_MOST_NAMED]
    ]
    more = len(values) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")
