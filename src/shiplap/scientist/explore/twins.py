"""Columns that say the same on 99 % of the rows: one follows from the other by a line, or but for case and blanks.

Pairs are proposed by a few rows and counted over all of them where they lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.finding import Finding
from shiplap.core.schema import Column
from shiplap.methods.query import quoted
from shiplap.scientist.explore.view import View

__all__ = ["same_columns"]

Floats: TypeAlias = npt.NDArray[np.float64]
_NEARLY = 0.99
_TELLING = 0.9
"""Share that must agree among rows that are not both at their usual value: two rare flags agree almost everywhere."""
_PROPOSED = 0.95
_ROWS, _DIFFERENCES, _FEWEST = 2_000, 400, 50
_MOST_NUMBERS, _MOST_TEXTS, _MOST_PAIRS = 200, 60, 50
_PRECISION = 1e-6


def same_columns(view: View) -> list[Finding]:
    """Find pairs of columns of which one follows from the other on at least 99 % of the rows that have both."""
    few = view.X.iloc[np.linspace(0, len(view.X) - 1, min(_ROWS, len(view.X))).astype(np.int64)]
    exact = _renamed(view)
    proposed = [*_lines(view, few), *_texts(view, few, {(first, second) for first, second in exact})]
    counted = _counted(view, proposed[:_MOST_PAIRS])
    return [_same(first, second) for first, second in exact] + [_found(*pair) for pair in _without_repeats(counted)]


@dataclass(frozen=True)
class _Pair:
    """Two columns, the SQL that holds where the second follows from the first, and how it does."""

    first: str
    second: str
    agrees: str
    usual: str
    how: str = ""


@dataclass(frozen=True)
class _Counts:
    """Rows with both values, with one alone, and where both agree."""

    both: int
    alone: int
    agree: int
    usual: int

    @property
    def alike(self) -> bool:
        """Whether they agree on nearly all rows, and on those that are not both at their usual value too."""
        differ, telling = self.both - self.agree, self.both - self.usual
        enough = self.both >= max(_FEWEST, self.alone)
        return enough and differ <= (1 - _NEARLY) * self.both and telling > 0 and differ <= (1 - _TELLING) * telling


def _lines(view: View, few: pd.DataFrame) -> Iterator[_Pair]:
    """Propose pairs of numbers or moments of which one is a line over the other.

    A line that holds on 99 % of the rows holds between most pairs of rows: the median of their slopes is its slope
    (Theil 1950; Sen 1968), which no outlier moves.
    """
    columns = [column for column in view.schema if column.kind in ("number", "boolean", "date")][:_MOST_NUMBERS]
    values = [_as_numbers(few[column.name]) for column in columns]
    near = [_PRECISION * _spread(column) for column in values]
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, max(1, len(few)), (2, _DIFFERENCES))
    for a, b in combinations(range(len(columns)), 2):
        for slope, offset in _candidates(values[a], values[b], left, right):
            apart = np.abs(values[b] - (slope * values[a] + offset))
            both = np.isfinite(apart)
            if both.any() and np.mean(apart[both] <= near[b]) >= _PROPOSED:
                yield _line(columns[a], columns[b], slope, offset, near[b], _usual(values[a]))
                break


def _candidates(
    a: Floats, b: Floats, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> Iterator[tuple[float, float]]:
    """Yield equality, and the line through most pairs of rows."""
    yield 1.0, 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = (b[left] - b[right]) / (a[left] - a[right])
    slopes = slopes[np.isfinite(slopes)]
    slope = float(np.median(slopes)) if len(slopes) >= _FEWEST else 0.0
    if slope != 0:
        slope = float(f"{slope:.12g}")
        yield slope, float(f"{np.nanmedian(b - slope * a):.12g}")


def _line(first: Column, second: Column, slope: float, offset: float, near: float, usual: float) -> _Pair:
    a, b = _number_sql(first), _number_sql(second)
    fitted = f"({a} * {slope!r} + {offset!r})"
    agrees = f"abs({b} - {fitted}) <= {near!r}"
    how = _in_words(first, second, slope, offset)
    return _Pair(first.name, second.name, agrees, f"{agrees} AND {a} = {usual!r}", how)


def _in_words(first: Column, second: Column, slope: float, offset: float) -> str:
    """Say a line; seconds between moments as days."""
    if (slope, offset) == (1.0, 0.0):
        return ""
    if first.kind == second.kind == "date" and slope == 1.0:
        days = abs(offset) / 86_400
        later, earlier = (second, first) if offset > 0 else (first, second)
        return f"'{later.name}' is {days:,.6g} days after '{earlier.name}'"
    times = "" if slope == 1.0 else f"{slope:.6g} times "
    plus = "" if offset == 0 else f" {'plus' if offset > 0 else 'minus'} {abs(offset):.6g}"
    return f"'{second.name}' is {times}'{first.name}'{plus}"


def _as_numbers(values: pd.Series) -> Floats:
    if values.dtype.kind == "M":
        seconds = values.to_numpy("datetime64[us]").astype(np.float64) / 1e6
        return np.where(values.isna(), np.nan, seconds)
    numbers = values.to_numpy(np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _number_sql(column: Column) -> str:
    name = quoted(column.name)
    if column.kind == "boolean":
        return f"CASE WHEN {name} THEN 1.0 WHEN NOT {name} THEN 0.0 END"
    return f"epoch({name})" if column.kind == "date" else name


def _spread(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.subtract(*np.quantile(known, [0.99, 0.01]))) if len(known) else 0.0


def _usual(values: Floats) -> float:
    known, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    return float(known[counts.argmax()])


def _texts(view: View, few: pd.DataFrame, exact: set[tuple[str, str]]) -> Iterator[_Pair]:
    """Propose pairs of texts that are equal once case and blanks around them are taken away."""
    names = [column.name for column in view.schema if column.kind in ("category", "text", "id")][:_MOST_TEXTS]
    folded = {name: few[name].str.strip(" ").str.lower() for name in names}
    for first, second in combinations(names, 2):
        a, b = folded[first], folded[second]
        both = (a.notna() & b.notna()).to_numpy()
        if (first, second) in exact or not both.any() or np.mean((a == b).to_numpy()[both]) < _PROPOSED:
            continue
        usual = str(a.mode().iloc[0]).replace("'", "''")
        agrees = f"lower(trim({quoted(first)})) = lower(trim({quoted(second)}))"
        written = bool(np.all(few[first].to_numpy()[both] == few[second].to_numpy()[both]))
        how = "" if written else f"'{second}' is '{first}' but for case and blanks"
        yield _Pair(first, second, agrees, f"{agrees} AND lower(trim({quoted(first)})) = '{usual}'", how)


def _renamed(view: View) -> list[tuple[str, str]]:
    """Find categories that are each other's under other names."""
    texts = [column.name for column in view.schema if column.kind == "category"]
    codes = {name: pd.factorize(view.X[name], use_na_sentinel=False)[0] for name in texts[:_MOST_TEXTS]}
    return [pair for pair in combinations(codes, 2) if _one_to_one(codes[pair[0]], codes[pair[1]])]


