"""The plain ONNX form of a ship: bare ONNX Runtime answers a data frame's columns as the ship does."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC

import shiplap as sl
from shiplap.adapters.exports import compose
from shiplap.cli.export import command
from shiplap.core.encoding import Boolean, Category, Date, Encoding, Number, Tensor
from shiplap.core.errors import DoesNotHoldError, InputError, RefusedError
from shiplap.core.policy import Policy
from shiplap.core.signature import Field, Signature
from shiplap.engineer.deploy import export, exporting
from shiplap.scoring import write_ship


def _peer(path, feeds):
    """Answer as a program does that has never heard of Shiplap."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return dict(zip([one.name for one in session.get_outputs()], session.run(None, feeds), strict=True))


def _identity(width):
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["rows"], ["output"])],
        "model",
        [onnx.helper.make_tensor_value_info("rows", onnx.TensorProto.DOUBLE, ["n", width])],
        [onnx.helper.make_tensor_value_info("output", onnx.TensorProto.DOUBLE, ["n", width])],
    )
    opsets = [onnx.helper.make_opsetid("", 18)]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def _encoder_ship(folder, operations, kinds):
    """A ship that answers with what its encoder writes."""
    encoding = Encoding(operations=operations)
    names = tuple(f"y{index}" for index in range(encoding.width))
    inputs = tuple(
        Field(name=name, kind=kind, nullable=nullable, shape=shape) for name, (kind, nullable, shape) in kinds.items()
    )
    signature = Signature(inputs=inputs, task="tensor", outputs=names)
    return write_ship(
        folder / "encoder.ship",
        name="encoder",
        signature=signature,
        encoding=encoding,
        graph=_identity(encoding.width),
        policy=Policy(task="tensor"),
    )


@pytest.fixture(scope="module")
def frame():
    generator = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "age": generator.integers(18, 90, 300).astype(float),
            "plan": generator.choice(["gold", "basic", "Ünïcode"], 300),
            "prediction": generator.normal(0, 10, 300).round(2),
        }
    )


@pytest.fixture(scope="module")
def forest(frame, tmp_path_factory):
    labels = np.where(frame["age"] + frame["prediction"] > 50, "left", np.where(frame["plan"] == "gold", "b", "c"))
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["plan"]), remainder="passthrough", verbose_feature_names_out=False
    )
    model = make_pipeline(encode, RandomForestClassifier(5, random_state=0)).fit(frame, labels)
    folder = tmp_path_factory.mktemp("forest")
    ship = sl.pack(model, frame, path=folder / "forest.ship")
    return model, ship, folder / "forest.onnx", export(ship, folder / "forest.onnx")


def test_a_peer_reads_a_frame_by_the_names_of_its_columns(frame, forest):
    model, _, path, report = forest
    assert report.holds
    assert report.metrics["flips"] == 0
    assert report.metrics["largest_difference"] == 0
    feeds = {
        "age": frame[["age"]].to_numpy(),
        "plan": frame[["plan"]].to_numpy(dtype=object),
        "prediction": frame[["prediction"]].to_numpy(),
    }
    answers = _peer(path, feeds)
    # One of the columns is itself called "prediction".
    assert list(answers) == ["prediction_", "probabilities", "decision"]
    np.testing.assert_array_equal(answers["prediction_"], model.predict(frame))
    np.testing.assert_allclose(answers["probabilities"], model.predict_proba(frame), rtol=0, atol=1e-15)


def test_the_file_says_how_it_is_asked(forest):
    _, ship, path, _ = forest
    model = onnx.load(path)
    facts = {one.key: one.value for one in model.metadata_props}
    assert facts["shiplap.ship"] == ship.id
    assert json.loads(facts["shiplap.classes"]) == ["b", "c", "left"]
    assert "the empty text is missing" in json.loads(facts["shiplap.inputs"])["plan"]
    assert "NaN is missing" in model.doc_string
    assert [port.doc_string for port in model.graph.input] == list(json.loads(facts["shiplap.inputs"]).values())


def test_a_binary_ship_decides_by_its_policy(frame, tmp_path):
    rows = frame[["age", "prediction"]]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, frame["age"] > 60)
    policy = Policy(task="binary", classes=(False, True), positive=1, threshold=0.2)
    ship = sl.pack(model, rows, path=tmp_path / "a.ship", policy=policy)
    report = export(ship.path, tmp_path / "a.onnx")
    answers = _peer(tmp_path / "a.onnx", {name: rows[[name]].to_numpy() for name in rows})
    assert report.metrics["flips"] == 0
    assert answers["prediction_"].dtype == bool
    np.testing.assert_array_equal(answers["decision"], sl.load(ship.path).decide(rows))


