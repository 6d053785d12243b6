"""How good an output is, per task and per row."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from shiplap.core.brief import Task

__all__ = ["auc", "auc_pulls", "constant_output", "loss_name", "rank_correlation", "row_loss", "summary"]

Floats: TypeAlias = npt.NDArray[np.float64]
_FLOOR = 1e-15


def loss_name(task: Task) -> str:
    """Name of the loss that a verdict rests on where no values are given.

    Examples
    --------
    >>> loss_name("binary"), loss_name("regression")
    ('log loss', 'RMSE')
    """
    return "RMSE" if task == "regression" else "log loss"


def row_loss(task: Task, y: npt.NDArray[Any], output: Floats) -> Floats:
    """Loss of each row: minus the log of the probability given to what happened, or the squared error.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of output.
    y : numpy.ndarray of shape (n_rows,)
        Codes, or numbers.
    output : numpy.ndarray of shape (n_rows, n_classes) or (n_rows,)
        Probabilities, or predictions.

    Examples
    --------
    >>> row_loss("binary", np.array([1, 0]), np.array([[0.5, 0.5], [1.0, 0.0]])).round(3).tolist()
    [0.693, 0.0]
    """
    if task == "regression":
        return np.asarray((y - output) ** 2, dtype=np.float64)
    given = output[np.arange(len(y)), y]
    return np.asarray(np.abs(np.log(np.clip(given, _FLOOR, 1.0))))


def constant_output(task: Task, y: npt.NDArray[Any], n_classes: int, n_rows: int) -> Floats:
    """Answer every row with the class shares, or the mean, of `y`: what is known without looking.

    Examples
    --------
    >>> constant_output("binary", np.array([0, 0, 0, 1]), 2, 1).tolist()
    [[0.75, 0.25]]
    """
    if task == "regression":
        return np.full(n_rows, float(np.mean(y)))
    shares = np.bincount(y, minlength=n_classes) / len(y)
    return np.tile(shares, (n_rows, 1))


def auc(hit: npt.NDArray[np.bool_], score: Floats) -> float | None:
    """Area under the ROC curve, by ranks (Mann and Whitney 1947); None where all rows are of one class.

    Examples
    --------
    >>> auc(np.array([False, True]), np.array([0.1, 0.9])), auc(np.array([True]), np.array([0.9]))
    (1.0, None)
    """
    n_hits = int(hit.sum())
    if not 0 < n_hits < len(hit):
        return None
    ranks = float(rankdata(score)[hit].sum())
    return (ranks - n_hits * (n_hits + 1) / 2) / (n_hits * (len(hit) - n_hits))


def rank_correlation(y: Floats, score: Floats) -> float | None:
    """Return how far two orders agree, from -1 to 1 (Spearman 1904); None where all values of one are equal.

    Examples
    --------
    >>> rank_correlation(np.array([1.0, 5.0, 9.0]), np.array([0.1, 0.2, 0.9]))
    1.0
    """
    ranks, others = rankdata(y), rankdata(score)
    if np.ptp(ranks) == 0 or np.ptp(others) == 0:
        return None
    return float(np.corrcoef(ranks, others)[0, 1])


def auc_pulls(hit: npt.NDArray[np.bool_], score: Floats) -> Floats:
    """Return what each row contributes to the area under the ROC curve: their mean is the area, their spread its error.

    Placements of DeLong, DeLong and Clarke-Pearson (1988), "Comparing the areas under two or more correlated receiver
    operating characteristic curves", Biometrics 44.

    Parameters
    ----------
    hit : numpy.ndarray of bool, shape (n_rows,)
        Which rows are of the class to be found; some are and some are not.
    score : numpy.ndarray of shape (n_rows,)
        Their scores.

    Examples
    --------
    >>> auc_pulls(np.array([False, True, False, True]), np.array([0.1, 0.9, 0.5, 0.4])).tolist()
    [1.25, 1.25, 0.25, 0.25]
    """
    n_hits, n_rest = int(hit.sum()), int((~hit).sum())
    ranks = rankdata(score)
    place = np.empty(len(hit))
    place[hit] = (ranks[hit] - rankdata(score[hit])) / n_rest
    place[~hit] = 1 - (ranks[~hit] - rankdata(score[~hit])) / n_hits
    area = float(place[hit].mean())
    return area + (place - area) * len(hit) / np.where(hit, n_hits, n_rest)


def summary(task: Task, y: npt.NDArray[Any], output: Floats, *, positive: int = -1) -> dict[str, float | None]:
    """Figures that people expect for a task.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of output.
    y : numpy.ndarray of shape (n_rows,)
        Codes, or numbers.
    output : numpy.ndarray of shape (n_rows, n_classes) or (n_rows,)
        Probabilities, or predictions.
    positive : int
        Column of the class to be found, for a binary task.

    Returns
    -------
    dict of str to float or None
        Binary: ``auc``, ``log_loss``, ``brier``, ``accuracy``; multiclass: ``accuracy``, ``log_loss``, ``mean_auc``
        (over classes, one against the rest); regression: ``rmse``, ``mae``, ``r2``.

    Examples
    --------
    >>> summary("regression", np.array([1.0, 3.0]), np.array([1.0, 2.0]))["r2"]
    0.5
    """
    if task == "regression":
        error = y - output
        spread = float(np.sum((y - np.mean(y)) ** 2))
        return {
            "rmse": float(np.sqrt(np.mean(error**2))),
            "mae": float(np.mean(np.abs(error))),
            "r2": 1.0 - float(np.sum(error**2)) / spread if spread else None,
        }
    found = {
        "log_loss": float(np.mean(row_loss(task, y, output))),
        "accuracy": float(np.mean(np.argmax(output, axis=1) == y)),
    }
    if task == "binary":
        score = output[:, positive]
        return {"auc": auc(y == positive, score), **found, "brier": float(np.mean((score - (y == positive)) ** 2))}
    each = [auc(y == code, output[:, code]) for code in range(output.shape[1])]
    known = [value for value in each if value is not None]
    return {**found, "mean_auc": float(np.mean(known)) if known else None}
