"""`Station`: the ships of one process, loaded as the roster says, and swapped all at once."""

from __future__ import annotations

from collections.abc import Callable

from shiplap.core.errors import ShipError
from shiplap.core.progress import tell
from shiplap.engineer.deploy.serve.control.roster import Lineup, Place, Roster
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.models.fleet import Fleet, Service
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.scoring import load

__all__ = ["Station"]


class Station:
    """Loads ships, and keeps those that the roster needs.

    Parameters
    ----------
    limits : Limits
        What is accepted.
    jobs : Jobs
        Where long batches go.
    """

    def __init__(self, limits: Limits, jobs: Jobs) -> None:
        self.limits = limits
        self.jobs = jobs
        self.roster = Roster({})
        self.fleet = Fleet({})
        self.changed: list[Callable[[Station], None]] = []
        self._loaded: dict[str, Hosted] = {}

    def prepare(self, roster: Roster) -> None:
        """Load what is not loaded yet; it may take its time, for it changes nothing that is served.

        Raises
        ------
        ShipError
            A ship cannot be read, or is another than the roster says.
        """
        for lineup in roster.lineups.values():
            for place in lineup.places:
                if place.version not in self._loaded:
                    self._loaded[place.version] = self._load(place)

    def commit(self, roster: Roster) -> None:
        """Serve what was prepared from now on, and forget the rest."""
        self.prepare(roster)
        self.roster = roster
        self.fleet = Fleet({name: self._service(lineup) for name, lineup in roster.lineups.items()})
        self.abandon()
        for tell_of in self.changed:
            tell_of(self)

    def abandon(self) -> None:
        """Forget what was prepared and is not served."""
        self._loaded = {hosted.version: hosted for hosted in self.fleet.hosted}

    def hosted(self, version: str) -> Hosted:
        """Return a version that is loaded."""
        return self._loaded[version]

    def close(self) -> None:
        """Start no further work."""
        self.jobs.close()
        for hosted in self._loaded.values():
            hosted.turn.close()

    def _service(self, lineup: Lineup) -> Service:
        versions = tuple(self._loaded[version] for version in lineup.versions)
        canary = self._loaded[lineup.canary] if lineup.canary else None
        return Service(lineup.name, versions, canary, lineup.percent)

    def _load(self, place: Place) -> Hosted:
        tell(f"loading {place.path}")
        hosted = Hosted(load(place.path), self.limits, self.jobs)
        if hosted.version != place.version:
            detail = f"'{place.path}' holds version {hosted.version}, where {place.version} was seen before"
            raise ShipError(detail, hint="it changed meanwhile: reload")
        return hosted
