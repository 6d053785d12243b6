"""Convert models with the usual converters and answer rows; run by `parity.py` in an environment of its own.

    python parity_peer.py FOLDER

The folder holds ``cases.json`` and a pickle of (model, rows) a case. Each case is converted in a child process with a
time limit and leaves a pickle of its outputs; ``answers.json`` says how each fared.
"""

import json
import multiprocessing
import pickle
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType as LightgbmFloats
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType


def types(rows):
    """Say what comes in, as the converters' own documentation does: float32, and texts."""
    if isinstance(rows, list):
        return [("text", StringTensorType([None, 1]))]
    if hasattr(rows, "columns"):
        return [(name, _type(rows[name].dtype)([None, 1])) for name in rows.columns]
    return [("rows", FloatTensorType([None, rows.shape[1]]))]


def feeds(rows):
    """Return the inputs of a session; a missing text is an empty one, as strings of ONNX know no other."""
    if isinstance(rows, list):
        return {"text": np.array(rows, dtype=object).reshape(-1, 1)}
    if hasattr(rows, "columns"):
        return {name: _column(rows[name]) for name in rows.columns}
    return {"rows": rows.astype(np.float32)}


def _type(kind):
    return FloatTensorType if getattr(kind, "kind", "O") in "iufb" else StringTensorType


def _column(values):
    if _type(values.dtype) is FloatTensorType:
        return values.to_numpy(np.float32).reshape(-1, 1)
    return values.astype(object).where(values.notna(), "").to_numpy().reshape(-1, 1)


def convert(model, rows):
    """Return an ONNX model."""
    if type(model).__module__.startswith("lightgbm"):
        inputs = [("rows", LightgbmFloats([None, rows.shape[1]]))]
        return convert_lightgbm(model, initial_types=inputs, zipmap=False, target_opset=15)
    try:
        return convert_sklearn(model, initial_types=types(rows), options={id(model): {"zipmap": False}})
    except (NameError, ValueError, KeyError):  # no classifier: it has no such option
        return convert_sklearn(model, initial_types=types(rows))


def session_of(graph):
    """Load a graph; its texts are lowered by the rules of plain C where the machine lacks the locale it asks for."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for node in graph.graph.node:
        if node.op_type == "StringNormalizer":
            node.attribute.append(onnx.helper.make_attribute("locale", "C"))
    return onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])


def first(rows):
    """Return the first row alone."""
    return rows.iloc[:1] if hasattr(rows, "iloc") else rows[:1]


def work(path, connection):
    """Convert one model and answer all rows; say why where that fails."""
    model, rows = pickle.loads(path.read_bytes())
    try:
        graph = convert(model, rows)
        session = session_of(graph)
        outputs = session.run(None, feeds(rows))
        one = feeds(first(rows))
        times = []
        for _ in range(500):
            start = time.perf_counter_ns()
            session.run(None, one)
            times.append(time.perf_counter_ns() - start)
    except Exception as error:  # whatever a converter raises is its answer
        connection.send({"failed": f"{type(error).__name__}: {error}".strip().splitlines()[0][:90]})
        return
    path.with_suffix(".outputs").write_bytes(pickle.dumps(outputs))
    connection.send({"single_us": float(np.median(times)) / 1e3, "size": graph.ByteSize()})


def within(limit_s, path):
    """Run one case in a child process and end it after a while."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=work, args=(path, theirs))
    child.start()
    theirs.close()
    try:
        found = ours.recv() if ours.poll(limit_s) else {"failed": f"took longer than {limit_s} s", "late": True}
    except EOFError:
        found = {"failed": "the process died"}
    child.kill()
    child.join()
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    cases = json.loads((folder / "cases.json").read_text())
    found = {name: within(case["limit_s"], folder / case["file"]) for name, case in cases.items()}
    (folder / "answers.json").write_text(json.dumps(found))
