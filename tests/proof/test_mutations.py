"""Ships that are changed a little after they were lowered: the certificate finds every change that an answer shows."""

import msgspec
import numpy as np
import onnx
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from onnx import helper, numpy_helper
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, StackingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from shiplap.core.encoding import Category
from shiplap.proof import certify, lower

RANDOM = np.random.default_rng(0)
ROWS = pd.DataFrame(RANDOM.normal(size=(150, 3)).round(3), columns=list("abc"))
GAPS = ROWS.mask(RANDOM.random(ROWS.shape) < 0.1)
LABELS = (ROWS["a"] + ROWS["b"] ** 2 > 1).astype(int).to_numpy()
WORDS = np.array(["call", "now", "free", "win", "ship", "hull", "keel", "mast"])
TEXTS = [" ".join(RANDOM.choice(WORDS, 5)) for _ in range(60)]
FREE = [int("free" in text) for text in TEXTS]
COLORS = pd.DataFrame({"color": RANDOM.choice(np.array(["red", "blue", None], dtype=object), 150), "a": ROWS["a"]})

MODELS = {
    "LightGBM": (lambda: LGBMClassifier(n_estimators=4, verbose=-1, n_jobs=1), GAPS, LABELS),
    "RandomForest": (lambda: RandomForestClassifier(3, max_depth=5, random_state=0), ROWS, LABELS),
    "HistGradientBoosting": (lambda: HistGradientBoostingClassifier(max_iter=4), GAPS, LABELS),
    "KNN": (lambda: KNeighborsClassifier(3), ROWS, LABELS),
    "SVC": (SVC, ROWS, LABELS),
    "texts": (lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()), TEXTS, FREE),
    "MLP": (lambda: make_pipeline(StandardScaler(), MLPClassifier((4,), tol=1.0, random_state=0)), ROWS, LABELS),
    "KMeans": (lambda: KMeans(3, n_init=1, random_state=0), ROWS, None),
    "stack": (
        lambda: StackingClassifier([("tree", DecisionTreeClassifier(max_depth=3)), ("l", LogisticRegression())], cv=2),
        ROWS,
        LABELS,
    ),
    "codes": (
        lambda: make_pipeline(
            make_column_transformer(
                (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["color"]),
                remainder="passthrough",
            ),
            HistGradientBoostingClassifier(max_iter=4),
        ),
        COLORS,
        COLORS["color"] != "blue",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def subjects():
    made = {}

    def subject(name):
        if name not in made:
            make, rows, labels = MODELS[name]
            made[name] = lower(make().fit(rows, labels), rows)
        return made[name]

    return subject


def one_number(graph, which, change, place=0):
    """Change one number of the graph: of the tree ensemble's tensor of that name, or of the constant picked."""
    model = onnx.load_from_string(graph)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    tensors |= {part.name: part.t for node in model.graph.node for part in node.attribute if part.HasField("t")}
    tensor = tensors[which] if isinstance(which, str) else next(filter(which, tensors.values()))
    values = numpy_helper.to_array(tensor).copy()
    values.flat[place] = change(values.flat[place])
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return model.SerializeToString()


def weights(shape):
    """Pick the first constant of doubles of that shape."""
    return lambda tensor: tensor.data_type == onnx.TensorProto.DOUBLE and tuple(tensor.dims) == shape


def slightly(value):
    return value * (1 + 1e-6)


def up_single(value):
    return np.float64(np.nextafter(np.float32(value), np.float32(np.inf)))


def misled(graph):
    """Send missing values the other way at the root of a tree."""
    model = onnx.load_from_string(graph)
    for node in model.graph.node:
        for part in node.attribute:
            if part.name == "nodes_missing_value_tracks_true":
                part.ints[5] = 1 - part.ints[5]
    return model.SerializeToString()


def swapped(graph, width):
    """Give the first two columns of the answer in the wrong order."""
    model = onnx.load_from_string(graph)
    (output,) = model.graph.output
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = ["unswapped" if name == output.name else name for name in names]
    order = np.eye(width)[[1, 0, *range(2, width)]]
    model.graph.initializer.append(numpy_helper.from_array(order, "order"))
    model.graph.node.append(helper.make_node("MatMul", ["unswapped", "order"], [output.name]))
    return model.SerializeToString()


CHANGES = [
    (
        "LightGBM",
        "a split one ulp up",
        lambda graph: one_number(graph, "nodes_splits", lambda v: np.nextafter(v, 9), 5),
    ),
    ("LightGBM", "the last split", lambda graph: one_number(graph, "nodes_splits", lambda v: np.nextafter(v, -9), -1)),
    ("LightGBM", "a leaf", lambda graph: one_number(graph, "leaf_weights", slightly, 3)),
    ("LightGBM", "missing values", misled),
    ("RandomForest", "a split one single ulp up", lambda graph: one_number(graph, "nodes_splits", up_single)),
    ("HistGradientBoosting", "a leaf", lambda graph: one_number(graph, "leaf_weights", slightly, 1)),
    ("HistGradientBoosting", "missing values", misled),
    ("SVC", "a coordinate", lambda graph: one_number(graph, lambda t: len(t.dims) == 2 and t.dims[1] > 9, slightly, 5)),
    ("texts", "an idf", lambda graph: one_number(graph, weights((8,)), slightly, 2)),
    ("texts", "a weight", lambda graph: one_number(graph, weights((8, 1)), slightly, 5)),
    ("MLP", "a weight", lambda graph: one_number(graph, weights((3, 4)), slightly, 7)),
    ("KMeans", "a center", lambda graph: one_number(graph, weights((3, 3)), slightly, 4)),
    ("stack", "a weight", lambda graph: one_number(graph, weights((2, 1)), slightly)),
]


@pytest.mark.parametrize(("name", "change"), [pytest.param(n, c, id=f"{n}: {what}") for n, what, c in CHANGES])
def test_a_small_change_of_the_graph_is_found(subjects, load_draft, name, change):
    subject = subjects(name)
    certificate = certify(subject, load_draft(subject, graph=change(subject.lowered.graph)))
    assert certificate.flips > 0
    assert certificate.failures


@pytest.mark.parametrize("name", list(MODELS))
def test_classes_in_the_wrong_order_are_found(subjects, load_draft, name):
    subject = subjects(name)
    graph = swapped(subject.lowered.graph, subject.signature.n_outputs)
    assert certify(subject, load_draft(subject, graph=graph)).flips > 0


@pytest.mark.parametrize("name", list(MODELS))
def test_the_unchanged_graph_holds(subjects, load_draft, name):
    subject = subjects(name)
    certificate = certify(subject, load_draft(subject))
    assert (certificate.flips, certificate.band < 1e-9) == (0, True)
    assert len(certificate.vectors.rows) >= 100


def test_unseen_categories_taken_for_missing_ones_are_found(subjects, load_draft):
    subject = subjects("codes")

    def taken(operation):
        if not isinstance(operation, Category):
            return operation
        return msgspec.structs.replace(operation, if_unseen=operation.if_missing)

    operations = tuple(map(taken, subject.lowered.encoding.operations))
    encoding = msgspec.structs.replace(subject.lowered.encoding, operations=operations)
    assert encoding != subject.lowered.encoding
    assert certify(subject, load_draft(subject, encoding=encoding)).flips > 0
