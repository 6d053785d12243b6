"""`Onlookers`: the taps of every ship that is served: what records it, and what is compared with it."""

from __future__ import annotations

import asyncio
import sys

from shiplap.core.errors import StoreError
from shiplap.core.store import Store
from shiplap.engineer.deploy.serve.control.shared import Shared
from shiplap.engineer.deploy.serve.control.station import Station
from shiplap.engineer.deploy.serve.models.shadow import Comparison, Shadow
from shiplap.engineer.deploy.serve.models.tap import Tap
from shiplap.engineer.deploy.serve.records import Recorder, Records

__all__ = ["Onlookers"]


class Onlookers:
    """Puts taps on ships whenever what is served changes.

    Made in each worker after the fork, for they work on threads.

    Parameters
    ----------
    shared : Shared
        What is recorded, and where; an ended comparison is written down there as a run called ``shadow``.

    Attributes
    ----------
    recorder : Recorder or None
        Records what passes by.
    """

    def __init__(self, shared: Shared) -> None:
        self._store = shared.store
        self._shadows: dict[str, Shadow] = {}
        self.recorder: Recorder | None = None
        if shared.store is not None and shared.settings.record:
            options = Records(share=shared.settings.record_share, private=shared.private)
            self.recorder = Recorder(shared.store, options)

    def look(self, station: Station) -> None:
        """Put the taps on what `station` serves now; a comparison that is over is written down."""
        wanted = {name: lineup for name, lineup in station.roster.lineups.items() if lineup.shadow}
        for name, shadow in tuple(self._shadows.items()):
            lineup = wanted.get(name)
            if lineup is None or shadow.versions != (lineup.stable, lineup.shadow):
                del self._shadows[name]
                asyncio.get_running_loop().run_in_executor(None, self._end, name, shadow)
        for name, lineup in wanted.items():
            if name not in self._shadows:
                self._shadows[name] = Shadow(station.hosted(lineup.stable), station.hosted(lineup.shadow))
        for name, service in station.fleet.services.items():
            for hosted in service.versions:
                taps: list[Tap] = [] if self.recorder is None else [self.recorder.tap(hosted)]
                if name in self._shadows and hosted is service.versions[0]:
                    taps.append(self._shadows[name])
                hosted.tap(*taps)

    def found(self) -> dict[str, Comparison]:
        """Return what was found until now, by model."""
        return {name: shadow.found for name, shadow in self._shadows.items()}

    def close(self) -> None:
        """End every comparison, and write what was recorded."""
        for name, shadow in self._shadows.items():
            self._end(name, shadow)
        self._shadows.clear()
        if self.recorder is not None:
            self.recorder.close()

    def _end(self, name: str, shadow: Shadow) -> None:
        found = shadow.close()
        if self._store is None:
            return
        stable, other = shadow.versions
        metrics = {key: float(value) for key, value in found.as_dict().items() if value is not None}
        try:
            with Store(self._store) as store:
                run = store.begin("shadow", parameters={"model": name, "stable": stable, "shadow": other})
                store.finish(run, metrics=metrics)
        except StoreError as error:
            sys.stderr.write(f"the comparison of '{name}' is not written down: {error}\n")
