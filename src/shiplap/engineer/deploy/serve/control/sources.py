"""`Sources`: where ships come from: files, names in the store, and a folder that may be loaded from by name."""

from __future__ import annotations

import re
from pathlib import Path

from shiplap.core.errors import InputError, StoreError
from shiplap.core.store import Store
from shiplap.engineer.deploy.serve.control.roster import Place
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.scoring import read_ship

__all__ = ["Sources"]

_PLAIN = re.compile(r"[\w][\w.@-]{0,200}", re.ASCII)


class Sources:
    """Finds ships.

    Parameters
    ----------
    store : Path, optional
        Folder of the project's store; without one, names mean nothing.
    repository : Path, optional
        A folder of ship files; a client of the admin listener may load ``NAME.ship`` from it, and nothing else.
    """

    def __init__(self, store: Path | None = None, repository: Path | None = None) -> None:
        self._folder = store
        self.repository = repository

    def find(self, source: str) -> tuple[str, Place]:
        """Return the name of the model that a source holds now, and the version.

        Parameters
        ----------
        source : str
            A path, or else a name in the store such as ``churn@production``.

        Raises
        ------
        InputError
            There is neither, or no ship is there.
        StoreError
            The store has no such name.
        """
        path = Path(source)
        if not path.exists() and _PLAIN.fullmatch(source) and path.suffix != ".ship" and self._folder is not None:
            with Store(self._folder) as store:
                path = store.path(store.resolve(source))
        ship = read_ship(path)
        return ship.manifest.name, Place(version=ship.id[:12], path=str(path.absolute()), source=source)

    def meaning(self, source: str) -> object:
        """Return something cheap that changes when a name in the store comes to mean another object; else None."""
        if self._folder is None or Path(source).exists():
            return None
        try:
            with Store(self._folder) as store:
                return store.resolve(source)
        except StoreError:
            return None

    def named(self, name: str) -> str:
        """Return the source of a model that is asked for by name: a ship of the repository, or a name in the store.

        Raises
        ------
        ProblemError
            404: there is neither.
        """
        if _PLAIN.fullmatch(name):
            if self.repository is not None and (self.repository / f"{name}.ship").is_file():
                return str(self.repository / f"{name}.ship")
            if self.meaning(name) is not None:
                return name
        raise ProblemError(404, f"there is no ship called '{name}' to load", expected=", ".join(self.all()) or None)

    def all(self) -> list[str]:
        """Return the names that may be loaded."""
        found = sorted(path.stem for path in self.repository.glob("*.ship")) if self.repository else []
        if self._folder is not None:
            with Store(self._folder) as store:
                found += sorted(store.names())
        return found

    @staticmethod
    def checked(folder: str) -> Path:
        """Return the repository folder; raises ``InputError`` where it is none."""
        path = Path(folder)
        if not path.is_dir():
            raise InputError(f"the repository '{folder}' is no folder", hint="name a folder of ship files")
        return path.absolute()
