"""Timing: warm calls, percentiles, throughput by batch size."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shiplap.scoring import Scorer

__all__ = ["Timing", "percentiles", "time_calls", "time_scorer"]


@dataclass(frozen=True)
class Timing:
    """How long calls took, in microseconds.

    Parameters
    ----------
    p50_us, p99_us : float
        Median and 99th percentile.
    calls : int
        How many were timed.
    """

    p50_us: float
    p99_us: float
    calls: int


def time_calls(call: Callable[[Any], object], items: Sequence[Any], *, seconds: float = 1.0, warm: int = 20) -> Timing:
    """Time single calls, one item after another, round and round.

    Parameters
    ----------
    call : callable
        What is timed.
    items : sequence
        Its arguments.
    seconds : float
        How long to go on; at least 30 calls are made.
    warm : int
        Calls before the clock starts.

    Returns
    -------
    Timing

    Examples
    --------
    >>> time_calls(abs, [-1.0], seconds=0.001).calls >= 30
    True
    """
    for index in range(warm):
        call(items[index % len(items)])
    nanoseconds: list[int] = []
    clock = time.perf_counter_ns
    collecting = gc.isenabled()
    gc.disable()
    try:
        end = clock() + int(seconds * 1e9)
        while clock() < end or len(nanoseconds) < 30:
            item = items[len(nanoseconds) % len(items)]
            start = clock()
            call(item)
            nanoseconds.append(clock() - start)
    finally:
        if collecting:
            gc.enable()
    return percentiles(nanoseconds)


def percentiles(nanoseconds: Sequence[int]) -> Timing:
    """Summarize durations.

    Examples
    --------
    >>> percentiles([1000, 2000, 3000]).p50_us
    2.0
    """
    p50, p99 = np.percentile(np.asarray(nanoseconds, np.float64) / 1e3, [50, 99])
    return Timing(p50_us=float(p50), p99_us=float(p99), calls=len(nanoseconds))


def time_scorer(scorer: Scorer, rows: Sequence[Mapping[str, Any]], *, seconds: float = 1.0) -> Timing:
    """Time one row in process: from a dictionary of user data to the answer.

    Parameters
    ----------
    scorer : Scorer
        A loaded ship.
    rows : sequence of mapping
        Rows to answer, in turn.
    seconds : float
        How long to measure.

    Returns
    -------
    Timing
    """
    return time_calls(scorer.predict_row, rows, seconds=seconds, warm=200)
