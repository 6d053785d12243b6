"""`Fleet`: which ships answer under which name and version. It never changes: a swap is another fleet."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from shiplap.core.errors import nearest
from shiplap.engineer.deploy.serve.http.exchange import Exchange
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["LABELS", "STICKY", "Endpoints", "Fleet", "Service"]

T = TypeVar("T")
STICKY = "shiplap-sticky"
"""Header whose value always meets the same version of a model that is split."""

LABELS = ("stable", "canary")
"""Words that may stand for a version."""


class Service(NamedTuple):
    """What answers under one name.

    Parameters
    ----------
    name : str
        The name of the model.
    versions : tuple of Hosted
        Every version that can be asked for; the first answers who asks for none.
    canary : Hosted, optional
        The version that answers a share of those instead.
    percent : float
        That share, 0 to 100.
    """

    name: str
    versions: tuple[Hosted, ...]
    canary: Hosted | None = None
    percent: float = 0.0

    def pick(self, sticky: str = "") -> Hosted:
        """Return who answers a request that names no version; equal `sticky` texts meet the same one."""
        if self.canary is None:
            return self.versions[0]
        place = zlib.crc32(f"{self.name}\0{sticky}".encode()) / 2**32 if sticky else random.random()  # noqa: S311
        return self.canary if place * 100 < self.percent else self.versions[0]

    def version(self, version: str) -> Hosted:
        """Return the version of that name or label; raises ``ProblemError`` (404)."""
        if version in LABELS:
            found = self.canary if version == LABELS[1] else self.versions[0]
        else:
            found = next((each for each in self.versions if each.version == version), None)
        if found is None:
            known = ", ".join(each.version for each in self.versions)
            raise ProblemError(404, f"no version '{version}' of '{self.name}' is served here", expected=known)
        return found


class Fleet:
    """Everything that is served at one time.

    Parameters
    ----------
    services : mapping of str to Service
        By name.
    """

    def __init__(self, services: Mapping[str, Service]) -> None:
        self.services = dict(services)
        self.hosted = tuple(version for service in services.values() for version in service.versions)
        self._alone = next(iter(services.values())) if len(services) == 1 else None

    def service(self, name: str | None, otherwise: str = "") -> Service:
        """Return what answers under `name`, or the only one where there is no name.

        Parameters
        ----------
        name : str, optional
            What was asked for.
        otherwise : str
            Where to go when several are served and none is named; ``{model}`` stands for the name.

        Raises
        ------
        ProblemError
            404: no such model, or several and no name.
        """
        if name is None:
            if self._alone is not None:
                return self._alone
            if not self.services:
                raise ProblemError(404, "no model is served here now")
            paths = ", ".join(otherwise.format(model=each) for each in self.services)
            raise ProblemError(404, "several models are served here: say which", expected=paths)
        found = self.services.get(name)
        if found is None:
            hint = nearest(name, self.services)
            raise ProblemError(404, f"no model called '{name}' is served here", hint=hint)
        return found

    def asked(self, exchange: Exchange, otherwise: str = "") -> Service:
        """Return the model that a request is about, if its key is for that; raises ``ProblemError``."""
        key, name = exchange.head.key, exchange.head.parameters.get("model")
        if key is not None and name is not None:
            key.require(name)
        service = self.service(name, otherwise)
        if key is not None and name is None:
            key.require(service.name)
        return service

    def choose(self, exchange: Exchange, otherwise: str = "") -> Hosted:
        """Return who answers a request, by its path, its key and its sticky text; raises ``ProblemError``."""
        head = exchange.head
        service = self.asked(exchange, otherwise)
        version = head.parameters.get("version")
        found = service.pick(head.headers.get(STICKY, "")) if version is None else service.version(version)
        exchange.hosted = found
        return found


class Endpoints(Generic[T]):
    """What a protocol knows of each ship, found by request.

    Parameters
    ----------
    fleet : Fleet
        What is served.
    make : callable
        ``make(hosted)`` returns what the protocol knows of a ship.
    otherwise : str
        As `Fleet.service` takes it.
    """

    def __init__(self, fleet: Fleet, make: Callable[[Hosted], T], otherwise: str = "") -> None:
        self.fleet = fleet
        self._otherwise = otherwise
        self._made = {hosted: make(hosted) for hosted in fleet.hosted}
        self._only = fleet.hosted[0] if len(fleet.hosted) == 1 else None

    def __getitem__(self, hosted: Hosted) -> T:
        return self._made[hosted]

    def find(self, exchange: Exchange) -> T:
        """Return what is known of the ship that answers this request; raises ``ProblemError``."""
        only, head = self._only, exchange.head
        if only is not None and head.key is None and not head.parameters:  # the way of most requests
            exchange.hosted = only
            return self._made[only]
        return self._made[self.fleet.choose(exchange, self._otherwise)]

    def known(self, exchange: Exchange) -> T:
        """Return what is known of the version that a path names, or of the first; raises ``ProblemError``."""
        service = self.fleet.asked(exchange, self._otherwise)
        return self._made[service.version(exchange.head.parameters.get("version", LABELS[0]))]

    @property
    def first(self) -> dict[str, T]:
        """What is known of the first version of each model, by name."""
        return {name: self._made[service.versions[0]] for name, service in self.fleet.services.items()}