def test_a_regression_keeps_its_offset(frame, tmp_path):
    rows = frame[["age"]]
    policy = Policy(task="regression", offset=2.5)
    ship = sl.pack(Ridge().fit(rows, frame["prediction"]), rows, path=tmp_path / "r.ship", policy=policy)
    export(ship, tmp_path / "r.onnx")
    answers = _peer(tmp_path / "r.onnx", {"age": rows.to_numpy()})
    np.testing.assert_array_equal(answers["decision"], answers["prediction"] + 2.5)
    assert answers["prediction"].shape == (300,)


def test_every_part_of_a_date_is_that_of_the_calendar(tmp_path):
    parts = ("year", "month", "day", "weekday", "day_of_year", "hour", "minute", "second", "epoch_s")
    ship = _encoder_ship(tmp_path, (Date(column="at", parts=parts),), {"at": ("date", True, ())})
    assert export(ship, tmp_path / "d.onnx").metrics["largest_difference"] == 0
    days = np.arange(np.datetime64("0001-01-01"), np.datetime64("9999-12-31"), 37).astype("M8[us]")
    moments = np.concatenate([days, days[:200] + np.timedelta64(86_399_999_999, "us"), [np.datetime64("NaT")]])
    found = _peer(tmp_path / "d.onnx", {"at": moments.astype(np.int64).reshape(-1, 1)})["prediction"]
    np.testing.assert_array_equal(found, sl.load(ship.path).outputs({"at": moments}))
    moment = datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC)
    here = np.array([[int(moment.timestamp()) * 1_000_000]])
    assert _peer(tmp_path / "d.onnx", {"at": here})["prediction"][0].tolist() == [
        *(2024, 2, 29, 3, 60, 23, 59, 58),
        moment.timestamp(),
    ]


def test_vocabularies_markers_and_booleans_are_read_as_the_encoder_reads_them(tmp_path):
    operations = (
        Number(column="n", missing=("?", "-9", " 1e3 ")),
        Category(column="t", categories=("a", "", "3"), missing=("NA",), if_missing=(7.0,), if_unseen=(-1.0,)),
        Category(column="t", categories=("b",), values=((1.0, 2.0),), if_missing=(None, 5.0), if_unseen=(0.0, 0.0)),
        Category(column="k", categories=(1.0, 2.5, 1e17), missing=("9",), if_missing=(-2.0,), if_unseen=(-3.0,)),
        Boolean(column="b"),
        Boolean(column="c", true=("2", "03"), false=("1",), missing=("5",)),
    )
    kinds = dict.fromkeys("nk", ("number", True, ())) | {"t": ("category", True, ())}
    kinds |= {"b": ("boolean", False, ()), "c": ("boolean", True, ())}
    ship = _encoder_ship(tmp_path, operations, kinds)
    report = export(ship, tmp_path / "e.onnx")
    assert (report.metrics["flips"], report.metrics["largest_difference"]) == (0, 0)
    assert [row[1] for row in report.tables[0].rows] == ["number", "text", "number", "boolean", "number"]
    feeds = {
        "n": [[-9.0], [1000.0], [4.0]],
        "k": [[9.0], [2.5], [np.nan]],
        "c": [[2.0], [1.0], [5.0]],
    }
    arrays = {name: np.array(values) for name, values in feeds.items()}
    texts = np.array([["<missing>"], [""], ["NA"]], dtype=object)
    found = _peer(tmp_path / "e.onnx", {**arrays, "t": texts, "b": np.array([[True], [False], [True]])})["prediction"]
    nan = np.nan
    expected = [[nan, 7, nan, 5, -2, 1, 1], [nan, 1, nan, 5, 1, 0, 0], [4, 7, 0, 0, -2, 1, nan]]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("classes", "kind"), [((3, 5, 8), np.int64), ((0.5, 2, 7.25), np.float64), (("a", "ü", ""), object)]
)
def test_worth_decides_among_labels_of_every_type(classes, kind, tmp_path):
    matrix = ((1.0, -5.0, 0.0), (0.0, 2.0, -1.0), (-1.0, 0.5, 3.0))
    ship = write_ship(
        tmp_path / "m.ship",
        name="m",
        signature=Signature(
            inputs=tuple(Field(name=name, kind="number") for name in "abc"), task="multiclass", classes=classes
        ),
        encoding=Encoding(operations=tuple(Number(column=name) for name in "abc")),
        graph=_identity(3),
        policy=Policy(task="multiclass", classes=classes, matrix=matrix),
    )
    assert export(ship, tmp_path / "m.onnx").metrics["flips"] == 0
    rows = np.random.default_rng(0).dirichlet([1, 1, 1], 400)
    answers = _peer(tmp_path / "m.onnx", {name: rows[:, [place]] for place, name in enumerate("abc")})
    scorer = sl.load(ship.path)
    assert answers["prediction"].dtype == kind
    assert answers["prediction"].tolist() == scorer.predict(rows).tolist()
    assert answers["decision"].tolist() == scorer.decide(rows).tolist()
    assert (answers["decision"] != answers["prediction"]).any()


