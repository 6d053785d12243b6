"""The parity certificate: the original's own variation first, then rows of the data, then rows built to break it.

The band within which two answers count as the same is ``4 * v + 1024 * eps * terms``: ``v`` is how far the original's
answers differ from its own (batches of one, of seven, of all), ``eps`` the unit of the model's arithmetic (2.2e-16 for
float64, 1.2e-7 for float32) and ``terms`` how many numbers are added up to one answer. It is relative to 1 for
probabilities and to the spread of the predictions for a regression.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from shiplap.core.certificate import Certificate, ParityClass, Vectors
from shiplap.core.environment import environment
from shiplap.core.errors import RefusedError, TableError
from shiplap.core.progress import tell
from shiplap.proof.borders import border_rows
from shiplap.proof.compare import Comparison, Tally, original_outputs
from shiplap.proof.numbers import records
from shiplap.proof.rows import Case, built_rows, replaced
from shiplap.proof.subject import Subject
from shiplap.proof.synthetic import made_up_rows, sendable
from shiplap.scoring import Scorer, distances

__all__ = ["certify"]

_MADE_UP, _VECTORS, _SINGLE, _OWN_LABELS = 2_000, 300, 64, 2_000
_IMAGES = 64  # made-up images are few, and slow to decode
_NUMBERS, _VECTOR_NUMBERS = 4_000_000, 50_000  # where rows hold arrays or many columns
_MOST_VARIATION = 1e-3  # rounding alone, batch by batch, stays far below
_UNITS = {"float64": 2.0**-52, "float32": 2.0**-23}


def certify(subject: Subject, scorer: Scorer, *, seed: int = 0) -> Certificate:
    """Compare a ship with its original.

    Parameters
    ----------
    subject : Subject
        The original, its rows and what it was lowered to.
    scorer : Scorer
        The ship, loaded as it will be where it serves.
    seed : int
        Seed of the constructed rows.

    Returns
    -------
    Certificate
        ``flips`` counts the rows whose answers lie further apart than the band.

    Raises
    ------
    RefusedError
        The original answers the same rows otherwise each time.
    TableError
        The original refuses every row of the data, so that nothing can be compared.
    """
    generator = np.random.default_rng(seed)
    tell("measuring the original's own variation", 0.0)
    scale = _scale(subject)
    own = _own_variation(subject, scale)
    if own > _MOST_VARIATION:
        raise RefusedError(
            f"the model answers the same rows otherwise when it is asked again, by up to {own:.1g}",
            hint="put it in evaluation mode, or give it a seed that it uses for each answer",
        )
    band = 4 * own + 1024 * _UNITS[subject.lowered.dtype] * subject.lowered.terms
    comparison = Comparison(subject, scorer, band, scale)
    with threadpool_limits(limits=1):  # many small calls: threads would only wait for each other
        vectors = _compared(comparison, generator)
    tell("parity measured", 1.0)
    return _certificate(comparison, own, vectors)


def _compared(comparison: Comparison, generator: np.random.Generator) -> Vectors:
    subject = comparison.subject
    tell("comparing rows of the data", 0.1)
    comparison.add(Case("data", subject.frame, subject.frame))
    if not comparison.tallies["data"].rows:
        raise TableError("the model itself refuses every row of the data", hint="pass rows that it can answer as X")
    _own_labels(comparison)
    tell("comparing rows built to break it", 0.4)
    for case in _joined(subject, generator):
        comparison.add(case)
    if (borders := border_rows(subject, generator)) is not None:
        comparison.add(borders)
    _one_by_one(comparison)
    tell("comparing made-up rows", 0.8)
    return _made_up(comparison, generator)


def _certificate(comparison: Comparison, own: float, vectors: Vectors) -> Certificate:
    kinds = comparison.kinds()
    flips, largest = sum(kind.flips for kind in kinds), max(kind.largest_difference for kind in kinds)
    parity: ParityClass = "flips" if flips else "exact" if largest == 0 else "within tolerance"
    return Certificate(
        ship=comparison.scorer.ship.id,
        parity=parity,
        rows=sum(kind.rows for kind in kinds),
        flips=flips,
        ties=sum(kind.ties for kind in kinds),
        largest_difference=largest if np.isfinite(largest) else float(np.finfo(np.float64).max),
        band=comparison.band,
        scale=comparison.scale,
        own_variation=own,
        input_cast=_input_cast(comparison.subject, comparison.scale),
        dtype=comparison.subject.lowered.dtype,
        kinds=kinds,
        failures=tuple(comparison.failures),
        environment=environment(),
        vectors=vectors,
    )


def _scale(subject: Subject) -> float | tuple[float, ...]:
    """Return what differences are measured in: 1 for probabilities, else the spread; of each column that has a name."""
    if subject.signature.classes and not subject.signature.scores:
        return 1.0
    outputs = original_outputs(subject, subject.frame.iloc[:1_000])
    if outputs is None:
        return 1.0
    finite = np.where(np.isfinite(outputs), outputs, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):  # answers near 1e308 have no spread that a double holds
        spread = np.atleast_1d(finite.std(axis=0 if subject.signature.outputs else None))
    scales = tuple(np.where((spread > 0) & np.isfinite(spread), spread, 1.0).tolist())
    return scales if subject.signature.outputs else scales[0]


def _own_variation(subject: Subject, scale: float | tuple[float, ...]) -> float:
    """Ask the original for the same rows at once, on one thread, in sevens, and one by one."""
    rows = subject.frame.iloc[:_SINGLE]
    once = original_outputs(subject, rows)
    if once is None:
        return 0.0
    largest = 0.0
    with threadpool_limits(limits=1):
        for size, count in ((len(rows), len(rows)), (7, len(rows)), (1, 24)):
            for start in range(0, min(count, len(rows)), size):
                part = original_outputs(subject, rows.iloc[start : start + size])
                if part is not None:
                    apart = distances(once[start : start + len(part)], part, scale)
                    largest = max(largest, float(apart.max(initial=0.0)))
    return largest if np.isfinite(largest) else 0.0


def _input_cast(subject: Subject, scale: float | tuple[float, ...]) -> float:
    """Measure what it changes in the original itself that columns of single precision are read as doubles."""
    if not subject.narrow:
        return 0.0
    rows = subject.frame.iloc[:_OWN_LABELS]
    wide = original_outputs(subject, rows)
    narrow = original_outputs(subject, rows.astype(dict.fromkeys(subject.narrow, "float32")))
    if wide is None or narrow is None:
        return 0.0
    largest = float(distances(wide, narrow, scale).max(initial=0.0))
    return largest if np.isfinite(largest) else 1.0


def _own_labels(comparison: Comparison) -> None:
    """Compare with what the original's own ``predict`` says, whose ties may fall another way than its scores."""
    subject = comparison.subject
    if not subject.signature.classes:
        return
    rows = subject.frame.iloc[:_OWN_LABELS]
    outputs = original_outputs(subject, rows)
    if outputs is None:
        return
    theirs, ours = subject.labels(rows), comparison.scorer.predict(rows)
    ranked = np.sort(outputs, axis=1)
    gap, band = ranked[:, -1] - ranked[:, -2], comparison.band * np.max(comparison.scale)
    if subject.lowered.threshold is not None:
        ours = np.array(subject.signature.classes)[comparison.scorer.decide(rows).astype(int)]
        gap = np.abs(outputs[:, 1] - subject.lowered.threshold)
    near = gap <= band
    differ = np.asarray(theirs).astype(str) != np.asarray(ours).astype(str)
    comparison.tallies["the original's own labels"] = Tally(
        rows=len(rows), flips=int((differ & ~near).sum()), ties=int((differ & near).sum())
    )


