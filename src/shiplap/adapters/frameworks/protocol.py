"""What a frameworks adapter offers: the original's own answers, and the model lowered to encoder and graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.frameworks.paths import NodePath
from shiplap.adapters.frameworks.registry import frameworks
from shiplap.core.brief import Label, Task
from shiplap.core.encoding import Encoding
from shiplap.core.errors import RefusedError
from shiplap.core.schema import Column

__all__ = ["Framework", "Lowered", "Probe", "framework_of"]


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
    task : {"binary", "multiclass", "regression"}
        What comes out.
    classes : tuple
        Labels in the order of the output's columns; empty for regression.
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
    """

    encoding: Encoding
    graph: bytes = field(repr=False)
    task: Task
    classes: tuple[Label, ...]
    dtype: str
    terms: int
    columns: tuple[Column, ...]
    thresholds: dict[str, NDArray[np.float64]] = field(repr=False)
    paths: tuple[NodePath, ...] = field(repr=False)
    probes: Callable[[], list[Probe]] = field(repr=False)


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

    def lower(self, model: Any, frame: Any, columns: tuple[Column, ...], *, canonical: bool = False) -> Lowered:
        """Lower a fitted model that reads frames with these columns, `canonical` ones where they come from a table.

        Raises
        ------
        RefusedError
            A step cannot be lowered exactly; the message has its path, the reason, and the nearest that can.
        """
        ...

    def outputs(self, model: Any, frame: Any) -> NDArray[np.float64]:
        """Return the original's answers: probabilities (n_rows, n_classes), or predictions (n_rows, 1)."""
        ...

    def labels(self, model: Any, frame: Any) -> NDArray[Any]:
        """Return the original's own labels or predictions, as its ``predict`` gives them."""
        ...


def framework_of(model: Any) -> Framework:
    """Find the adapter of a model by the library that its class, or a class it derives from, belongs to.

    Raises
    ------
    RefusedError
        No adapter knows any of its classes.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> framework_of(Ridge()).name
    'sklearn'
    """
    known = frameworks.names()
    for kind in type(model).__mro__:
        library = kind.__module__.partition(".")[0]
        if library in known:
            found: Framework = frameworks.get(library)
            return found
    raise RefusedError(
        f"a model of type {type(model).__module__}.{type(model).__qualname__} belongs to no known framework",
        hint=f"known are: {', '.join(known)}",
    )
