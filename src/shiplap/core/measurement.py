"""`Measurement`: what a prediction cost on one machine, as it is attached to a ship."""

from __future__ import annotations

import msgspec

from shiplap.core.report import Metric

__all__ = ["Measurement"]


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one ship on one machine.

    Parameters
    ----------
    ship : str
        The ship id they speak of.
    measured_at : str
        UTC time, ISO 8601.
    environment : dict of str to str
        Processor, platform, versions.
    metrics : dict
        Figures by name, units in the names (``single_p50_us``).
    """

    ship: str
    measured_at: str
    environment: dict[str, str]
    metrics: dict[str, Metric]
