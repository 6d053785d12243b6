"""Gaps that know the answer: a column that is filled in with the outcome is missing where there is none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from shiplap.core.finding import Finding, Grade
from shiplap.methods.bins import bins_score
from shiplap.methods.leaks.found import suspect
from shiplap.methods.leaks.sample import Floats, Sample
from shiplap.methods.metrics import auc
from shiplap.methods.query import quoted
from shiplap.methods.question import Problem

__all__ = ["gap_score", "gaps", "missing_pattern", "missing_with_label"]

_TELLS = 0.95
_LEAST = 20
_EXCEPTIONS = 0.002
_SURE_SHARE, _LIKELY_SHARE, _USUAL_SHARE = 0.2, 0.05, 0.5
_STRAYS = 0.01
_HABIT, _MANY_VALUES = 0.3, 10


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
    """Accuse columns whose gaps give the target: by both sides, or filled in after one outcome only.

    A number that is mostly one value (an amount of 0) is read as a gap where it is that value, with more caution.

    Parameters
    ----------
    sample : Sample
        The rows.
    missing : dict of str to float
        What the gaps of each column with gaps say alone (`gap_score`).

    Returns
    -------
    list of Finding
        ``leak.missing_tells`` (``fail``) where a gap or none tells the target; ``leak.one_outcome`` where a column is
        filled in (or missing) after one outcome without exception: ``fail`` where that is a fifth of its rows, ``warn``
        from a twentieth; of a usual value ``warn``, from half of the rows of the outcome.
    """
    found = []
    for name in sample.tried:
        if name in missing:
            absent = sample.X[name].isna().to_numpy()
            found += _tells(sample, name, absent, missing[name]) or _one_outcome(sample, name, absent)
        else:
            usual = _usual(sample.X[name])
            found += [] if usual is None else _unusual(sample, name, usual)
    return found


def _tells(sample: Sample, name: str, absent: npt.NDArray[np.bool_], score: float) -> list[Finding]:
    what = "R squared" if sample.problem.task == "regression" else "AUC"
    apart = _apart(sample, absent)
    if max(score, apart) < _TELLS:
        return []
    means = f"whether '{name}' is missing tells the target by itself ({what} {score:.3f})"
    if apart > score:
        side = "one side of the target" if sample.problem.task == "regression" else "all labels but one"
        means = f"'{name}' is missing, or filled in, on {side}: it tells {apart:.1%} of the pairs apart"
    return [suspect("leak.missing_tells", "fail", name, means, value=max(score, apart), limit=_TELLS)]


def _apart(sample: Sample, absent: npt.NDArray[np.bool_]) -> float:
    """Share of the pairs that a gap and a numeric target, or a gap and the one label that goes with it, tell apart."""
    if min(absent.sum(), (~absent).sum()) < _LEAST:
        return 0.0
    if sample.problem.task == "regression":
        area = auc(absent, sample.y.astype(np.float64)) or 0.5
        return max(area, 1 - area)
    n_classes = int(sample.y.max()) + 1
    rows = np.bincount(sample.y, minlength=n_classes)
    gone = np.bincount(sample.y[absent], minlength=n_classes)
    inside, outside = gone / np.maximum(rows, 1), (gone.sum() - gone) / np.maximum(len(sample.y) - rows, 1)
    areas = np.where((rows >= _LEAST) & (rows < len(sample.y)), (1 + np.abs(inside - outside)) / 2, 0.0)
    return float(areas.max())


def _one_outcome(sample: Sample, name: str, absent: npt.NDArray[np.bool_]) -> list[Finding]:
    for side, word in ((~absent, "filled in"), (absent, "missing")):
        label, share = _only_label(sample, side)
        if share < _LIKELY_SHARE:
            continue
        means = (
            f"'{name}' is {word} on {side.sum():,} rows, and all of them are {label} ({share:.0%} of those rows): it "
            "seems to be written down after that outcome"
        )
        grade: Grade = "fail" if share >= _SURE_SHARE else "warn"
        return [suspect("leak.one_outcome", grade, name, means, value=share, limit=_SURE_SHARE)]
    return []


def _only_label(sample: Sample, side: npt.NDArray[np.bool_]) -> tuple[str, float]:
    """Name the one label that some rows carry, and their share of all rows with it; 0 where they carry more than one.

    Rows too few to tell that from chance, given how frequent the label is, count as more than one.
    """
    rows = int(side.sum())
    if rows < _LEAST:
        return "", 0.0
    if sample.problem.task == "regression":
        return _only_end(sample.y.astype(np.float64), side)
    counts = np.bincount(sample.y[side], minlength=int(sample.y.max()) + 1)
    code = int(np.argmax(counts))
    total = int(np.sum(sample.y == code))
    chance = rows * (1 - total / len(sample.y))
    if rows - counts[code] > _EXCEPTIONS * rows or chance < _LEAST:
        return "", 0.0
    return f"'{sample.problem.classes[code]}'", float(counts[code] / total)


def _only_end(y: Floats, side: npt.NDArray[np.bool_]) -> tuple[str, float]:
    """The same for a number: the end of it that some rows lie in, all but one in a hundred, if that is half or less."""
    for end, values in (("above", y), ("below", -y)):
        edge = float(np.quantile(values[side], _STRAYS))
        inside = values >= edge
        if inside.mean() <= 0.5 and side.sum() * (1 - inside.mean()) >= _LEAST:
            return f"{end} {edge if end == 'above' else -edge:,.6g}", float(np.sum(inside & side) / inside.sum())
    return "", 0.0


def _usual(column: pd.Series) -> npt.NDArray[np.bool_] | None:
    """Return on which rows a number has its most frequent value; None where that is no habit."""
    if column.dtype.kind != "f":
        return None
    counts = column.value_counts()
    if len(counts) < _MANY_VALUES or counts.iloc[0] < _HABIT * len(column):
        return None
    return np.asarray(column == counts.index[0])


def _unusual(sample: Sample, name: str, usual: npt.NDArray[np.bool_]) -> list[Finding]:
    apart, (label, share) = _apart(sample, usual), _only_label(sample, ~usual)
    if apart >= _TELLS:
        means = f"whether '{name}' has its usual value tells {apart:.1%} of the pairs apart"
        return [suspect("leak.one_outcome", "warn", name, means, value=apart, limit=_TELLS)]
    if share < _USUAL_SHARE:
        return []
    means = (
        f"'{name}' departs from its usual value on {np.sum(~usual):,} rows, and all of them are {label} ({share:.0%} "
        "of those rows): it seems to be written down after that outcome"
    )
    return [suspect("leak.one_outcome", "warn", name, means, value=share, limit=_USUAL_SHARE)]
