"""Ships of every task, served for real: scores, tensors with names and with a shape, arrays, texts and images."""

import base64
import io
import socket

import httpx
import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from shiplap.core.encoding import Encoding, Number, Tensor
from shiplap.core.encoding import Image as ImageOperation
from shiplap.core.policy import Policy
from shiplap.core.signature import Field, Signature
from shiplap.engineer.deploy import pack
from shiplap.scoring import load, write_ship

ROWS = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 2.5, -1.0]})
GRID = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
TEXTS = ["free ship", "call now", "free call", "ship now"]
V2 = "/v2/models"


def doubled(path, name, operation, field, shape):
    """A ship whose answer is twice what its encoder writes."""
    width = operation.width
    graph = helper.make_graph(
        [helper.make_node("Add", ["rows", "rows"], ["output"])],
        "twice",
        [helper.make_tensor_value_info("rows", TensorProto.DOUBLE, ["n", width])],
        [helper.make_tensor_value_info("output", TensorProto.DOUBLE, ["n", width])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    write_ship(
        path,
        name=name,
        signature=Signature(inputs=(field,), task="tensor", shape=shape),
        encoding=Encoding(operations=(operation,)),
        graph=model.SerializeToString(),
        policy=Policy(task="tensor"),
    )


def looked_up(path):
    """A ship that looks a number up in a table of three."""
    nodes = [
        helper.make_node("Cast", ["rows"], ["place"], to=TensorProto.INT64),
        helper.make_node("Squeeze", ["place", "axis"], ["flat"]),
        helper.make_node("Gather", ["table", "flat"], ["output"]),
    ]
    constants = [numpy_helper.from_array(np.array([1]), "axis"), numpy_helper.from_array(np.eye(3)[:, :1], "table")]
    ends = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n", 1]) for name in ("rows", "output")]
    graph = helper.make_graph(nodes, "table", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    write_ship(
        path,
        name="table",
        signature=Signature(inputs=(Field(name="index", kind="number"),), task="regression"),
        encoding=Encoding(operations=(Number(column="index"),)),
        graph=model.SerializeToString(),
        policy=Policy(task="regression"),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    pack(LinearSVC().fit(ROWS, ["no", "no", "yes", "yes"]), ROWS, path=folder / "scores.ship")
    pack(StandardScaler().fit(ROWS), ROWS, path=folder / "names.ship")
    words = make_pipeline(CountVectorizer(), LogisticRegression()).fit(TEXTS, [1, 0, 1, 0])
    pack(words, TEXTS, path=folder / "texts.ship")
    array = Tensor(column="x", shape=(2, 3))
    doubled(folder / "grid.ship", "grid", array, Field(name="x", kind="tensor", shape=(2, 3)), (3, 2))
    image = ImageOperation(column="photo", size=(2, 2))
    doubled(folder / "image.ship", "image", image, Field(name="photo", kind="image"), (image.width,))
    looked_up(folder / "table.ship")
    return folder


@pytest.fixture(scope="module")
def client(folder, start):
    with start(*sorted(folder.glob("*.ship"))) as running, httpx.Client(base_url=running.url) as client:
        yield client
        assert running.stop() == ""


def asked(client, name, rows):
    """One row, many rows and lines, which all answer alike."""
    one = client.post(f"/predict/{name}", json=rows[0]).json()
    many = client.post(f"/predict/{name}", json=rows).json()
    lines = "\n".join(httpx.Request("POST", "http://x", json=row).content.decode() for row in rows)
    told = client.post(f"/predict/{name}", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert [httpx.Response(200, content=line).json() for line in told.text.splitlines()] == many
    assert (one.keys() - many[0].keys(), one["prediction"]) == ({"model", "ship"}, many[0]["prediction"])
    return many


def test_scores_are_called_scores(client, folder):
    scorer = load(folder / "scores.ship")
    rows = ROWS.to_dict("records")
    for answer, outputs, label in zip(
        asked(client, "scores", rows), scorer.outputs(ROWS), scorer.predict(ROWS), strict=True
    ):
        assert answer["scores"] == dict(zip(["no", "yes"], outputs.tolist(), strict=True))
        assert (answer["prediction"], answer["decision"]) == (label, label == "yes")


def test_a_tensor_with_names_answers_by_name(client, folder):
    outputs = load(folder / "names.ship").outputs(ROWS)
    assert asked(client, "names", ROWS.to_dict("records")) == [
        {"prediction": dict(zip("ab", row, strict=True))} for row in outputs.tolist()
    ]
    body = {"inputs": [{"name": name, "shape": [4], "datatype": "FP64", "data": [*ROWS[name]]} for name in ROWS]}
    tensor = client.post(f"{V2}/names/infer", json=body).json()["outputs"]
    assert [(each["name"], each["shape"], each["data"]) for each in tensor] == [
        ("prediction", [4, 2], outputs.ravel().tolist())
    ]
    assert client.get(f"{V2}/names").json()["parameters"]["outputs"] == ["a", "b"]


def test_arrays_go_in_and_come_out_in_their_shapes(client):
    expected = [[2.0, 4.0], [6.0, 8.0], [10.0, 12.0]]
    rows = [{"x": GRID}, {"x": [[None, 2, 3], [4, 5, 6]]}]
    first, second = asked(client, "grid", rows)
    assert first == {"prediction": expected}
    assert second == {"prediction": [[None, 4.0], *expected[1:]]}


@pytest.mark.parametrize("data", [[GRID, GRID], np.ravel([GRID, GRID]).tolist()])
def test_arrays_are_sent_by_the_inference_protocol_nested_or_flat(client, data):
    told = client.get(f"{V2}/grid").json()
    assert (told["inputs"][0]["shape"], told["inputs"][0]["datatype"]) == ([-1, 2, 3], "FP64")
    assert told["outputs"] == [{"name": "prediction", "datatype": "FP64", "shape": [-1, 3, 2]}]
    body = {"inputs": [{"name": "x", "shape": [2, 2, 3], "datatype": "FP32", "data": data}]}
    (answer,) = client.post(f"{V2}/grid/infer", json=body).json()["outputs"]
    assert (answer["shape"], answer["data"]) == ([2, 3, 2], [2.0, 4.0, 6.0, 8.0, 10.0, 12.0] * 2)


@pytest.mark.parametrize(
    ("shape", "datatype", "data", "detail"),
    [
        ([1], "FP64", [1.0], "shape"),
        ([1, 3, 2], "FP64", [1.0] * 6, "shape"),
        ([1, 2, 3], "FP64", [1.0] * 5, "has 5 values where its shape says 6"),
        ([1, 2, 3], "FP64", [*[1.0] * 5, "x"], "of datatype FP64"),
        ([1, 2, 3], "BYTES", ["x"] * 6, "expected"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(client, shape, datatype, data, detail):
    body = {"inputs": [{"name": "x", "shape": shape, "datatype": datatype, "data": data}]}
    answer = client.post(f"{V2}/grid/infer", json=body)
    assert (answer.status_code, detail in answer.text) == (422, True)


def test_texts_and_images_go_in_as_texts(client, folder):
    scorer = load(folder / "texts.ship")
    column = scorer.signature.names[0]
    answers = asked(client, "texts", [{column: text} for text in TEXTS])
    assert [answer["prediction"] for answer in answers] == [1, 0, 1, 0]
    file = io.BytesIO()
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(2, 2, 3)).save(file, "PNG")
    photo = base64.b64encode(file.getvalue()).decode()
    (answer,) = asked(client, "image", [{"photo": photo}])
    assert answer["prediction"] == (2 * load(folder / "image.ship").encoder.matrix([{"photo": photo}])[0]).tolist()


def test_the_description_tells_what_comes_out(client):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]

    def answer(name):
        return schemas[f"{name}.Answer"]["properties"]

    assert set(answer("scores")) == {"prediction", "scores", "decision"}
    assert answer("names")["prediction"]["required"] == ["a", "b"]
    grid = answer("grid")["prediction"]
    assert (grid["minItems"], grid["items"]["maxItems"]) == (3, 2)
    assert grid["items"]["items"] == {"anyOf": [{"type": "number"}, {"type": "null"}]}


def test_a_row_that_the_graph_cannot_take_spoils_no_other(client):
    """Requests that are read in one turn of the loop are answered by one call of the graph."""
    bodies = [b'{"index": %d}' % index for index in (0, 9, 1, 7, 2)]
    head = b"POST /predict/table HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s"
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=5) as connection:
        connection.sendall(b"".join(head % (len(body), body) for body in bodies))
        said = b""
        while said.count(b"HTTP/1.1 ") < 5 or not said.endswith(b"}"):
            said += connection.recv(65_536)
    codes = [int(part.split(b" ", 1)[0]) for part in said.split(b"HTTP/1.1 ")[1:]]
    assert codes == [200, 422, 200, 422, 200]
    assert client.post("/predict/table", json=[{"index": 0}, {"index": 9}]).status_code == 422
