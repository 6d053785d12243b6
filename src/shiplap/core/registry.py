"""A registry of adapters, keyed by name; heavy ones are named now and imported when asked for."""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import Generic, TypeVar

from shiplap.core.errors import InputError, MissingExtraError, nearest

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """Adapters by name; third parties add theirs through entry points.

    Parameters
    ----------
    noun : str
        What an entry is, for messages.
    group : str
        Entry-point group that other packages may fill.

    Examples
    --------
    >>> greetings = Registry("greeting", group="example.greetings")
    >>> greetings.add("plain", str.title)
    >>> greetings.get("plain")("hello")
    'Hello'
    """

    def __init__(self, noun: str, *, group: str) -> None:
        self._noun = noun
        self._group = group
        self._entries: dict[str, T] = {}
        self._lazy: dict[str, tuple[str, str]] = {}

    def add(self, name: str, entry: T) -> None:
        """Register `entry` under `name`."""
        self._entries[name] = entry

    def add_lazy(self, name: str, path: str, *, extra: str) -> None:
        """Register ``"module:attribute"`` under `name`, imported on first use; `extra` installs what it needs."""
        self._lazy[name] = (path, extra)

    def names(self) -> list[str]:
        """Return all names there are, sorted; nothing is imported."""
        return sorted({*self._entries, *self._lazy, *(point.name for point in self._points())})

    def get(self, name: str) -> T:
        """Return the entry called `name`.

        Raises
        ------
        InputError
            There is no such entry; the message names the nearest.
        MissingExtraError
            Its library is not installed; the message names the line that installs it.
        """
        if name not in self._entries:
            self._entries[name] = self._load(name)
        return self._entries[name]

    def _load(self, name: str) -> T:
        if name in self._lazy:
            path, extra = self._lazy[name]
            module, _, attribute = path.partition(":")
            try:
                entry: T = getattr(importlib.import_module(module), attribute)
            except ModuleNotFoundError as error:
                if not extra or (error.name or "").startswith("shiplap"):
                    raise
                raise MissingExtraError(f"the {self._noun} '{name}'", extra=extra) from error
            return entry
        for point in self._points():
            if point.name == name:
                loaded: T = point.load()
                return loaded
        raise InputError(f"no {self._noun} called '{name}'", hint=nearest(name, self.names()))

    def _points(self) -> importlib.metadata.EntryPoints:
        return importlib.metadata.entry_points(group=self._group)
