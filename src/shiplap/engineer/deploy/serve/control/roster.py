"""`Roster`: which versions of which models are to be served, as plain data that goes from process to process."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from shiplap.core.errors import nearest
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Lineup", "Place", "Roster"]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One version.

    Parameters
    ----------
    version : str
        Start of the ship id.
    path : str
        Where the ship file lies.
    source : str
        What is looked at again on a reload: a path, or a name in the store. Empty for a version whose source has
        another now.
    """

    version: str
    path: str
    source: str = ""


class Lineup(msgspec.Struct, frozen=True, kw_only=True):
    """What answers under one name. Versions stand for themselves; nothing here is loaded.

    Parameters
    ----------
    name : str
        The name of the model.
    places : tuple of Place
        Its versions; the first is the stable one.
    canary : str
        The version that answers a share of the requests; empty for none.
    percent : float
        That share, 0 to 100.
    shadow : str
        The version that is asked beside the stable one, and whose answers are only compared; empty for none.
    previous : str
        What a rollback returns to.

    Examples
    --------
    >>> one, two = Place(version="a", path="a.ship"), Place(version="b", path="b.ship")
    >>> lineup = Lineup(name="churn", places=(one,)).joined(two).split("b", 10)
    >>> lineup.promoted("b").stable, lineup.promoted("b").rolled_back().stable
    ('b', 'a')
    """

    name: str
    places: tuple[Place, ...]
    canary: str = ""
    percent: float = 0.0
    shadow: str = ""
    previous: str = ""

    @property
    def stable(self) -> str:
        """The version that answers who asks for none."""
        return self.places[0].version

    @property
    def versions(self) -> list[str]:
        """Every version, the stable one first."""
        return [place.version for place in self.places]

    def joined(self, place: Place) -> Lineup:
        """Return the lineup with one more version, beside the stable one."""
        if place.version in self.versions:
            return self
        return msgspec.structs.replace(self, places=(*self.places, place))

    def split(self, version: str, percent: float) -> Lineup:
        """Return the lineup with a canary; 0 percent for none. Raises ``ProblemError`` (404, 422)."""
        if not 0 <= percent <= 100:
            raise ProblemError(422, "a share is from 0 to 100 percent", field="percent", value=percent)
        if not percent:
            return msgspec.structs.replace(self, canary="", percent=0.0)._tidied()
        return msgspec.structs.replace(self, canary=self._other(version), percent=percent)._tidied()

    def shadowed(self, version: str) -> Lineup:
        """Return the lineup with a shadow; an empty text for none. Raises ``ProblemError`` (404, 422)."""
        return msgspec.structs.replace(self, shadow=version and self._other(version))._tidied()

    def promoted(self, version: str) -> Lineup:
        """Return the lineup with another stable version; raises ``ProblemError`` (404)."""
        chosen = self._place(version)
        if version == self.stable:
            return self
        others = tuple(place for place in self.places if place is not chosen)
        return msgspec.structs.replace(
            self,
            places=(chosen, *others),
            previous=self.stable,
            **({"canary": "", "percent": 0.0} if self.canary == version else {}),
            shadow="" if self.shadow == version else self.shadow,
        )._tidied()

    def rolled_back(self) -> Lineup:
        """Return the lineup as it was before the last promotion or reload; raises ``ProblemError`` (409)."""
        if not self.previous:
            raise ProblemError(409, f"'{self.name}' has no version to return to")
        return self.promoted(self.previous)

    def without(self, version: str) -> Lineup:
        """Return the lineup without a version that is not the stable one; raises ``ProblemError`` (404, 409)."""
        gone = self._place(version)
        if version == self.stable:
            raise ProblemError(409, f"version '{version}' is the stable one", hint="promote another first")
        kept = {name: "" for name in ("canary", "shadow", "previous") if getattr(self, name) == version}
        places = tuple(place for place in self.places if place is not gone)
        return msgspec.structs.replace(self, places=places, **kept)._tidied()

    def moved(self, place: Place) -> Lineup:
        """Return the lineup after the source of a version has come to hold another."""
        old = next((each for each in self.places if each.source == place.source), None)
        if old is None or old.version == place.version:
            return self
        left = msgspec.structs.replace(old, source="")
        if place.version == self.stable:  # it answers already, and is no longer beside itself
            names = {name: "" for name in ("canary", "shadow") if getattr(self, name) == old.version}
            stable = self.places[0] if self.places[0].source else place
            others = (left if each is old else each for each in self.places[1:])
            return msgspec.structs.replace(self, places=(stable, *others), **names)._tidied()
        names = {name: place.version for name in ("canary", "shadow") if getattr(self, name) == old.version}
        places = tuple(place if each is old else each for each in self.places if each.version != place.version)
        previous = old.version if old is self.places[0] else self.previous
        moved = msgspec.structs.replace(self, places=(*places, left), previous=previous, **names)
        return moved._tidied()

    def _tidied(self) -> Lineup:
        """Forget versions that nothing leads to any more, and roles that the stable version has taken over."""
        stable, canary, shadow, previous = self.stable, self.canary, self.shadow, self.previous
        canary, shadow, previous = ("" if version == stable else version for version in (canary, shadow, previous))
        used = {stable, canary, shadow, previous}
        return msgspec.structs.replace(
            self,
            places=tuple(place for place in self.places if place.source or place.version in used),
            canary=canary,
            percent=self.percent if canary else 0.0,
            shadow=shadow,
            previous=previous,
        )

    def _place(self, version: str) -> Place:
        found = next((place for place in self.places if place.version == version), None)
        if found is None:
            detail = f"'{self.name}' has no version '{version}'"
            raise ProblemError(404, detail, field="version", expected=", ".join(self.versions))
        return found

    def _other(self, version: str) -> str:
        if self._place(version) is self.places[0]:
            raise ProblemError(422, f"version '{version}' is the stable one", field="version", expected="another")
        return version


class Roster(msgspec.Struct, frozen=True):
    """Every lineup, by the name of its model."""

    lineups: dict[str, Lineup]

    def lineup(self, name: str) -> Lineup:
        """Return the lineup of a model; raises ``ProblemError`` (404)."""
        if name not in self.lineups:
            hint = nearest(name, self.lineups)
            raise ProblemError(404, f"no model called '{name}' is served here", hint=hint)
        return self.lineups[name]

    def changed(self, lineups: Iterable[Lineup]) -> Roster:
        """Return the roster with these lineups, instead of or beside those it had."""
        return Roster({**self.lineups, **{lineup.name: lineup for lineup in lineups}})

    def without(self, name: str) -> Roster:
        """Return the roster without a model; raises ``ProblemError`` (404)."""
        self.lineup(name)
        return Roster({key: lineup for key, lineup in self.lineups.items() if key != name})
