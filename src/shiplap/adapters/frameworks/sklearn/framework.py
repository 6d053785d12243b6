"""The scikit-learn adapter; LightGBM's estimators follow the same conventions and come through it too."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from shiplap.adapters.frameworks.lowering import Block, Context, Raw
from shiplap.adapters.frameworks.paths import node_paths
from shiplap.adapters.frameworks.protocol import Ask, Lowered, Probe
from shiplap.adapters.frameworks.sklearn.asked import answers, asked
from shiplap.adapters.frameworks.sklearn.sample import as_frame, columns_of, reads_texts
from shiplap.core.errors import RefusedError
from shiplap.core.schema import Column

__all__ = ["SKLEARN", "Sklearn"]

_FEW = 8


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

    def lower(
        self, model: Any, frame: Any, columns: tuple[Column, ...], *, canonical: bool = False, ask: Ask = Ask()
    ) -> Lowered:
        """Lower a fitted estimator or pipeline; see `Framework.lower`."""
        if not hasattr(model, "fit"):
            raise RefusedError(
                f"an object of type {type(model).__qualname__} is no estimator of {self.name}",
                hint="pass the fitted estimator or pipeline itself",
            )
        _require_plain(model, ask)
        if not _is_fitted(model):
            raise RefusedError(f"{type(model).__name__} is not fitted", hint="call fit before packing")
        whole = frame.dropna()  # an original may refuse a row with gaps
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a model's remarks on rows are no news to who packs it
            what = asked(model, ask, _as_fitted(model, (whole if len(whole) else frame).iloc[:_FEW]))
        context = Context(columns={column.name: column for column in columns}, fitted=_is_fitted, canonical=canonical)
        names = tuple(str(name) for name in frame.columns)
        start = Block(tuple(Raw(name) for name in names), lambda rows: _as_fitted(model, rows), names)
        output = what.lowered(model, start, context)
        doubt = context.doubtful(output)
        context.settle(output)
        width = context.width
        if not width:
            raise RefusedError("the model reads no column at all", hint="a constant needs no ship")
        return Lowered(
            encoding=context.encoding,
            graph=context.graph.build(output, width=width),
            task=what.task,
            classes=what.classes,
            dtype=context.dtype,
            terms=context.singles or context.terms + width,
            columns=columns,
            thresholds={name: np.unique(np.concatenate(found)) for name, found in context.thresholds.items()},
            paths=tuple(path for forest, cells in context.forests for path in node_paths(forest, cells)),
            probes=lambda: [
                Probe(stage.path, context.graph.build(stage.tensor, width=width), stage.evaluate)
                for stage in context.stages
            ],
            doubt=context.graph.build(doubt, width=width) if doubt else b"",
            scores=what.scores,
            outputs=what.outputs,
            threshold=what.threshold,
        )

    def outputs(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[np.float64]:
        """Return the original's answers as the ship gives them, shape (n_rows, n_outputs)."""
        return answers(model, ask, _as_fitted(model, frame))

    def labels(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[Any]:
        """Return what the model's ``predict`` answers."""
        del ask
        return np.asarray(model.predict(_as_fitted(model, frame)))


SKLEARN = Sklearn()


def _require_plain(model: Any, ask: Ask) -> None:
    """Refuse what only networks and bare boosters leave open."""
    if ask.preprocess is not None:
        raise RefusedError(
            f"{type(model).__name__} takes no preprocess: it is for networks",
            hint="make the function a step of the pipeline: FunctionTransformer(numpy.log1p), say",
        )
    known = list(getattr(model, "classes_", ())) if ask.classes else []
    if ask.classes and list(ask.classes) != known:
        own = f"its own are {', '.join(map(str, known))}" if known else "it has none"
        raise RefusedError(
            f"{type(model).__name__} takes no classes from outside: {own}",
            hint="leave classes out; they are for networks and bare boosters",
        )


def _as_fitted(model: Any, frame: pd.DataFrame) -> Any:
    """Return the frame, or a plain array for a model that was fitted on one; texts for one that reads them."""
    if reads_texts(model):
        return frame.iloc[:, 0].to_numpy(dtype=object)
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
