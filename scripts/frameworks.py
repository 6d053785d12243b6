"""Run the tests of frameworks, one after the other, each in an environment of its own, and say which ran.

    python scripts/frameworks.py torch jax

An environment is made by ``make .venvs/NAME/.ready`` when it is not there. The last lines are a table; the exit code is
1 when a test failed or an environment could not be made.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(names: list[str]) -> int:
    """Run the tests of the frameworks named."""
    told = [(name, *run(name)) for name in names]
    print(f"\n{'environment':14} {'passed':>7} {'skipped':>8} {'failed':>7} {'seconds':>8}")
    for name, counts, seconds in told:
        shown = [f"{count}" for count in counts] if counts else ["-", "-", "not made"]
        print(f"{name:14} {shown[0]:>7} {shown[1]:>8} {shown[2]:>7} {seconds:8.0f}")
    return int(any(counts is None or counts[2] for _, counts, _ in told))


def run(name: str) -> tuple[tuple[int, int, int] | None, float]:
    """Make one environment and run its tests; return how many passed, were skipped and failed, and the seconds."""
    print(f"== {name}", flush=True)
    started = time.monotonic()
    if subprocess.run(["make", "--no-print-directory", f".venvs/{name}/.ready"], cwd=ROOT, check=False).returncode:
        return None, time.monotonic() - started
    folders = [f"tests/frameworks/{name}", *adapters(name)]
    record = ROOT / "build" / f"{name}.xml"
    record.parent.mkdir(exist_ok=True)
    record.unlink(missing_ok=True)
    tests = [f".venvs/{name}/bin/python", "-m", "pytest", f"--junit-xml={record}", *folders]
    done = subprocess.run(tests, cwd=ROOT, check=False, env={**os.environ, "SHIPLAP_ENVIRONMENT": name})
    return counted(record, done.returncode), time.monotonic() - started


def adapters(name: str) -> list[str]:
    """Return the folders of the adapters whose examples run in an environment."""
    known = {"boosting": ("xgboost", "catboost"), "runtime": (), "serving": (), "spark": ()}.get(name, (name,))
    return [f"src/shiplap/adapters/frameworks/{adapter}" for adapter in known]


def counted(record: Path, code: int) -> tuple[int, int, int]:
    """Read the counts of passed, skipped and failed tests from a JUnit record."""
    if not record.exists():
        return (0, 0, 1)
    suite = next(ET.parse(record).iter("testsuite")).attrib
    n_tests, skipped = int(suite["tests"]), int(suite["skipped"])
    failed = int(suite["failures"]) + int(suite["errors"])
    return n_tests - skipped - failed, skipped, failed or int(code != 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
