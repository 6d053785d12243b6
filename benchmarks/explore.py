"""How much a whole report costs: `shiplap explore` against DuckDB's SUMMARIZE, ydata-profiling and skrub's TableReport.

Usage: python benchmarks/explore.py [--rows 10000000] [--wide 1000000] [--few 100000] [--hundred] [--json PATH]

Made tables: orders of 10 columns (numbers with heavy tails, dates, categories, an identifier), and 20 columns. "Columns
alone" is what the others say too: counts, quantiles, histograms and frequent values, without the looks at anomalies,
trends, clusters, associations and texts that make up the rest of a report. Every run is a process of its own; CPU
seconds are those of all its threads, memory is its highest resident size, libraries included. The peers are installed
once under build/. `--hundred` writes 100 million rows (4 GB under build/, removed afterwards) and reads them with a cap
of 1 GB on the memory of the table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import venv
from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "explore"
PEERS = ROOT / "build" / "explore-peers"
LIBRARIES = ["fg-data-profiling", "skrub", "pandas", "pyarrow", "setuptools<81"]
CAP_MB = 128

SHIPLAP = (
    "import sys; from shiplap import explore; explore(sys.argv[1], budget={'table_mb': float(sys.argv[2])}).to_json()"
)
PROFILE = """
import sys
from shiplap.core.brief import Brief
from shiplap.methods.question import opened
from shiplap.scientist.explore.profile.tables import columns_table, numbers_table
from shiplap.scientist.explore.view import view_of
view = view_of(opened(sys.argv[1], Brief.make(budget={"table_mb": float(sys.argv[2])})), None, private=(), seed=0)
columns_table(view.profile, {}), numbers_table(view.profile)
"""
SUMMARIZE = "import sys, duckdb; duckdb.execute(f\"SUMMARIZE FROM '{sys.argv[1]}'\").fetchall()"
PROFILING = """
import sys, pandas as pd
from data_profiling import ProfileReport
ProfileReport(pd.read_parquet(sys.argv[1]), minimal=True, progress_bar=False).to_json()
"""
SKRUB = """
import sys, pandas as pd
from skrub import TableReport
TableReport(pd.read_parquet(sys.argv[1]), verbose=0).html()
"""


def normal(seed: int) -> str:
    """Return SQL for a normal number of row i, made of hashes (Box and Muller)."""
    return (
        f"sqrt(-2 * ln((hash(i, {seed}) % 1000003 + 1) / 1000004.0)) "
        f"* cos(6.2831853 * (hash(i, {seed + 100}) % 1000003) / 1000003.0)"
    )


def columns(wide: bool, n_rows: int) -> str:
    """Return the columns of a made table as SQL."""
    narrow = [
        "1000000 + i AS order_id",
        f"TIMESTAMP '2022-01-01' + INTERVAL 1 SECOND * CAST(floor(i * 94608000.0 / {n_rows}) AS BIGINT) AS placed_at",
        f"CASE WHEN hash(i, 1) % 50 > 0 THEN round(exp(3.4 + 0.8 * {normal(2)}), 2) END AS amount",
        "CASE WHEN hash(i, 4) % 300 = 0 THEN 999 ELSE CAST(18 + hash(i, 5) % 60 AS INTEGER) END AS age",
        "['north', 'south', 'east', 'west', 'North ', 'centre'][CAST(1 + hash(i, 6) % 6 AS BIGINT)] AS region",
        "printf('SKU-%05d', CAST(20000 * power((hash(i, 7) % 1000003) / 1000003.0, 3) AS BIGINT)) AS product",
        "hash(i, 8) % 10 < 3 AS returned",
        "CASE WHEN hash(i, 9) % 20 > 0 THEN CAST(hash(i, 10) % 7 AS INTEGER) END AS items",
        f"{normal(11)} AS score",
        "'city ' || (hash(i, 13) % 500) AS city",
    ]
    more = [f"{normal(20 + k)} * {k + 1} AS x{k}" for k in range(6)]
    more += [f"CAST(hash(i, {50 + k}) % {10 ** (k + 1)} AS BIGINT) AS n{k}" for k in range(2)]
    more += ["'c' || (hash(i, 60) % 40) AS c0", "'d' || (hash(i, 61) % 3) AS c1"]
    return ", ".join(narrow + more if wide else narrow)


def made(n_rows: int, *, wide: bool, suffix: str) -> Path:
    """Make a table once; the CSV of one is written from its Parquet."""
    path = BUILD / f"{n_rows}x{20 if wide else 10}.{suffix}"
    if path.exists():
        return path
    BUILD.mkdir(parents=True, exist_ok=True)
    source = f"SELECT {columns(wide, n_rows)} FROM range({n_rows}) AS made(i)"
    if suffix == "csv":
        source = f"SELECT * FROM '{made(n_rows, wide=wide, suffix='parquet')}'"
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(BUILD / "spill")}) as connection:
        connection.execute(f"COPY ({source}) TO '{path}'")
    return path


def peers() -> Path:
    """Make the peers' environment once; return its interpreter."""
    python, stamp = PEERS / "bin" / "python", PEERS / "libraries"
    if not stamp.exists() or stamp.read_text() != " ".join(LIBRARIES):
        venv.create(PEERS, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *LIBRARIES], check=True)
        stamp.write_text(" ".join(LIBRARIES))
    return python


