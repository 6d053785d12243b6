import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor, early_stopping
from sklearn.calibration import CalibratedClassifierCV

from shiplap.adapters.frameworks import framework_of
from shiplap.adapters.frameworks.lightgbm import read_booster
from shiplap.adapters.runtimes import runtimes
from shiplap.scoring import Encoder

PLAIN = {"n_estimators": 20, "verbose": -1, "n_jobs": 1, "min_child_samples": 5}
ZONE = float(np.float32(1e-35))
NUMBERS = ["height", "price", "count"]

MODELS = [
    (LGBMClassifier(**PLAIN), "binary"),
    (LGBMClassifier(**PLAIN), "texts"),
    (LGBMClassifier(**PLAIN), "multiclass"),
    (LGBMClassifier(**PLAIN, objective="multiclassova"), "multiclass"),
    (LGBMClassifier(**PLAIN, sigmoid=1.7), "binary"),
    (LGBMClassifier(**PLAIN, boosting_type="dart"), "binary"),
    (LGBMClassifier(**PLAIN, boosting_type="rf", subsample=0.5, subsample_freq=1), "binary"),
    (LGBMClassifier(**PLAIN, use_missing=False), "binary"),
    (LGBMClassifier(**PLAIN, zero_as_missing=True), "binary"),
    (LGBMRegressor(**PLAIN), "regression"),
    (LGBMRegressor(**PLAIN, reg_sqrt=True), "regression"),
    *((LGBMRegressor(**PLAIN, objective=name), "positive") for name in ("poisson", "tweedie", "gamma")),
    *((LGBMRegressor(**PLAIN, objective=name), "regression") for name in ("l1", "quantile", "huber", "fair", "mape")),
]


def run(model, X, rows):
    framework = framework_of(model)
    frame, columns = framework.sample(X, model)
    lowered = framework.lower(model, frame, columns)
    return framework.outputs(model, rows), runtimes.get("onnxruntime")(lowered.graph).run(rows.to_numpy())


@pytest.mark.parametrize(("model", "target"), MODELS, ids=lambda value: str(value)[:70])
def test_every_objective_and_mode(model, target, rows, targets, difference):
    assert difference(model.fit(rows[NUMBERS], targets[target]), rows[NUMBERS]) <= 1e-14


@pytest.mark.parametrize("options", [{}, {"zero_as_missing": True}, {"use_missing": False}], ids=str)
@pytest.mark.parametrize("holes", [False, True])
def test_zero_missing_and_the_zone_around_zero(options, holes):
    """LightGBM reads all of [-1e-35, 1e-35] as 0, and NaN as 0 where it never was missing."""
    generator = np.random.default_rng(3)
    frame = pd.DataFrame(generator.choice([-2.0, -1.0, 0.0, 0.0, 1.0, 3.0], (600, 3)), columns=list("abc"))
    if holes:
        frame = frame.mask(generator.random(frame.shape) < 0.2)
    target = (frame["a"].fillna(0.5) > 0).astype(int) + frame["b"].fillna(-1)
    model = LGBMRegressor(**PLAIN, **options).fit(frame, target)
    edges = [0.0, -0.0, ZONE, -ZONE, 5e-324, -5e-324, 1e-36, np.nan, np.inf, -np.inf]
    edges += [np.nextafter(edge, side) for edge in (ZONE, -ZONE) for side in (-1.0, 1.0)]
    rows = pd.DataFrame({"a": edges, "b": edges[::-1], "c": edges})
    theirs, ours = run(model, frame, rows)
    np.testing.assert_array_equal(ours, theirs)


def test_native_categories_by_pandas_and_by_number(rows, targets, difference):
    frame = rows[["price", "color", "shape"]].astype({"color": "category", "shape": "category"})
    assert difference(LGBMClassifier(**PLAIN).fit(frame, targets["binary"]), frame) <= 1e-15
    codes = rows[["price", "count"]].astype("float64")
    model = LGBMClassifier(**PLAIN).fit(codes, targets["binary"], categorical_feature=["count"])
    odd = pd.DataFrame({"price": 0.5, "count": [0.0, 1.9, 2.0, -0.5, -1.0, 7.0, 1e9, np.nan, 4.999]})
    framework = framework_of(model)
    frame, columns = framework.sample(codes, model)
    lowered = framework.lower(model, frame, columns)
    assert any(decision & 1 for tree in read_booster(model.booster_).trees for decision in tree.decision)
    ours = runtimes.get("onnxruntime")(lowered.graph).run(Encoder(lowered.encoding).matrix(odd))
    np.testing.assert_allclose(ours, framework.outputs(model, odd), rtol=0, atol=1e-15)


def test_early_stopping_keeps_the_best_iteration(rows, targets, difference):
    X, y = rows[NUMBERS], targets["binary"]
    model = LGBMClassifier(**{**PLAIN, "n_estimators": 300})
    model.fit(X[:400], y[:400], eval_X=X[400:], eval_y=y[400:], callbacks=[early_stopping(5, verbose=False)])
    assert model.best_iteration_ < 300
    assert len(read_booster(model.booster_).trees) == model.best_iteration_
    assert difference(model, X) <= 1e-15


def test_a_constant_tree_is_one_leaf(difference):
    X = pd.DataFrame({"a": np.arange(60.0)})
    model = LGBMRegressor(n_estimators=3, verbose=-1, min_child_samples=50).fit(X, np.arange(60.0) % 2)
    assert difference(model, X) <= 1e-15


def test_margins_are_calibrated(rows, targets, difference):
    forest = LGBMClassifier(**PLAIN, boosting_type="rf", subsample=0.5, subsample_freq=1)
    model = CalibratedClassifierCV(forest, cv=2).fit(rows[NUMBERS].to_numpy(), targets["binary"])
    assert difference(model, rows[NUMBERS].to_numpy()) <= 1e-15


def test_blanks_in_names_are_found_again(rows, targets, difference):
    named = rows[["price", "count"]].set_axis(["the price", "count"], axis=1)
    assert difference(LGBMClassifier(**PLAIN).fit(named, targets["binary"]), named) <= 1e-15
