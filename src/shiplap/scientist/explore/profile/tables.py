"""A profile as tables for people."""

from __future__ import annotations

import math
from collections.abc import Mapping

from shiplap.core.report import Cell, DataTable
from shiplap.scientist.explore.profile.records import ColumnProfile, Profile

__all__ = ["columns_table", "numbers_table"]

_OUTER = 3.0
_LONGEST = 40


def columns_table(profile: Profile, extra: Mapping[str, Mapping[str, float]]) -> DataTable:
    """List every column.

    Parameters
    ----------
    profile : Profile
        What they hold.
    extra : mapping of str to mapping of str to float
        Further figures by heading and by column; a heading without any figure is left out.
    """
    further = {heading: figures for heading, figures in extra.items() if figures}
    rows = tuple(
        (*_row(column), *(_rounded(figures.get(column.name)) for figures in further.values()))
        for column in profile.columns
    )
    headings = ("column", "kind", "missing share", "distinct", "lowest", "highest", "most frequent", "its share")
    title = "The columns (distinct values above 10,000 are counted roughly)"
    return DataTable(name="columns", title=title, columns=(*headings, *further), rows=rows)


def _row(column: ColumnProfile) -> tuple[Cell, ...]:
    known = column.column
    most = column.values[0] if column.values and column.n_present else None
    telling = most is not None and (column.complete or most.rows > 0.01 * column.n_present)
    return (
        column.name,
        known.kind,
        round(column.missing_share, 5),
        known.n_distinct,
        known.low,
        known.high,
        _shortened(most.shown) if most and telling else None,
        round(most.rows / column.n_present, 4) if most and telling else None,
    )


def numbers_table(profile: Profile) -> DataTable:
    """List where the numbers lie; ``outliers`` is the share beyond three times the range of the quartiles from them."""
    rows: list[tuple[Cell, ...]] = []
    for column in profile.columns:
        if column.numbers is None or not column.numbers.tally.n_rows:
            continue
        numbers = column.numbers
        quantiles = numbers.tally.quantiles([0.01, 0.25, 0.5, 0.75, 0.99])
        spread = _OUTER * (quantiles[3] - quantiles[1])
        beyond = numbers.tally.outside(quantiles[1] - spread, quantiles[3] + spread) if spread > 0 else 0
        rows.append(
            (
                column.name,
                _rounded(numbers.mean),
                _rounded(numbers.sd),
                *(_rounded(float(value)) for value in quantiles),
                round(beyond / numbers.tally.n_rows, 5),
            )
        )
    headings = ("column", "mean", "sd", "1 %", "25 %", "median", "75 %", "99 %", "outlier share")
    return DataTable(name="numbers", title="Where the numbers lie", columns=headings, rows=tuple(rows))


def _rounded(value: float | None) -> float | None:
    """Keep six digits: the order in which cores add up changes the ones behind."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
