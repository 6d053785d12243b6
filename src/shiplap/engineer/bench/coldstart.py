"""Cold start, as a program of its own: import, load, answer once, and say how long it took and how much memory.

Run as ``python -P coldstart.py SHIP`` with one row as JSON on standard input; writes JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["main", "resident_mb"]


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
    from shiplap.scoring import load  # noqa: PLC0415  (what is measured)

    imported = resident_mb()
    load(path).predict_row(row)
    elapsed = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "cold_start_ms": elapsed * 1e3,
        "memory_mb": max(0.0, resident_mb() - imported),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], json.load(sys.stdin))))
