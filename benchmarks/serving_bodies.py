"""How rows are put to the servers: a path, and a body for any number of rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from serving_load import raw
from serving_models import CATEGORIES, NAME, Row

JSON = "application/json"


@dataclass(frozen=True)
class Dialect:
    """Where rows go and how they are written."""

    path: str
    write: Callable[[Sequence[Row]], bytes]
    media_type: str = JSON

    def request(self, rows: Sequence[Row]) -> bytes:
        return raw(self.path, self.write(rows), media_type=self.media_type)


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def columns_of(rows: Sequence[Row]) -> dict[str, list[object]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def split(rows: Sequence[Row]) -> bytes:
    return compact({"dataframe_split": {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}})


def tensors(rows: Sequence[Row], *, mlserver: bool = False) -> bytes:
    """Return a body of the Open Inference Protocol v2; MLServer wants to be told that texts are texts."""
    inputs = []
    for name, values in columns_of(rows).items():
        text = name in CATEGORIES
        tensor = {"name": name, "shape": [len(rows), 1] if mlserver else [len(rows)], "data": values}
        tensor["datatype"] = "BYTES" if text else "FP64"
        if text and mlserver:
            tensor["parameters"] = {"content_type": "str"}
        inputs.append(tensor)
    return compact({"inputs": inputs} | ({"parameters": {"content_type": "pd"}} if mlserver else {}))


def arrow(rows: Sequence[Row]) -> bytes:
    """Return the rows as an Arrow IPC stream."""
    batch = pa.RecordBatch.from_pylist(list(rows))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


OBJECT = Dialect("/predict", lambda rows: compact(rows[0]))
OBJECTS = Dialect("/predict", lambda rows: compact(list(rows)))
ARROW = Dialect("/predict", arrow, "application/vnd.apache.arrow.stream")
TENSORS = Dialect(f"/v2/models/{NAME}/infer", tensors)
TENSORS_MLSERVER = Dialect(f"/v2/models/{NAME}/infer", lambda rows: tensors(rows, mlserver=True))
INSTANCES = Dialect(f"/v1/models/{NAME}:predict", lambda rows: compact({"instances": list(rows)}))
SPLIT = Dialect("/invocations", split)
ROWS = Dialect("/rows", lambda rows: compact(list(rows)))
COLUMNS = Dialect("/columns", lambda rows: compact(columns_of(rows)))
IN_COLUMNS = Dialect("/predict", lambda rows: compact({"columns": columns_of(rows)}))
