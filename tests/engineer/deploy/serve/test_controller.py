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
