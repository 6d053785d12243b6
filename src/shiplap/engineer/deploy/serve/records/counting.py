"""`Counting`: rows that were answered become sketches and samples."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.core.brief import Label
from shiplap.core.prediction import Prediction, ServedModel
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.openapi import key_of
from shiplap.engineer.deploy.serve.records.features import Feature, features_of
from shiplap.engineer.deploy.serve.records.options import Records
from shiplap.methods.sketches import MOST_CODES, Sketch, sketch_codes, sketch_numbers, sketch_shares
from shiplap.methods.traffic import Traffic

__all__ = ["Counting", "Gathered", "Sample"]

Matrix = NDArray[np.float64]
Integers = NDArray[np.int64]
Row = Mapping[str, object]

_MOST_OUTPUTS, _MOST_KEPT = 32, 1_024  # that are counted, and that are kept with a sample
_encode = msgspec.json.Encoder(enc_hook=str).encode


class Sample(NamedTuple):
    """A row that is kept: its id, the row as it came, what the ship gave, and when."""

    id: str
    row: Row
    output: Matrix
    at: float


@dataclass(eq=False)
class Gathered:
    """What passed by and is not counted yet, in parts that were answered together.

    Parameters
    ----------
    encoded, outputs : list of bytes
        The numbers that are counted, and what the ship gave, as doubles, row after row. Bytes are made and joined in
        a third of the time that arrays take.
    rows : list of sequence of mapping
        The rows as they came; empty where they are not needed.
    samples : list of Sample
        Rows that are kept.
    n_rows, dropped : int
        How many rows there are, and how many were left out.
    """

    encoded: list[bytes] = field(default_factory=list)
    outputs: list[bytes] = field(default_factory=list)
    rows: list[Sequence[Row]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    n_rows: int = 0
    dropped: int = 0


class Counting:
    """Counts what one ship was asked and answered.

    Parameters
    ----------
    hosted : Hosted
        The ship.
    options : Records
        How much is recorded.
    """

    def __init__(self, hosted: Hosted, options: Records) -> None:
        scorer, signature = hosted.scorer, hosted.scorer.signature
        self.features = features_of(scorer)
        self._decider = scorer.decider
        self._private = frozenset(options.private)
        self.share = options.share
        self.n_outputs = signature.n_outputs
        self.n_counted = min(self.n_outputs, _MOST_OUTPUTS) if signature.task == "tensor" else self.n_outputs
        self._most_bytes = options.value_bytes
        self._columns = frozenset(signature.names)
        self._probable = bool(signature.classes) and not signature.scores
        names = tuple(map(key_of, signature.classes)) or signature.output_names
        self._names = ("prediction",) if signature.task == "regression" else names[:_MOST_OUTPUTS]
        self._places = {label: place for place, label in enumerate(signature.classes)}
        self.model = ServedModel(
            name=hosted.name,
            ship=scorer.ship.id,
            task=signature.task,
            classes=signature.classes,
            categories=self._categories(),
            private=tuple(sorted(self._private & self._columns)),
        )

    def count(self, gathered: Gathered, before: Traffic) -> Traffic:
        """Return what was counted before with what was gathered added; at least one row is expected."""
        n_rows = gathered.n_rows
        outputs = np.frombuffer(b"".join(gathered.outputs)).reshape(n_rows, self.n_counted)
        encoded = np.frombuffer(b"".join(gathered.encoded)).reshape(n_rows, len(self.features.columns))
        rows = _Joined(gathered.rows) if gathered.rows else None
        inputs = {}
        for feature in self.features.counted:
            known = before.inputs.get(feature.name)
            inputs[feature.name] = self._sketch(feature, encoded, rows, known.shift if known else 0)
        return before + Traffic(inputs=inputs, outputs=self._outputs(outputs), answers=self._answers(outputs))

    def prediction(self, sample: Sample) -> Prediction:
        """Return a row that is kept, with what was answered."""
        output = sample.output
        named = bool(self._places) or self.model.task == "regression"
        row, left_out = self._kept(sample.row)
        return Prediction(
            id=sample.id,
            model=self.model.name,
            ship=self.model.ship,
            at=sample.at,
            share=self.share,
            row=row,
            left_out=left_out,
            outputs=tuple(output[0].tolist()) if self.n_outputs <= _MOST_KEPT else (),
            label=self._decider.labels(output).tolist()[0] if named else None,
            decision=self._decider.decisions(output).tolist()[0] if named else None,
        )

    def _sketch(self, feature: Feature, encoded: Matrix, rows: Sequence[Row] | None, shift: int) -> Sketch:
        numbers = encoded[:, feature.places]
        if feature.categories is not None:
            sketch = sketch_codes(feature.categories.codes(numbers, rows))
        else:
            sketch = sketch_numbers(numbers[:, 0], shift=shift)
        return sketch.bare() if feature.column in self._private else sketch

    def _outputs(self, outputs: Matrix) -> dict[str, Sketch]:
        sketch: Callable[[Matrix], Sketch] = sketch_shares if self._probable else sketch_numbers
        return {name: sketch(outputs[:, place]) for place, name in enumerate(self._names)}

    def _answers(self, outputs: Matrix) -> dict[str, Sketch]:
        if not self._places:
            return {}
        decisions = self._decider.decisions(outputs)
        if self.model.task == "binary":
            decided = decisions.astype(np.int64)
        else:
            decided = np.array([self._places[label] for label in decisions.tolist()], np.int64)
        return {"label": sketch_codes(outputs.argmax(axis=1)), "decision": sketch_codes(decided)}

    def _categories(self) -> dict[str, tuple[Label, ...]]:
        known: dict[str, tuple[Label, ...]] = {
            each.name: each.categories.labels
            for each in self.features.counted
            if each.categories is not None and each.column not in self._private
        }
        if self._places:
            classes = tuple(self._places)[:MOST_CODES]
            known |= {"label": classes, "decision": (False, True) if len(classes) == 2 else classes}
        return known

    def _kept(self, row: Row) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the values that may be kept, and the columns of the others; what the model ignores is in neither."""
        known = {name: _plain(value) for name, value in row.items() if name in self._columns}
        most = self._most_bytes
        out = {name for name, value in known.items() if name in self._private or len(_encode(value)) > most}
        return {name: value for name, value in known.items() if name not in out}, tuple(sorted(out))


class _Joined(Sequence[Row]):
    """The rows of several parts, looked up one by one; a row that is looked up twice is decoded once."""

    def __init__(self, parts: Sequence[Sequence[Row]]) -> None:
        self._parts = parts
        self._starts = [0, *accumulate(map(len, parts))]
        self._seen: dict[int, Row] = {}

    def __getitem__(self, place: Any) -> Any:
        row = self._seen.get(place)
        if row is None:
            part = bisect_right(self._starts, place) - 1
            row = self._seen[place] = self._parts[part][place - self._starts[part]]
        return row

    def __len__(self) -> int:
        return self._starts[-1]


def _plain(value: object) -> object:
    """Return an array or a number of numpy as Python has it."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
