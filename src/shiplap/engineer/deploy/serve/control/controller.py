"""`Controller`: changes what is served, in every process, without a failed request."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import msgspec

from shiplap.core.errors import ShiplapError
from shiplap.engineer.deploy.serve.control.bus import Bus, Handlers
from shiplap.engineer.deploy.serve.control.roster import Lineup, Place, Roster
from shiplap.engineer.deploy.serve.control.sources import Sources
from shiplap.engineer.deploy.serve.control.station import Station
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Controller", "Step", "follow", "roster_of", "station_handlers"]

_LOOK_S = 1.0
_TRIES = 10
_MEANWHILE = "what is served has changed meanwhile"


def roster_of(found: list[tuple[str, Place]]) -> Roster:
    """Return the roster of ships that were found; of those with one name, the first is the stable one."""
    lineups: dict[str, Lineup] = {}
    for name, place in found:
        lineup = lineups.get(name)
        lineups[name] = Lineup(name=name, places=(place,)) if lineup is None else lineup.joined(place)
    return Roster(lineups)


def follow(station: Station, topic: str, payload: bytes) -> None:
    """Do in this process what all are asked: load what a roster needs, and then serve it, or forget it again.

    Raises
    ------
    ShiplapError
        It cannot be loaded, or another roster has been served meanwhile.
    """
    if topic == "abandon":
        station.abandon()
    if topic not in {"prepare", "commit"}:
        return
    step = msgspec.json.decode(payload, type=Step)
    if topic == "prepare":
        station.prepare(step.after)
    elif station.roster == step.before:
        station.commit(step.after)
    else:
        raise ProblemError(409, _MEANWHILE)


def station_handlers(station: Station) -> Handlers:
    """Return what a process that answers requests does when all are asked."""

    async def prepare(payload: bytes) -> bytes:
        await asyncio.get_running_loop().run_in_executor(None, follow, station, "prepare", payload)
        return b""

    async def commit(payload: bytes) -> bytes:
        follow(station, "commit", payload)
        return b""

    async def abandon(payload: bytes) -> bytes:
        follow(station, "abandon", payload)
        return b""

    return {"prepare": prepare, "commit": commit, "abandon": abandon}


class Step(msgspec.Struct, frozen=True):
    """A change: from which roster to which."""

    before: Roster
    after: Roster


class Controller:
    """Takes one change at a time. First every process loads what it needs; when all have, all serve it.

    Processes hear of changes in one order, so of two that are made at once from one roster, all take the same one; the
    other is made again from what is served then.

    Parameters
    ----------
    station : Station
        The ships of this process.
    bus : Bus
        To all processes.
    sources : Sources
        Where ships come from.
    """

    def __init__(self, station: Station, bus: Bus, sources: Sources) -> None:
        self.station = station
        self.sources = sources
        self.bus = bus
        self._lock = asyncio.Lock()
        self._meanings: dict[str, object] = {}

    async def change(self, change: Callable[[Roster], Roster]) -> Roster:
        """Serve what `change` makes of the roster.

        Raises
        ------
        ShiplapError
            It cannot be loaded somewhere; then nothing has changed anywhere.
        """
        async with self._lock:
            for _ in range(_TRIES):
                before = self.station.roster
                after = change(before)
                if after == before:
                    return after
                payload = msgspec.json.encode(Step(before, after))
                try:
                    await self.bus.everywhere("prepare", payload)
                except ShiplapError:
                    await self.bus.everywhere("abandon")
                    raise
                try:
                    await self.bus.everywhere("commit", payload)
                except ProblemError as error:
                    if error.message != _MEANWHILE:
                        raise
                else:
                    return after
            raise ProblemError(409, _MEANWHILE, hint="try again")

    async def load(self, name: str, source: str = "") -> Lineup:
        """Load a model, or look again at the sources of one that is served.

        Parameters
        ----------
        name : str
            What it is served as.
        source : str
            Where to load it from; where it is left out, the repository and the store are looked into.

        Raises
        ------
        ShiplapError
            It is not there, or cannot be read.
        """
        known = self.station.roster.lineups.get(name)
        if known is not None and not source:
            sources = [place.source for place in known.places if place.source]
        else:
            sources = [source or self.sources.named(name)]
        found = [await self._find(each) for each in sources]

        def change(roster: Roster) -> Roster:
            for place in found:
                lineup = roster.lineups.get(name)
                moved = Lineup(name=name, places=(place,)) if lineup is None else lineup.moved(place).joined(place)
                roster = roster.changed([moved])
            return roster

        return (await self.change(change)).lineup(name)

    async def name_of(self, source: str) -> str:
        """Return the name of the model that a source holds; raises ``ShiplapError``."""
        return (await asyncio.get_running_loop().run_in_executor(None, self.sources.find, source))[0]

    async def unload(self, name: str) -> None:
        """Serve a model no longer; raises ``ProblemError`` (404)."""
        await self.change(lambda roster: roster.without(name))

    async def alter(self, name: str, alter: Callable[[Lineup], Lineup]) -> Lineup:
        """Serve a model by another lineup; raises ``ProblemError``."""
        roster = await self.change(lambda roster: roster.changed([alter(roster.lineup(name))]))
        return roster.lineup(name)

    async def reload(self) -> None:
        """Look at all sources again; one that cannot be read is told on standard error, and served on as it was."""
        for name in tuple(self.station.roster.lineups):
            try:
                await self.load(name)
            except ShiplapError as error:
                sys.stderr.write(f"'{name}' is served on as it was: {error}\n")

    async def watch(self) -> None:
        """Follow the names in the store; a name that is pointed elsewhere is swapped within about a second."""
        while True:
            for name, lineup in tuple(self.station.roster.lineups.items()):
                sources = [place.source for place in lineup.places if place.source]
                meanings = {source: await self._meaning(source) for source in sources}
                changed = any(self._meanings.get(source, now) != now for source, now in meanings.items() if now)
                self._meanings |= {source: now for source, now in meanings.items() if now}
                if changed:
                    try:
                        await self.load(name)
                    except ShiplapError as error:
                        sys.stderr.write(f"'{name}' is served on as it was: {error}\n")
            await asyncio.sleep(_LOOK_S)

    async def _find(self, source: str) -> Place:
        _, place = await asyncio.get_running_loop().run_in_executor(None, self.sources.find, source)
        return place

    async def _meaning(self, source: str) -> object:
        return await asyncio.get_running_loop().run_in_executor(None, self.sources.meaning, source)
