"""`AccessGuard`: who may ask, by the keys of a file that is read again when it changes.

How it is wired: it is made before workers fork and given to ``Server(..., guard=guard)``; each worker then says
``guard.count_as(index)`` and, once its loop runs, ``guard.watch(server.forget)``. On SIGHUP ``guard.refresh()``, and
``server.forget()`` where that is true. The admin listener's server takes ``guard.for_admin()``.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.access.grants import Grant, read_grants
from shiplap.engineer.deploy.serve.access.rates import Bucket, Rates
from shiplap.engineer.deploy.serve.http.hooks import Guard, Key
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["AccessGuard", "Caller", "open_paths"]

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="shiplap"'}
_WRONG = {"WWW-Authenticate": 'Bearer realm="shiplap", error="invalid_token"'}
_HOW = "Authorization: Bearer KEY, or X-API-Key: KEY"
_PROBES = (
    "/health",
    "/ping",
    "/v2/health/live",
    "/v2/health/ready",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/inference.GRPCInferenceService/ServerLive",
    "/inference.GRPCInferenceService/ServerReady",
)
_PAGES = ("/", "/docs")


def open_paths(environment: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return the paths that are answered without a key.

    They are what probes ask, who can seldom send a key, and the two pages, which a browser opens without one: ``/``
    (Azure's probe too) and ``/docs``. They tell the names and versions of what is served. The description
    (``/openapi.json``), the metadata and all that asks a model need a key.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Environment variables; Vertex AI names the path of its probe in ``AIP_HEALTH_ROUTE``.

    Examples
    --------
    >>> sorted(open_paths({"AIP_HEALTH_ROUTE": "/alive"}))[:3]
    ['/', '/alive', '/docs']
    """
    environment = os.environ if environment is None else environment
    vertex = environment.get("AIP_HEALTH_ROUTE", "/health")
    asked = vertex == environment.get("AIP_PREDICT_ROUTE")  # one path for both: it answers rows
    return frozenset((*_PROBES, *_PAGES, *(() if asked else (vertex,))))


class Caller:
    """Somebody whose key is known.

    Parameters
    ----------
    grant : Grant
        What they may do.
    bucket : Bucket, optional
        Their requests, where these are counted.
    """

    __slots__ = ("_models", "admin", "bucket", "name")

    def __init__(self, grant: Grant, bucket: Bucket | None) -> None:
        self.name = grant.name
        self.admin = grant.admin
        self.bucket = bucket
        self._models = frozenset(grant.models)

    def require(self, model: str) -> None:
        """Raise ``ProblemError`` (403) where this model is not for them."""
        if self._models and model not in self._models:
            allowed = ", ".join(sorted(self._models))
            raise ProblemError(403, f"this key is not for '{model}'", expected=allowed)


