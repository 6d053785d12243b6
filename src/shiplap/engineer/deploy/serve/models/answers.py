"""Answers as bytes: what a prediction looks like in JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.engineer.deploy.serve.openapi import key_of
from shiplap.scoring import Scorer

__all__ = ["Answers"]

Outputs = NDArray[np.float64]


class Answers:
    """Turns outputs into JSON; NaN and infinities, which JSON has not, become null.

    Parameters
    ----------
    scorer : Scorer
        Decides.
    """

    def __init__(self, scorer: Scorer) -> None:
        ship = scorer.ship
        self._decider = scorer.decider
        signature = scorer.signature
        self._keys = keys = [key_of(label) for label in signature.classes]
        self._n_outputs = signature.n_outputs
        self._names, self._shape = signature.outputs, signature.shape
        plain = [f"p{index}" for index in range(len(keys))]
        # A struct of its own for each ship: the names are laid out once, only values are written.
        self._probabilities: Any = msgspec.defstruct(
            "Probabilities", [(name, float) for name in plain], rename=dict(zip(plain, keys, strict=True)), gc=False
        )
        self._known = known = "scores" if signature.scores else "probabilities"
        fields = ["prediction", *([known] if keys else []), *(["decision"] if signature.task != "tensor" else [])]
        self._many: Any = msgspec.defstruct("Answer", [(name, Any) for name in fields], gc=False)
        self._one: Any = msgspec.defstruct("Answer", [(name, Any) for name in [*fields, "model", "ship"]], gc=False)
        self._identity = (ship.manifest.name, ship.id)
        self._keyed = bool(keys)
        self._pick = scorer.decider.pick
        self._encoder = msgspec.json.Encoder()
        self._encode = self._encoder.encode

    def one(self, output: Sequence[float]) -> bytes:
        """Return the answer to one row, with the names of model and ship.

        Parameters
        ----------
        output : sequence of float
            What the graph gave.
        """
        if self._names or self._shape:
            return self._encode(self._one(self._tensor(output), *self._identity))
        prediction, decision = self._pick(output)
        if self._keyed:
            return self._encode(self._one(prediction, self._probabilities(*output), decision, *self._identity))
        return self._encode(self._one(prediction, decision, *self._identity))

    def array(self, outputs: Outputs) -> bytes:
        """Return the answers to rows as a JSON array; `outputs` has the shape (n_rows, n_outputs)."""
        return self._encode(self._each(outputs))

    def lines(self, outputs: Outputs) -> bytes:
        """Return the answers to rows, one a line; `outputs` has the shape (n_rows, n_outputs)."""
        return self._encoder.encode_lines(self._each(outputs))

    def csv(self, outputs: Outputs) -> bytes:
        """Return the answers to rows as lines of CSV, without the header; NaN and infinities are empty."""
        text = io.StringIO(newline="")
        columns = [_cells(column) for column in self._flat(outputs).values()]
        csv.writer(text, lineterminator="\n").writerows(zip(*columns, strict=True))
        return text.getvalue().encode()

    @property
    def csv_header(self) -> bytes:
        """The header of CSV: ``prediction``, ``probabilities.no`` ..., ``decision``."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerow(self._flat(np.zeros((1, self._n_outputs))))
        return text.getvalue().encode()

    def arrow(self, outputs: Outputs) -> bytes:
        """Return the answers to rows as an Arrow IPC stream, with the columns that a JSON answer has as members."""
        from shiplap.adapters.arrow import write_stream  # noqa: PLC0415  (an extra)

        told: dict[str, Any] = {"prediction": self._decider.labels(outputs)}
        if self._names:
            told["prediction"] = dict(zip(self._names, outputs.T, strict=True))
        elif self._shape:
            told["prediction"] = outputs.reshape(len(outputs), *self._shape)
        else:
            if self._keyed:
                told[self._known] = dict(zip(self._keys, outputs.T, strict=True))
            told["decision"] = self._decider.decisions(outputs)
        told = {name: _texts(values) for name, values in told.items()}
        return write_stream(told, dict(zip(("model", "ship"), self._identity, strict=True)))

    def columns(self, outputs: Outputs) -> dict[str, list[Any]]:
        """Return predictions, decisions, and probabilities or scores (row after row) as lists."""
        decider = self._decider
        if self._names or self._shape:
            return {"prediction": outputs.ravel().tolist()}
        return {
            "prediction": decider.labels(outputs).tolist(),
            self._known: outputs.ravel().tolist(),
            "decision": decider.decisions(outputs).tolist(),
        }

    def _flat(self, outputs: Outputs) -> dict[str, NDArray[Any]]:
        """Return columns by name, each of one dimension."""
        if self._names:
            return dict(zip(self._names, outputs.T, strict=True))
        if self._shape:
            return {f"prediction.{place}": column for place, column in enumerate(outputs.T)}
        numbers = {f"{self._known}.{key}": column for key, column in zip(self._keys, outputs.T, strict=False)}
        decider = self._decider
        return {"prediction": decider.labels(outputs), **numbers, "decision": decider.decisions(outputs)}

    def _tensor(self, output: Sequence[float]) -> Any:
        """Return the numbers of one row by name, or as nested lists."""
        if self._names:
            return dict(zip(self._names, output, strict=True))
        return np.reshape(np.asarray(output), self._shape).tolist()

    def _each(self, outputs: Outputs) -> list[Any]:
        answer, inner = self._many, self._probabilities
        if self._names or self._shape:
            return [answer(self._tensor(row)) for row in outputs.tolist()]
        columns = (self._decider.labels(outputs).tolist(), outputs.tolist(), self._decider.decisions(outputs).tolist())
        if not self._keyed:
            return [answer(label, decision) for label, _, decision in zip(*columns, strict=True)]
        return [answer(label, inner(*row), decision) for label, row, decision in zip(*columns, strict=True)]


def _cells(column: NDArray[Any]) -> list[Any]:
    """Return values as CSV has them."""
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        return [value if np.isfinite(value) else None for value in column.tolist()]
    values: list[Any] = column.tolist()
    return [str(value).lower() if isinstance(value, bool) else value for value in values]


def _texts(values: Any) -> Any:
    """Return labels of several types as texts; anything else as it is."""
    mixed = isinstance(values, np.ndarray) and values.dtype == object
    return [key_of(value) for value in values.tolist()] if mixed else values
