"""The models that are served, and rows to ask them about: logistic regression, 200 trees, and a dear network."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from onnx import TensorProto, helper, numpy_helper
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from shiplap.core.encoding import Category
from shiplap.core.ship import Ship
from shiplap.engineer.deploy import pack
from shiplap.scoring import load, write_ship

WORK = Path(__file__).resolve().parent.parent / "build" / "serving"
CATEGORIES = {"carrier": list("UADBEV"), "origin": ["EWR", "JFK", "LGA"], "dest": [f"D{i:02}" for i in range(40)]}
NUMBERS = [f"x{i}" for i in range(9)]
LABELS = {
    "logistic": "logistic regression",
    "trees": "LightGBM, 200 trees",
    "next": "LightGBM, 200 trees, of other rows",
    "dear": "network of convolutions",
    "small": "small network of convolutions",
}
NAME = "late"
NETWORKS_MS = {"dear": 5.0, "small": 0.5}
SHORTEST_PAUSE_S = 6e-5  # what the system's timers add

Row = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """A model in a folder: ``model.ship``, and for the peers ``pipeline.joblib``, ``graph.onnx`` and ``facts.json``."""

    key: str

    @property
    def folder(self) -> Path:
        return WORK / self.key

    @property
    def ship(self) -> Path:
        return self.folder / "model.ship"

    @property
    def label(self) -> str:
        return LABELS[self.key]

    @cached_property
    def rows(self) -> list[Row]:
        rows: list[Row] = json.loads((WORK / "rows.json").read_text())
        return rows

    @cached_property
    def expected(self) -> float:
        """Return the probability of yes for the first row, by the original model where there is one."""
        if not (self.folder / "pipeline.joblib").exists():
            return float(load(self.ship).outputs(self.rows[:1])[0, 1])
        return float(joblib.load(self.folder / "pipeline.joblib").predict_proba(pd.DataFrame(self.rows[:1]))[0, 1])

    def own_us(self, batch: int, *, pause_s: float = 0.0) -> float:
        """Return microseconds of processor time a row of bare calls of the runtime, with other rows each time.

        After a pause a call takes two to four times as long, because the processor's caches have forgotten it: where a
        server idles between requests, that is part of what the model costs there.
        """
        scorer = load(self.ship)
        rows = scorer.encoder.matrix(self.rows)
        parts = [rows[start : start + batch] for start in range(0, len(rows) - batch + 1, batch)]
        bound = scorer.runtime.bound()
        times = []
        limit = time.perf_counter() + 1.0
        for part in cycle(parts):
            bound.input[:] = part[0]
            if pause_s > SHORTEST_PAUSE_S:
                time.sleep(pause_s - SHORTEST_PAUSE_S)
            start = time.thread_time()
            if batch == 1:
                bound.run()
            else:
                scorer.runtime.run(part)
            times.append(time.thread_time() - start)
            if len(times) >= 20 and (len(times) > 2_000 or time.perf_counter() > limit):
                return float(np.median(times)) / batch * 1e6
        raise ValueError(f"there are only {len(rows)} rows")


def prepared(key: str) -> Model:
    """Return a model, made at the first time."""
    model = Model(key)
    if not model.ship.exists():
        model.folder.mkdir(parents=True, exist_ok=True)
        write_rows()
        if key in NETWORKS_MS:
            make_network(model)
        else:
            make_fitted(model)
    return model


def make_fitted(model: Model) -> Ship:
    """Fit a pipeline, pack it, and lay down what the peers need."""
    X, y = table(seed=int(model.key == "next"))
    pipeline = Pipeline(logistic_steps() if model.key == "logistic" else trees_steps()).fit(X, y)
    ship = pack(pipeline, X, path=model.ship, name=NAME)
    joblib.dump(pipeline, model.folder / "pipeline.joblib")
    (model.folder / "graph.onnx").write_bytes(ship.graph)
    operations = ship.encoding.operations
    codes = {operation.column: codes_of(operation) for operation in operations if isinstance(operation, Category)}
    facts = {"columns": [operation.column for operation in operations], "codes": codes}
    (model.folder / "facts.json").write_text(json.dumps(facts))
    return ship


def write_rows() -> None:
    """Lay down the rows that servers are asked about."""
    X, _ = table(seed=0)
    rows = [
        {name: value if isinstance(value, str) else round(value, 3) for name, value in row.items()}
        for row in X.head(1_000).to_dict("records")
    ]
    (WORK / "rows.json").write_text(json.dumps(rows))


def table(seed: int) -> tuple[pd.DataFrame, Any]:
    """Return rows and labels: 9 numbers, 3 categories."""
    random = np.random.default_rng(seed)
    X = pd.DataFrame({name: random.normal(size=20_000) for name in NUMBERS})
    for name, texts in CATEGORIES.items():
        X[name] = random.choice(texts, len(X))
    score = X.x0 + X.x1 * (X.carrier == "U") - X.x2 * (X.origin == "JFK") + random.normal(size=len(X))
    return X, np.where(score > 0, "yes", "no")


def trees_steps() -> list[tuple[str, Any]]:
    coder = OrdinalEncoder(categories=list(CATEGORIES.values()), handle_unknown="use_encoded_value", unknown_value=-1)
    return [
        ("code", ColumnTransformer([("text", coder, list(CATEGORIES))], remainder="passthrough")),
        ("trees", LGBMClassifier(n_estimators=200, n_jobs=1, verbose=-1)),
    ]


def logistic_steps() -> list[tuple[str, Any]]:
    coder = OneHotEncoder(categories=list(CATEGORIES.values()), handle_unknown="ignore")
    parts = [("text", coder, list(CATEGORIES)), ("number", StandardScaler(), NUMBERS)]
    return [("code", ColumnTransformer(parts)), ("logistic", LogisticRegression(max_iter=500))]


def codes_of(operation: Category) -> dict[str, float]:
    """Return the number of each category."""
    numbers = operation.values or tuple((float(place),) for place in range(len(operation.categories)))
    return {text: row[0] for text, row in zip(operation.categories, numbers, strict=True)}


def make_network(model: Model) -> None:
    """Pack convolutions behind the encoder of the trees: as many as take `NETWORKS_MS` here for one row."""
    like = load(prepared("trees").ship).ship
    wanted_ms = NETWORKS_MS[model.key]
    about = {"name": model.key, "signature": like.signature, "encoding": like.encoding, "policy": like.policy}
    layers = 1
    while True:
        write_ship(model.ship, graph=convolutions(like.encoding.width, layers), **about)
        taken_ms = model.own_us(1) / 1e3
        if taken_ms >= wanted_ms:
            return
        layers = max(layers + 1, int(layers * wanted_ms / taken_ms))


def convolutions(width: int, layers: int, *, channels: int = 16, side: int = 48) -> bytes:
    """Return a graph from a row to two probabilities by way of pictures."""
    random = np.random.default_rng(0)
    shape = np.array([-1, channels, side, side], dtype=np.int64)
    constants = {
        "spread": random.normal(size=(width, channels * side * side)).astype(np.float32) / width**0.5,
        "shape": shape,
        "last": random.normal(size=(channels, 2)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["X"], ["single"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["single", "spread"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["c0"]),
    ]
    for layer in range(layers):
        constants[f"w{layer}"] = random.normal(size=(channels, channels, 3, 3)).astype(np.float32) / (3 * channels**0.5)
        nodes.append(helper.make_node("Conv", [f"c{layer}", f"w{layer}"], [f"r{layer}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"r{layer}"], [f"c{layer + 1}"]))
    nodes += [
        helper.make_node("GlobalAveragePool", [f"c{layers}"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"], axis=1),
        helper.make_node("MatMul", ["features", "last"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["both"], axis=1),
        helper.make_node("Cast", ["both"], ["Y"], to=TensorProto.DOUBLE),
    ]
    graph = helper.make_graph(
        nodes,
        "convolutions",
        [helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["n", width])],
        [helper.make_tensor_value_info("Y", TensorProto.DOUBLE, ["n", 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())
