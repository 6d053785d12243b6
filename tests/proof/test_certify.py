from dataclasses import replace

import msgspec
import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import numpy_helper
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from shiplap.adapters.frameworks.sklearn import date_parts
from shiplap.core.encoding import Category
from shiplap.core.errors import RefusedError, RowError, TableError
from shiplap.proof import certify, lower


def doctored(graph, change):
    """Change the attributes of the tree ensemble, or of whatever node `change` picks."""
    model = onnx.load_from_string(graph)
    for node in model.graph.node:
        change(node)
    return model.SerializeToString()


def kinds(certificate):
    return {kind.name: kind for kind in certificate.kinds}


def test_a_faithful_ship_holds(subject, load_draft):
    certificate = certify(subject, load_draft(subject))
    assert (certificate.flips, certificate.failures, certificate.input_cast) == (0, (), 0.0)
    assert certificate.largest_difference <= 4e-16 < certificate.band < 1e-10
    found = kinds(certificate)
    expected = {
        *("data", "on a threshold", "one ulp below", "one ulp above", "on a threshold, all columns", "missing", "None"),
        *("every category", "unseen category", "empty text", "extreme", "infinite", "date borders", "float32 columns"),
        *("integer columns", "numbers as text", "object columns", "dictionaries", "no rows", "one by one", "made up"),
    }
    assert expected <= set(found)
    assert all(found[name].rows for name in expected - {"no rows"})


def test_float_thresholds_flip_on_thresholds_and_are_caught(subject, load_draft):
    """What the usual converters do: splits rounded to single precision."""

    def narrow(node):
        for attribute in node.attribute:
            if attribute.name == "nodes_splits":
                values = numpy_helper.to_array(attribute.t).astype(np.float32).astype(np.float64)
                attribute.t.CopyFrom(numpy_helper.from_array(values))

    certificate = certify(subject, load_draft(subject, graph=doctored(subject.lowered.graph, narrow)))
    found = kinds(certificate)
    assert certificate.parity == "flips"
    assert found["on a threshold"].flips > 0
    first = certificate.failures[0]
    assert first.node == "output"  # every step of the lowering is right: the graph was changed after it
    assert set(first.values) <= {"price", "count", "color", "at"}
    assert first.original != first.ship


def test_a_wrong_way_for_missing_values_is_caught(subject, load_draft):
    def misled(node):
        for attribute in node.attribute:
            if attribute.name == "nodes_missing_value_tracks_true":
                attribute.ints[:] = [1 - value for value in attribute.ints]

    certificate = certify(subject, load_draft(subject, graph=doctored(subject.lowered.graph, misled)))
    assert kinds(certificate)["missing"].flips > 0


def test_a_wrong_vocabulary_is_caught(subject, load_draft):
    operations = tuple(
        msgspec.structs.replace(operation, categories=operation.categories[::-1])
        if isinstance(operation, Category)
        else operation
        for operation in subject.lowered.encoding.operations
    )
    encoding = msgspec.structs.replace(subject.lowered.encoding, operations=operations)
    certificate = certify(subject, load_draft(subject, encoding=encoding))
    assert kinds(certificate)["every category"].flips > 0
    assert {failure.node for failure in certificate.failures} == {"prepare > category"}


def test_private_columns_are_in_no_failure_and_no_vector(subject, load_draft):
    private = msgspec.structs.replace
    secret = tuple(private(column, private=True) if column.name == "color" else column for column in subject.columns)
    hidden = type(subject)(**{**vars(subject), "columns": secret, "private": frozenset({"color"})})
    encoding = subject.lowered.encoding
    operations = tuple(
        msgspec.structs.replace(operation, categories=operation.categories[::-1])
        if isinstance(operation, Category)
        else operation
        for operation in encoding.operations
    )
    wrong = load_draft(hidden, encoding=msgspec.structs.replace(encoding, operations=operations))
    certificate = certify(hidden, wrong)
    assert certificate.flips
    assert all("color" not in failure.values for failure in certificate.failures)
    place = certificate.vectors.columns.index("color")
    assert not {row[place] for row in certificate.vectors.rows} & {"red", "blue"}


