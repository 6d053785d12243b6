"""Pictures of a model's answers on the test rows: precision by recall, and what is left over of a number."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.metrics import precision_recall_curve

from shiplap.core.report import Figure

__all__ = ["precision_recall", "residuals"]

Floats: TypeAlias = npt.NDArray[np.float64]
_POINTS = 120
_CELLS = 36
_EDGES = 0.005


def precision_recall(hit: npt.NDArray[np.bool_], score: Floats, *, threshold: float, name: str) -> Figure:
    """Draw precision by recall, with what chance gives and where the policy stands.

    Parameters
    ----------
    hit : ndarray of bool, shape (n_rows,)
        Whether a row belongs to the class that is looked for; at least one does.
    score : ndarray of float, shape (n_rows,)
        Probability of that class.
    threshold : float
        From which probability on is acted.
    name : str
        The class.

    Returns
    -------
    Figure
        At most 120 points, evenly spread over the recall.

    Examples
    --------
    >>> hit, score = np.array([True, False, True, False]), np.array([0.9, 0.6, 0.5, 0.1])
    >>> figure = precision_recall(hit, score, threshold=0.55, name="late")
    >>> figure.data["recall"], figure.data["precision"], figure.marks[0][0]
    ([0.5, 1.0], [1.0, 0.6666666666666666], 0.5)
    """
    precision, recall, _ = precision_recall_curve(hit, score)
    precision, recall = precision[:-1][::-1], recall[:-1][::-1]  # the last point is a convention, not a threshold
    found = np.unique(np.searchsorted(recall, np.linspace(recall[0], 1.0, _POINTS)))
    best = np.array([precision[recall == recall[place]].max() for place in found])
    return Figure(
        name="precision_recall",
        title=f"How many of those called '{name}' are, by how many are found",
        kind="line",
        data={"recall": recall[found].tolist(), "precision": best.tolist()},
        x="recall",
        y=("precision",),
        strokes={"precision": "step"},
        marks=((float(np.mean(score[hit] >= threshold)), "at the threshold"),),
        levels=((float(np.mean(hit)), "chance"),),
        labels={"recall": f"share of all '{name}' that are found (recall)", "precision": "precision"},
    )


def residuals(actual: Floats, predicted: Floats, *, target: str) -> Figure:
    """Draw what is left over of each prediction, as a density of all rows but the outermost percent.

    Parameters
    ----------
    actual, predicted : ndarray of float, shape (n_rows,)
        What came, and what was said.
    target : str
        What it is.

    Examples
    --------
    >>> figure = residuals(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.5, 3.5]), target="delay")
    >>> sum(figure.data["rows"])
    3
    """
    left = actual - predicted
    spans = [np.quantile(values, [_EDGES, 1 - _EDGES], method="closest_observation") for values in (predicted, left)]
    bounds: Any = [(low, high) if low < high else (low - 0.5, high + 0.5) for low, high in spans]
    rows, across, up = np.histogram2d(predicted, left, bins=_CELLS, range=bounds)
    x, y = np.nonzero(rows)
    middles = [(edges[1:] + edges[:-1]) / 2 for edges in (across, up)]
    return Figure(
        name="residuals",
        title=f"What is left over of '{target}' on the test rows: no slope and no funnel is what to hope for",
        kind="density",
        data={
            "predicted": middles[0][x].tolist(),
            "left": middles[1][y].tolist(),
            "rows": rows[x, y].astype(int).tolist(),
        },
        x="predicted",
        y=("left", "rows"),
        levels=((0.0, ""),),
        labels={"predicted": "predicted", "left": "actual less predicted", "rows": "rows"},
    )
