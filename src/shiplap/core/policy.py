"""`Policy`: from calibrated output to label and decision."""

from __future__ import annotations

import msgspec

from shiplap.core.brief import Label, OutputTask, Value

__all__ = ["Policy"]


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is decided on a prediction, and what for.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression", "tensor"}
        Kind of output; on a tensor nothing is decided.
    classes : tuple
        Labels in the order of the probabilities or scores; empty for regression and tensors.
    positive : int
        Index of the class that is to be found; -1 where there is none.
    threshold : float
        Binary: act when the probability or score of `positive` is at or above it. Midway between observed scores,
        never on one.
    matrix : tuple of tuple of float
        Multiclass: ``matrix[decided][actual]`` in money; the decision earns most in expectation. Empty: most probable.
    offset : float
        Regression: added to the prediction before it is acted on, where being over and under cost differently; or minus
        the value from which on a ranking acts, so that a decision of 0 or more means to act.
    value : Value or None
        What outcomes are worth.
    decision : str
        What is done when the answer is yes, in words.
    fallback : str, int, float, bool or None
        What `score` decides, where it is asked to, for a row that cannot be read; None: such a row is an error.
    """

    task: OutputTask
    classes: tuple[Label, ...] = ()
    positive: int = -1
    threshold: float = 0.5
    matrix: tuple[tuple[float, ...], ...] = ()
    offset: float = 0.0
    value: Value | None = None
    decision: str = ""
    fallback: Label | None = None
