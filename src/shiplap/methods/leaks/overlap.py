"""Rows of one time or of one entity on both sides of a split: what a model gains by them, measured.

The same rows are predicted twice by models that learned from equally many rows: once from other times or entities only,
once also from rows of their own. Roberts et al. (2017), "Cross-validation strategies for data with temporal, spatial,
hierarchical, or phylogenetic structure", Ecography 40; Hewamalage, Ackermann and Bergmeir (2023), "Forecast evaluation
for data scientists: common pitfalls and best practices", Data Mining and Knowledge Discovery 37.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from shiplap.core.finding import Finding
from shiplap.methods.bins import bins_score
from shiplap.methods.columns import known_at
from shiplap.methods.intervals import Interval, interval_of, resampled_means
from shiplap.methods.leaks.sample import Floats, Ints, Sample, levels, rows_of, skill

__all__ = ["Gap", "Overlap", "group_overlap", "own_rows_gap", "time_overlap"]

_ROWS = 4_000
_TESTED = 0.3
_TREES = 20
_SPANS = 50
_COUNTS = 0.98
_GAIN = 0.02
_FEWEST_ENTITIES = 30
_MOST_TRIED = 2
_ENTITY_SAYS = 0.1


@dataclass(frozen=True)
class Gap:
    """What models gain from rows of the same time or entity.

    Parameters
    ----------
    skill : Interval
        By how much the share of the variance (of the target, or of the classes) that is explained rises.
    apart, mixed : float
        That share without and with such rows.
    """

    skill: Interval
    apart: float
    mixed: float

    @property
    def sure(self) -> bool:
        """Whether the gain is above 2 % and surely above 0."""
        return self.skill.low > 0 and self.skill.value >= _GAIN


@dataclass(frozen=True)
class Overlap:
    """A column whose values are on both sides of a split, and what comes of it.

    Parameters
    ----------
    column : str
        The time, or the entity.
    gap : Gap
        What a model gains by it.
    finding : Finding
        The same in words.
    """

    column: str
    gap: Gap
    finding: Finding


def own_rows_gap(sample: Sample, rows: Ints, block: Ints, tested: npt.NDArray[np.bool_]) -> Gap:
    """Measure what rows of the same block tell about each other.

    Parameters
    ----------
    sample : Sample
        All rows.
    rows : numpy.ndarray of int64, shape (n,)
        Which of them take part.
    block : numpy.ndarray of int64, shape (n,)
        Which of these belong together; it is a feature too.
    tested : numpy.ndarray of bool, shape (n,)
        Which of these are predicted: whole blocks.

    Returns
    -------
    Gap
        From predicting the tested rows twice: by a model that learned from the rest, and by one that learned from the
        other half of the tested rows too, instead of as many of the rest. The interval resamples whole blocks.
    """
    random = np.random.default_rng(sample.problem.brief.seed)
    matrix = np.column_stack([codes[rows] for codes in sample.codes.values()]).astype(np.float32)
    asked, others = random.permutation(np.flatnonzero(tested)), random.permutation(np.flatnonzero(~tested))
    targets = _targets(sample, rows)
    missed = np.zeros((2, *targets.shape))
    missed[0, asked] = targets[asked] - _answer(sample, (matrix, block, targets), others, asked)
    half = len(asked) // 2
    for own, foreign in ((asked[:half], asked[half:]), (asked[half:], asked[:half])):
        learned = np.concatenate([foreign, others[: len(others) - len(foreign)]])
        missed[1, own] = targets[own] - _answer(sample, (matrix, block, targets), learned, own)
    spread = float(np.mean(np.sum((targets[asked] - targets[asked].mean(axis=0)) ** 2, axis=1))) or 1.0
    losses = np.sum(missed[:, asked] ** 2, axis=2).T / spread
    pieces = np.unique(block[asked], return_inverse=True)[1].astype(np.int64)
    drawn = resampled_means(losses, pieces, seed=sample.problem.brief.seed)
    apart, mixed = (float(loss) for loss in losses.mean(axis=0))
    return Gap(interval_of(apart - mixed, drawn[:, 0] - drawn[:, 1]), 1 - apart, 1 - mixed)


def _targets(sample: Sample, rows: Ints) -> Floats:
    """Return the target as a number, or one column for each class; shape (n, k)."""
    y = sample.y[rows]
    if sample.problem.task == "regression":
        return np.asarray(y.astype(np.float64)[:, None])
    return np.asarray(np.eye(len(sample.problem.classes))[y])


def _answer(sample: Sample, data: tuple[npt.NDArray[np.float32], Ints, Floats], learned: Ints, asked: Ints) -> Floats:
    """Predict some rows by trees that learned from others: from their features and what their block did before."""
    features, block, targets = data
    matrix = np.column_stack([features, np.zeros(targets.shape, np.float32)])
    width, halves = features.shape[1], (learned[::2], learned[1::2])
    for own, foreign in ((halves[0], halves[1]), (halves[1], halves[0]), (asked, learned)):
        matrix[own, width:] = _before(block, targets, foreign)[block[own]]
    settings = {"n_estimators": _TREES, "min_samples_leaf": 4, "max_features": 0.4, "random_state": 0}
    if sample.problem.task == "regression":
        numbers = ExtraTreesRegressor(**settings).fit(matrix[learned], targets[learned, 0])
        return np.asarray(numbers.predict(matrix[asked]))[:, None]
    classes = ExtraTreesClassifier(**settings).fit(matrix[learned], np.argmax(targets[learned], axis=1))
    given = np.zeros((len(asked), targets.shape[1]))
    given[:, classes.classes_] = classes.predict_proba(matrix[asked])
    return given


def _before(block: Ints, targets: Floats, learned: Ints) -> Floats:
    """Mean target of each block among the rows learned from, drawn to the overall mean by two rows of it."""
    size, overall = int(block.max()) + 1, targets[learned].mean(axis=0)
    rows = np.bincount(block[learned], minlength=size)[:, None]
    total = np.column_stack(
        [np.bincount(block[learned], weights=column[learned], minlength=size) for column in targets.T]
    )
    return np.asarray((total + 2 * overall) / (rows + 2))


def time_overlap(sample: Sample) -> list[Overlap]:
    """Measure whether the future tells the past, where rows are split by chance though a column gives their time.

    Returns
    -------
    list of Overlap
        ``leak.time_overlap`` of each date, or number that counts the rows: ``warn`` where a model that learned from
        rows of the same time is surely better at it than one that learned from the past.
    """
    found = []
    for name, moments in _clocks(sample)[:_MOST_TRIED]:
        known = np.random.default_rng(sample.problem.brief.seed).permutation(np.flatnonzero(np.isfinite(moments)))
        rows = known[:_ROWS][np.argsort(moments[known[:_ROWS]], kind="stable")]
        block = np.arange(len(rows)) * _SPANS // len(rows)
        gap = own_rows_gap(sample, rows, block, block >= int(_SPANS * (1 - _TESTED)))
        if not gap.sure:
            continue
        means = (
            f"rows of the same time tell each other: on the last {_TESTED:.0%} by '{name}' a model that learned from "
            f"such rows explains {gap.mixed:.1%} of the target, one that learned from the past {gap.apart:.1%}"
        )
        todo = f"say time='{name}' if the model will answer about the future: the verdict by chance flatters it"
        found.append(Overlap(name, gap, _finding("leak.time_overlap", name, means, todo, gap)))
    return found


def _clocks(sample: Sample) -> list[tuple[str, Floats]]:
    """Columns that say when a row came: dates, and numbers that rise or fall with the row number."""
    problem = sample.problem
    if problem.time is not None:
        return []
    rows = pd.Series(np.arange(len(sample.X), dtype=np.float64))
    clocks: list[tuple[str, Floats]] = []
    for name in sample.X.columns:
        column = sample.X[name]
        if column.dtype.kind == "M":
            seconds = column.to_numpy().astype("datetime64[s]").astype(np.float64)
            clocks.append((str(name), np.where(column.isna(), np.nan, seconds)))
        elif column.dtype.kind == "f" and column.nunique() > _SPANS and abs(column.corr(rows, "spearman")) >= _COUNTS:
            clocks.append((str(name), column.to_numpy(dtype=np.float64)))
    return [(name, values) for name, values in clocks if len(np.unique(values[np.isfinite(values)])) >= 10]


def group_overlap(sample: Sample) -> list[Overlap]:
    """Measure what a model gains by meeting entities again, for columns whose values repeat as those of entities do.

    Whether it will meet them again in production is asked: a plane flies again, a patient should not be on two sides.

    Returns
    -------
    list of Overlap
        ``leak.group_overlap``: ``warn`` where rows of the same entity surely help.
    """
    if sample.problem.group is not None:
        return []
    found = []
    for name, codes in _entities(sample)[:_MOST_TRIED]:
        entities = np.random.default_rng(sample.problem.brief.seed).permutation(np.unique(codes))
        reached = np.cumsum(np.bincount(codes)[entities])
        n_rows = min(_ROWS, len(codes))
        rows = np.flatnonzero(np.isin(codes, entities[reached <= n_rows]))
        tested = np.isin(codes[rows], entities[reached <= _TESTED * n_rows])
        if not tested.any() or tested.all():
            continue
        gap = own_rows_gap(sample, rows, codes[rows], tested)
        if not gap.sure:
            continue
        means = (
            f"'{name}' has {len(entities):,} values on {len(codes):,} rows, and rows of one tell each other: a model "
            f"that met them before explains {gap.mixed:.1%} of the target, one that meets them anew {gap.apart:.1%}"
        )
        todo = f"say group='{name}' if the model will meet new ones: then none may be on two sides"
        found.append(Overlap(name, gap, _finding("leak.group_overlap", name, means, todo, gap)))
    return found


def _entities(sample: Sample) -> list[tuple[str, Ints]]:
    """Columns whose values repeat, with how often: those first whose single values say most beyond their bins."""
    problem, found = sample.problem, []
    columns: dict[str, pd.Series] = {str(name): sample.X[name] for name in sample.X.columns}
    columns |= _identifiers(sample)
    for name, column in columns.items():
        codes, n_levels = levels(column)
        sizes = np.bincount(codes)
        repeats = float(np.mean(sizes[codes] >= 2)) >= 0.5 and sizes.max() <= 0.1 * len(codes)
        if not repeats or not _FEWEST_ENTITIES <= n_levels <= len(codes) / 2 or _measures(sample, column):
            continue
        says = skill(problem.task, bins_score(problem.task, codes, sample.y))
        if says >= _ENTITY_SAYS:
            found.append((says, name, codes))
    return [(name, codes) for _, name, codes in sorted(found, key=lambda one: (-one[0], one[1]))]


def _measures(sample: Sample, column: pd.Series) -> bool:
    """Say whether a column measures something, so that near values mean the same: the number of an entity does not."""
    if column.dtype.kind not in "fM":
        return False
    task, name = sample.problem.task, str(column.name)
    if column.dtype.kind == "M" or np.any(np.mod(column.dropna().to_numpy(), 1)) or name not in sample.codes:
        return True
    return skill(task, bins_score(task, sample.codes[name], sample.y)) >= _ENTITY_SAYS / 2


def _identifiers(sample: Sample) -> dict[str, pd.Series]:
    """Columns that only identify and are no features, such as the number of a customer."""
    problem, brief = sample.problem, sample.problem.brief
    hidden = {*brief.private, *(name for name, known in brief.columns.items() if known.private)}
    names = [
        column.name
        for column in problem.table.schema
        if (column.kind == "id" or column.name in brief.id)
        and column.name not in (*problem.schema.names, *problem.target_columns)
        and not column.private
        and column.name not in hidden
        and known_at(column, brief) is None
        and 2 <= column.n_distinct <= 0.7 * problem.table.n_rows
    ]
    frame = rows_of(problem, names, sample.rows)
    return {} if frame is None else {name: frame[name] for name in names}


def _finding(check: str, name: str, means: str, todo: str, gap: Gap) -> Finding:
    return Finding(
        check=check,
        verdict="warn",
        means=f"{means} (a gain of {gap.skill.value:.1%}, {gap.skill.low:.1%} to {gap.skill.high:.1%})",
        todo=todo,
        columns=(name,),
        value=gap.skill.value,
        limit=_GAIN,
    )
