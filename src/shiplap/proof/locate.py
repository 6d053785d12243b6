"""Where two answers part: the first step whose lowered form differs from the original's."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.adapters.frameworks import Probe
from shiplap.adapters.runtimes import runtimes
from shiplap.proof.subject import Subject

__all__ = ["parting_node"]


def parting_node(subject: Subject, frame: pd.DataFrame, matrix: NDArray[np.float64], *, band: float) -> str:
    """Find the first step at which one row's values differ by more than `band`.

    Parameters
    ----------
    subject : Subject
        The original and its lowered form.
    frame : DataFrame of one row
        As the original reads it.
    matrix : ndarray of float64, shape (1, width)
        The same row as the encoder wrote it.
    band : float
        Difference that counts, relative to the values.

    Returns
    -------
    str
        Path of the step, or ``"encoder"`` when the row has no numbers in common with any step.
    """
    for probe in subject.lowered.probes():
        if _differs(probe, frame, matrix, band):
            return probe.path
    return "output"


def _differs(probe: Probe, frame: pd.DataFrame, matrix: NDArray[np.float64], band: float) -> bool:
    try:
        theirs = np.asarray(_dense(probe.evaluate(frame)), dtype=np.float64).reshape(1, -1)
    except (ValueError, TypeError):
        return False
    ours = runtimes.get("onnxruntime")(probe.graph).run(matrix)
    if ours.shape != theirs.shape:
        return False
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(ours - theirs) <= band * np.maximum(1.0, np.abs(theirs))
    return not bool((near | (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))).all())


def _dense(values: object) -> object:
    return values.toarray() if hasattr(values, "toarray") else values
