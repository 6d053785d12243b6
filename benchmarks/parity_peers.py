"""The usual converters, in an environment of their own: models and rows go there as pickles, answers come back."""

from __future__ import annotations

import json
import pickle
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "build" / "parity-peers"
LIBRARIES = ["onnxmltools", "skl2onnx", "onnxruntime", "lightgbm", "scikit-learn", "pandas", "pyarrow"]
NAMED = ("skl2onnx", "onnxmltools", "onnxruntime")
WRONG = 1e-3
"""An answer further away than this, relative to 1 or to the spread of the answers, is wrong: float32 alone is not."""


def peers() -> Path:
    """Make the peers' environment once; return its interpreter."""
    python, stamp = PEERS / "bin" / "python", PEERS / "libraries"
    if not stamp.exists() or stamp.read_text() != " ".join(LIBRARIES):
        venv.create(PEERS, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *LIBRARIES], check=True)
        stamp.write_text(" ".join(LIBRARIES))
    return python


def peer_versions() -> str:
    """Name the converters' versions."""
    asked = f"from importlib.metadata import version as v; print(', '.join(n + ' ' + v(n) for n in {NAMED!r}))"
    return subprocess.run([peers(), "-c", asked], check=True, capture_output=True, text=True).stdout.strip()


def answers_of_peers(cases: dict[str, tuple[Any, Any]], *, limit_s: int = 60) -> dict[str, dict[str, Any]]:
    """Convert models and answer rows there.

    Parameters
    ----------
    cases : dict of str to tuple
        A fitted model, and rows: an array, a DataFrame, or a list of texts.
    limit_s : int
        Seconds that one case may take.

    Returns
    -------
    dict of str to dict
        ``failed`` with the reason, or ``outputs``, ``single_us`` and ``size``.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        plan = {name: {"file": f"{index}.pickle", "limit_s": limit_s} for index, name in enumerate(cases)}
        for name, case in cases.items():
            (folder / plan[name]["file"]).write_bytes(pickle.dumps(case))
        (folder / "cases.json").write_text(json.dumps(plan))
        script = Path(__file__).with_name("parity_peer.py")
        subprocess.run([peers(), "-W", "ignore", script, folder], check=True, stderr=subprocess.DEVNULL)
        found: dict[str, dict[str, Any]] = json.loads((folder / "answers.json").read_text())
        for name, answer in found.items():
            outputs = (folder / plan[name]["file"]).with_suffix(".outputs")
            if "failed" not in answer:
                answer["outputs"] = pickle.loads(outputs.read_bytes())
    return found


def median_us(act: Callable[[], object], repeats: int = 20) -> float:
    """Return the median of some calls, in microseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e6


def apart(outputs: list[Any], expected: np.ndarray) -> np.ndarray:
    """Return how far each row's answer lies from the expected one, by the output that comes nearest."""
    wanted = expected.reshape(len(expected), -1)
    numbers = wanted.dtype.kind in "fiub"
    spread = float(np.nanstd(wanted.astype(np.float64))) or 1.0 if numbers else 1.0
    scale = 1.0 if numbers and np.nanmin(wanted) >= 0 and np.nanmax(wanted) <= 1 else spread
    best = np.full(len(wanted), np.inf)
    for output in outputs:
        several = isinstance(output, list) and isinstance(output[0], np.ndarray)
        found = np.hstack(output) if several else np.asarray(output)
        if found.size != wanted.size:
            continue
        found = found.reshape(wanted.shape)
        if not numbers or found.dtype.kind not in "fiub":
            distance = np.where(found.astype(str) == wanted.astype(str), 0.0, np.inf).max(axis=1)
        else:
            left, right = found.astype(np.float64), wanted.astype(np.float64)
            same = (left == right) | (np.isnan(left) & np.isnan(right))
            with np.errstate(invalid="ignore"):
                distance = np.where(same, 0.0, np.nan_to_num(np.abs(left - right), nan=np.inf) / scale).max(axis=1)
        best = min(best, distance, key=lambda found: (np.sum(~(found <= WRONG)), np.max(found)))
    return best
