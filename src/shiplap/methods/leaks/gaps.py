"""Gaps that know the answer: a column that is filled in with the outcome is missing where there is none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shiplap.core.finding import Finding, Grade
from shiplap.methods.bins import bins_score
from shiplap.methods.leaks.found import suspect
from shiplap.methods.leaks.sample import Sample
from shiplap.methods.metrics import auc
from shiplap.methods.query import quoted
from shiplap.methods.question import Problem

__all__ = ["gap_score", "gaps", "missing_pattern", "missing_with_label"]

_TELLS = 0.95
_LEAST = 20
_EXCEPTIONS = 0.002
_SURE_SHARE, _LIKELY_SHARE = 0.2, 0.05


def missing_pattern(
    *, n_unlabelled: int, missing_unlabelled: int, n_labelled: int, missing_labelled: int
) -> Grade | None:
    """Judge a column by when it is missing: one that is filled in with the outcome is missing where the outcome is.

    Parameters
    ----------
    n_unlabelled, n_labelled : int
        Rows without and with a label.
    missing_unlabelled, missing_labelled : int
        Rows of each on which the column is missing.

    Returns
    -------
    {"fail", "warn"} or None
        ``fail`` when it is missing on 80 % or more of the rows without a label and on at most a tenth as large a share
        of the others; ``warn`` from 50 %; None otherwise, and for fewer than 20 rows without a label.

    Examples
    --------
    >>> missing_pattern(n_unlabelled=1000, missing_unlabelled=920, n_labelled=9000, missing_labelled=0)
    'fail'
    >>> missing_pattern(n_unlabelled=1000, missing_unlabelled=270, n_labelled=9000, missing_labelled=0)
    """
    if n_unlabelled < _LEAST or not n_labelled:
        return None
    share, background = missing_unlabelled / n_unlabelled, missing_labelled / n_labelled
    if background > share / 10:
        return None
    if share >= 0.8:
        return "fail"
    return "warn" if share >= 0.5 else None


def missing_with_label(problem: Problem, tried: tuple[str, ...]) -> list[Finding]:
    """Accuse columns that are missing where the label is, counted over all rows where they lie.

    Where most columns are, the rows are hollow and no column is filled in with the outcome: ``warn`` only.
    """
    if problem.n_unlabelled < _LEAST or not tried:
        return []
    missing = _counted(problem, tried)
    graded: list[tuple[str, Grade, float, float]] = []
    for name, (unlabelled, labelled) in missing.items():
        grade = missing_pattern(
            n_unlabelled=problem.n_unlabelled,
            missing_unlabelled=unlabelled,
            n_labelled=problem.n_rows,
            missing_labelled=labelled,
        )
        if grade is not None:
            graded.append((name, grade, unlabelled / problem.n_unlabelled, labelled / problem.n_rows))
    hollow = len(graded) > len(tried) / 2
    found = []
    for name, grade, share, background in graded:
        means = (
            f"'{name}' is missing on {share:.0%} of the rows without a label and on {background:.1%} of the others: "
            "it is filled in with the outcome"
        )
        if hollow:
            means = f"'{name}' is missing on {share:.0%} of the rows without a label, as most columns are"
        found.append(suspect("leak.missing_pattern", "warn" if hollow else grade, name, means, value=share, limit=0.8))
    return found


def _counted(problem: Problem, names: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Count on how many rows without and with a label each column is missing."""
    known = f"({problem.target_sql}) IS NOT NULL"
    sides = (f"NOT ({known})", known)
    sums = [f"sum(CASE WHEN {quoted(name)} IS NULL AND {side} THEN 1 ELSE 0 END)" for name in names for side in sides]
    counts = problem.table.frame.fetch(" ".join(("SELECT", ", ".join(sums), "FROM rows")))[0]
    return {name: (int(counts[2 * place]), int(counts[2 * place + 1])) for place, name in enumerate(names)}


def gap_score(sample: Sample, name: str) -> float | None:
    """Say how well the fact alone that a column is missing predicts the target; None where it never or always is.

    R squared, or area under the ROC curve; for a number as the target the larger of R squared and the skill of
    telling the rows apart by their order.
    """
    absent = sample.X[name].isna().to_numpy()
    if not absent.any() or absent.all():
        return None
    return bins_score(sample.problem.task, absent.astype(np.int64), sample.y)


def gaps(sample: Sample, missing: dict[str, float]) -> list[Finding]:
    """Accuse columns whose gaps give the label: by both sides, or filled in after one outcome only.

    Parameters
    ----------
    sample : Sample
        The rows.
    missing : dict of str to float
        What the gaps of each column with gaps say alone (`gap_score`).

    Returns
    -------
    list of Finding
        ``leak.missing_tells`` where a gap or none tells the target, ``leak.one_outcome`` where a column is filled in
        (or missing) after one outcome without exception: ``fail`` where that is a fifth of its rows, ``warn`` from a
        twentieth.
    """
    what = "R squared" if sample.problem.task == "regression" else "AUC"
    found = []
    for name in (name for name in sample.tried if name in missing):
        score = missing[name]
        absent = sample.X[name].isna().to_numpy()
        apart = _apart(sample, absent)
        if score >= _TELLS or apart >= _TELLS:
            means = f"whether '{name}' is missing tells the target by itself ({what} {score:.3f})"
            if apart > score:
                means = f"'{name}' is missing on one side of the target: it tells {apart:.1%} of the pairs apart"
            found.append(suspect("leak.missing_tells", "fail", name, means, value=max(score, apart), limit=_TELLS))
        else:
            found += _one_outcome(sample, name, absent)
    return found


def _apart(sample: Sample, absent: npt.NDArray[np.bool_]) -> float:
    """Share of the pairs, one with a gap and one without, that a numeric target tells apart."""
    if sample.problem.task != "regression" or min(absent.sum(), (~absent).sum()) < _LEAST:
        return 0.0
    area = auc(absent, sample.y.astype(np.float64)) or 0.5
    return max(area, 1 - area)


def _one_outcome(sample: Sample, name: str, absent: npt.NDArray[np.bool_]) -> list[Finding]:
    if sample.problem.task == "regression":
        return []
    for side, word in ((~absent, "filled in"), (absent, "missing")):
        rows = int(side.sum())
        if rows < _LEAST:
            continue
        counts = np.bincount(sample.y[side], minlength=int(sample.y.max()) + 1)
        label = int(np.argmax(counts))
        base, share = float(np.mean(sample.y == label)), counts[label] / np.sum(sample.y == label)
        others = rows * (1 - base)
        if rows - counts[label] > _EXCEPTIONS * rows or others < _LEAST or share < _LIKELY_SHARE:
            continue
        means = (
            f"'{name}' is {word} on {rows:,} rows, and {counts[label]:,} of them are '{sample.problem.classes[label]}' "
            f"({base:.0%} of all rows are): it seems to be written down after that outcome"
        )
        grade: Grade = "fail" if share >= _SURE_SHARE else "warn"
        return [suspect("leak.one_outcome", grade, name, means, value=float(share), limit=_SURE_SHARE)]
    return []
