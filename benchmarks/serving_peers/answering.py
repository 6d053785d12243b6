"""What the peers answer with: the pipeline by way of a DataFrame, or the graph by way of ONNX Runtime and a dict."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Columns = dict[str, list[Any]]


def facts(folder: str) -> dict[str, Any]:
    """Return ``columns`` in their order, and ``codes`` of categories."""
    told: dict[str, Any] = json.loads((Path(folder) / "facts.json").read_text())
    return told


def answering(kind: str, folder: str) -> Callable[[Columns], list[list[float]]]:
    """Return a function from columns to probabilities, a list a row."""
    return by_onnx(folder) if kind == "onnx" else by_sklearn(folder)


def by_sklearn(folder: str) -> Callable[[Columns], list[list[float]]]:
    import joblib  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    pipeline = joblib.load(Path(folder) / "pipeline.joblib")
    return lambda columns: pipeline.predict_proba(pd.DataFrame(columns)).tolist()


def by_onnx(folder: str) -> Callable[[Columns], list[list[float]]]:
    import numpy as np  # noqa: PLC0415
    import onnxruntime  # noqa: PLC0415

    told = facts(folder)
    columns, codes = told["columns"], told["codes"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(Path(folder) / "graph.onnx", options)
    source, target = session.get_inputs()[0].name, session.get_outputs()[0].name

    def answer(sent: Columns) -> list[list[float]]:
        matrix = np.empty((len(sent[columns[0]]), len(columns)))
        for place, name in enumerate(columns):
            known = codes.get(name)
            matrix[:, place] = [known.get(text, -1.0) for text in sent[name]] if known else sent[name]
        probabilities: list[list[float]] = session.run([target], {source: matrix})[0].tolist()
        return probabilities

    return answer


def one_row(row: dict[str, Any]) -> Columns:
    """Return a row as columns of one value."""
    return {name: [value] for name, value in row.items()}


def as_columns(rows: list[dict[str, Any]]) -> Columns:
    """Return rows as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}