def test_vectors_hold_no_row_of_the_data(subject, load_draft, rows):
    vectors = certify(subject, load_draft(subject)).vectors
    assert len(vectors.rows) == len(vectors.outputs) >= 200
    known = {tuple(row) for row in rows[["price", "count"]].to_numpy().tolist()}
    places = [vectors.columns.index(name) for name in ("price", "count")]
    drawn = [tuple(row[place] for place in places) for row in vectors.rows]
    assert sum(row in known for row in drawn) <= len(drawn) // 50


def test_a_regression_is_judged_in_units_of_its_spread(load_draft):
    X = pd.DataFrame({"a": np.linspace(0, 1e6, 200), "b": np.linspace(-5, 5, 200) ** 2})
    model = Pipeline([("scale", StandardScaler()), ("model", LinearRegression())])
    subject = lower(model.fit(X, 3e6 * X["a"] - X["b"]), X)
    certificate = certify(subject, load_draft(subject))
    assert certificate.flips == 0
    assert certificate.largest_difference <= certificate.band < 1e-10


def test_what_the_original_refuses_is_said_and_skipped(load_draft):
    X = pd.DataFrame({"a": np.linspace(0, 1, 50)})
    subject = lower(LinearRegression().fit(X, X["a"]), X)
    certificate = certify(subject, load_draft(subject))
    assert {"missing (the original refuses)", "infinite (the original refuses)"} <= set(kinds(certificate))
    assert certificate.flips == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_certificate(subject, load_draft, seed):
    scorer = load_draft(subject)
    assert certify(subject, scorer, seed=seed) == certify(subject, scorer, seed=seed)


def test_the_cast_of_single_precision_is_kept_apart(load_draft):
    generator = np.random.default_rng(4)
    X = generator.normal(size=(300, 3)).astype(np.float32)
    subject = lower(LogisticRegression().fit(X, X[:, 0] > 0), X)
    certificate = certify(subject, load_draft(subject))
    assert certificate.flips == 0
    assert 0 < certificate.input_cast < 1e-5
    assert certificate.largest_difference < 1e-12


def prepared(encoder, names, *filler):
    steps = Pipeline([*(("fill", step) for step in filler), ("encode", encoder)])
    columns = ColumnTransformer([("encode", steps, names), ("rest", "passthrough", ["price"])])
    return Pipeline([("prepare", columns), ("model", LogisticRegression())])


def test_filled_texts_keep_an_empty_text_apart_from_a_missing_one(rows, labels, load_draft):
    """The original fills the one and has never seen the other; and it tells None from NaN, which no client does."""
    colors = pd.Series([np.nan if color is None else color for color in rows["color"]], dtype=object)
    frame = rows[["price"]].assign(color=colors)
    filler = SimpleImputer(strategy="constant", fill_value="red")
    model = prepared(OneHotEncoder(handle_unknown="ignore"), ["color"], filler).fit(frame, labels)
    certificate = certify(subject := lower(model, frame), load_draft(subject))
    assert certificate.flips == 0
    assert kinds(certificate)["empty text"].rows


def test_dates_with_a_zone_are_the_same_moments_in_made_up_rows(rows, labels, load_draft):
    frame = rows[["price"]].assign(at=rows["at"].dt.tz_localize("UTC").dt.tz_convert("America/New_York"))
    parts = FunctionTransformer(date_parts, kw_args={"parts": ("hour", "weekday")})
    model = prepared(parts, ["at"]).fit(frame, labels)
    certificate = certify(subject := lower(model, frame), load_draft(subject))
    assert (certificate.flips, kinds(certificate)["made up"].rows) == (0, 2_000)


