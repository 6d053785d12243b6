"""What an estimator is asked, and how its values become the columns that a ship gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import get_tags

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.protocol import Ask
from shiplap.adapters.frameworks.sklearn.clusters import cluster_labels
from shiplap.adapters.frameworks.sklearn.objections import OBJECTIONS, objection
from shiplap.adapters.frameworks.sklearn.threshold import decider, decides, rule_of
from shiplap.core.brief import Label, OutputTask
from shiplap.core.errors import RefusedError

__all__ = ["Asked", "answers", "asked"]

Doubles = NDArray[np.float64]

_CHOICES = {
    "classifier": ("predict_proba", "decision_function", "predict"),
    "outlier_detector": ("decision_function",),
    "clusterer": ("predict", "transform"),
    "regressor": ("predict",),
    "density_estimator": ("predict_proba", "score_samples"),
}
_ANY = ("predict", "decision_function", "transform", "score_samples")
# Inliers first: scikit-learn takes a score of exactly 0 for one, and the first of equals is the answer.
_SIGNS = {"classifier": (-1.0, 1.0), "outlier_detector": (1.0, -1.0)}


@dataclass(frozen=True)
class Asked:
    """A method of an estimator and the meaning of what it returns.

    Parameters
    ----------
    method : str
        The method.
    task : {"binary", "multiclass", "regression", "tensor"}
        What comes out.
    classes : tuple
        Labels of the columns; empty for regression and tensors.
    scores : bool
        Whether classes have scores instead of probabilities.
    outputs : tuple of str
        Names of a tensor's columns.
    signs : tuple of float
        What one score is multiplied by to become two columns; empty where there is nothing to do.
    threshold : float or None
        From which probability or score of the second class on ``predict`` says so, where it has one of its own.
    """

    method: str
    task: OutputTask
    classes: tuple[Label, ...] = ()
    scores: bool = False
    outputs: tuple[str, ...] = ()
    signs: tuple[float, ...] = ()
    threshold: float | None = None

    def lowered(self, model: Any, start: Block, context: Context) -> str:
        """Lower the method and return the double matrix of shape (n, n_outputs)."""
        name = "" if hasattr(model, "steps") else type(model).__name__
        if self.method == "transform":
            return context.matrix(context.transformed(model, start, name).pieces)
        tensor, _ = context.response(model, start, (self.method,), name)
        if not self.signs:
            return tensor
        return context.graph.op("Mul", tensor, context.graph.constant(np.array([self.signs])))


def asked(model: Any, ask: Ask, rows: Any) -> Asked:
    """Settle which method of a fitted estimator answers, and what its answer means.

    Parameters
    ----------
    model : estimator
        Fitted.
    ask : Ask
        What the caller wants; the estimator's own usual method where that is open.
    rows : DataFrame or ndarray
        A few rows that the model reads: the shape of its answer tells one target from several.

    Raises
    ------
    RefusedError
        The estimator has no such method, none that answers for new rows, or it refuses the rows itself.
    """
    kind = get_tags(model).estimator_type or ""
    method = _method(model, ask.method, kind)
    if method == "transform":
        return Asked(method, "tensor", outputs=_feature_names(model, _width(model, method, rows)))
    width = _width(model, method, rows)
    if kind == "outlier_detector" and method != "score_samples":
        signs = _SIGNS[kind] if method == "decision_function" else ()
        return Asked(method, "binary", (1, -1), scores=True, signs=signs)
    if kind in {"classifier", "clusterer", "density_estimator"} and method != "score_samples":
        return _of_classes(model, method, kind, width, rows)
    if width == 1:
        return Asked(method, "regression")
    return Asked(method, "tensor", outputs=tuple(f"y{index}" for index in range(width)))


def _width(model: Any, method: str, rows: Any) -> int:
    """Return how many numbers the model answers a row."""
    try:
        values = getattr(model, method)(rows)
    except OBJECTIONS as error:
        raise objection(model, rows, error) from error
    width: int = _side_by_side(values).shape[1]
    return width


def answers(model: Any, ask: Ask, rows: Any) -> Doubles:
    """Return what the estimator answers, as the ship gives it, shape (n_rows, n_outputs)."""
    kind = get_tags(model).estimator_type or ""
    method = _method(model, ask.method, kind)
    values = getattr(model, method)(rows)
    if method == "predict" and kind in _CHOICES and kind != "regressor" and np.ndim(values) == 1:
        known = (1, -1) if kind == "outlier_detector" else _labels(model, kind, 0)
        same = np.asarray(values).reshape(-1, 1) == np.array(known).reshape(1, -1)
        return np.asarray(same, dtype=np.float64)
    matrix = _side_by_side(values)
    if len(rows) == 1:
        matrix = matrix.reshape(1, -1)  # SparsePCA answers a single row without its axis
    if method == "decision_function" and matrix.shape[1] == 1 and kind in _SIGNS:
        return np.hstack([sign * matrix for sign in _SIGNS[kind]])
    return matrix


def _method(model: Any, wanted: str, kind: str) -> str:
    name = type(model).__name__
    if wanted:
        if wanted not in {*_ANY, "predict_proba"} or not hasattr(model, wanted):
            raise RefusedError(f"{name} has no method {wanted}", hint=f"it has {', '.join(_methods(model)) or 'none'}")
        return wanted
    rule = rule_of(model)
    if rule is not None:
        return rule.method
    found = next((method for method in (*_CHOICES.get(kind, ()), *_ANY) if hasattr(model, method)), None)
    if found is None:
        raise RefusedError(
            f"{name} answers only for the rows it was fitted on: it has no predict and no transform",
            hint="pack a classifier or regressor that was trained on its labels",
        )
    return found


def _methods(model: Any) -> list[str]:
    return [method for method in ("predict_proba", *_ANY) if hasattr(model, method)]


def _of_classes(model: Any, method: str, kind: str, width: int, rows: Any) -> Asked:
    several = _targets(model, rows)
    if several:
        return Asked(method, "tensor", outputs=_target_names(several, width))
    labels = _labels(model, kind, width if method != "predict" else 0)
    if len(labels) < 2:
        raise RefusedError(
            f"{type(model).__name__} knows one class only", hint="train it on rows of at least two classes"
        )
    task: OutputTask = "binary" if len(labels) == 2 else "multiclass"
    single = method == "decision_function" and width == 1
    pairs = getattr(decider(model), "decision_function_shape", "ovr") == "ovo" or width != len(labels)
    if method == "decision_function" and not single and pairs:  # one score for each pair of classes
        return Asked(method, "tensor", outputs=tuple(f"y{index}" for index in range(width)))
    signs = _SIGNS["classifier"] if single else ()
    if not decides(model, method):  # numbers for each class, from which its own labels do not follow
        return Asked(method, "tensor", outputs=tuple(str(label) for label in labels), signs=signs)
    rule = None if method == "predict" else rule_of(model)
    threshold = None if rule is None else rule.of_second
    return Asked(method, task, labels, scores=method != "predict_proba", signs=signs, threshold=threshold)


def _targets(model: Any, rows: Any) -> list[list[Any]]:
    """Return the classes of each target where a model has several; empty where it has one."""
    if not hasattr(model, "predict") or np.ndim(model.predict(rows)) < 2:
        return []
    classes = getattr(model, "classes_", ())
    if isinstance(classes, list):
        return [list(np.asarray(labels).tolist()) for labels in classes]
    return [[label] for label in np.asarray(classes).tolist()]


def _target_names(several: list[list[Any]], width: int) -> tuple[str, ...]:
    names = [f"y{target}={label}" for target, labels in enumerate(several) for label in labels]
    if len(names) == width:
        return tuple(names)
    return tuple(f"y{index}" for index in range(width))


def _labels(model: Any, kind: str, width: int) -> tuple[Label, ...]:
    if kind == "classifier":
        return tuple(np.asarray(model.classes_).tolist())
    if kind == "density_estimator":
        return tuple(range(decider(model).n_components))
    return cluster_labels(decider(model))


def _feature_names(model: Any, width: int) -> tuple[str, ...]:
    try:
        names = tuple(str(name) for name in model.get_feature_names_out())
    except (AttributeError, ValueError, TypeError):  # what it was fitted on had no names
        names = ()
    fits = len(names) == width == len(set(names))
    return names if fits else tuple(f"y{index}" for index in range(width))


def _side_by_side(values: Any) -> Doubles:
    """Return an array, a sparse matrix, a frame or a list of one array a target as one dense matrix."""
    if isinstance(values, list):
        return np.hstack([_side_by_side(part) for part in values])
    dense = values.toarray() if hasattr(values, "toarray") else np.asarray(values)
    if dense.dtype.kind in "OUS":
        return np.zeros((len(dense), 1 if dense.ndim == 1 else dense.shape[1]))
    return dense.astype(np.float64).reshape(len(dense), -1)
