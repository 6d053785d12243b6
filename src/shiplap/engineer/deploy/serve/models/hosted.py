"""`Hosted`: a ship that is being served: what it answers, what a row of it costs, and where its work is done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import ceil
from time import perf_counter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.core.errors import RowError, ShipError
from shiplap.core.signature import Field
from shiplap.engineer.deploy.serve.bodies import check_depth, decode_row
from shiplap.engineer.deploy.serve.examples import black
from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.models.answers import Answers
from shiplap.engineer.deploy.serve.models.jobs import Jobs, Steps, finished
from shiplap.engineer.deploy.serve.models.line import Line
from shiplap.engineer.deploy.serve.models.outcomes import Render, beyond
from shiplap.engineer.deploy.serve.models.pieces import JsonReader, Piece, RowsPiece
from shiplap.engineer.deploy.serve.models.tap import Asker, Tap
from shiplap.engineer.deploy.serve.models.turn import Turn, drifted
from shiplap.engineer.deploy.serve.openapi import EXPECTED
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.scoring import JsonRows, Scorer

__all__ = ["Hosted"]

Matrix = NDArray[np.float64]
_PLACE = re.compile(r"row [0-9]+[,:] ")
_FEW = 2  # rows that are answered at once whatever they cost, where a model is not dear
_ALONE = 4  # a step may be so much longer where nobody else is there
_MOST_IN_A_CALL = 256
_LONG_BYTES = 262_144  # what takes longer to be read in one step than others should wait
_WAITING_BYTES = 128_000_000
_TRIAL_US, _TRIAL_NUMBERS, _TRIAL_ROWS = 50_000, 500_000, 512  # how much a trial batch may take, and hold


class Hosted:
    """One ship in service.

    Parameters
    ----------
    scorer : Scorer
        The loaded ship.
    limits : Limits
        What is accepted.
    jobs : Jobs
        Where long batches go.
    """

    def __init__(self, scorer: Scorer, limits: Limits, jobs: Jobs) -> None:
        self.scorer = scorer
        self.limits = limits
        self.jobs = jobs
        self.name = scorer.ship.manifest.name
        self.version = scorer.ship.id[:12]
        self.answers = Answers(scorer)
        self.taps: tuple[Tap, ...] = ()
        self.seen: dict[tuple[str, int], Any] = {}  # what an observer keeps here, so that it goes with the ship
        self._expected = {field.name: EXPECTED[field.kind] for field in scorer.signature.inputs}
        self.json = JsonReader(scorer.encoder, limits.depth)
        self._json_rows = JsonRows(scorer.encoder)
        self.call_us, self.row_us, row_bytes = self._costs()
        self._byte_us = self.row_us / row_bytes
        self.dear = self.call_us > limits.inline_ms * 1000
        self._run_us = self.row_us
        self._slice = self._rows_of(self.row_us)
        self.inline_bytes = 0 if self.dear else max(self._slice, _FEW) * int(row_bytes)
        wide = max(8, _WAITING_BYTES // (8 * scorer.encoder.width))  # rows that wait are encoded already
        self.turn = self._line(wide) if self.dear else self._turn(wide)

    def tap(self, *taps: Tap) -> None:
        """Let others look on, instead of those that did."""
        self.taps = self.turn.taps = taps

    def answer_row(self, row: Mapping[str, object], asker: Asker, render: Render) -> None:
        """Answer one row together with the others of this turn; raises ``ProblemError``."""
        try:
            self.turn.add(row, asker, render)
        except RowError as error:
            raise self._refusal(error, row) from error

    def answer_json(self, text: bytes, asker: Asker, render: Render) -> None:
        """Answer one row, a JSON object, together with the others of this turn; raises ``ProblemError``."""
        if text.find(b"{", 1) > 0 or text.find(b"[") >= 0:
            check_depth(text, self.limits.depth)
        if not self.turn.read(text, asker, render):
            self.answer_row(decode_row(text), asker, render)

    def outputs(self, rows: Sequence[Mapping[str, object]], asker: Asker) -> Matrix:
        """Return the outputs of the rows that `asker` sent, shape (n_rows, n_outputs); raises ``ProblemError``."""
        return finished(self.listed(rows, asker))

    def steps(self, pieces: Iterable[Piece], asker: Asker) -> Steps[Matrix]:
        """Return the outputs of the rows that `asker` sent, shape (n_rows, n_outputs), step by step.

        Raises
        ------
        ProblemError
            413 too many rows, 422 a row that cannot be answered, 503 the server is stopping.
        """
        parts = [np.empty((0, self.scorer.runtime.n_outputs))]
        asker.rows = 0
        for piece in pieces:
            first = asker.rows
            asker.rows += len(piece)
            if asker.rows > self.limits.rows:
                raise ProblemError(413, f"at most {self.limits.rows} rows are accepted in one request")
            block = min(piece.block, self.scorer.encoder.chunk)
            for start in range(0, len(piece), block):
                yield
                part = slice(start, min(start + block, len(piece)))
                parts.extend((yield from self._computed(piece, part, first, asker)))
            yield
        return np.concatenate(parts)

    def work(
        self, exchange: Exchange, steps: Steps[bytes], media_type: str = JSON, *, slow_start: bool = False
    ) -> None:
        """Answer with what `steps` come to: at once where the body is short, in between others where it is long.

        On a thread where the model is dear, or where the first step is long.
        """
        headers = {"Shiplap-Ship": self.scorer.ship.id}
        cost_us = self._cost_us(exchange)
        if self.dear or slow_start:
            work = partial(finished, steps)
            self.jobs.submit(exchange, work, cost_us=cost_us, media_type=media_type, headers=headers)
        elif len(exchange.body) <= self.inline_bytes:
            exchange.answer(finished(steps), media_type=media_type, headers=headers)
        else:
            self.jobs.start(exchange, steps, cost_us=cost_us, media_type=media_type, headers=headers)

    def read_and_work(
        self,
        exchange: Exchange,
        steps: Steps[bytes],
        *,
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer with what `steps` come to, the first of which reads the whole body: a very long one on a thread."""
        cost_us = self._cost_us(exchange)
        if self.dear or len(exchange.body) > _LONG_BYTES:
            work = partial(finished, steps)
            self.jobs.submit(exchange, work, cost_us=cost_us, media_type=media_type, headers=headers)
        else:
            self.jobs.start(exchange, steps, cost_us=cost_us, media_type=media_type, headers=headers)

    def listed(self, rows: Sequence[Mapping[str, object]], asker: Asker) -> Steps[Matrix]:
        """Return the outputs of rows, step by step; raises ``ProblemError`` as `steps` does."""
        return self.steps([RowsPiece(rows, self.scorer.encoder)], asker)

    def _computed(self, piece: Piece, part: slice, first: int, asker: Asker) -> Steps[list[Matrix]]:
        """Return the outputs of a part of a piece whose first row is the row `first` of the body, in slices."""
        try:
            encoded = piece.matrix(part)
            outputs: list[Matrix] = []
            start = 0
            while start < len(encoded):
                yield
                if self.jobs.closed:
                    raise ProblemError(503, "the server is stopping", headers={"Retry-After": "1"}, reason="stopping")
                left = len(encoded) - start
                most = self._slice * (_ALONE if self.jobs.alone else 1)
                size = ceil(left / ceil(left / most))  # slices of one size cost least
                outputs.append(self._run(encoded[start : start + size]))
                start += len(outputs[-1])
        except RowError as error:
            row = piece.rows(part)[error.row]
            raise self._refusal(error, row, first + part.start + error.row, many=True) from error
        except ShipError as error:
            raise beyond(error) from error
        if self.taps:
            rows, whole = piece.rows(part), np.concatenate(outputs)
            asker.first = first + part.start
            for tap in self.taps:
                tap.take([asker] * len(encoded), rows, encoded, whole)
        return outputs

    def _cost_us(self, exchange: Exchange) -> float:
        """Return what a body of many rows is thought to take."""
        return len(exchange.body) * self._byte_us

    def _run(self, encoded: Matrix) -> Matrix:
        """Run the graph, and think of the next slice by what this one took."""
        start = perf_counter()
        outputs = self.scorer.runtime.run(encoded)
        self._run_us = drifted(self._run_us, perf_counter() - start, len(encoded))
        self._slice = self._rows_of(self._run_us)
        return outputs

    def _rows_of(self, row_us: float) -> int:
        """Return how many rows make a slice."""
        return max(1, min(int(self.limits.slice_ms * 1000 / row_us), self.scorer.encoder.chunk))

    def _turn(self, wide: int) -> Turn:
        scorer = self.scorer
        capacity = max(1, min(_MOST_IN_A_CALL, int(self.limits.inline_ms * 1000 / self.row_us), wide))
        turn_us = self.limits.turn_ms * 1000
        return Turn(scorer.encoder, scorer.runtime, capacity=capacity, row_us=self.row_us, turn_us=turn_us)

    def _line(self, wide: int) -> Line:
        wait_us = self.limits.wait_ms * 1000
        return Line(self._encode, self.scorer.runtime, row_us=self.call_us, wait_us=wait_us, most=wide)

    def _encode(self, row: Mapping[str, object] | bytes, out: Matrix) -> None:
        """Encode one row, a mapping or a JSON object; raises ``ProblemError``."""
        if isinstance(row, bytes):
            if self._json_rows.row(row, out):
                return
            row = decode_row(row)
        try:
            self.scorer.encoder.row(row, out)
        except RowError as error:
            raise self._refusal(error, row) from error

    def _refusal(
        self, error: RowError, row: Mapping[str, object], position: int = 0, *, many: bool = False
    ) -> ProblemError:
        bare = _PLACE.sub("", error.message)
        return ProblemError(
            422,
            f"row {position}: {bare}" if many else bare,
            row=position if many else None,
            field=error.column or None,
            value=row.get(error.column) if error.column else None,
            expected=self._expected.get(error.column),
            hint=error.hint or None,
        )

    def _costs(self) -> tuple[float, float, float]:
        """Return microseconds of a call with one row, of one more row from bytes to bytes, and the bytes of a row."""
        scorer = self.scorer
        row = {field.name: _example(field) for field in scorer.signature.inputs}
        try:
            scorer.encoder.matrix([row])
        except RowError:
            pictures = {field.name: _example(field) for field in scorer.signature.inputs if field.kind == "image"}
            row = dict.fromkeys(scorer.signature.names) | pictures
        single = np.zeros((1, scorer.encoder.width))

        def call() -> None:
            scorer.encoder.row(row, single)
            scorer.runtime.run(single)

        call_us = _best_us(call)
        count = max(1, min(_TRIAL_ROWS, int(_TRIAL_US / call_us), _TRIAL_NUMBERS // scorer.encoder.width))
        body = msgspec.json.encode([row] * count)

        def batch() -> None:
            for piece in self.json.array(body):
                for start in range(0, len(piece), scorer.encoder.chunk):
                    part = slice(start, start + scorer.encoder.chunk)
                    self.answers.array(scorer.runtime.run(piece.matrix(part)))

        return call_us, _best_us(batch) / count, len(body) / count


def _example(field: Field) -> Any:
    """Return a value that an input takes: its example, an array of zeros, or a black image as base64 text."""
    if field.kind == "image":
        return black(256)
    if field.shape:
        return np.zeros(field.shape).tolist()
    return 0.0 if field.kind == "number" and field.example is None else field.example


def _best_us(act: Callable[[], object], repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = perf_counter()
        act()
        times.append(perf_counter() - start)
    return min(times) * 1e6
