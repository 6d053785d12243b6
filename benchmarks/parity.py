"""Labels that flip, Shiplap against the usual converters, on the same rows in one run.

    .venv/bin/python benchmarks/parity.py

Random rows, and rows whose columns stand on the model's own thresholds and one ulp to either side. skl2onnx and
onnxmltools are installed into ``build/parity-peers``.
"""

from __future__ import annotations

import importlib.metadata
import json
import pickle
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

import shiplap as sl
from shiplap.proof import lower, time_scorer
from shiplap.proof.rows import built_rows

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "build" / "parity-peers"
LIBRARIES = ["onnxmltools", "skl2onnx", "onnxruntime", "lightgbm", "scikit-learn"]
MODELS: dict[str, Any] = {
    "LightGBM, 200 trees": LGBMClassifier(n_estimators=200, n_jobs=1, verbose=-1),
    "LightGBM, 1,000 trees": LGBMClassifier(n_estimators=1000, n_jobs=1, verbose=-1),
    "HistGradientBoosting, 100": HistGradientBoostingClassifier(max_iter=100),
    "RandomForest, 100 trees": RandomForestClassifier(100, max_depth=12, n_jobs=1, random_state=0),
}


def peers() -> Path:
    """Make the peers' environment once; return its interpreter."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        venv.create(PEERS, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *LIBRARIES], check=True)
    return python


def data(rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Make numbers as tables have them: measures, amounts in cents, counts, eight-digit codes."""
    X, y = make_classification(rows, 30, n_informative=12, flip_y=0.25, class_sep=0.5, random_state=0)
    X[:, 10:20] = (X[:, 10:20] * 100).round(2)
    X[:, 20:25] = (X[:, 20:25] * 10).round()
    X[:, 25:] = 2e7 + (X[:, 25:] * 1e6).round()
    return pd.DataFrame(X, columns=[f"x{index}" for index in range(30)]), y


def main() -> None:
    """Train, convert both ways, count."""
    python = peers()
    X, y = data(30_000)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "names.json").write_text(json.dumps(list(MODELS)))
        kept = {name: prepare(folder, index, name, X, y) for index, name in enumerate(MODELS)}
        subprocess.run(
            [python, "-W", "ignore", Path(__file__).with_name("parity_peer.py"), scratch],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        theirs = json.loads((folder / "answers.json").read_text())
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("lightgbm", "scikit-learn"))
        print(f"{versions}; labels flipped of random rows / of rows on thresholds; one row, us; size, KB\n")
        for index, name in enumerate(MODELS):
            show(name, kept[name], theirs[name], folder / f"{index}.labels.npy")


def prepare(folder: Path, index: int, name: str, X: pd.DataFrame, y: np.ndarray) -> dict[str, Any]:
    """Train a model, pack it, and lay out the rows for the peers."""
    model = MODELS[name].fit(X[:20_000], y[:20_000])
    subject = lower(model, X[20_000:])
    on = [
        case.frame
        for case in built_rows(subject, np.random.default_rng(0))
        if "thresh" in case.kind or "ulp" in case.kind
    ]
    rows = pd.concat([X[20_000:], *on], ignore_index=True)
    start = time.perf_counter()
    ship = sl.pack(model, X[20_000:], path=folder / f"{index}.ship")
    seconds = time.perf_counter() - start
    scorer = sl.load(ship.path)
    (folder / f"{index}.pickle").write_bytes(pickle.dumps(model))
    np.save(folder / f"{index}.npy", rows.to_numpy(np.float64))
    single = time_scorer(scorer, rows.iloc[:64].to_dict("records"))
    return {
        "random": len(X) - 20_000,
        "labels": model.predict(rows),
        "ours": scorer.predict(rows),
        "single_us": single.p50_us,
        "size": ship.sealed_bytes,
        "pack_s": seconds,
        "certificate": ship.certificate,
    }


def share(ours: np.ndarray, labels: np.ndarray, random: int) -> str:
    """Write how many labels differ, of random rows and of those on thresholds."""
    differ = ours != labels
    return f"{differ[:random].mean():7.2%} /{differ[random:].mean():7.2%}"


def show(name: str, kept: dict[str, Any], theirs: dict[str, Any], labels: Path) -> None:
    """Print the two lines of a model."""
    certificate = kept["certificate"]
    print(f"{name}  (pack with its certificate of {certificate.rows:,} rows: {kept['pack_s']:.1f} s)")
    ours = share(kept["ours"], kept["labels"], kept["random"])
    print(f"  Shiplap      {ours}   {kept['single_us']:7.1f} us {kept['size'] / 1e3:9.0f} KB")
    if "failed" in theirs:
        print(f"  converter    fails: {theirs['failed']}")
        return
    flips = share(np.load(labels), kept["labels"], kept["random"])
    print(f"  converter    {flips}   {theirs['single_us']:7.1f} us {theirs['size'] / 1e3:9.0f} KB")


if __name__ == "__main__":
    sys.exit(main())
