"""Cold start, as a program of its own: import, load, answer once, and say how long it took and how much memory.

Run as ``python -P coldstart.py SHIP`` with one row as JSON on standard input; writes JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["main", "peak_mb", "resident_mb"]


def resident_mb() -> float:
    """Return the memory this process holds now, in megabytes.

    Examples
    --------
    >>> resident_mb() > 1
    True
    """
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        return int(statistics.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    command = ["/bin/ps", "-o", "rss=", "-p", str(os.getpid())]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return int(answer.stdout) * 1024 / 1e6


def peak_mb() -> float:
    """Return the most memory this process has held, in megabytes; what its parent held is not counted.

    Examples
    --------
    >>> peak_mb() > 1
    True
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    return resident_mb()


def main(path: str, row: dict[str, object]) -> dict[str, float]:
    """Import, load, answer.

    Parameters
    ----------
    path : str
        Ship file.
    row : dict
        One row of user data.

    Returns
    -------
    dict of str to float
        ``cold_start_ms`` from the running interpreter to the first answer, ``memory_mb`` by which the process grew
        from loading and answering, ``peak_mb`` at most, imports included.
    """
    start = time.perf_counter()
    from shiplap.adapters.runtimes import runtimes  # noqa: PLC0415  (what is measured)
    from shiplap.scoring import load  # noqa: PLC0415

    runtimes.get("onnxruntime")
    imported = resident_mb()
    load(path).predict_row(row)
    elapsed = time.perf_counter() - start
    return {
        "cold_start_ms": elapsed * 1e3,
        "memory_mb": max(0.0, resident_mb() - imported),
        "peak_mb": peak_mb(),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], json.load(sys.stdin))))
