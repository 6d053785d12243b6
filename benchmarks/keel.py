"""The main job, start-up and the ship in figures (docs/measured.md), in one run on this machine.

Usage: python benchmarks/keel.py    (after `make setup`; about three minutes)
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PROGRAM = [sys.executable, "-c", "from shiplap.cli.main import main; main()"]


class Cost(NamedTuple):
    """What a process cost: wall and CPU seconds, peak resident megabytes, and what it printed."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str


def cost(*command: str) -> Cost:
    """Run a command to its end and measure it."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit(f"{command} failed: {output}")
    peak_mb = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, peak_mb, output)


def least(*command: str, runs: int = 7) -> Cost:
    """Measure a command several times and keep the run with the least CPU."""
    return min((cost(*command) for _ in range(runs)), key=lambda each: each.cpu_s)


def modules(code: str) -> int:
    """Count the modules that `code` loads beyond those of a bare interpreter."""
    count = "import sys; print(len(sys.modules))"
    return int(cost(sys.executable, "-c", f"{code}; {count}").output) - int(cost(sys.executable, "-c", count).output)


def flights() -> list[tuple[str, str]]:
    """Run the main job on the flights twice, in a fresh folder."""
    folder = Path(tempfile.mkdtemp(prefix="shiplap-flights-"))
    try:
        subprocess.run([sys.executable, str(ROOT / "examples/flights/prepare.py"), str(folder)], check=True)
        first = cost(*PROGRAM, "run", str(folder), "--json", "--quiet")
        again = cost(*PROGRAM, "run", str(folder), "--json", "--quiet")
    finally:
        shutil.rmtree(folder)
    report = json.loads(first.output)
    part = {each["verb"]: each["metrics"] for each in report["parts"]}
    train, pack, bench = part["train"], part["pack"], part["bench"]
    return [
        ("main job on the flights", f"{first.wall_s:.0f} s, {first.cpu_s:.0f} CPU s, peak {first.peak_mb:,.0f} MB"),
        ("the same again, from memory", f"{again.wall_s:.2f} s"),
        ("verdict", report["verdict"]),
        ("labels flipped", f"{pack['flips']} of {pack['rows']:,} rows, thresholds included"),
        ("largest difference of probabilities", f"{pack['largest_difference']:.1e}"),
        ("test AUC, last two months (logistic)", f"{train['test_auc']:.4f} ({train['linear_auc']:.4f})"),
        ("test log loss (logistic)", f"{train['test_log_loss']:.4f} ({train['linear_log_loss']:.4f})"),
        (
            "money per 1,000 flights, against doing nothing",
            f"${train['money_per_1000']:,.0f} (${train['money_low']:,.0f} to ${train['money_high']:,.0f})",
        ),
        (
            "of which beyond the best rule without ML",
            f"${train['gain_per_1000']:,.0f} (${train['gain_low']:,.0f} to ${train['gain_high']:,.0f})",
        ),
        ("one row, ship: p50, p99", f"{bench['single_p50_us']:.0f} us, {bench['single_p99_us']:.0f} us"),
        ("what HTTP adds to it, one connection: p50", f"{bench['http_adds_us']:.0f} us"),
        ("one row, original pipeline: p50", f"{bench['original_p50_us']:,.0f} us ({bench['speedup']:.0f} times)"),
        ("ship, sealed part", f"{bench['size_mb']:.2f} MB"),
    ]


def start_up() -> list[tuple[str, str]]:
    """Measure what it costs to ask for help and to import."""
    bare = least(sys.executable, "-c", "pass")
    shown = least(*PROGRAM, "--help")
    imported = least(sys.executable, "-c", "import shiplap")
    return [
        ("bare interpreter", f"{bare.cpu_s * 1000:.0f} ms CPU"),
        ("shiplap --help", f"{shown.cpu_s * 1000:.0f} ms CPU, {modules('import shiplap.cli.main')} modules"),
        ("import shiplap", f"{imported.cpu_s * 1000:.0f} ms CPU, {modules('import shiplap')} modules"),
    ]


if __name__ == "__main__":
    print("| what | measured |\n|---|---|")
    for what, measured in [*flights(), *start_up()]:
        print(f"| {what} | {measured} |")
