"""Convert models with the usual converters and answer rows; run by `parity.py` in an environment of its own."""

import json
import pickle
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx


def convert(name, model, width):
    """Return an ONNX model as the converters' own documentation makes it: one float32 matrix in."""
    if name.startswith("LightGBM"):
        types = [("rows", FloatTensorType([None, width]))]
        return convert_lightgbm(model, initial_types=types, zipmap=False, target_opset=15).SerializeToString()
    return to_onnx(model, np.zeros((1, width), np.float32), options={"zipmap": False}).SerializeToString()


def answer(name, path, rows):
    """Convert one model and answer all rows; say why where that fails."""
    model = pickle.loads(path.read_bytes())
    try:
        graph = convert(name, model, rows.shape[1])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        labels, probabilities = session.run(None, {session.get_inputs()[0].name: rows.astype(np.float32)})
    except Exception as error:  # whatever a converter raises is its answer
        return {"failed": f"{type(error).__name__}: {error}".splitlines()[0][:90]}
    one = rows[:1].astype(np.float32)
    times = []
    for _ in range(2000):
        start = time.perf_counter_ns()
        session.run(None, {session.get_inputs()[0].name: one})
        times.append(time.perf_counter_ns() - start)
    np.save(path.with_suffix(".labels.npy"), labels)
    np.save(path.with_suffix(".proba.npy"), probabilities)
    return {"single_us": float(np.median(times)) / 1e3, "size": len(graph)}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    names = json.loads((folder / "names.json").read_text())
    found = {
        name: answer(name, folder / f"{index}.pickle", np.load(folder / f"{index}.npy"))
        for index, name in enumerate(names)
    }
    (folder / "answers.json").write_text(json.dumps(found))