def cost(python: Path | str, program: str, *arguments: object) -> dict[str, float]:
    """Run a program in a process of its own; return its CPU seconds, wall seconds and highest memory."""
    runner = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode; "
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
        "print(code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)"
    )
    start = time.perf_counter()
    told = subprocess.run(
        [sys.executable, "-c", runner, str(python), "-W", "ignore", "-c", program, *map(str, arguments)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    code, cpu_s, peak_mb = map(float, told.stdout.split())
    if code:
        raise SystemExit(f"{arguments} failed:\n{told.stderr}")
    return {"cpu_s": round(cpu_s, 1), "wall_s": round(time.perf_counter() - start, 1), "peak_mb": round(peak_mb)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the table of 10 columns")
    parser.add_argument("--wide", type=int, default=1_000_000, help="rows of the table of 20 columns")
    parser.add_argument("--few", type=int, default=100_000, help="rows that the profilers look at, too")
    parser.add_argument("--hundred", action="store_true", help="also 100 million rows under 1 GB")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    found: list[dict[str, object]] = []

    def measure(table: Path, who: str, python: Path | str, program: str, *more: object) -> None:
        found.append({"table": table.name, "who": who, **cost(python, program, table, *more)})
        shown = found[-1]
        print(f"{table.name:22} {who:22} {shown['cpu_s']:8} s CPU {shown['peak_mb']:6} MB", flush=True)

    for n_rows, wide in ((options.wide, True), (options.rows, False)):
        for suffix in ("parquet", "csv"):
            table = made(n_rows, wide=wide, suffix=suffix)
            measure(table, "duckdb summarize", sys.executable, SUMMARIZE)
            measure(table, "shiplap, columns alone", sys.executable, PROFILE, CAP_MB)
            measure(table, "shiplap explore", sys.executable, SHIPLAP, CAP_MB)
    few = made(options.few, wide=True, suffix="parquet")
    measure(few, "shiplap, columns alone", sys.executable, PROFILE, CAP_MB)
    measure(few, "shiplap explore", sys.executable, SHIPLAP, CAP_MB)
    measure(few, "skrub TableReport", peers(), SKRUB)
    measure(few, "fg-data-profiling", peers(), PROFILING)
    if options.hundred:
        table = made(100_000_000, wide=False, suffix="parquet")
        measure(table, "shiplap explore", sys.executable, SHIPLAP, 1024)
        table.unlink()
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
