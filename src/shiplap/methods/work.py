"""Work in units that a seed repeats on any machine: what fitting trees costs, from the shape of the data alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shiplap.adapters.frameworks.lightgbm.estimators import Settings

__all__ = ["UNITS_PER_SECOND", "Shape", "linear_units", "scoring_units"]

UNITS_PER_SECOND = 250e6
"""What a second of a budget buys. LightGBM was measured to do 500 to 700 million on one quiet core of a server."""
_BINS = 256
_UNITS_A_CALL = 50_000.0
_UNITS_TO_BIN = 40.0
_UNITS_A_ROW, _UNITS_A_VALUE, _UNITS_A_WEIGHT = 20.0, 1.0, 4.0
_UNITS_TO_PREPARE, _UNITS_A_TREE = 50.0, 25.0


@dataclass(frozen=True)
class Shape:
    """What boosted trees are fitted on.

    One unit is one value of one row, looked at on one level of a tree.

    Parameters
    ----------
    n_rows, n_tune, n_columns : int
        Rows learned from, rows that say when to stop, columns.
    n_outputs : int
        Trees a round: one, or one a class for three classes and more.

    Examples
    --------
    >>> shape = Shape(n_rows=226_621, n_tune=46_660, n_columns=28)
    >>> f"{shape.of_round(Settings('plain', leaves=31)) / UNITS_PER_SECOND:.2f} seconds a round"
    '0.13 seconds a round'
    """

    n_rows: int
    n_tune: int
    n_columns: int
    n_outputs: int = 1

    def of_round(self, settings: Settings) -> float:
        """Units of one round."""
        levels, looked_at = math.log2(settings.leaves), self.n_columns * settings.columns
        values = looked_at * (self.n_rows * levels + _BINS * settings.leaves) + self.n_tune * levels
        return _UNITS_A_CALL + self.n_outputs * values

    def of_setup(self) -> float:
        """Units of cutting the columns into bins, once a fit."""
        return _UNITS_TO_BIN * self.n_rows * self.n_columns

    def rounds_for(self, units: float, settings: Settings) -> int:
        """Rounds that so many units allow."""
        return max(0, int((units - self.of_setup()) / self.of_round(settings)))

    def rows_for(self, units: float, settings: Settings, rounds: int) -> int:
        """Rows, of those there are, on which so many units allow so many rounds."""
        rest = rounds * Shape(0, self.n_tune, self.n_columns, self.n_outputs).of_round(settings)
        a_round = self.n_outputs * self.n_columns * settings.columns * math.log2(settings.leaves)
        return min(self.n_rows, max(0, int((units - rest) / (rounds * a_round + _UNITS_TO_BIN * self.n_columns))))


def linear_units(n_rows: int, n_values: float, n_weights: int, n_outputs: int = 1) -> float:
    """Units of one pass of a linear solver over its rows.

    Parameters
    ----------
    n_rows : int
        Rows learned from.
    n_values : float
        Values of a row that are not zero.
    n_weights : int
        Columns after one-hot encoding.
    n_outputs : int
        Numbers computed a row: one, or one a class for three classes and more.

    Examples
    --------
    >>> f"{200 * linear_units(12_001, 16, 16, 26) / UNITS_PER_SECOND:.0f} seconds for 200 passes at the most"
    '9 seconds for 200 passes at the most'
    """
    return n_outputs * (n_rows * (_UNITS_A_ROW + _UNITS_A_VALUE * n_values) + _UNITS_A_WEIGHT * n_weights)


def scoring_units(n_columns: int, n_trees: int) -> float:
    """Units of preparing and answering one row.

    Examples
    --------
    >>> scoring_units(10, 100)
    3000.0
    """
    return _UNITS_TO_PREPARE * n_columns + _UNITS_A_TREE * n_trees
