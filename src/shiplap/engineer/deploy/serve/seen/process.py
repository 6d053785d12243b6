"""What a process uses of its machine."""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path

__all__ = ["cpu_seconds", "resident_bytes", "started_at"]

_imported_at = time.time()


def cpu_seconds() -> float:
    """Return the processor time that this process used, user and system."""
    times = os.times()
    return times.user + times.system


def resident_bytes() -> int | None:
    """Return the memory of this process that is in RAM; None where the system does not say (other than Linux)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def started_at() -> float:
    """Return when this process began, in seconds since 1970; where the system does not say, when this was imported."""
    return _started_at(os.getpid())


@cache
def _started_at(pid: int) -> float:
    """Read it once in each process: what was read before a fork is about another one."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    except OSError:
        return _imported_at
    return float(boot.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
