"""What lowering works with: the columns that flow through a pipeline, and the context that walks it.

A column is *raw* while it is still as the client sends it, and a *cell* once it is a number of a graph tensor. A step
that reads categories or dates takes raw columns and leaves an encoder operation behind; a step that computes takes
cells. Thus strings and dates never reach the graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.graph import INPUT, GraphBuilder
from shiplap.adapters.frameworks.registry import class_path, labelers, predictors, transformers
from shiplap.adapters.frameworks.trees import Forest
from shiplap.core.encoding import Boolean, Category, Encoding, Number, Operation
from shiplap.core.errors import RefusedError, nearest
from shiplap.core.registry import Registry
from shiplap.core.schema import Column

__all__ = ["Block", "Cell", "Context", "Origin", "Piece", "Raw", "Stage"]


@dataclass(frozen=True)
class Raw:
    """A column that is not encoded yet; `fill` replaces a missing value first, when it is given."""

    name: str
    fill: str | float | None = None


@dataclass(frozen=True)
class Origin:
    """The column a cell comes from: ``cell = (column - shift) / scale``."""

    column: str
    scale: float = 1.0
    shift: float = 0.0


@dataclass(frozen=True)
class Cell:
    """Column `index` of a double matrix of the graph.

    `integral` says that it holds whole numbers only; `origin` is the input column it is an affine function of.
    """

    tensor: str
    index: int
    integral: bool = False
    origin: Origin | None = None


Piece = Raw | Cell


@dataclass(frozen=True)
class Block:
    """Neighbouring columns between two steps.

    Parameters
    ----------
    pieces : tuple of Raw or Cell
        The columns.
    evaluate : callable
        What the original computes here: ``evaluate(frame)`` of the input frame.
    names : tuple of str
        Column names where the step passes a frame on, else empty.
    """

    pieces: tuple[Piece, ...]
    evaluate: Callable[[Any], Any]
    names: tuple[str, ...] = ()

    def take(self, positions: Sequence[int]) -> tuple[Piece, ...]:
        """Return some of the columns, in the order given."""
        return tuple(self.pieces[position] for position in positions)


@dataclass(frozen=True)
class Stage:
    """A step that was lowered: what the original has there, and the tensor that should equal it."""

    path: str
    tensor: str
    evaluate: Callable[[Any], Any]


@dataclass
class Context:
    """Walks a model and writes down encoder operations, graph nodes and thresholds.

    Parameters
    ----------
    columns : dict of str to Column
        The input columns by name: kinds, markers, formats.
    fitted : callable
        Whether an estimator was fitted, as its framework knows.
    canonical : bool
        Whether the original reads canonical rows, where an empty text already is a missing value.
    wanted : ndarray of int, optional
        The columns that the next step needs of the vectorizer that is lowered now, where it does not need all.
    singles : int
        Numbers that are added up in single precision, beside whose rounding that of `terms`, of doubles, is nothing.
    """

    columns: dict[str, Column]
    fitted: Callable[[Any], bool]
    canonical: bool = False
    graph: GraphBuilder = field(default_factory=GraphBuilder)
    operations: list[Operation] = field(default_factory=list)
    offsets: dict[Operation, int] = field(default_factory=dict)
    thresholds: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)
    forests: list[tuple[Forest, tuple[Cell, ...]]] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    positive: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    terms: int = 0
    singles: int = 0
    dtype: str = "float64"
    path: tuple[str, ...] = ()
    kind: str = ""
    widths: dict[str, int] = field(default_factory=dict)
    wanted: NDArray[np.int64] | None = None

    @property
    def width(self) -> int:
        """Columns of the encoded matrix so far."""
        return sum(operation.width for operation in self.operations)

    @property
    def encoding(self) -> Encoding:
        """The encoder operations so far."""
        return Encoding(operations=tuple(self.operations))

    def settle(self, output: str) -> None:
        """Order the encoder's operations as the graph takes them, and drop those that it never does.

        A graph that takes every column once, in any order, then takes the matrix as it is.
        """
        order = {index: place for place, index in enumerate(self.graph.taken(output))}
        firsts: dict[Operation, int] = {}
        for operation, start in self.offsets.items():
            found = [order[index] for index in range(start, start + operation.width) if index in order]
            if found:
                firsts[operation] = min(found)
        places: dict[int, int] = {}
        self.operations = sorted(firsts, key=lambda operation: firsts[operation])
        for operation in self.operations:
            start = self.offsets[operation]
            places.update({start + step: len(places) + step for step in range(operation.width)})
        self.graph.moved(places)

    @contextmanager
    def step(self, name: str, estimator: Any = None) -> Iterator[None]:
        """Walk one step deeper, into `estimator`; messages and graph nodes carry its path."""
        outer = self.path, self.kind
        self.path = (*self.path, name) if name else self.path
        self.kind = self.kind if estimator is None else type(estimator).__name__
        self.graph.label = self.where
        try:
            yield
        finally:
            self.path, self.kind = outer
            self.graph.label = self.where

    @property
    def where(self) -> str:
        """The path of the current step: ``prepare > dates > MyTransformer``."""
        return " > ".join(self.path)

    def refuse(self, reason: str, *, hint: str) -> RefusedError:
        """Return the error that refuses the current step, to be raised."""
        path = self.path if self.kind in self.path[-1:] else (*self.path, self.kind)
        return RefusedError(f"{' > '.join(path)}: {reason}", hint=hint)

    def transformed(self, estimator: Any, block: Block, name: str) -> Block:
        """Lower a transformer that reads `block`.

        Raises
        ------
        RefusedError
            There is no emitter for its class, it is not fitted, or it cannot be lowered exactly.
        """
        with self.step(name, estimator):
            pieces = self._emitter(transformers, estimator)(estimator, block, self)
            output = getattr(estimator, "_sklearn_output_config", {}).get("transform")
            names = tuple(estimator.get_feature_names_out()) if output == "pandas" else ()
            made = Block(pieces, lambda frame: estimator.transform(block.evaluate(frame)), names)
            self._staged(made)
        return made

    def response(self, estimator: Any, block: Block, methods: Sequence[str], name: str) -> tuple[str, str]:
        """Lower a predictor that reads `block`, by the first of `methods` that it has.

        Returns
        -------
        tensor : str
            Double matrix: (n, n_classes) of ``predict_proba``; (n, 1) of a binary ``decision_function``; (n, 1) of
            ``predict``, which for a classifier is (n, n_classes) with 1 for the class that it names.
        method : str
            The one that was lowered.
        """
        with self.step(name, estimator):
            emitter = self._emitter(predictors, estimator)
            method = next((method for method in methods if hasattr(estimator, method)), None)
            if method is None:
                raise self.refuse(
                    f"{type(estimator).__name__} has no {' and no '.join(methods)}",
                    hint="wrap a classifier without probabilities in CalibratedClassifierCV",
                )
            if method == "predict" and class_path(type(estimator)) in labelers.names():
                emitter = labelers.get(class_path(type(estimator)))
            tensor: str = emitter(estimator, block, self, method)
            chosen = getattr(estimator, method)
            self.stages.append(Stage(self.where, tensor, lambda frame: chosen(block.evaluate(frame))))
        return tensor, method

    def _emitter(self, registry: Registry[Any], estimator: Any) -> Any:
        known = registry.names()
        path = class_path(type(estimator))
        if path not in known:
            raise self.refuse(f"no emitter for {path}", hint=_nearest_step(type(estimator), known))
        if not self.fitted(estimator):
            raise self.refuse(f"{type(estimator).__name__} is not fitted", hint="call fit before packing")
        return registry.get(path)

    def _staged(self, block: Block) -> None:
        if block.pieces and all(isinstance(piece, Cell) for piece in block.pieces):
            self.stages.append(Stage(self.where, self.matrix(block.pieces), block.evaluate))

    def encode(self, operation: Operation) -> int:
        """Add an encoder operation, once, and return the first matrix column that it writes."""
        if operation not in self.offsets:
            self.offsets[operation] = self.width
            self.operations.append(operation)
        return self.offsets[operation]

    def encoded(self, operation: Operation, *, integral: bool = False) -> tuple[Cell, ...]:
        """Add an encoder operation and return its cells."""
        start = self.encode(operation)
        return tuple(Cell(INPUT, start + index, integral) for index in range(operation.width))

    def source(self, raw: Raw) -> Column:
        """Return what is known about the input column behind `raw`."""
        return self.columns[raw.name]

    def number(self, piece: Piece) -> Cell:
        """Return a column as a number, encoding it when it is still raw."""
        if isinstance(piece, Cell):
            return piece
        column = self.source(piece)
        if piece.fill is not None:
            return self._filled(piece, column)
        if column.kind == "boolean":
            operation: Operation = Boolean(
                column=column.name, missing=column.missing, true=column.true, false=column.false
            )
            return self.encoded(operation, integral=True)[0]
        if column.kind in {"date", "category", "text"}:
            raise self.refuse(
                f"column '{column.name}' holds a {column.kind} and this step computes with numbers",
                hint="give numbers if it was fitted on numbers; otherwise encode it first: OrdinalEncoder, "
                "OneHotEncoder or TargetEncoder for categories, date_parts for dates, TfidfVectorizer for texts",
            )
        start = self.encode(Number(column=column.name, missing=column.missing))
        return Cell(INPUT, start, origin=Origin(column.name))

    def _filled(self, piece: Raw, column: Column) -> Cell:
        """Return a raw column whose missing values were replaced by a number."""
        cell = self.number(Raw(piece.name))
        tensor = self.matrix((cell,))
        filled = self.graph.op(
            "Where", self.graph.op("IsNaN", tensor), self.graph.constant(np.array([piece.fill], np.float64)), tensor
        )
        return Cell(filled, 0, cell.integral, cell.origin)

    def cells(self, pieces: Sequence[Piece]) -> tuple[Cell, ...]:
        """Return columns as numbers."""
        return tuple(self.number(piece) for piece in pieces)

    def matrix(self, pieces: Sequence[Piece]) -> str:
        """Return the tensor that holds the columns side by side, as doubles of shape (n, len(pieces))."""
        cells = self.cells(pieces)
        if not cells:
            raise self.refuse("no column reaches this step", hint="give it at least one column")
        runs: list[list[Cell]] = []
        for cell in cells:
            if runs and runs[-1][0].tensor == cell.tensor:
                runs[-1].append(cell)
            else:
                runs.append([cell])
        parts = [self._run(run) for run in runs]
        return parts[0] if len(parts) == 1 else self.graph.op("Concat", *parts, axis=1)

    def _run(self, run: list[Cell]) -> str:
        tensor = run[0].tensor
        indices = [cell.index for cell in run]
        if tensor != INPUT and indices == list(range(self.widths.get(tensor, -1))):
            return tensor
        return self.graph.columns(tensor, indices)

    def computed(
        self, tensor: str, width: int, *, integral: bool = False, origins: Sequence[Origin | None] = ()
    ) -> tuple[Cell, ...]:
        """Return the cells of a tensor that a step just made."""
        self.widths[tensor] = width
        known = list(origins) or [None] * width
        return tuple(Cell(tensor, index, integral, known[index]) for index in range(width))

    def split_on(self, cell: Cell, values: NDArray[np.float64]) -> None:
        """Note that the model compares a cell with `values`; the finite ones are kept in units of its column."""
        values = values[np.isfinite(values)]
        if cell.origin is None or not len(values):
            return
        origin = cell.origin
        back = values if origin == Origin(origin.column) else values * origin.scale + origin.shift
        self.thresholds.setdefault(origin.column, []).append(back)

    def doubt(self, tensor: str) -> None:
        """Note where the original picks among equals in an order of its own: a double (n, 1), above 0 there."""
        self.doubts.append(tensor)

    def doubtful(self, output: str) -> str:
        """Return where there is any such doubt, (n, 1), of what `output` takes; empty where there can be none."""
        taken, total = set(self.graph.taken(output)), ""
        for tensor in self.doubts:
            if taken.issuperset(self.graph.taken(tensor)):
                total = self.graph.op("Max", total, tensor) if total else tensor
        return total

    def category(self, operation: Category) -> tuple[Cell, ...]:
        """Add a category operation and return its cells."""
        return self.encoded(operation, integral=_integral(operation))


def _nearest_step(kind: type, known: Sequence[str]) -> str:
    """Say what to use in place of a class that nothing lowers: a base class of it, or one of a like name."""
    base = next((base.__name__ for base in kind.__mro__ if class_path(base) in known), None)
    if base is not None:
        return f"it derives from {base}, which can be lowered: use that itself"
    library = kind.__module__.partition(".")[0]
    near = nearest(kind.__name__, [name.rpartition(".")[2] for name in known if name.partition(".")[0] == library])
    if near.startswith("did you mean"):
        return near
    return "its code cannot go into a ship: use steps of scikit-learn, or compute it before the model is asked"


def _integral(operation: Category) -> bool:
    rows = (*operation.values, operation.if_missing, operation.if_unseen)
    return all(value is None or (math.isfinite(value) and value == int(value)) for row in rows for value in row)
