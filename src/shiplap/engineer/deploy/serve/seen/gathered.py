"""`Gathered`: what all processes of a server have counted, those that ended too, in the format of Prometheus.

How it is wired: whoever is asked for metrics asks every worker, which answers with ``Watch.report(b"", ...)``, and has
``Gathered.render(reports, accept)`` make the page on a thread. Before it is shown, every worker is told what is known
now, by ``Watch.report(Gathered.state(), ...)``, so that it is not forgotten when this process ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from shiplap.engineer.deploy.serve.seen import catalog
from shiplap.engineer.deploy.serve.seen.catalog import METRICS, Key, Metric
from shiplap.engineer.deploy.serve.seen.snapshot import Report, Snapshot, summed

__all__ = ["RETIRED", "Gathered", "Page"]

RETIRED = "retired"
"""The version of versions that are long gone, counted together."""

_MOST_RETIRED = 16  # versions that are served no longer and still shown
_MOST_GONE = 64  # processes that ended and are still kept apart
_BY_NAME = {metric.name: metric for metric in METRICS}
_reports = msgspec.msgpack.Decoder(Report)
_states = msgspec.msgpack.Decoder(list[Snapshot])


class Page(NamedTuple):
    """What is answered to Prometheus.

    Parameters
    ----------
    body : bytes
        The metrics.
    media_type : str
        Their format.
    """

    body: bytes
    media_type: str


class Gathered:
    """Sums processes. What one that ended had counted, as far as it was heard, stays counted.

    It keeps the last snapshot of each process. As the process that gathers may end too, it tells its own state to all
    others, and learns from them what the one before it knew.
    """

    def __init__(self) -> None:
        self._last: dict[str, Snapshot] = {}
        self._base = Snapshot(process="base")
        self._versions: dict[tuple[str, str], None] = {}  # the latest last

    def state(self) -> bytes:
        """Return what is known, to be told to all processes when they are asked; empty where nothing is."""
        return msgspec.msgpack.encode([self._base, *self._last.values()]) if self._last else b""

    def sum(self, reports: Iterable[bytes]) -> Snapshot:
        """Return the sum of all processes; gauges are those of the ones that report.

        Parameters
        ----------
        reports : iterable of bytes
            What `Watch.report` returned in each process.
        """
        heard = [_reports.decode(report) for report in reports]
        if not self._last:
            self._learn(heard)
        for report in heard:
            self._last.pop(report.now.process, None)
            self._last[report.now.process] = report.now
        present = {report.now.process for report in heard}
        gone = [process for process in self._last if process not in present]
        self._base = summed("base", [self._base, *(self._last.pop(process) for process in gone[:-_MOST_GONE])])
        past = [msgspec.structs.replace(self._last[process], gauges={}) for process in gone[-_MOST_GONE:]]
        total = summed("all", [self._base, *past, *(report.now for report in heard)])
        total.gauges[catalog.WORKERS.key()] = len(present)
        return self._folded(total)

    def render(self, reports: Iterable[bytes], accept: str = "") -> Page:
        """Return the sum of all processes for Prometheus. The first call loads a library: call it on a thread.

        Parameters
        ----------
        reports : iterable of bytes
            What `Watch.report` returned in each process.
        accept : str
            The header ``Accept``: OpenMetrics is spoken to who asks for it.
        """
        from prometheus_client.exposition import choose_encoder  # noqa: PLC0415  only who is scraped pays for it

        from shiplap.engineer.deploy.serve.seen.families import Families  # noqa: PLC0415

        encode, media_type = choose_encoder(accept)
        return Page(encode(Families(self.sum(reports))), media_type)

    def _learn(self, heard: Sequence[Report]) -> None:
        """Take over what the process knew that gathered before this one."""
        for report in heard:
            for snapshot in _states.decode(report.told) if report.told else []:
                if snapshot.process == self._base.process:
                    self._base = max(self._base, snapshot, key=lambda each: sum(each.counters.values()))
                else:
                    self._last[snapshot.process] = snapshot

    def _folded(self, total: Snapshot) -> Snapshot:
        """Count versions that are long gone together, so that swaps do not make the page grow."""
        live = {(key[1], key[2]) for key in total.gauges if key[0] == catalog.SHIPS.name}
        for key in total.counters:
            pair = _version_of(key)
            if pair is not None:
                self._versions.setdefault(pair)
        for pair in live:
            self._versions.pop(pair, None)
            self._versions[pair] = None
        retired = [pair for pair in self._versions if pair not in live]
        old = set(retired[:-_MOST_RETIRED])

        def fold(key: Key) -> Key:
            return (key[0], key[1], RETIRED, *key[3:]) if _version_of(key) in old else key

        return summed(total.process, [total], fold)


def _version_of(key: Key) -> tuple[str, str] | None:
    """Return the model and version that a value is about, where it is about one."""
    metric: Metric = _BY_NAME[key[0]]
    return (key[1], key[2]) if metric.labels[:2] == ("model", "version") and key[1] else None
