"""What a frameworks adapter offers: the original's own answers, and the model lowered to encoder and graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.paths import NodePath
from shiplap.adapters.frameworks.registry import frameworks
from shiplap.core.brief import Label, OutputTask
from shiplap.core.encoding import Encoding
from shiplap.core.errors import RefusedError
from shiplap.core.schema import Column

__all__ = ["Ask", "Framework", "Lowered", "Probe", "framework_of"]


@dataclass(frozen=True)
class Ask:
    """What is asked of a model that leaves something open.

    Parameters
    ----------
    method : str
        Which method of an estimator answers: ``predict_proba``, ``decision_function``, ``predict``,
        ``score_samples`` or ``transform``; the framework's choice when empty.
    classes : tuple
        Labels of the outputs of a model that does not know them, such as a neural network.
    preprocess : callable, optional
        A function of tensors that a neural network's inputs pass through first.
    private : tuple of str
        Columns no value of which may stand in the ship.
    """

    method: str = ""
    classes: tuple[Label, ...] = ()
    preprocess: Callable[..., Any] | None = None
    private: tuple[str, ...] = ()


@dataclass(frozen=True)
class Probe:
    """A step of the model, made comparable.

    Parameters
    ----------
    path : str
        Where it stands: ``prepare > category``.
    graph : bytes
        ONNX model of everything up to this step.
    evaluate : callable
        ``evaluate(frame) -> array``: what the original computes there.
    """

    path: str
    graph: bytes = field(repr=False)
    evaluate: Callable[[Any], Any] = field(repr=False)


@dataclass(frozen=True)
class Lowered:
    """A model as encoder and graph.

    Parameters
    ----------
    encoding : Encoding
        How a row becomes numbers.
    graph : bytes
        ONNX model: double matrix ``rows`` (n_rows, encoding.width) in, double matrix ``output`` (n_rows, k) out.
    task : {"binary", "multiclass", "regression", "tensor"}
        What comes out.
    classes : tuple
        Labels in the order of the output's columns; empty for regression and tensors.
    dtype : str
        Arithmetic of the model's sums: ``float64`` or ``float32``.
    terms : int
        How many numbers are added up to make one answer; rounding grows with it.
    columns : tuple of Column
        The columns of the original's input, in its order.
    thresholds : dict of str to ndarray
        What the model compares each numeric column with, sorted, in units of the column.
    paths : tuple of NodePath
        The ways to some of the nodes of its trees.
    probes : callable
        ``probes() -> list of Probe``: the steps in order, made when asked for.
    doubt : bytes
        ONNX model like `graph` whose answer (n_rows, 1) is above 0 where the original picks among equals in an order
        of its own, which another processor would change; empty where it never does.
    scores : bool
        Whether the classes have scores, the first largest of which is the answer, instead of probabilities.
    outputs : tuple of str
        Names of a tensor's columns, where it is a matrix with names.
    shape : tuple of int
        Shape of one row of a tensor without names.
    threshold : float or None
        Where the original's own ``predict`` of two classes decides otherwise than for the more probable one: the
        probability or score of the second class from which on it says so.
    answers : callable, optional
        ``answers(frame) -> array``: the original's own answers, where what they mean was found out in lowering.
    largest : float
        Numbers beyond it, to either side, are not compared: single-precision sums of a network overflow in an order
        of their own.
    weights : bytes or memoryview
        Constants of the graph that lie outside of it, where they are too many for one message.
    """

    encoding: Encoding
    graph: bytes = field(repr=False)
    task: OutputTask
    classes: tuple[Label, ...]
    dtype: str
    terms: int
    columns: tuple[Column, ...]
    thresholds: dict[str, NDArray[np.float64]] = field(repr=False)
    paths: tuple[NodePath, ...] = field(repr=False)
    probes: Callable[[], list[Probe]] = field(repr=False)
    doubt: bytes = field(default=b"", repr=False)
    scores: bool = False
    outputs: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    threshold: float | None = None
    answers: Callable[[Any], NDArray[np.float64]] | None = field(default=None, repr=False)
    largest: float = float("inf")
    weights: bytes | memoryview = field(default=b"", repr=False)


class Framework(Protocol):
    """One framework's adapter."""

    name: str

    def sample(self, X: Any, model: Any = None) -> tuple[Any, tuple[Column, ...]]:
        """Return rows as the frame the model reads, and what its columns hold.

        Raises
        ------
        TableError
            The rows have another shape than the model was fitted on, or lack a column.
        """
        ...

    def lower(
        self, model: Any, frame: Any, columns: tuple[Column, ...], *, canonical: bool = False, ask: Ask = Ask()
    ) -> Lowered:
        """Lower a fitted model that reads frames with these columns, `canonical` ones where they come from a table.

        Raises
        ------
        RefusedError
            A step cannot be lowered exactly; the message has its path, the reason, and the nearest that can.
        """
        ...

    def outputs(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[np.float64]:
        """Return the original's answers as the ship gives them, shape (n_rows, n_outputs)."""
        ...

    def labels(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[Any]:
        """Return the original's own labels or predictions, as its ``predict`` gives them."""
        ...


def framework_of(model: Any, name: str = "") -> Framework:
    """Find the adapter of a model by the library that its class, or a class it derives from, belongs to.

    Parameters
    ----------
    model : Any
        The model.
    name : str
        The adapter's name, for a model whose class does not tell: a function, say.

    Raises
    ------
    RefusedError
        No adapter knows any of its classes, or they are known to belong to another framework than `name`.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> framework_of(Ridge()).name
    'sklearn'
    """
    known = frameworks.names()
    if isinstance(model, type):
        raise RefusedError(
            f"{model.__qualname__} is a class, and a trained model is needed", hint="make one, train it, and pass that"
        )
    own = next((library for library in _libraries(model) if library in known), "")
    if name and own and frameworks.get(name) is not frameworks.get(own):
        raise RefusedError(
            f"the model is one of {own}, not of {name}", hint="leave it out: the class of the model tells it"
        )
    if not (name or own):
        raise RefusedError(
            f"a model of type {type(model).__module__}.{type(model).__qualname__} belongs to no known framework",
            hint=f"known are: {', '.join(known)}; for a function, say which by framework=",
        )
    found: Framework = frameworks.get(name or own)
    return found


def _libraries(model: Any) -> Iterator[str]:
    """Yield the libraries of a model's classes; what an adapter read from a file is of its framework too."""
    for kind in type(model).__mro__:
        yield kind.__module__.removeprefix("shiplap.adapters.frameworks.").partition(".")[0]