class AccessGuard:
    """Knows callers by their keys, and counts their requests.

    A key is looked up by its SHA-256. That the look-up takes longer for some digests than for others helps nobody:
    who does not know the key cannot choose its digest.

    Parameters
    ----------
    path : path
        The key file; see `shiplap.engineer.deploy.serve.access.keys`.
    workers : int
        How many processes will count requests. The guard is made before they are forked.
    unkeyed : iterable of str, optional
        Paths that are answered without a key; `open_paths` by default.

    Raises
    ------
    InputError
        There is no key file, or it is not one.
    """

    def __init__(self, path: str | Path, *, workers: int = 1, unkeyed: Iterable[str] | None = None) -> None:
        self.path = Path(path)
        self._unkeyed = open_paths() if unkeyed is None else frozenset(unkeyed)
        self._rates = Rates(workers)
        self._seen = _stamp(self.path)
        self._build(read_grants(self.path))

    # -- what the server asks ------------------------------------------------------------------------------------

    def authorize(self, headers: Mapping[str, str], path: str) -> Caller | None:
        """Return whose request this is, or None on an open path.

        Raises
        ------
        ProblemError
            401: no key, or none that is known. Whether it ever was one is not told.
        """
        return None if path in self._unkeyed else self.caller(headers)

    def showing(self, names: Sequence[str]) -> Guard:
        """Return the guard of a connection whose client has shown a certificate of these names."""
        return _Connected(self, tuple(names), self._unkeyed)

    def caller(self, headers: Mapping[str, str], names: Sequence[str] = ()) -> Caller:
        """Return whose key the headers bear or, where they bear none, whose certificate is of one of these names.

        Raises
        ------
        ProblemError
            401: nobody's.
        """
        key = _presented(headers)
        if not key:
            for name in names:
                if name in self._callers:
                    return self._callers[name]
            raise ProblemError(401, "a key is needed", headers=_CHALLENGE, expected=_HOW)
        found = self._callers.get(hashlib.sha256(key.encode(errors="replace")).digest())
        if found is None:
            raise ProblemError(401, "this key is not known here, or no longer", headers=_WRONG, expected=_HOW)
        return found

    def spend(self, key: Key) -> None:
        """Count one request; raises ``ProblemError`` (429)."""
        if isinstance(key, Caller) and key.bucket is not None:
            wait_s = key.bucket.take()
            if wait_s:
                raise _too_many(key.bucket, wait_s)

    def for_admin(self, unkeyed: Iterable[str] = ("/health",)) -> Guard:
        """Return a guard that lets only keys of administrators in, and no request without a key but to `unkeyed`."""
        return _Connected(self, (), frozenset(unkeyed), admin=True)

    # -- keeping up with the file --------------------------------------------------------------------------------

    def count_as(self, worker: int) -> None:
        """Say which worker this process is, from 0; called once, after the fork and before the first request."""
        self._rates.worker = worker

    def refresh(self) -> bool:
        """Look whether the file has changed or a key has expired; return whether any caller is now another.

        A file that is gone or broken changes nothing but for a line on standard error, once.
        """
        stamp = _stamp(self.path)
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._build(read_grants(self.path))
            except InputError as error:
                sys.stderr.write(f"the keys stay as they were: {error}\n")
            else:
                return True
        if _now_s() < self._next_s:
            return False
        self._build(self._grants)
        return True

    def watch(self, *forget: Callable[[], None], every_s: float = 0.5) -> None:
        """Refresh now, and again and again while the running loop lives.

        Parameters
        ----------
        *forget : callable
            Called whenever a caller is another: `Server.forget` of each server that asks this guard.
        every_s : float
            How often to look, in seconds.
        """
        if self.refresh():
            for each in forget:
                each()
        asyncio.get_running_loop().call_later(every_s, lambda: self.watch(*forget, every_s=every_s))

    def _build(self, grants: tuple[Grant, ...]) -> None:
        now_s = _now_s()
        policies = {grant.name: (grant.rate, grant.at_once) for grant in grants if grant.rate is not None}
        buckets = self._rates.buckets(policies)
        callers: dict[bytes | str, Caller] = {}
        next_s = math.inf
        for grant in grants:
            caller = Caller(grant, buckets.get(grant.name))
            for mark, end in grant.marks():
                end_s = math.inf if end is None else end.timestamp()
                if now_s < end_s:
                    next_s = min(next_s, end_s)
                    callers[mark] = caller
        self._grants, self._callers, self._next_s = grants, callers, next_s


class _Connected:
    """What a guard is to some: to a client that has shown a certificate, to the admin listener."""

    def __init__(
        self, guard: AccessGuard, names: tuple[str, ...], unkeyed: frozenset[str], *, admin: bool = False
    ) -> None:
        self.spend = guard.spend
        self._guard = guard
        self._names = names
        self._unkeyed = unkeyed
        self._admin = admin

    def authorize(self, headers: Mapping[str, str], path: str) -> Caller | None:
        if path in self._unkeyed:
            return None
        caller = self._guard.caller(headers, self._names)
        if self._admin and not caller.admin:
            raise ProblemError(403, "this key is not for administration")
        return caller

    def showing(self, names: Sequence[str]) -> Guard:
        return _Connected(self._guard, tuple(names), self._unkeyed, admin=self._admin)


def _presented(headers: Mapping[str, str]) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _too_many(bucket: Bucket, wait_s: float) -> ProblemError:
    seconds = math.ceil(wait_s)
    headers = {
        "Retry-After": str(seconds),
        "RateLimit-Policy": f'"key";q={bucket.burst};w={math.ceil(bucket.burst / bucket.rate)}',
        "RateLimit": f'"key";r=0;t={seconds}',
    }
    detail = f"this key may ask {bucket.rate:g} times a second, {bucket.burst} at once"
    return ProblemError(429, detail, headers=headers)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size, told.st_ino


def _now_s() -> float:
    return datetime.now(UTC).timestamp()