@pytest.mark.parametrize("encoder", [OneHotEncoder(handle_unknown="ignore"), OrdinalEncoder()], ids=str)
def test_booleans_with_gaps_are_categories_of_objects(rows, labels, load_draft, encoder):
    frame = rows[["price"]].assign(paid=pd.Series([True, False, None] * 200, dtype=object))
    model = prepared(encoder, ["paid"])
    model.steps[-1] = ("model", HistGradientBoostingClassifier(max_iter=3))
    model.set_params(prepare__sparse_threshold=0.0)
    certificate = certify(subject := lower(model.fit(frame, labels), frame), load_draft(subject))
    assert certificate.flips == 0


def test_a_split_that_few_rows_reach_is_tried(load_draft):
    """A split deep in a tree, moved by one unit of single precision alone, is noticed."""
    X = np.random.default_rng(3).random((400, 6))
    model = DecisionTreeRegressor(random_state=0).fit(
        X.astype(np.float32), (X[:, :3] > 0.5) @ [1.0, 2.0, 4.0] + X[:, 3]
    )
    subject = lower(model, X)
    deep = next(index for index, path in enumerate(subject.lowered.paths) if len(path.bounds) > 3)
    assert len(subject.lowered.paths) == (model.tree_.feature >= 0).sum()

    def moved(node):
        for attribute in node.attribute:
            if attribute.name == "nodes_splits":
                values = numpy_helper.to_array(attribute.t).copy()
                values[deep] = np.nextafter(np.float32(values[deep]), np.float32(2))
                attribute.t.CopyFrom(numpy_helper.from_array(values))

    certificate = certify(subject, load_draft(subject, graph=doctored(subject.lowered.graph, moved)))
    assert sum(kind.flips for name, kind in kinds(certificate).items() if name.endswith("led to its node")) > 0


def linear(answers=None):
    rows = pd.DataFrame({"a": np.linspace(-1, 1, 40)})
    model = LinearRegression().fit(rows, 3 * rows["a"])
    subject = lower(model, rows)
    return replace(subject, lowered=replace(subject.lowered, answers=answers)) if answers else subject


def test_a_model_that_sways_by_itself_is_refused_instead_of_widening_the_band(load_draft):
    noise = np.random.default_rng(0)
    subject = linear(lambda rows: noise.normal(size=(len(rows), 1)))
    with pytest.raises(RefusedError, match="when it is asked again"):
        certify(subject, load_draft(subject))


def test_a_model_that_refuses_every_row_of_the_data_proves_nothing(load_draft):
    def refusing(rows):
        raise ValueError("no")

    subject = linear(refusing)
    with pytest.raises(TableError, match="refuses every row"):
        certify(subject, load_draft(subject))


def test_answers_too_large_to_spread_are_still_compared(load_draft):
    subject = linear(lambda rows: rows[["a"]].to_numpy() * 1e308)
    certificate = certify(subject, load_draft(subject))
    assert certificate.scale == 1.0
    assert kinds(certificate)["data"].flips == 40


def test_a_row_that_the_ship_alone_refuses_is_a_flip_even_where_the_answer_is_nan(load_draft, monkeypatch):
    subject = linear(lambda rows: np.where(rows[["a"]].isna(), np.nan, 3 * rows[["a"]]))
    scorer = load_draft(subject)
    answer = scorer.outputs

    def refusing(rows):
        if isinstance(rows, pd.DataFrame) and rows["a"].isna().all() and len(rows):
            raise RowError("row 0: no", row=0, column="a")
        return answer(rows)

    monkeypatch.setattr(scorer, "outputs", refusing)
    assert kinds(certify(subject, scorer))["missing"].flips > 0


def test_rows_that_the_original_refuses_are_counted(load_draft):
    subject = linear()
    refused = kinds(certify(subject, load_draft(subject)))["missing (the original refuses)"]
    assert (refused.rows, refused.refused > 0) == (0, True)
