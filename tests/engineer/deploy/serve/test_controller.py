"""A change that fails somewhere leaves nothing behind anywhere."""

import asyncio

import pytest

from shiplap.core.errors import ShipError
from shiplap.engineer.deploy.serve import Limits
from shiplap.engineer.deploy.serve.control.controller import Controller, roster_of, station_handlers
from shiplap.engineer.deploy.serve.control.sources import Sources
from shiplap.engineer.deploy.serve.control.station import Station
from shiplap.engineer.deploy.serve.models.jobs import Jobs


class Processes:
    """A bus between stations."""

    def __init__(self, *stations):
        self.handlers = [station_handlers(station) for station in stations]

    async def everywhere(self, topic, payload=b""):
        return [await handlers[topic](payload) for handlers in self.handlers]


class Short(Station):
    """Has no memory for further ships."""

    def _load(self, place):
        if self.roster.lineups:
            raise ShipError("there is no room")
        return super()._load(place)


def test_what_one_process_cannot_load_is_forgotten_by_the_others(ship, make, tmp_path):
    sources = Sources(None, None)
    first, second = (sources.find(str(path)) for path in (ship, make(tmp_path / "next.ship", shift=2.0)))
    stations = [kind(Limits(), Jobs(most=1)) for kind in (Station, Short)]
    for station in stations:
        station.commit(roster_of([first]))
    controller = Controller(stations[0], Processes(*stations), sources)
    with pytest.raises(ShipError, match="no room"):
        asyncio.run(controller.change(lambda roster: roster_of([first, second])))
    assert stations[0].roster == roster_of([first])
    assert stations[0].hosted(first[1].version).version == first[1].version
    with pytest.raises(KeyError):
        stations[0].hosted(second[1].version)
    for station in stations:
        station.close()


def test_of_two_changes_at_once_in_two_processes_neither_is_lost(ship, make, tmp_path):
    names = ("delay", "fraud")
    sources = Sources(None, None)
    found = {name: sources.find(str(make(tmp_path / f"{name}.ship", name=name))) for name in names}
    stations = [Station(Limits(), Jobs(most=1)) for _ in names]
    for station in stations:
        station.commit(roster_of([sources.find(str(ship))]))
    bus = Processes(*stations)
    controllers = [Controller(station, bus, sources) for station in stations]

    async def change(controller, name):
        await controller.change(lambda roster: roster.changed(roster_of([found[name]]).lineups.values()))

    async def both():
        await asyncio.gather(*(change(*pair) for pair in zip(controllers, names, strict=True)))

    asyncio.run(both())
    for station in stations:
        assert set(station.fleet.services) == {"churn", "delay", "fraud"}
        station.close()
