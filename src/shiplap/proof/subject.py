"""What is to be proven: an original, the rows it reads, and what it was lowered to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shiplap.adapters.frames import read
from shiplap.adapters.frameworks import Ask, Framework, Lowered, framework_of, frameworks
from shiplap.core.brief import ColumnBrief, Label
from shiplap.core.encoding import Category, Encoding, Text
from shiplap.core.errors import RefusedError, TableError, nearest
from shiplap.core.model import Model
from shiplap.core.policy import Policy
from shiplap.core.schema import Column
from shiplap.core.signature import Field, Signature
from shiplap.core.table import Table
from shiplap.proof.given import SAMPLE_ROWS, GivenRows, canonical_frame, given_rows
from shiplap.proof.tensors import numbers_a_row

__all__ = ["Subject", "lower", "sample_frame"]

SAMPLE_NUMBERS = 10_000_000
"""Numbers in them at most, where rows hold arrays."""


@dataclass(frozen=True)
class Subject:
    """An original beside its lowered form.

    Parameters
    ----------
    framework : Framework
        The adapter that knows the original.
    estimator : estimator
        The original itself.
    frame : DataFrame
        Rows as the original reads them: a sample of the data.
    columns : tuple of Column
        What the columns of `frame` hold.
    lowered : Lowered
        Encoder and graph.
    signature : Signature
        Inputs, task and classes.
    policy : Policy
        What is decided.
    private : frozenset of str
        Columns whose values are shown nowhere.
    canonical : bool
        Whether the original reads canonical rows of a table, or rows as the client has them.
    narrow : tuple of str
        Columns that were given in single precision; `frame` holds them as doubles, so that the original computes as
        the ship does, and what that cast changes is measured apart.
    ask : Ask
        What was asked of the model.
    """

    framework: Framework
    estimator: Any
    frame: pd.DataFrame = field(repr=False)
    columns: tuple[Column, ...]
    lowered: Lowered
    signature: Signature
    policy: Policy
    private: frozenset[str] = frozenset()
    canonical: bool = False
    narrow: tuple[str, ...] = ()
    ask: Ask = field(default_factory=Ask)

    def outputs(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return the original's answers, shape (n_rows, n_outputs)."""
        if self.lowered.answers is not None:
            return self.lowered.answers(frame)
        return self.framework.outputs(self.estimator, frame, self.ask)

    def labels(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Return what the original's own ``predict`` says, shape (n_rows,)."""
        return self.framework.labels(self.estimator, frame, self.ask)

    def column(self, name: str) -> Column:
        """Return what is known of one column."""
        return next(column for column in self.columns if column.name == name)

    def gap(self, name: str) -> float | None:
        """Return a missing value as a column of objects holds it: originals tell None and NaN apart, clients do not."""
        missing = self.frame[name][self.frame[name].isna()]
        return None if self.canonical or any(value is None for value in missing) else float("nan")


def lower(model: Any, X: Any, *, policy: Policy | None = None, ask: Ask = Ask(), framework: str = "") -> Subject:
    """Lower a model, with sample rows to know its inputs by.

    Parameters
    ----------
    model : Model or estimator
        What is to be lowered; fitted.
    X : Table, DataFrame, array, or dict of columns
        Rows the model can answer. A `Model` reads them as its own table was read.
    policy : Policy, optional
        What to decide; the model's own for a `Model`, the most probable class for an estimator.
    ask : Ask
        What is asked of a model that leaves something open.
    framework : str
        Name of the adapter, for a model whose class does not tell it.

    Returns
    -------
    Subject

    Raises
    ------
    RefusedError
        A step cannot be lowered exactly.
    TableError
        There are no rows, or a column is missing.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> rows = {"x": [0.0, 1.0, 2.0]}
    >>> lower(LinearRegression().fit(pd.DataFrame(rows), [1.0, 3.0, 5.0]), rows).signature.names
    ('x',)
    """
    if isinstance(model, Model):
        if ask != Ask():
            raise RefusedError(
                "a trained Model leaves nothing open: its brief says what is private, and its policy what is decided",
                hint="pack its pipeline to ask something else of it",
            )
        return _of_model(model, X, policy)
    return _of_estimator(model, X, policy, ask, framework_of(model, framework))


def sample_frame(X: Any) -> pd.DataFrame:
    """Return a sample of rows as a frame, when there is no model to say how it reads them.

    Parameters
    ----------
    X : Table, DataFrame, array, or dict of columns
        At most `SAMPLE_ROWS` of its rows are taken, evenly spread.

    Raises
    ------
    TableError
        There are no rows.
    """
    if isinstance(X, Table):
        return _filled(canonical_frame(X, X.schema.names))
    return _thinned(frameworks.get("sklearn").sample(X)[0])


def _of_model(model: Model, X: Any, policy: Policy | None) -> Subject:
    if X is None:
        raise TableError("packing needs some rows to prove the answers on", hint="pass the training rows as X")
    columns = tuple(model.schema[name] for name in model.signature.names)
    briefs = {column.name: ColumnBrief(kind=column.kind, missing=column.missing) for column in columns}
    frame = _filled(canonical_frame(read(X, columns=briefs), model.signature.names))
    framework = framework_of(model.pipeline)
    lowered = framework.lower(model.pipeline, frame, columns, canonical=True)
    return Subject(
        framework=framework,
        estimator=model.pipeline,
        frame=frame,
        columns=columns,
        lowered=lowered,
        signature=model.signature,
        policy=policy or model.policy,
        private=frozenset(column.name for column in columns if column.private),
        canonical=True,
    )


def _of_estimator(model: Any, X: Any, policy: Policy | None, ask: Ask, framework: Framework) -> Subject:
    if X is None:
        raise TableError("packing needs some rows to prove the answers on", hint="pass rows of the data as X")
    given = given_rows(X) if isinstance(X, Table | GivenRows) else GivenRows(X)
    frame, columns = framework.sample(given.frame, model)
    known = {column.name: column for column in given.columns}
    strange = set(ask.private) - {column.name for column in (*columns, *given.columns)}
    if strange:
        raise TableError(
            f"there is no column '{min(strange)}' to keep private",
            hint=nearest(min(strange), [column.name for column in columns]),
        )
    columns = tuple(_marked(known.get(column.name, column), ask.private) for column in columns)
    frame = _thinned(_filled(frame))
    narrow = tuple(str(name) for name in frame.columns if str(frame[name].dtype) in {"float32", "float16"})
    frame = frame.astype(dict.fromkeys(narrow, "float64"))
    lowered = framework.lower(model, frame, columns, canonical=given.canonical, ask=ask)
    columns = tuple(_as_read(column, lowered.encoding) for column in columns)
    used = tuple(column for column in columns if column.name in lowered.encoding.columns)
    private = frozenset(column.name for column in columns if column.private)
    _require_unsaid(lowered.encoding, private)
    fields = tuple(_field(column, frame[column.name], private) for column in used)
    return Subject(
        framework=framework,
        estimator=model,
        frame=frame,
        columns=columns,
        lowered=lowered,
        signature=_signature(fields, lowered),
        policy=policy or _plain_policy(lowered),
        private=private,
        canonical=given.canonical,
        narrow=narrow,
        ask=ask,
    )


def _marked(column: Column, private: tuple[str, ...]) -> Column:
    return msgspec.structs.replace(column, private=True) if column.name in private else column


def _require_unsaid(encoding: Encoding, private: frozenset[str]) -> None:
    """Refuse a vocabulary of private values: the encoder would carry them in the ship."""
    for operation in encoding.operations:
        if operation.column in private and isinstance(operation, Category) and operation.categories:
            raise RefusedError(
                f"column '{operation.column}' is private, and the model knows its values by name",
                hint="leave it out of the model, or hash it before training",
            )


def _as_read(column: Column, encoding: Encoding) -> Column:
    """Say of a column whose tokens are counted that it holds texts, whatever it looks like."""
    operations = [operation for operation in encoding.operations if operation.column == column.name]
    if operations and all(isinstance(operation, Text) for operation in operations):
        return msgspec.structs.replace(column, kind="text")
    return column


def _signature(fields: tuple[Field, ...], lowered: Lowered) -> Signature:
    return Signature(
        inputs=fields,
        task=lowered.task,
        classes=lowered.classes,
        scores=lowered.scores,
        outputs=lowered.outputs,
        shape=lowered.shape,
    )


def _filled(frame: pd.DataFrame) -> pd.DataFrame:
    if not len(frame):
        raise TableError("there are no rows to prove the answers on", hint="pass some rows of the data as X")
    return frame


def _thinned(frame: pd.DataFrame) -> pd.DataFrame:
    most = min(SAMPLE_ROWS, max(64, SAMPLE_NUMBERS // max(numbers_a_row(frame), 1)))
    step = max(1, -(-len(frame) // most))
    return frame.iloc[::step].reset_index(drop=True)


def _plain_policy(lowered: Lowered) -> Policy:
    """Decide as ``predict`` does: the most probable class, the first of equals."""
    if lowered.task in {"regression", "tensor"}:
        return Policy(task=lowered.task)
    if lowered.task == "multiclass":
        return Policy(task="multiclass", classes=lowered.classes)
    if len(lowered.classes) != 2:
        raise RefusedError(f"a binary model has 2 classes, not {len(lowered.classes)}")
    border = float(np.nextafter(0.0 if lowered.scores else 0.5, 1.0))
    threshold = border if lowered.threshold is None else lowered.threshold
    return Policy(task="binary", classes=lowered.classes, positive=1, threshold=threshold)


def _field(column: Column, values: pd.Series[Any], private: frozenset[str]) -> Field:
    return Field(
        name=column.name,
        kind=column.kind,
        nullable=column.nullable,
        example=None if column.name in private else _example(column, values),
        shape=column.shape,
    )


def _example(column: Column, values: pd.Series[Any]) -> Label | None:
    present = values.dropna()
    if present.empty or column.kind in {"tensor", "image"}:
        return None
    if column.kind == "text":
        return "a few words"  # never what a customer wrote
    if column.kind == "number":
        return float(f"{float(pd.to_numeric(present).median()):.6g}")
    if column.kind == "boolean":
        return bool(present.mode().iloc[0])
    if column.kind == "date":
        moment: str = present.iloc[len(present) // 2].isoformat()
        return moment
    return str(present.mode().iloc[0])
