"""Rows close to where the answer jumps, for models that only name a class: clusters, plain labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.proof.compare import original_outputs
from shiplap.proof.rows import Case
from shiplap.proof.subject import Subject

__all__ = ["border_rows"]

_ROWS, _PAIRS, _CUTS = 500, 48, 22
_SHARE = 0.4371  # not the half: halves of grids lie on borders exactly, where rounding decides


def border_rows(subject: Subject, generator: np.random.Generator) -> Case | None:
    """Return rows on both sides of the borders that lie between rows of the data; None where there are none.

    A model that names a class, and no probability, shows nothing of a small change but there. The sides are
    some 1e-7 of the way apart: far more than rounding moves a border, and less than a wrong digit does.

    Parameters
    ----------
    subject : Subject
        What is to be proven.
    generator : numpy.random.Generator
        Chooses the pairs of rows.
    """
    used = [column.name for column in subject.columns if column.name in subject.lowered.encoding.columns]
    names = [name for name in used if subject.frame[name].dtype == np.float64]
    rows = subject.frame.iloc[:_ROWS].dropna(subset=names)
    outputs = original_outputs(subject, rows) if names and len(rows) and subject.signature.classes else None
    # Where neighbors are as near as others, rounding decides in a wide strip beside the border.
    if outputs is None or subject.lowered.doubt or not np.isin(outputs, (0.0, 1.0)).all():
        return None
    labels = outputs.argmax(axis=1)
    ones, others = generator.integers(0, len(rows), (2, 8 * _PAIRS))
    apart = np.flatnonzero(labels[ones] != labels[others])[:_PAIRS]
    return _closed_in(subject, rows.iloc[ones[apart]], rows.iloc[others[apart]][names]) if len(apart) else None


def _closed_in(subject: Subject, ones: pd.DataFrame, others: pd.DataFrame) -> Case | None:
    """Cut the ways between rows and others, which give some columns, over and over, where the answer jumps."""
    base = ones.reset_index(drop=True)
    start, end = base[list(others)].to_numpy(), others.to_numpy()
    near, far = start, end
    first = original_outputs(subject, base)
    for _ in range(_CUTS):
        middle = near + (far - near) * _SHARE
        told = original_outputs(subject, _with(base, others, middle))
        if first is None or told is None:
            return None
        same = (told == first).all(axis=1)[:, None]
        near, far = np.where(same, middle, near), np.where(same, far, middle)
    # A row of the data that is itself on a border stays in its place: rounding decides there.
    moved = (near != start).any(axis=1) & (far != end).any(axis=1)
    frame = pd.concat([_with(base, others, near)[moved], _with(base, others, far)[moved]], ignore_index=True)
    return Case("beside a border", frame, frame)


def _with(base: pd.DataFrame, others: pd.DataFrame, matrix: NDArray[np.float64]) -> pd.DataFrame:
    return base.assign(**{str(name): values for name, values in zip(others, matrix.T, strict=True)})
