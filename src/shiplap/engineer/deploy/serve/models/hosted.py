"""`Hosted`: a ship that is being served: what it answers, what a row of it costs, and where its work is done."""

from __future__ import annotations

import base64
import re
import struct
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.core.errors import RowError, ShipError
from shiplap.core.signature import Field
from shiplap.engineer.deploy.serve.bodies import decode_rows
from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.models.answers import Answers
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.models.tap import Asker, Tap
from shiplap.engineer.deploy.serve.models.turn import Render, Turn, beyond
from shiplap.engineer.deploy.serve.openapi import EXPECTED
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.scoring import Scorer

__all__ = ["Hosted"]

_PLACE = re.compile(r"row [0-9]+[,:] ")
_MOST_IN_A_TURN = 256
_SLICE = 512
_WAITING_BYTES = 128_000_000
_TRIAL_US, _TRIAL_NUMBERS = 50_000, 500_000  # how much a trial batch may take, and hold


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
        inline_us = limits.inline_ms * 1000
        self.call_us, self.row_us, row_bytes = self._costs()
        dear = self.call_us > inline_us
        capacity = limits.queue if dear else max(1, min(_MOST_IN_A_TURN, int(inline_us / self.row_us)))
        self.inline_bytes = 0 if dear else int(inline_us / self.row_us * row_bytes)
        wide = max(8, _WAITING_BYTES // (8 * scorer.encoder.width))  # rows that wait are encoded already
        self.turn = Turn(scorer.encoder, scorer.runtime, capacity=min(capacity, wide), dear=dear)

    def tap(self, *taps: Tap) -> None:
        """Let others look on, instead of those that did."""
        self.taps = self.turn.taps = taps

    def answer_row(self, row: Mapping[str, object], asker: Asker, render: Render) -> None:
        """Answer one row together with the others of this turn; raises ``ProblemError``."""
        try:
            self.turn.add(row, asker, render)
        except RowError as error:
            raise self._refusal(error, row) from error

    def outputs(self, rows: Sequence[Mapping[str, object]], asker: Asker) -> NDArray[np.float64]:
        """Return the outputs of the rows that `asker` sent, shape (n_rows, n_outputs); raises ``ProblemError``.

        The work is done in slices, so that on a thread it lets others run in between.
        """
        asker.rows = len(rows)
        encode, run = self.scorer.encoder.matrix, self.scorer.runtime.run
        parts = [run(np.empty((0, self.scorer.encoder.width)))]
        size = min(_SLICE, self.scorer.encoder.chunk)
        for start in range(0, len(rows), size):
            if self.jobs.closed:
                raise ProblemError(503, "the server is stopping", headers={"Retry-After": "1"}, reason="stopping")
            part = rows[start : start + size]
            try:
                encoded = encode(part)
                parts.append(run(encoded))
            except RowError as error:
                raise self._refusal(error, part[error.row], start + error.row, many=True) from error
            except ShipError as error:
                raise beyond(error) from error
            for tap in self.taps:
                tap.take([asker] * len(part), part, encoded, parts[-1])
        return np.concatenate(parts)

    def work(self, exchange: Exchange, work: Callable[[], bytes], media_type: str = JSON) -> None:
        """Answer with what `work` returns: here where the body is short, on a thread where it is long."""
        headers = {"Shiplap-Ship": self.scorer.ship.id}
        if len(exchange.body) <= self.inline_bytes:
            exchange.answer(work(), media_type=media_type, headers=headers)
        else:
            self.jobs.submit(exchange, work, media_type=media_type, headers=headers)

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
        call_us = _best_us(lambda: scorer.runtime.run(single))
        count = max(1, min(_SLICE, int(_TRIAL_US / call_us), _TRIAL_NUMBERS // scorer.encoder.width))
        body = msgspec.json.encode([row] * count)

        def batch() -> None:
            self.answers.array(scorer.runtime.run(scorer.encoder.matrix(decode_rows(body, Limits()))))

        return call_us, _best_us(batch) / count, len(body) / count


def _example(field: Field) -> Any:
    """Return a value that an input takes: its example, an array of zeros, or a black image as base64 text."""
    if field.kind == "image":
        return base64.b64encode(_black(256)).decode()
    if field.shape:
        return np.zeros(field.shape).tolist()
    return 0.0 if field.kind == "number" and field.example is None else field.example


def _black(size: int) -> bytes:
    """Return a PNG file of gray pixels, all of them black."""
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes((size + 1) * size))),
        (b"IEND", b""),
    )
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _best_us(act: Callable[[], object], repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return min(times) * 1e6
