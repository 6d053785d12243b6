"""`Shared`: what is made once, before workers fork, and used by each of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.access import AccessGuard
from shiplap.engineer.deploy.serve.control.sources import Sources
from shiplap.engineer.deploy.serve.control.station import Station
from shiplap.engineer.deploy.serve.http.tls import Tls
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.records import private_columns, store_of
from shiplap.engineer.deploy.serve.seen import Watch
from shiplap.engineer.deploy.serve.settings import Settings

__all__ = ["Shared"]

_BATCH = 2  # so many times longer than a row may a long batch wait


class Shared(NamedTuple):
    """What every worker of a server uses.

    Parameters
    ----------
    settings : Settings
        What the operator chose.
    store : Path, optional
        The store of the project.
    private : tuple of str
        Columns of which nothing is recorded.
    sources : Sources
        Where ships come from.
    station : Station
        The ships.
    watch : Watch
        Metrics, access log and spans.
    guard : AccessGuard, optional
        Who may ask.
    tls : Tls, optional
        Certificate and key.
    """

    settings: Settings
    store: Path | None
    private: tuple[str, ...]
    sources: Sources
    station: Station
    watch: Watch
    guard: AccessGuard | None
    tls: Tls | None

    @classmethod
    def of(cls, settings: Settings) -> Shared:
        """Make what the settings ask for; no ship is loaded yet. Raises ``InputError``."""
        project = Path(settings.project) if settings.project else None
        store = store_of(project) if project else None
        repository = Sources.checked(settings.repository) if settings.repository else None
        guard = AccessGuard(settings.keys, workers=settings.workers) if settings.keys else None
        authority = Path(settings.tls_client_ca) if settings.tls_client_ca else None
        tls = Tls(Path(settings.tls_cert), Path(settings.tls_key), authority) if settings.tls_cert else None
        limits = settings.limits
        wait_s = _BATCH * limits.wait_ms / 1000
        return cls(
            settings=settings,
            store=store,
            private=private_columns(project) if project else (),
            sources=Sources(store if store and store.is_dir() else None, repository),
            station=Station(limits, Jobs(most=limits.queue, most_bytes=limits.queue_bytes, wait_s=wait_s)),
            watch=Watch.open(
                access_log=settings.access_log, log_every=settings.access_log_every, environment=os.environ
            ),
            guard=guard,
            tls=tls,
        )

    def refresh(self) -> bool:
        """Look again at log, keys and certificates; return whether callers may be others now."""
        self.watch.reopen()
        if self.tls is not None:
            try:
                self.tls.reload()
            except InputError as error:
                sys.stderr.write(f"the certificate stays as it was: {error}\n")
        return self.guard is not None and self.guard.refresh()
