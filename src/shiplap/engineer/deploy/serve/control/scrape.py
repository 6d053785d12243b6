"""Metrics of all workers, for Prometheus: ``GET /metrics`` on the admin listener."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shiplap.engineer.deploy.serve.control.bus import Bus
from shiplap.engineer.deploy.serve.control.soon import Soon
from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.seen import Gathered

__all__ = ["Scrape"]


class Scrape:
    """The route.

    Parameters
    ----------
    bus : Bus
        To all workers.
    """

    name = "metrics"

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._gathered = Gathered()
        self._lock = asyncio.Lock()
        self._soon = Soon()

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        return [Route("GET", "/metrics", self._soon(self._answer))]

    async def _answer(self, exchange: Exchange) -> None:
        async with self._lock:
            reports = await self._bus.everywhere("metrics")
            accept = exchange.head.headers.get("accept", "")
            loop = asyncio.get_running_loop()
            page = await loop.run_in_executor(None, self._gathered.render, reports, accept)
            # What is shown must not be forgotten with this process: its successor learns it from the others.
            await self._bus.everywhere("metrics", self._gathered.state())
        exchange.answer(page.body, media_type=page.media_type)
