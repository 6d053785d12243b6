"""Labels that flip, on random rows and on rows that stand on thresholds."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from parity_peers import answers_of_peers, median_us
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

import shiplap as sl
from shiplap.proof import lower, time_scorer
from shiplap.proof.rows import built_rows

MODELS: dict[str, Any] = {
    "LightGBM, 200 trees": LGBMClassifier(n_estimators=200, n_jobs=1, verbose=-1),
    "LightGBM, 1,000 trees": LGBMClassifier(n_estimators=1000, n_jobs=1, verbose=-1),
    "HistGradientBoosting, 100": HistGradientBoostingClassifier(max_iter=100),
    "RandomForest, 100 trees": RandomForestClassifier(100, max_depth=12, n_jobs=1, random_state=0),
}
TRAINED = 20_000


def data(rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Make numbers as tables have them: measures, amounts in cents, counts, eight-digit codes."""
    X, y = make_classification(rows, 30, n_informative=12, flip_y=0.25, class_sep=0.5, random_state=0)
    X[:, 10:20] = (X[:, 10:20] * 100).round(2)
    X[:, 20:25] = (X[:, 20:25] * 10).round()
    X[:, 25:] = 2e7 + (X[:, 25:] * 1e6).round()
    return pd.DataFrame(X, columns=[f"x{index}" for index in range(30)]), y


def main() -> None:
    """Train, convert both ways, count."""
    X, y = data(30_000)
    with tempfile.TemporaryDirectory() as scratch:
        kept = {name: prepare(Path(scratch) / "model.ship", name, X, y) for name in MODELS}
    cases = {name: (MODELS[name], found["rows"]) for name, found in kept.items()}
    theirs = answers_of_peers(cases, limit_s=300)
    print("\nLabels flipped, of random rows / of rows on thresholds; one row, us; size, KB")
    for name, found in kept.items():
        show(name, found, theirs[name])


def prepare(path: Path, name: str, X: pd.DataFrame, y: np.ndarray) -> dict[str, Any]:
    """Train a model, pack it, and answer random rows and rows on its thresholds."""
    model = MODELS[name].fit(X[:TRAINED], y[:TRAINED])
    subject = lower(model, X[TRAINED:])
    on = [
        case.frame
        for case in built_rows(subject, np.random.default_rng(0))
        if "thresh" in case.kind or "ulp" in case.kind
    ]
    rows = pd.concat([X[TRAINED:], *on], ignore_index=True)
    start = time.perf_counter()
    ship = sl.pack(model, X[TRAINED:], path=path)
    seconds = time.perf_counter() - start
    scorer = sl.load(ship.path)
    return {
        "rows": rows.to_numpy(np.float64),
        "random": len(X) - TRAINED,
        "labels": model.predict(rows),
        "ours": scorer.predict(rows),
        "single_us": time_scorer(scorer, rows.iloc[:64].to_dict("records")).p50_us,
        "size": ship.sealed_bytes,
        "original_us": median_us(lambda: model.predict_proba(rows.iloc[:1])),
        "pack_s": seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "certificate": ship.certificate,
    }


def share(answer: np.ndarray, labels: np.ndarray, random: int) -> str:
    """Write how many labels differ, of random rows and of those on thresholds."""
    differ = answer != labels
    return f"{differ[:random].mean():7.2%} /{differ[random:].mean():7.2%}"


def show(name: str, kept: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Print the two lines of a model."""
    certificate = kept["certificate"]
    cost = f"{kept['pack_s']:.1f} s, memory of the process at most {kept['peak_mb']:,.0f} MB so far"
    print(f"{name}  (pack with its certificate of {certificate.rows:,} rows: {cost})")
    print(f"  original     {'':16}   {kept['original_us']:7.1f} us")
    ours = share(kept["ours"], kept["labels"], kept["random"])
    print(f"  Shiplap      {ours}   {kept['single_us']:7.1f} us {kept['size'] / 1e3:9.0f} KB")
    if "failed" in theirs:
        print(f"  converter    fails: {theirs['failed']}")
        return
    flips = share(theirs["outputs"][0], kept["labels"], kept["random"])
    print(f"  converter    {flips}   {theirs['single_us']:7.1f} us {theirs['size'] / 1e3:9.0f} KB")