def _joined(subject: Subject, generator: np.random.Generator) -> list[Case]:
    """Put small cases of one kind together where that changes no dtype; the original is slow to call."""
    joined: dict[tuple[str, tuple[str, ...]], list[Case]] = {}
    for case in built_rows(subject, generator):
        alike = case.rows is case.frame or isinstance(case.rows, list)
        form = type(case.rows).__name__ if alike else f"alone {len(joined)}"
        key = (case.kind, (form, *(str(kind) for kind in case.frame.dtypes)))
        joined.setdefault(key, []).append(case)
    return [_concatenated(group) for group in joined.values()]


def _concatenated(group: list[Case]) -> Case:
    if len(group) == 1:
        return group[0]
    frame = pd.concat([case.frame for case in group], ignore_index=True)
    if isinstance(group[0].rows, list):
        return Case(group[0].kind, frame, [row for case in group for row in case.rows])
    return Case(group[0].kind, frame, frame)


def _one_by_one(comparison: Comparison) -> None:
    """Send rows one by one on the fast path, as a server does."""
    frame = comparison.subject.frame.iloc[:_SINGLE]
    theirs = original_outputs(comparison.subject, frame)
    if theirs is None:
        return
    rows = records(frame)
    answers = [comparison.scorer.predict_row(row) for row in rows]
    ours = np.array([answer.probabilities or answer.prediction for answer in answers], np.float64)
    case = Case("one by one", frame, rows)
    comparison.count(case, comparison.tallies.setdefault(case.kind, Tally()), theirs, ours.reshape(theirs.shape))


def _made_up(comparison: Comparison, generator: np.random.Generator) -> Vectors:
    """Compare made-up rows, and keep some of them with the original's answers for replay."""
    subject = comparison.subject
    width = subject.lowered.encoding.width
    images = any(column.kind == "image" for column in subject.columns)
    count = min(_IMAGES if images else _MADE_UP, max(8, _NUMBERS // width))
    rows = made_up_rows(subject, count, generator)
    frame = _as_read(subject, rows)
    if original_outputs(subject, frame) is None:
        rows = made_up_rows(subject, count, generator, plain=True)
        frame = _as_read(subject, rows)
    case = Case("made up", frame, rows)
    comparison.add(case)
    most = max(3, _VECTOR_NUMBERS // (width + subject.signature.n_outputs))
    part = case.part(slice(0, min(_VECTORS, most)))
    kept = original_outputs(subject, part.frame)
    names = tuple(rows[0]) if rows else ()
    if kept is None:
        return Vectors(columns=names, rows=(), outputs=())
    # What the original picks among equals is not for replay: it is another answer on another processor.
    decided = np.flatnonzero(~comparison.doubtful(part)).tolist()
    return Vectors(
        columns=names,
        rows=tuple(tuple(sendable(rows[index][name]) for name in names) for index in decided),
        outputs=tuple(tuple(None if np.isnan(value) else float(value) for value in kept[index]) for index in decided),
    )


def _as_read(subject: Subject, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return made-up rows as the original reads them; columns that the ship does not need come from the data."""
    picks = np.arange(len(rows)) % len(subject.frame)
    frame = subject.frame.iloc[picks].reset_index(drop=True)
    made = {}
    for name in rows[0]:
        gap = subject.gap(name)
        made[name] = [gap if row[name] is None else row[name] for row in rows]
    return replaced(frame, made)
