"""`Scorer`: a ship that answers."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.runtimes import Bound, Runtime, runtimes
from shiplap.core.errors import InputError, ShipError
from shiplap.core.ship import Ship
from shiplap.core.signature import Signature
from shiplap.scoring.decide import Answer, Decider
from shiplap.scoring.encoder import Encoder
from shiplap.scoring.graph import audit_graph
from shiplap.scoring.shipfile import read_ship

__all__ = ["Scorer", "load"]


class Scorer:
    """Answers as the original does, from a ship alone.

    Safe among threads. Rows may be a pandas, polars or Arrow table, a dict of columns, a list of dicts, one dict, or
    a two-dimensional array with the inputs in the order of the signature; for a ship of one input also a list of texts
    or a series.

    Parameters
    ----------
    ship : Ship
        An audited ship.
    threads : int
        Threads that one call may use.
    runtime : str
        Name of the runtime that computes the graph.

    Raises
    ------
    ShipError
        The runtime cannot load the graph, or it does not fit the encoding.
    """

    def __init__(self, ship: Ship, *, threads: int = 1, runtime: str = "onnxruntime") -> None:
        self.ship = ship
        self.encoder = Encoder(ship.encoding)
        self.decider = Decider(ship.policy)
        outside = {"weights": _weights(ship)} if ship.weights else {}
        self.runtime: Runtime = runtimes.get(runtime)(ship.graph, threads=threads, **outside)
        expected = (ship.encoding.width, ship.signature.n_outputs)
        if (self.runtime.width, self.runtime.n_outputs) != expected:
            raise ShipError(f"'{ship.path}' has a graph that does not fit its encoding or its classes")
        self._spare: list[Bound] = [self.runtime.bound()]

    @property
    def signature(self) -> Signature:
        """Inputs, task and classes."""
        return self.ship.signature

    def outputs(self, X: Any) -> NDArray[np.float64]:
        """Return what the graph gives.

        Parameters
        ----------
        X : rows
            See the class.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_classes), or (n_rows, 1) for regression

        Raises
        ------
        RowError
            A value cannot be read.
        InputError
            A table lacks a column, or `X` is nothing that holds rows.
        """
        return np.concatenate([self.runtime.run(matrix) for matrix in self.encoder.matrices(self._named(X))])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the prediction of each row, shape (n_rows,): the most probable class, or the number of a regression.

        For a tensor, an array of shape (n_rows, n_outputs), or (n_rows, ...) as the signature says.

        Raises
        ------
        InputError
            As `outputs` does.
        """
        labels = self.decider.labels(self.outputs(X))
        return labels.reshape(len(labels), *self.signature.shape) if self.signature.shape else labels

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class, shape (n_rows, n_classes).

        Raises
        ------
        InputError
            The ship is a regression, or as `outputs` does.
        """
        if not self.signature.classes or self.signature.scores:
            what = "scores" if self.signature.scores else self.signature.task
            raise InputError(f"there are no probabilities in a ship of {what}", hint="use predict, or outputs")
        return self.outputs(X)

    def decide(self, X: Any) -> NDArray[Any]:
        """Return what the policy decides for each row, shape (n_rows,): a boolean, a class or a number, by the task.

        Raises
        ------
        InputError
            As `outputs` does.
        """
        return self.decider.decisions(self.outputs(X))

    def output(self, row: Mapping[str, object]) -> list[float]:
        """Return what the graph gives for one row, on the fast path: `n_outputs` numbers.

        Raises
        ------
        RowError
            A value cannot be read, or none of the columns is there.
        """
        spare = self._spare
        try:
            bound = spare.pop()
        except IndexError:  # another thread has it
            bound = self.runtime.bound()
        try:
            self.encoder.row(row, bound.input)
            bound.run()
            numbers: list[float] = bound.output[0].tolist()
        finally:
            spare.append(bound)
        return numbers

    def predict_row(self, row: Mapping[str, object]) -> Answer:
        """Answer one row, on the fast path.

        Parameters
        ----------
        row : mapping of str to object
            Values by column. A column that is not there is missing; one that is not known is ignored.

        Raises
        ------
        RowError
            A value cannot be read, or none of the columns is there.
        """
        return self.decider.answer(self.output(row))

    def _named(self, X: Any) -> Any:
        names, first = self.signature.names, self.signature.inputs[0]
        if len(names) == 1 and _are_values(X):
            return {names[0]: X}
        if not isinstance(X, np.ndarray):
            return X
        if len(names) == 1 and X.shape[1:] == first.shape:
            return {names[0]: X}
        if X.ndim != 2 or X.shape[1] != len(names):
            raise InputError(f"an array of shape {X.shape} came where (n_rows, {len(names)}) is expected")
        return dict(zip(names, X.T, strict=True))

    def __repr__(self) -> str:
        return f"Scorer({self.ship!r})"


def _are_values(X: Any) -> bool:
    """Tell whether `X` is a plain list of texts, or a series: the values of one column, without its name."""
    if isinstance(X, list | tuple):
        return isinstance(next((value for value in X if value is not None), None), str)
    return not isinstance(X, np.ndarray) and len(getattr(X, "shape", ())) == 1


def _weights(ship: Ship) -> dict[str, NDArray[Any]]:
    """Return the constants that lie outside the graph, where they lie."""
    outside = audit_graph(ship.graph, n_data=len(ship.weights)).outside
    return {
        one.name: np.frombuffer(ship.weights, one.dtype, prod(one.shape), one.offset).reshape(one.shape)
        for one in outside
    }


def load(path: str | Path, *, threads: int = 1) -> Scorer:
    """Read a ship file and make it ready to answer.

    Parameters
    ----------
    path : str or Path
        The ship file.
    threads : int
        Threads that one call may use.

    Raises
    ------
    ShipError
        The file is missing, truncated, altered or not a ship file, or its graph cannot be loaded.
    """
    return Scorer(read_ship(path), threads=threads)