def _one_to_one(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> bool:
    width = int(second.max()) + 1
    pairs = len(np.unique(first * width + second))
    return pairs > 1 and pairs == int(first.max()) + 1 == width


def _counted(view: View, pairs: list[_Pair]) -> list[tuple[_Pair, _Counts]]:
    """Count over all rows, in one pass, how far pairs agree."""
    if not pairs:
        return []
    asked = []
    for pair in pairs:
        a, b = quoted(pair.first), quoted(pair.second)
        both = f"{a} IS NOT NULL AND {b} IS NOT NULL"
        alone = f"({a} IS NULL) <> ({b} IS NULL)"
        asked += [f"count(CASE WHEN {test} THEN 1 END)" for test in (both, alone, pair.agrees, pair.usual)]
    told = view.table.frame.fetch(" ".join(("SELECT", ", ".join(asked), "FROM rows")))[0]
    counts = [_Counts(*(int(number) for number in told[4 * place : 4 * place + 4])) for place in range(len(pairs))]
    return [(pair, count) for pair, count in zip(pairs, counts, strict=True) if count.alike]


def _without_repeats(found: list[tuple[_Pair, _Counts]]) -> Iterator[tuple[_Pair, _Counts]]:
    """Leave out pairs that follow from others: of three that say the same, the second and third."""
    covered: set[str] = set()
    for pair, counts in found:
        if pair.first not in covered:
            covered.add(pair.second)
            yield pair, counts


def _same(first: str, second: str) -> Finding:
    return Finding(
        check="column.same",
        verdict="note",
        means=f"'{first}' and '{second}' say the same",
        todo=f"drop=['{second}'] loses nothing",
        columns=(first, second),
    )


def _found(pair: _Pair, counts: _Counts) -> Finding:
    names, differ = f"'{pair.first}' and '{pair.second}'", counts.both - counts.agree
    how = f": {pair.how}" if pair.how else ""
    if not differ and not counts.alone:
        return Finding(
            check="column.same",
            verdict="note",
            means=f"{names} say the same{how}",
            todo=f"drop=['{pair.second}'] loses nothing",
            columns=(pair.first, pair.second),
            value=1.0,
        )
    where = "wherever both are known" if not differ else f"on all but {differ:,} of {counts.both:,} rows that have both"
    gaps = f"; {counts.alone:,} rows have only one of them" if counts.alone else ""
    return Finding(
        check="column.nearly_same",
        verdict="note",
        means=f"{names} say the same {where}{how}{gaps}",
        todo="see which of them is right where they differ, and drop the other",
        columns=(pair.first, pair.second),
        value=counts.agree / counts.both,
        limit=_NEARLY,
    )
