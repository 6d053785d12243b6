"""XGBoost and CatBoost: Shiplap against the usual converters, on the same models and rows in one run.

    make .venvs/boosting/.ready
    .venvs/boosting/bin/python benchmarks/parity_boosting.py

Each kind of model is trained on the same table, packed, and converted by onnxmltools or by CatBoost's own export, which
are installed into ``build/parity-boosting-peers``. Both answer rows of the data and rows on every threshold and one ulp
to either side. A row is wrong where its answer lies further than 1e-5 from the original's, relative to 1 or to the
spread of the answers.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
import venv
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, CatBoostRegressor
from xgboost import XGBClassifier, XGBRegressor

WRONG = 1e-5
PEERS = Path(__file__).parents[1] / "build" / "parity-boosting-peers"
LIBRARIES = ["onnxmltools", "onnxruntime", "xgboost-cpu", "catboost", "scikit-learn", "pandas", "pyarrow"]
XGB = {"n_estimators": 100, "max_depth": 5, "n_jobs": 1}
CAT = {"iterations": 100, "depth": 5, "thread_count": 1, "verbose": 0, "allow_writing_files": False}
CATEGORIES = {"cat_features": ["f8", "f9"]}

CASES: dict[str, tuple[Any, str, bool]] = {
    "XGBoost binary": (XGBClassifier(**XGB), "binary", False),
    "XGBoost many classes": (XGBClassifier(**XGB), "classes", False),
    "XGBoost regression": (XGBRegressor(**XGB), "score", False),
    "XGBoost Poisson": (XGBRegressor(**XGB, objective="count:poisson"), "positive", False),
    "XGBoost Tweedie": (XGBRegressor(**XGB, objective="reg:tweedie"), "positive", False),
    "XGBoost hinge": (XGBClassifier(**XGB, objective="binary:hinge"), "binary", False),
    "XGBoost DART": (XGBClassifier(**XGB, booster="dart", rate_drop=0.2), "binary", False),
    "XGBoost three quantiles": (
        XGBRegressor(**XGB, objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9]),
        "score",
        False,
    ),
    "XGBoost two targets": (XGBRegressor(**XGB), "several", False),
    "XGBoost linear booster": (XGBRegressor(n_estimators=100, n_jobs=1, booster="gblinear"), "score", False),
    "XGBoost categories": (XGBClassifier(**XGB, enable_categorical=True), "binary", True),
    "CatBoost binary": (CatBoostClassifier(**CAT), "binary", False),
    "CatBoost many classes": (CatBoostClassifier(**CAT), "classes", False),
    "CatBoost regression": (CatBoostRegressor(**CAT), "score", False),
    "CatBoost Poisson": (CatBoostRegressor(**CAT, loss_function="Poisson"), "positive", False),
    "CatBoost lossguide trees": (CatBoostRegressor(**CAT, grow_policy="Lossguide"), "score", False),
    "CatBoost categories": (CatBoostClassifier(**CAT, **CATEGORIES), "binary", True),
}


def main() -> None:
    """Train, pack, convert, count."""
    frame, targets = data(4_000)
    print(", ".join(f"{name} {version(name)}" for name in ("shiplap", "xgboost-cpu", "catboost")))
    print(f"the converters: {peer_versions()}")
    print(
        f"{'':26}{'rows wrong: ours':>18}{'converters':>12}{'ours, one row':>16}{'difference: ours':>18}{'theirs':>10}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        kept = {name: prepared(Path(scratch), name, frame, targets) for name in CASES}
        theirs = peer_answers(Path(scratch))
    for name, (expected, ours, single_us) in kept.items():
        one, other = apart(ours, expected), theirs[name]
        left = f"{name:26}{np.mean(~(one <= WRONG)):18.2%}"
        if isinstance(other, str):
            print(f"{left}{'failed':>12}{single_us:13.0f} us{one.max():18.1e}   {other}")
        else:
            far = apart(other, expected)
            share = np.mean(~(far <= WRONG))
            print(f"{left}{share:12.2%}{single_us:13.0f} us{one.max():18.1e}{far.max():10.1e}")


def data(rows: int) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Make measures, amounts in cents, counts, eight-digit codes, gaps, and two columns of categories."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(rows, 8))
    X[:, 2:4] = (X[:, 2:4] * 100).round(2)
    X[:, 4:6] = (X[:, 4:6] * 5).round()
    X[:, 6:] = 2e7 + (X[:, 6:] * 1e6).round()
    score = X[:, 0] + X[:, 1] * X[:, 4] / 5 + X[:, 2] / 100 + X[:, 6] / 1e6 + generator.normal(size=rows)
    X[generator.random(rows) < 0.1, 1] = np.nan
    frame = pd.DataFrame(X, columns=[f"f{index}" for index in range(8)])  # names that the converter knows
    frame["f8"] = pd.Categorical(generator.choice(list("abcdefgh"), rows))
    frame["f9"] = pd.Categorical(generator.choice(["red", "green", "blue"], rows))
    score = score + 2 * frame["f8"].cat.codes.to_numpy() % 3 - score.mean()
    return frame, {
        "score": score,
        "positive": np.abs(score),
        "binary": (score > 0).astype(int),
        "classes": np.digitize(score, [-1.5, 1.5]),
        "several": np.column_stack([score, np.abs(score)]),
    }


def prepared(
    folder: Path, name: str, frame: pd.DataFrame, targets: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Train and pack a model; return the original's answers, the ship's, and the time of one row."""
    from shiplap.proof import lower, time_scorer  # noqa: PLC0415 - the peers run this file without Shiplap
    from shiplap.proof.rows import built_rows  # noqa: PLC0415
    from shiplap.scoring import Scorer, write_ship  # noqa: PLC0415

    model, target, categories = CASES[name]
    X = frame if categories else frame.drop(columns=["f8", "f9"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, targets[target])
    subject = lower(model, X)
    built = [
        one.frame for one in built_rows(subject, np.random.default_rng(0)) if "thresh" in one.kind or "ulp" in one.kind
    ]
    rows = pd.concat([X, *built], ignore_index=True)
    parts = {"encoding": subject.lowered.encoding, "graph": subject.lowered.graph, "policy": subject.policy}
    scorer = Scorer(write_ship(folder / "draft.ship", name="draft", signature=subject.signature, **parts))
    (folder / f"{len(list(folder.glob('*.pickle')))}.pickle").write_bytes(pickle.dumps((name, model, rows)))
    return subject.outputs(rows), scorer.outputs(rows), time_scorer(scorer, rows.iloc[:64].to_dict("records")).p50_us


def apart(outputs: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return how far each row's answer lies from the original's."""
    if outputs.size != expected.size:
        return np.full(len(expected), np.inf)
    within = expected.min() >= 0 and expected.max() <= 1
    scale = 1.0 if within else float(expected.std())
    found: np.ndarray = np.abs(outputs.reshape(expected.shape) - expected).max(axis=1) / scale
    return found


def peers() -> Path:
    """Make the converters' environment once; return its interpreter."""
    python, stamp = PEERS / "bin" / "python", PEERS / "libraries"
    if not stamp.exists() or stamp.read_text() != " ".join(LIBRARIES):
        venv.create(PEERS, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *LIBRARIES], check=True, stderr=subprocess.DEVNULL)
        stamp.write_text(" ".join(LIBRARIES))
    return python


def peer_versions() -> str:
    """Name the converters' versions."""
    asked = f"from importlib.metadata import version as v; print(', '.join(n + ' ' + v(n) for n in {LIBRARIES[:2]!r}))"
    return subprocess.run([peers(), "-c", asked], check=True, capture_output=True, text=True).stdout.strip()


def peer_answers(folder: Path) -> dict[str, Any]:
    """Convert and answer in the converters' environment."""
    subprocess.run([peers(), "-W", "ignore", __file__, "--peer", folder], check=True, stderr=subprocess.DEVNULL)
    found: dict[str, Any] = pickle.loads((folder / "answers").read_bytes())
    return found


def peer(folder: Path) -> None:
    """Answer every case with the usual converter's graph, or say why there is none."""
    found = {}
    for path in sorted(folder.glob("*.pickle")):
        name, model, rows = pickle.loads(path.read_bytes())
        try:
            found[name] = converted(model, rows, folder / "model.onnx")
        except Exception as error:  # whatever a converter raises is its answer
            found[name] = f"{type(error).__name__}: {error}".strip().splitlines()[0][-60:]
    (folder / "answers").write_bytes(pickle.dumps(found))


def converted(model: Any, rows: pd.DataFrame, path: Path) -> np.ndarray:
    """Convert one model and answer the rows in single precision, as its converter asks for them."""
    import onnxruntime  # noqa: PLC0415 - here and below: only the peers have these

    if type(model).__module__.startswith("catboost"):
        model.save_model(str(path), format="onnx")
    else:
        from onnxmltools import convert_xgboost  # noqa: PLC0415
        from onnxmltools.convert.common.data_types import FloatTensorType  # noqa: PLC0415

        types = [("features", FloatTensorType([None, rows.shape[1]]))]
        path.write_bytes(convert_xgboost(model, initial_types=types, target_opset=15).SerializeToString())
    numbers = rows.assign(**{one: rows[one].cat.codes for one in rows.select_dtypes("category")})
    session = onnxruntime.InferenceSession(path)
    answer = session.run(None, {"features": numbers.to_numpy(np.float32)})[-1]
    if isinstance(answer, list):
        answer = [list(one.values()) for one in answer]
    return np.asarray(answer, np.float64)


if __name__ == "__main__":
    sys.exit(peer(Path(sys.argv[2])) if "--peer" in sys.argv else main())
