"""`Recorder`: the record of one worker: a tap for each ship, a thread that counts, and one that writes."""

from __future__ import annotations

import secrets
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakValueDictionary

from shiplap.core.prediction import Outcome, Prediction, ServedModel, Window
from shiplap.core.store import Store
from shiplap.core.store.outcomes import Told
from shiplap.core.store.predictions import Predictions
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.models.threads import stand_back
from shiplap.engineer.deploy.serve.records.counting import Counting
from shiplap.engineer.deploy.serve.records.options import Records
from shiplap.engineer.deploy.serve.records.tap import RecordTap
from shiplap.engineer.deploy.serve.records.writer import Batch, Writer
from shiplap.methods.traffic import Traffic, pack

__all__ = ["Recorder"]

_GATHER_S = 0.2  # rows that are kept for counting are let go of so soon: what they hold is as much as can come in then
_MOST_WINDOWS, _MOST_SAMPLES = 240, 20_000  # that wait for the store
_LAST_S = 5.0
_JOBS = 16


@dataclass(eq=False)
class _Open:
    """What one ship was asked and answered in the window that is open."""

    counting: Counting
    start: float
    rows: int = 0
    dropped: int = 0
    traffic: Traffic = field(default_factory=Traffic)
    fresh: bool = False


class Recorder:
    """Records what passes by, beside the loop.

    To be made in each worker after the fork: it starts two threads. Counting never waits for the store: what cannot be
    written is kept as long as there is room, and then dropped and counted.

    Parameters
    ----------
    store : Path
        The folder of a store; made when it is not there.
    options : Records, optional
        How much is recorded.

    Attributes
    ----------
    dropped : int
        Rows that were not counted, and samples that were not kept: for lack of time, or of a store.
    jobs : Jobs
        Where outcomes are written.
    """

    def __init__(self, store: Path, options: Records | None = None) -> None:
        self.options = options or Records()
        self.dropped = 0
        self.jobs = Jobs(most=_JOBS)
        self._folder = store
        self._store: Store | None = None
        self._opening = threading.Lock()
        self._worker = secrets.token_hex(6)
        self._taps: WeakValueDictionary[tuple[str, str], RecordTap] = WeakValueDictionary()
        self._active: deque[RecordTap] = deque()
        self._open: dict[RecordTap, _Open] = {}
        self._models: dict[tuple[str, str], ServedModel] = {}
        self._closed: list[Window] = []
        self._samples: list[Prediction] = []
        self._due = 0.0
        self._faulty = False
        self._woken, self._ended = threading.Event(), threading.Event()
        self._writer = Writer(self.predictions, self.options)
        self._thread = threading.Thread(target=self._run, name="shiplap-records", daemon=True)
        self._thread.start()

    def tap(self, hosted: Hosted) -> RecordTap:
        """Return what looks on at a ship; one that is served again goes on where it stopped."""
        key = (hosted.name, hosted.scorer.ship.id)
        tap = self._taps.get(key)
        if tap is None:
            tap = self._taps[key] = RecordTap(Counting(hosted, self.options), self._wake)
        return tap

    def tell(self, model: str, outcomes: Sequence[Outcome]) -> Told:
        """Write down what truly came; raises ``StoreError``."""
        return self.predictions().tell(model, outcomes)

    def predictions(self) -> Predictions:
        """Return where it is all written; raises ``StoreError``."""
        with self._opening:
            if self._store is None:
                self._store = Store(self._folder)
            return self._store.predictions

    def close(self) -> None:
        """Write what there is, and end."""
        self.jobs.close()
        self._ended.set()
        self._woken.set()
        self._thread.join(_LAST_S)
        self._writer.close(_LAST_S)
        if self._store is not None and self._writer.idle:
            self._store.close()

    def _wake(self, tap: RecordTap) -> None:
        self._active.append(tap)
        self._woken.set()

    def _run(self) -> None:
        stand_back()
        while not self._ended.is_set():
            self._woken.wait(self._patience())
            self._woken.clear()
            self._ended.wait(_GATHER_S)
            self._count()
            if time.monotonic() >= self._due and self._writer.idle:
                self._due = time.monotonic() + max(0.0, self.options.every_s - _GATHER_S)
                self._write()
        self._writer.wait(_LAST_S)
        self._count()
        self._write()

    def _patience(self) -> float | None:
        """Return how long to sleep where no row comes; None for as long as it takes."""
        waits = self._closed or self._samples or any(each.fresh for each in self._open.values())
        return max(0.0, self._due - time.monotonic()) if waits or self._writer.behind else None

    def _count(self) -> None:
        """Count what came since the last time; windows whose time is over are closed."""
        start = time.time() // self.options.window_s * self.options.window_s
        for tap, counted in tuple(self._open.items()):
            if counted.start != start:
                del self._open[tap]
                self._closed += [self._window(counted)] if counted.fresh else []
        while self._active:
            tap = self._active.popleft()
            counted = self._open.setdefault(tap, _Open(tap.counting, start))
            try:
                self._add(counted, tap)
            except Exception:
                self._fault()
        self._trim()

    def _add(self, counted: _Open, tap: RecordTap) -> None:
        gathered, counting = tap.drain(), tap.counting
        self._models[counting.model.name, counting.model.ship] = counting.model
        self._samples += map(counting.prediction, gathered.samples)
        self.dropped += gathered.dropped
        counted.dropped += gathered.dropped
        counted.fresh = True
        counted.traffic = counting.count(gathered, counted.traffic)
        counted.rows += gathered.n_rows

    def _write(self) -> None:
        """Hand over what is new, and what could not be written before."""
        failed = self._writer.failed()
        if failed is not None:
            self._take_back(failed)
        fresh = [each for each in self._open.values() if each.fresh]
        windows = self._closed + [self._window(each) for each in fresh]
        if not windows and not self._samples:
            return
        for each in fresh:
            each.fresh = False
        models = {(each.model, each.ship) for each in windows} | {(each.model, each.ship) for each in self._samples}
        batch = Batch([self._models[key] for key in models], windows, self._samples)
        self._closed, self._samples = [], []  # before the batch is given away: it is not ours any more
        self._writer.write(batch)

    def _take_back(self, batch: Batch) -> None:
        """Keep what could not be written for the next time, as much as there is room for."""
        still_open = {
            (each.counting.model.name, each.counting.model.ship, each.start): each for each in self._open.values()
        }
        closed = []
        for window in batch.windows:
            known = still_open.get((window.model, window.ship, window.start))
            if known is None:
                closed.append(window)
            else:
                known.fresh = True
        self._closed = closed + self._closed  # of a window that stands here twice the later one is written last
        self._samples = batch.predictions + self._samples
        self._trim()

    def _trim(self) -> None:
        """Drop the oldest of what waits for the store, where there is too much of it."""
        self.dropped += sum(window.rows for window in self._closed[:-_MOST_WINDOWS])
        self.dropped += max(0, len(self._samples) - _MOST_SAMPLES)
        del self._closed[:-_MOST_WINDOWS]
        del self._samples[:-_MOST_SAMPLES]

    def _window(self, counted: _Open) -> Window:
        model = counted.counting.model
        return Window(
            model=model.name,
            ship=model.ship,
            start=counted.start,
            seconds=self.options.window_s,
            rows=counted.rows,
            dropped=counted.dropped,
            traffic=pack(counted.traffic),
            worker=self._worker,
        )

    def _fault(self) -> None:
        """Say what went wrong in our own code, once; serving goes on, and so does the rest of the record."""
        if not self._faulty:
            self._faulty = True
            sys.stderr.write(f"a part of the record of predictions is lost\n{traceback.format_exc()}")
