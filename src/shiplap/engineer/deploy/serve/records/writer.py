"""`Writer`: a thread that writes to the store, so that nobody who counts waits for a disk or a lock."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shiplap.core.prediction import Prediction, ServedModel, Window
from shiplap.core.store.predictions import Predictions
from shiplap.engineer.deploy.serve.models.threads import stand_back
from shiplap.engineer.deploy.serve.records.options import Records
from shiplap.methods.traffic import merge_packed

__all__ = ["Batch", "Writer"]

_PRUNE_S, _ROLL_UP_S = 60.0, 3_600.0
_DAY_S, _HOUR_S = 86_400.0, 3_600.0


@dataclass(frozen=True)
class Batch:
    """What is written in one transaction: who answered, their windows, and samples."""

    models: list[ServedModel] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)


class Writer:
    """Writes one batch after the other, and tidies up in between.

    Parameters
    ----------
    open_store : callable
        Returns where to write; raises ``StoreError``.
    options : Records
        How long what is kept.
    """

    def __init__(self, open_store: Callable[[], Predictions], options: Records) -> None:
        self._open = open_store
        self._options = options
        self._inbox: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._idle = threading.Event()
        self._idle.set()
        self._failed: Batch | None = None
        self._said = False
        self._pruned = self._rolled_up = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="shiplap-records-writer", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether the last batch is done with."""
        return self._idle.is_set()

    @property
    def behind(self) -> bool:
        """Whether a batch is not written yet."""
        return not self.idle or self._failed is not None

    def write(self, batch: Batch) -> None:
        """Write a batch soon; the writer is expected to be idle."""
        self._idle.clear()
        self._inbox.put(batch)

    def failed(self) -> Batch | None:
        """Return the last batch if it could not be written."""
        failed, self._failed = self._failed, None
        return failed

    def wait(self, seconds: float) -> None:
        """Wait until the last batch is done with, so long at most."""
        self._idle.wait(seconds)

    def close(self, seconds: float) -> None:
        """End when what was given is written; wait so long for it at most."""
        self._inbox.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        stand_back()
        while (batch := self._inbox.get()) is not None:
            try:
                predictions = self._open()
                predictions.write(models=batch.models, windows=batch.windows, predictions=batch.predictions)
                self._tidy(predictions)
            except Exception as error:  # whatever it is: the thread lives on, and tries again
                self._failed = batch
                self._say(error)
            finally:
                self._idle.set()

    def _tidy(self, predictions: Predictions) -> None:
        options, now, clock = self._options, time.time(), time.monotonic()
        if clock - self._pruned > _PRUNE_S:
            self._pruned = clock
            predictions.prune(
                most=options.keep_rows,
                since=now - options.keep_days * _DAY_S,
                windows_since=now - options.keep_windows_days * _DAY_S,
            )
        if clock - self._rolled_up > _ROLL_UP_S:
            self._rolled_up = clock
            predictions.roll_up(seconds=_HOUR_S, before=now - _DAY_S, merge=merge_packed)

    def _say(self, error: Exception) -> None:
        if not self._said:
            self._said = True
            sys.stderr.write(f"predictions are not recorded for now, and serving goes on: {error}\n")
