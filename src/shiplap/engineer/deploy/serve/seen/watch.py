"""`Watch`: everything that looks on at one worker: metrics, and where they are wanted an access log and spans.

How it is wired: make it before workers fork, for it opens the log, and loads OpenTelemetry where it is switched on. In
each worker ``Server(..., observer=watch.observer)``, ``watch.start(index)`` once the loop runs, ``watch.swapped()`` at
each change of what is served, ``watch.reopen()`` on SIGHUP, and ``watch.close()`` on a thread after the servers were
drained. See `gathered` for the metrics of all workers.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping

import msgspec

from shiplap.core.errors import MissingExtraError
from shiplap.engineer.deploy.serve.http.exchange import Exchange
from shiplap.engineer.deploy.serve.http.hooks import Observer
from shiplap.engineer.deploy.serve.models.fleet import Fleet
from shiplap.engineer.deploy.serve.seen import catalog
from shiplap.engineer.deploy.serve.seen.access_log import AccessLog
from shiplap.engineer.deploy.serve.seen.answered import Answered
from shiplap.engineer.deploy.serve.seen.catalog import Key
from shiplap.engineer.deploy.serve.seen.metrics import Metrics, Socket
from shiplap.engineer.deploy.serve.seen.snapshot import Report
from shiplap.engineer.deploy.serve.seen.spans import Spans

__all__ = ["Watch"]


class Watch:
    """Looks on.

    Parameters
    ----------
    metrics : Metrics
        Counts answers.
    log : AccessLog, optional
        Takes a line for each.
    spans : Spans, optional
        Takes spans of those that are traced.
    """

    def __init__(self, metrics: Metrics, *, log: AccessLog | None = None, spans: Spans | None = None) -> None:
        self._metrics = metrics
        self._log = log
        self._spans = spans
        self._told = b""

    @classmethod
    def open(cls, *, access_log: str, environment: Mapping[str, str], log_every: int = 1) -> Watch:
        """Return what the operator chose.

        Where OpenTelemetry is asked for and not installed, a line on standard error says so, and nothing is traced.

        Parameters
        ----------
        access_log : str
            As `AccessLog` takes it; empty for none.
        environment : mapping of str to str
            Environment variables: those of OpenTelemetry switch spans on.
        log_every : int
            Of so many answers below 400 one has a line in the log; those from 400 on have one each.

        Raises
        ------
        InputError
            The log cannot be written, or OpenTelemetry is asked for what it cannot do here.
        """
        log = AccessLog(access_log, every=log_every) if access_log else None
        try:
            spans = Spans.from_environment(environment)
        except MissingExtraError as error:  # a cluster sets these variables for all that runs in it
            sys.stderr.write(f"no request is traced: {error}\n")
            spans = None
        return cls(Metrics(), log=log, spans=spans)

    @property
    def observer(self) -> Observer:
        """What a server tells of every answer."""
        return self._metrics if self._log is None and self._spans is None else self

    def start(self, worker: int = 0) -> None:
        """Begin, on the running loop of a worker.

        Parameters
        ----------
        worker : int
            Which worker of the server it is.
        """
        self._metrics.start(str(worker))
        for each in (self._log, self._spans):
            if each is not None:
                each.start()

    def answered(self, exchange: Exchange, status: int, size_bytes: int) -> None:
        """Note an answer."""
        self._metrics.answered(exchange, status, size_bytes)
        trace_id = None if self._spans is None else self._spans.decide(exchange)
        log = self._log if self._log is not None and self._log.wants(status) else None
        if log is None and trace_id is None:
            return
        answered = Answered.of(exchange, status, size_bytes, trace_id)
        if log is not None:
            log.note(answered)
        if trace_id is not None and self._spans is not None:
            self._spans.note(answered)

    def swapped(self) -> None:
        """Note that other ships are served."""
        self._metrics.swapped()

    def report(self, told: bytes, servers: Collection[Socket], fleet: Fleet, *, unrecorded: int = 0) -> bytes:
        """Return what this process has counted, and what it was told the last time.

        Parameters
        ----------
        told : bytes
            What whoever asks knows (`Gathered.state`).
        servers : collection of Server
            The servers of this process.
        fleet : Fleet
            What is served.
        unrecorded : int
            Rows left out of the record of predictions.
        """
        worker = self._metrics.worker
        further: dict[Key, float] = {catalog.RECORD_LOST.key(worker): unrecorded}
        if self._log is not None:
            further[catalog.LOG_LOST.key(worker)] = self._log.lost
        if self._spans is not None:
            further[catalog.SPANS_SENT.key(worker)] = self._spans.sent
            further[catalog.SPANS_LOST.key(worker)] = self._spans.lost
        before = self._told
        self._told = told or before  # who knows nothing yet must not make others forget
        return msgspec.msgpack.encode(Report(self._metrics.snapshot(servers, fleet, further), before))

    def reopen(self) -> None:
        """Begin a new file of the access log."""
        if self._log is not None:
            self._log.reopen()

    def close(self) -> None:
        """Write and send what waits, and end; this may take some seconds."""
        self._metrics.stop()
        for each in (self._log, self._spans):
            if each is not None:
                each.close()
