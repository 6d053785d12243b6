import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

import shiplap as sl
from shiplap.core.errors import DoesNotHoldError, InputError, RefusedError
from shiplap.engineer.deploy import certificate_report, pack, packing


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(5)
    return pd.DataFrame({"age": generator.integers(18, 90, 400), "income": generator.normal(3e4, 1e4, 400).round(2)})


@pytest.fixture(scope="module")
def labels(rows):
    return np.where(rows["income"] + 300 * rows["age"] > 45_000, "yes", "no")


def test_a_ship_answers_as_the_estimator(rows, labels, tmp_path):
    model = RandomForestClassifier(10, random_state=0).fit(rows, labels)
    ship = pack(model, rows, path=tmp_path / "forest.ship")
    assert ship.certificate.flips == 0
    scorer = sl.load(ship.path)
    np.testing.assert_array_equal(scorer.predict(rows), model.predict(rows))
    np.testing.assert_allclose(scorer.predict_proba(rows), model.predict_proba(rows), rtol=0, atol=1e-15)
    assert scorer.predict_row(rows.iloc[0].to_dict()).prediction == model.predict(rows.iloc[:1])[0]
    assert ship.manifest.name == "forest"
    assert sl.verify(ship.path).holds
    assert certificate_report(ship).holds


def test_an_array_becomes_columns_x0_x1(rows, labels, tmp_path):
    model = LogisticRegression(max_iter=1000).fit(rows.to_numpy(), labels)
    ship = pack(model, rows.to_numpy(), path=tmp_path / "array.ship", name="array", lineage={"table": "0" * 64})
    assert ship.signature.names == ("x0", "x1")
    assert (ship.manifest.name, ship.manifest.lineage) == ("array", {"table": "0" * 64})
    np.testing.assert_array_equal(sl.load(ship.path).predict(rows.to_numpy()), model.predict(rows.to_numpy()))


def test_the_bill_of_materials_is_attached(rows, tmp_path):
    ship = pack(Ridge().fit(rows, rows["age"]), rows, path=tmp_path / "ridge.ship")
    named = {one["name"] for one in msgspec.json.decode(ship.evidence["sbom.json"])["components"]}
    assert {"scikit-learn", "onnx", "onnxruntime"} <= named


def test_a_trained_model_with_a_policy_of_its_own(rows, labels, tmp_path):
    table = rows.assign(plan=np.where(labels == "yes", "gold", "basic"), left=labels)
    table.loc[::7, "plan"] = None
    value = {"tp": 80, "fp": -5, "fn": -120}
    model = sl.train(table, target="left", value=value, budget={"train_seconds": 5}, drop=("plan",), seed=1)
    ship = pack(model, sl.read(table), path=tmp_path / "left.ship")
    assert ship.certificate.flips == 0
    assert ship.policy == model.policy
    scorer = sl.load(ship.path)
    proba = model.pipeline.predict_proba(table[list(model.signature.names)].astype("float64"))
    np.testing.assert_allclose(scorer.predict_proba(table), proba, rtol=0, atol=1e-12)
    expected = proba[:, model.policy.positive] >= model.policy.threshold
    np.testing.assert_array_equal(scorer.decide(table), expected)


def test_what_is_refused_leaves_no_file(rows, labels, tmp_path):
    model = Pipeline([("own", FunctionTransformer(lambda X: X)), ("model", LogisticRegression())]).fit(rows, labels)
    with pytest.raises(RefusedError, match=r"^own > FunctionTransformer"):
        pack(model, rows, path=tmp_path / "own.ship")
    with pytest.raises(InputError, match="no folder"):
        pack(model, rows, path=tmp_path / "nowhere" / "own.ship")
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_hold_is_not_written(rows, labels, tmp_path, monkeypatch):
    certify = packing.certify

    def broken(subject, scorer):
        return msgspec.structs.replace(certify(subject, scorer), flips=2, parity="flips")

    monkeypatch.setattr(packing, "certify", broken)
    with pytest.raises(DoesNotHoldError, match=r"2 of .* rows get another answer") as caught:
        pack(LogisticRegression(max_iter=1000).fit(rows, labels), rows, path=tmp_path / "bad.ship")
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []
