"""The single measurements of a bench."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from shiplap.core.errors import DoesNotHoldError
from shiplap.proof import Subject, Timing, time_calls
from shiplap.scoring import Scorer

__all__ = ["cold_start", "original_row", "rows_per_second"]

_STARTS = 3
_PROGRAM = Path(__file__).with_name("coldstart.py")


def rows_per_second(scorer: Scorer, rows: Sequence[dict[str, Any]], batch: int, *, seconds: float = 0.5) -> float:
    """Measure throughput: dictionaries of user data to decisions, `batch` rows a call.

    Parameters
    ----------
    scorer : Scorer
        A loaded ship.
    rows : sequence of dict
        Rows to answer; used again and again.
    batch : int
        Rows a call; 1 takes the path of single rows.
    seconds : float
        How long to measure.

    Returns
    -------
    float
        Rows a second, on one thread.
    """
    sent = [rows[index % len(rows)] for index in range(batch)]

    def call() -> None:
        if batch == 1:
            scorer.predict_row(sent[0])
        else:
            scorer.decide(sent)

    call()
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        call()
        calls += 1
    return calls * batch / (time.perf_counter() - start)


def original_row(subject: Subject, *, seconds: float = 1.0) -> Timing:
    """Time the original on single rows that already stand in a frame of its own types."""
    rows = [subject.frame.iloc[index : index + 1] for index in range(min(32, len(subject.frame)))]

    def call(row: pd.DataFrame) -> None:
        subject.outputs(row)

    return time_calls(call, rows, seconds=seconds, warm=3)


def cold_start(path: Path, row: dict[str, Any]) -> dict[str, float]:
    """Measure cold start and memory in fresh processes; the median of three.

    Raises
    ------
    DoesNotHoldError
        The ship cannot be loaded or cannot answer in a process of its own.
    """
    command = [sys.executable, "-P", str(_PROGRAM), str(path)]
    found: list[dict[str, float]] = []
    for _ in range(_STARTS):
        done = subprocess.run(command, input=json.dumps(row), capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise DoesNotHoldError(f"'{path}' does not answer in a fresh process: {last}")
        found.append(json.loads(done.stdout))
    return {name: sorted(one[name] for one in found)[_STARTS // 2] for name in found[0]}
