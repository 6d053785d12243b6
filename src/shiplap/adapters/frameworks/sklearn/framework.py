"""The scikit-learn adapter; LightGBM's estimators follow the same conventions and come through it too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from shiplap.adapters.frameworks.lowering import Block, Context, Raw
from shiplap.adapters.frameworks.paths import node_paths
from shiplap.adapters.frameworks.protocol import Lowered, Probe
from shiplap.adapters.frameworks.sklearn.sample import as_frame, columns_of
from shiplap.core.brief import Label, Task
from shiplap.core.errors import RefusedError
from shiplap.core.schema import Column

__all__ = ["SKLEARN", "Sklearn"]


class Sklearn:
    """Lowers scikit-learn estimators and pipelines, and asks them for their own answers.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> frame, columns = SKLEARN.sample({"x": [0.0, 1.0, 2.0]})
    >>> model = LinearRegression().fit(frame, [1.0, 3.0, 5.0])
    >>> SKLEARN.lower(model, frame, columns).encoding.columns
    ('x',)
    """

    name = "sklearn"

    def sample(self, X: Any, model: Any = None) -> tuple[pd.DataFrame, tuple[Column, ...]]:
        """Return rows as the DataFrame that the model reads, and what its columns hold."""
        frame = as_frame(X, model)
        return frame, columns_of(frame)

    def lower(self, model: Any, frame: Any, columns: tuple[Column, ...], *, canonical: bool = False) -> Lowered:
        """Lower a fitted estimator or pipeline; see `Framework.lower`."""
        task, classes = _task(model)
        context = Context(columns={column.name: column for column in columns}, fitted=_is_fitted, canonical=canonical)
        names = tuple(str(name) for name in frame.columns)
        start = Block(tuple(Raw(name) for name in names), lambda rows: _as_fitted(model, rows), names)
        method = "predict" if task == "regression" else "predict_proba"
        output, _ = context.response(model, start, (method,), "" if hasattr(model, "steps") else type(model).__name__)
        context.settle(output)
        width = context.width
        if not width:
            raise RefusedError("the model reads no column at all", hint="a constant needs no ship")
        return Lowered(
            encoding=context.encoding,
            graph=context.graph.build(output, width=width),
            task=task,
            classes=classes,
            dtype=context.dtype,
            terms=context.terms + width,
            columns=columns,
            thresholds={name: np.unique(np.concatenate(found)) for name, found in context.thresholds.items()},
            paths=tuple(path for forest, cells in context.forests for path in node_paths(forest, cells)),
            probes=lambda: [
                Probe(stage.path, context.graph.build(stage.tensor, width=width), stage.evaluate)
                for stage in context.stages
            ],
        )

    def outputs(self, model: Any, frame: Any) -> NDArray[np.float64]:
        """Return probabilities of shape (n_rows, n_classes), or predictions of shape (n_rows, 1)."""
        rows = _as_fitted(model, frame)
        answer = model.predict_proba(rows) if is_classifier(model) else model.predict(rows)
        values = np.asarray(answer, dtype=np.float64)
        return values.reshape(len(values), -1)

    def labels(self, model: Any, frame: Any) -> NDArray[Any]:
        """Return what the model's ``predict`` answers."""
        return np.asarray(model.predict(_as_fitted(model, frame)))


SKLEARN = Sklearn()


def _as_fitted(model: Any, frame: pd.DataFrame) -> Any:
    """Return the frame, or a plain array for a model that was fitted on one."""
    inner = model
    while not hasattr(inner, "feature_names_in_") and hasattr(inner, "estimator"):
        inner = inner.estimator
    if hasattr(inner, "feature_names_in_") or not all(_is_plain(kind) for kind in frame.dtypes):
        return frame
    if set(frame.columns) != {f"x{index}" for index in range(frame.shape[1])}:
        return frame
    return frame.to_numpy()


def _is_plain(kind: Any) -> bool:
    return isinstance(kind, np.dtype) and kind.kind in "biuf"


def _is_fitted(estimator: Any) -> bool:
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def _task(model: Any) -> tuple[Task, tuple[Label, ...]]:
    name = type(model).__name__
    if is_classifier(model):
        if not _is_fitted(model):
            raise RefusedError(f"{name} is not fitted", hint="call fit before packing")
        classes = getattr(model, "classes_", None)
        if classes is None or isinstance(classes, list):
            raise RefusedError(f"{name} predicts several targets at once", hint="pack one model a target")
        labels = tuple(np.asarray(classes).tolist())
        if len(labels) < 2:
            raise RefusedError(f"{name} knows one class only", hint="train it on rows of at least two classes")
        return ("binary" if len(labels) == 2 else "multiclass"), labels
    if is_regressor(model):
        return "regression", ()
    raise RefusedError(
        f"{name} is neither a classifier nor a regressor", hint="pack a model with predict_proba or predict"
    )
