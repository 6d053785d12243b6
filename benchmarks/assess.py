"""What the words of `assess` are worth: intervals that hold, curves that come true, noise that is no go, and its cost.

    python benchmarks/assess.py [--cases 1000] [--noise 300] [--only intervals noise curves cost] [--json PATH]

With ``SHIPLAP_DATA`` set to a folder of gzipped CSV files (see `assess_tables`), real tables are judged beside made
ones; without, those that packages ship. About fifteen minutes on one quiet core.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from assess_curves import extrapolation
from assess_intervals import coverage, noise
from assess_tables import flights

from shiplap.scientist.assess import assess

SECTIONS = ("intervals", "noise", "curves", "cost")


def main() -> None:
    """Run the sections that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000, help="samples whose interval is held against the truth")
    parser.add_argument("--noise", type=int, default=300, help="tables of noise")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    figures: dict[str, Any] = {}
    for section in asked.only:
        figures[section] = {
            "intervals": lambda: intervals(asked.cases),
            "noise": lambda: noises(asked.noise),
            "curves": curves,
            "cost": cost,
        }[section]()
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1, default=float))


def intervals(cases: int) -> list[dict[str, Any]]:
    """How often 95 % intervals of the gain hold the truth."""
    print("\n95 % intervals of the gain over the best policy without ML, on samples of populations")
    found = coverage(cases)
    n_samples, within = (sum(row[key] for row in found) for key in ("samples", "within"))
    print(f"  in all: the truth lies within {within:,} of {n_samples:,}: {within / n_samples:.1%} (aim: 93 to 97 %)")
    return found


def noises(runs: int) -> dict[str, int]:
    """How often noise is called a go."""
    print(f"\nVerdicts on {runs} tables of noise")
    found = noise(runs)
    print(f"  go: {found['go']} of {runs}, {found['go'] / runs:.1%} (aim: at most 2 %)")
    return dict(found)


def curves() -> list[dict[str, Any]]:
    """How often the learning curve of a fifth of the rows holds what all of them reach."""
    print("\nLearning curves of a fifth of the rows, and what all of them reach: 90 % intervals")
    found = extrapolation()
    for key, who in (("within", "Shiplap"), ("usual", "a power law by least squares, SciPy's interval")):
        n_within = sum(bool(row[key]) for row in found)
        print(f"  {who}: {n_within} of {len(found)} within, {n_within / len(found):.0%} (aim: at least 85 %)")
    wide = float(np.median([row["wide"] for row in found]))
    print(f"  median width: {wide:.1f} times what the few rows that judge make alone")
    return found


def cost() -> dict[str, float]:
    """CPU seconds of the verb on flights."""
    print("\nCPU seconds of assess, one thread where the libraries obey OMP_NUM_THREADS")
    found = {}
    for n_rows in (1_500, 20_000, 336_776):
        rows = flights(n_rows).assign(late=lambda each: each.pop("arr_delay") > 15)
        begun = time.process_time()
        verdict = assess(rows, target="late", time="time_hour", value={"tp": 60, "fp": -25}).verdict
        found[f"{len(rows)}"] = time.process_time() - begun
        print(f"  {len(rows):>8,} rows: {found[str(len(rows))]:.1f} s ({verdict})", flush=True)
    return found


if __name__ == "__main__":
    main()
