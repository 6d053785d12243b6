"""`Snapshot`: everything one process has counted, as plain data that can be sent and summed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from shiplap.engineer.deploy.serve.seen.catalog import Key
from shiplap.engineer.deploy.serve.seen.tally import Spread

__all__ = ["Report", "Snapshot", "summed"]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What one process has counted until now.

    Parameters
    ----------
    process : str
        Which process; no two have the same text.
    counters : dict
        What only grows, by key.
    spreads : dict
        Histograms, by key.
    gauges : dict
        What is so at this moment, by key.
    """

    process: str
    counters: dict[Key, float] = {}
    spreads: dict[Key, Spread] = {}
    gauges: dict[Key, float] = {}


class Report(msgspec.Struct, frozen=True):
    """What a worker answers when it is asked.

    Parameters
    ----------
    now : Snapshot
        What it has counted.
    told : bytes
        What it was told when it was asked the last time: the state of whoever asked (`Gathered.state`).
    """

    now: Snapshot
    told: bytes = b""


def summed(process: str, snapshots: Iterable[Snapshot], rename: Callable[[Key], Key] = lambda key: key) -> Snapshot:
    """Return the sum of what processes have counted, gauges included.

    Parameters
    ----------
    process : str
        What to call the sum.
    snapshots : iterable of Snapshot
        What to add.
    rename : callable
        Returns the key under which a counter or histogram is added.

    Examples
    --------
    >>> one = Snapshot(process="1", counters={("x",): 2.0})
    >>> summed("both", [one, one]).counters
    {('x',): 4.0}
    """
    counters: dict[Key, float] = {}
    spreads: dict[Key, Spread] = {}
    gauges: dict[Key, float] = {}
    for snapshot in snapshots:
        for key, value in snapshot.counters.items():
            name = rename(key)
            counters[name] = counters.get(name, 0.0) + value
        for key, spread in snapshot.spreads.items():
            name = rename(key)
            spreads[name] = spreads[name] + spread if name in spreads else spread
        for key, value in snapshot.gauges.items():
            gauges[key] = gauges.get(key, 0.0) + value
    return Snapshot(process=process, counters=counters, spreads=spreads, gauges=gauges)
