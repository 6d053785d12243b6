"""`Metrics`: counts every answer of one process."""

from __future__ import annotations

import os
import platform
from bisect import bisect_left
from collections.abc import Collection, Mapping
from time import perf_counter
from typing import Protocol

import shiplap
from shiplap.engineer.deploy.serve.http.exchange import Exchange
from shiplap.engineer.deploy.serve.models.calls import Calls
from shiplap.engineer.deploy.serve.models.fleet import Fleet
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.seen import catalog, process
from shiplap.engineer.deploy.serve.seen.catalog import Key
from shiplap.engineer.deploy.serve.seen.lag import Lag
from shiplap.engineer.deploy.serve.seen.snapshot import Snapshot
from shiplap.engineer.deploy.serve.seen.tally import SECONDS_BOUNDS, Spread, Tally, call_spread

__all__ = ["BESIDE", "Metrics", "Socket"]

BESIDE = "other"
"""The protocol of what no protocol answers: pages, unknown paths, requests that cannot be read."""


class Socket(Protocol):
    """What is read of a server when it is asked."""

    receiving: int

    @property
    def connections(self) -> Collection[object]:
        """Who is connected."""
        ...


class Metrics:
    """Counts answers, on the loop; to be read on the loop too.

    Names of models come from the ships and paths from the routes, so that no client can make the tables grow.

    Attributes
    ----------
    worker : str
        Which worker of the server this process is.
    """

    def __init__(self) -> None:
        self.worker = "0"
        # By model, version, protocol and status. Ships and `_beside` point into it, and a ship takes its pointers
        # along when it goes; what was counted stays.
        self._tallies: dict[tuple[str, str, str, int], Tally] = {}
        self._beside: dict[tuple[str, int], Tally] = {}
        self._calls: dict[tuple[str, str], Calls] = {}
        self._keys: dict[tuple[str, int], int] = {}
        self._shed: dict[str, int] = {}
        self._swaps = 0
        self._lag = Lag()

    def start(self, worker: str = "0") -> None:
        """Begin to note how late the running loop is.

        Parameters
        ----------
        worker : str
            Which worker of the server this process is.
        """
        self.worker = worker
        self._lag.start()

    def stop(self) -> None:
        """End."""
        self._lag.stop()

    def swapped(self) -> None:
        """Count a change of what is served."""
        self._swaps += 1

    def answered(self, exchange: Exchange, status: int, size_bytes: int) -> None:
        """Count an answer."""
        seconds = perf_counter() - exchange.arrived
        head = exchange.head
        hosted = exchange.hosted
        seen = self._beside if hosted is None else hosted.seen
        try:
            tally = seen[head.route.protocol, status]
        except KeyError:
            tally = seen[head.route.protocol, status] = self._open(hosted, head.route.protocol, status)
        tally.buckets[bisect_left(SECONDS_BOUNDS, seconds)] += 1
        tally.seconds += seconds
        tally.rows += exchange.rows
        tally.received_bytes += len(exchange.body)
        tally.sent_bytes += size_bytes
        if head.key is not None:
            named = (head.key.name, status)
            self._keys[named] = self._keys.get(named, 0) + 1
        if status == 503:
            self._shed[exchange.reason] = self._shed.get(exchange.reason, 0) + 1

    def _open(self, hosted: Hosted | None, protocol: str, status: int) -> Tally:
        model, version = ("", "") if hosted is None else (hosted.name, hosted.version)
        if hosted is not None:
            calls = self._calls.setdefault((model, version), hosted.turn.calls)
            if calls is not hosted.turn.calls:
                calls.add(hosted.turn.calls)
                hosted.turn.calls = calls
        return self._tallies.setdefault((model, version, protocol, status), Tally())

    def snapshot(
        self, servers: Collection[Socket], fleet: Fleet, further: Mapping[Key, float] | None = None
    ) -> Snapshot:
        """Return what was counted until now, and how things stand.

        Parameters
        ----------
        servers : collection of Server
            The servers of this process.
        fleet : Fleet
            What is served.
        further : mapping, optional
            Counters of others.
        """
        counters, spreads = self._counted()
        counters[catalog.SWAPS.key(self.worker)] = self._swaps
        counters[catalog.CPU.key(self.worker)] = process.cpu_seconds()
        counters.update(further or {})
        spreads[catalog.LAG.key(self.worker)] = self._lag.spread()
        return Snapshot(
            process=f"{os.getpid()}-{process.started_at()}",
            counters=counters,
            spreads=spreads,
            gauges=self._gauges(servers, fleet),
        )

    def _counted(self) -> tuple[dict[Key, float], dict[Key, Spread]]:
        counters: dict[Key, float] = {}
        spreads: dict[Key, Spread] = {}

        def add(key: Key, number: float) -> None:
            counters[key] = counters.get(key, 0.0) + number

        for (model, version, protocol, status), tally in self._tallies.items():
            route = (model, version, protocol or BESIDE)
            add(catalog.REQUESTS.key(*route, str(status)), sum(tally.buckets))
            add(catalog.REQUEST_BYTES.key(*route), tally.received_bytes)
            add(catalog.RESPONSE_BYTES.key(*route), tally.sent_bytes)
            if 200 <= status < 300:
                key = catalog.SECONDS.key(*route)
                spreads[key] = spreads[key] + tally.spread() if key in spreads else tally.spread()
                if model:
                    add(catalog.ROWS.key(*route), tally.rows)
        for pair, calls in self._calls.items():
            spreads[catalog.CALL_ROWS.key(*pair)] = call_spread(calls.counts, calls.rows)
        for (name, status), number in self._keys.items():
            add(catalog.KEY_REQUESTS.key(name, str(status)), number)
        for reason, number in self._shed.items():
            add(catalog.SHED.key(reason or BESIDE), number)
        return counters, spreads

    def _gauges(self, servers: Collection[Socket], fleet: Fleet) -> dict[Key, float]:
        jobs = {hosted.jobs for hosted in fleet.hosted}
        gauges: dict[Key, float] = {
            catalog.WAITING_BATCHES.key(self.worker): sum(each.waiting for each in jobs),
            catalog.CONNECTIONS.key(self.worker): sum(len(each.connections) for each in servers),
            catalog.RECEIVING.key(self.worker): sum(each.receiving for each in servers),
            catalog.STARTED.key(self.worker): process.started_at(),
            catalog.BUILD.key(shiplap.__version__, platform.python_version()): 1,
        }
        resident_bytes = process.resident_bytes()
        if resident_bytes is not None:
            gauges[catalog.MEMORY.key(self.worker)] = resident_bytes
        for hosted in fleet.hosted:
            gauges[catalog.WAITING_ROWS.key(hosted.name, hosted.version)] = hosted.turn.waiting
            gauges[catalog.SHIPS.key(hosted.name, hosted.version, hosted.scorer.ship.id)] = 1
        return gauges