def test_labels_of_several_types_are_refused(tmp_path):
    signature = Signature(inputs=(Field(name="x", kind="number"),), task="binary", classes=(1, "two"))
    graph = onnx.load_from_string(_identity(1))
    graph.graph.node[0].CopyFrom(onnx.helper.make_node("Concat", ["rows", "rows"], ["output"], axis=1))
    graph.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 2
    ship = write_ship(
        tmp_path / "m.ship",
        name="m",
        signature=signature,
        encoding=Encoding(operations=(Number(column="x"),)),
        graph=graph.SerializeToString(),
        policy=Policy(task="binary", classes=(1, "two"), positive=1),
    )
    with pytest.raises(RefusedError, match="several types"):
        export(ship, tmp_path / "m.onnx")


def test_scores_are_called_scores(frame, tmp_path):
    rows = frame[["age", "prediction"]]
    model = LinearSVC(random_state=0).fit(rows / 100, frame["age"] > 50)
    ship = sl.pack(model, rows / 100, path=tmp_path / "s.ship")
    assert ship.signature.scores
    assert export(ship, tmp_path / "s.onnx").metrics["flips"] == 0
    answers = _peer(tmp_path / "s.onnx", {name: rows[[name]].to_numpy() / 100 for name in rows})
    np.testing.assert_array_equal(answers["prediction_"], model.predict(rows / 100))
    np.testing.assert_allclose(answers["scores"][:, 1], model.decision_function(rows / 100), rtol=1e-12)


def test_a_tensor_keeps_its_shape(tmp_path):
    ship = _encoder_ship(tmp_path, (Tensor(column="image", shape=(2, 3)),), {"image": ("tensor", True, (2, 3))})
    export(ship, tmp_path / "t.onnx")
    rows = np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_array_equal(_peer(tmp_path / "t.onnx", {"image": rows})["prediction"], rows.reshape(2, 6))


def test_what_onnx_cannot_express_is_refused(tmp_path):
    texts = ["one fish", "two fish", "red", "blue fish"] * 3
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, [0, 1, 1, 0] * 3)
    ship = sl.pack(model, texts, path=tmp_path / "w.ship")
    with pytest.raises(RefusedError, match="cuts it into words"):
        export(ship, tmp_path / "w.onnx")
    both = (Number(column="x"), Category(column="x", categories=("1", "2")))
    mixed = _encoder_ship(tmp_path, both, {"x": ("category", True, ())})
    with pytest.raises(RefusedError, match="read as number and as text"):
        export(mixed, tmp_path / "m.onnx")
    assert not list(tmp_path.glob("*.onnx"))


def test_nothing_is_written_that_answers_otherwise(forest, tmp_path, monkeypatch):
    _, ship, _, _ = forest

    def broken(graph, plan):
        return compose(graph, plan).replace(b"gold", b"bold")

    monkeypatch.setattr(exporting, "compose", broken)
    with pytest.raises(DoesNotHoldError, match="otherwise than the ship"):
        export(ship, tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="no folder"):
        export(ship, tmp_path / "nowhere" / "x.onnx")


def test_an_unknown_category_stays_what_the_model_makes_of_it(frame, tmp_path):
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    model = make_pipeline(encoder, RandomForestClassifier(3, random_state=0)).fit(frame[["plan"]], frame["age"] > 50)
    ship = sl.pack(model, frame[["plan"]], path=tmp_path / "o.ship")
    export(ship, tmp_path / "o.onnx")
    found = _peer(tmp_path / "o.onnx", {"plan": np.array([["never"], ["gold"]], dtype=object)})
    np.testing.assert_array_equal(found["prediction"], model.predict(pd.DataFrame({"plan": ["never", "gold"]})))


def test_the_command_line_writes_it_and_says_so(forest, tmp_path):
    _, ship, _, _ = forest
    target = tmp_path / "cli.onnx"
    told = CliRunner().invoke(command, [str(ship.path), "--onnx", "-o", str(target), "--json", "-q"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["metrics"]["flips"] == 0
    assert onnx.load(target).graph.input[0].name in {"plan", "age", "prediction"}
