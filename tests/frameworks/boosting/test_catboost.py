import json

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoost, CatBoostClassifier, CatBoostRanker, CatBoostRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from shiplap.adapters.frameworks.catboost import emit, read_model
from shiplap.adapters.frameworks.catboost.files import load
from shiplap.core.errors import InputError, RefusedError, TableError
from shiplap.engineer.deploy import pack
from shiplap.scoring import load as load_ship

PLAIN = {"iterations": 12, "depth": 3, "thread_count": 1, "verbose": 0, "allow_writing_files": False, "random_seed": 0}


def model(kind, target, **options):
    text = ", ".join(str(value) if key == "loss_function" else f"{key}={value}" for key, value in options.items())
    name = f"{kind.__name__} {text}, {target}" if target in {"texts", "classes"} else f"{kind.__name__} {text}"
    return pytest.param(kind, target, options, name.replace(" ,", ",").strip(), id=f"{kind.__name__}-{text}")


MODELS = [
    model(CatBoostClassifier, "binary"),
    model(CatBoostClassifier, "texts"),
    model(CatBoostClassifier, "classes"),
    model(CatBoostClassifier, "binary", loss_function="CrossEntropy"),
    model(CatBoostClassifier, "classes", loss_function="MultiClassOneVsAll"),
    model(CatBoostClassifier, "labels", loss_function="MultiLogloss"),
    model(CatBoostClassifier, "binary", nan_mode="Max"),
    model(CatBoostClassifier, "binary", auto_class_weights="Balanced"),
    model(CatBoostClassifier, "classes", grow_policy="Depthwise"),
    model(CatBoostClassifier, "binary", grow_policy="Lossguide", max_leaves=9),
    model(CatBoostClassifier, "binary", boosting_type="Ordered"),
    *(
        model(CatBoostRegressor, "positive", loss_function=loss)
        for loss in (
            *("RMSE", "MAE", "Quantile:alpha=0.3", "LogLinQuantile:alpha=0.3", "Poisson", "MAPE", "Huber:delta=1"),
            *("Tweedie:variance_power=1.5", "Expectile:alpha=0.3", "Lq:q=3", "Cox", "LogCosh"),
            *("RMSEWithUncertainty", "MultiQuantile:alpha=0.1,0.9"),
        )
    ),
    model(CatBoostRegressor, "several", loss_function="MultiRMSE"),
    model(CatBoostRegressor, "interval", loss_function="SurvivalAft:dist=Normal"),
    model(CatBoostRegressor, "score", grow_policy="Lossguide"),
    *(model(CatBoostRanker, "binary", loss_function=loss) for loss in ("YetiRank", "PairLogit", "QueryRMSE")),
    model(CatBoost, "binary", loss_function="Logloss"),
    model(CatBoost, "score", loss_function="RMSE"),
]


@pytest.mark.parametrize(("kind", "target", "options", "name"), MODELS)
def test_every_loss_and_mode_is_proven(kind, target, options, name, rows, targets, proven):
    fitted = CatBoost({**PLAIN, **options}) if kind is CatBoost else kind(**PLAIN, **options)
    groups = {"group_id": np.repeat(np.arange(30), 10)} if kind is CatBoostRanker else {}
    fitted.fit(rows, targets[target], **groups)
    subject = proven(fitted, rows, name)
    assert set(subject.lowered.thresholds) <= set(rows.columns)


def test_missing_values_without_any_in_training_are_low(rows, targets, proven):
    fitted = CatBoostClassifier(**PLAIN).fit(rows.fillna(0.5), targets["binary"])
    proven(fitted, rows, "CatBoostClassifier no gaps in training")


def test_scale_bias_best_iteration_and_threshold_are_followed(rows, targets, proven):
    scaled = CatBoostRegressor(**PLAIN).fit(rows, targets["score"])
    scaled.set_scale_and_bias(2.5, 1.3)
    proven(scaled, rows, "CatBoostRegressor set_scale_and_bias")
    stopped = CatBoostClassifier(**{**PLAIN, "iterations": 100}, early_stopping_rounds=3)
    stopped.fit(rows[:200], targets["binary"][:200], eval_set=(rows[200:], targets["binary"][200:]))
    assert stopped.tree_count_ < 100
    proven(stopped, rows, "CatBoostClassifier early stopped")
    stopped.set_probability_threshold(0.3)
    subject = proven(stopped, rows, "CatBoostClassifier set_probability_threshold")
    assert subject.policy.threshold == np.nextafter(0.3, 1)


@pytest.fixture(scope="module")
def mixed(rows):
    """Rows with categories of texts, odd and empty ones among them, of integers and of booleans."""
    generator = np.random.default_rng(2)
    n = 600
    frame = pd.DataFrame(
        {
            "k": generator.choice(["ü", "v", "w x", 'y"\\', ""], n).astype(object),
            "a": generator.normal(size=n),
            "s": generator.choice(["p", "q", "r"], n).astype(object),
            "i": generator.integers(-1, 4, n),
            "t": generator.random(n) < 0.5,
        }
    )
    score = 3.0 * (frame["k"].isin(["ü", "v"]) ^ (frame["s"] == "p")) + (frame["i"] == 2) * frame["t"]
    return frame, score + 3 * (frame["a"] > 0) * (frame["k"] == "w x") + generator.normal(size=n) * 0.3


CATEGORICAL = ["k", "s", "i", "t"]
WAYS = {
    "one-hot": {"one_hot_max_size": 10},
    "statistics of one feature": {"max_ctr_complexity": 1},
    "statistics of several features": {"max_ctr_complexity": 4},
    "statistics beside one-hot": {"max_ctr_complexity": 4, "one_hot_max_size": 3},
    "every kind of statistic": {
        "max_ctr_complexity": 2,
        "simple_ctr": ["Borders", "Buckets", "Counter", "BinarizedTargetMeanValue"],
        "combinations_ctr": ["Borders", "Buckets", "Counter", "BinarizedTargetMeanValue"],
    },
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["regression", "classes"])
def test_categories_are_proven(way, kind, mixed, proven):
    frame, score = mixed
    truth = score if kind == "regression" else np.digitize(score, [1, 3])
    make = CatBoostRegressor if kind == "regression" else CatBoostClassifier
    fitted = make(**{**PLAIN, "iterations": 20, "depth": 4}, cat_features=CATEGORICAL, **WAYS[way]).fit(frame, truth)
    proven(fitted, frame, f"{make.__name__} {way}", thresholds=False)
    if "several" in way:
        used = read_model(fitted, {column: ["0"] for column in (0, 2, 3, 4)}).statistics
        assert max(len(one.columns) + len(one.bins) for one in used) > 1


def test_columns_of_pandas_category_type_are_proven(mixed, proven):
    frame, score = mixed
    typed = frame.astype({"k": "category", "s": "category"})
    fitted = CatBoostRegressor(**PLAIN, cat_features=CATEGORICAL).fit(typed, score)
    proven(fitted, typed, "CatBoostRegressor pandas categories", thresholds=False)


@pytest.mark.parametrize("kind", ["pipeline", "calibrated", "voting"])
def test_it_is_a_part_of_scikit_learn_estimators(kind, rows, targets, proven):
    inner, other = CatBoostClassifier(**PLAIN), HistGradientBoostingClassifier(max_iter=4)
    frame = rows.assign(t=np.where(rows["n"] > 0, "up", "down").astype(object))
    prepare = make_column_transformer((StandardScaler(), ["a", "b", "c"]), (OneHotEncoder(), ["t"]))
    fitted = {
        "pipeline": make_pipeline(prepare, inner),
        "calibrated": CalibratedClassifierCV(inner, cv=2),
        "voting": VotingClassifier([("one", inner), ("two", other)], voting="soft"),
    }[kind]
    X = frame if kind == "pipeline" else rows
    proven(fitted.fit(X, targets["binary"]), X)


@pytest.mark.parametrize("ending", ["cbm", "json"])
@pytest.mark.parametrize(
    ("kind", "target"), [(CatBoostClassifier, "texts"), (CatBoostRegressor, "positive"), (CatBoostRanker, "binary")]
)
def test_model_files_are_read_as_what_their_loss_makes_of_them(ending, kind, target, rows, targets, proven, tmp_path):
    loss = {"loss_function": "Poisson"} if kind is CatBoostRegressor else {}
    groups = {"group_id": np.repeat(np.arange(30), 10)} if kind is CatBoostRanker else {}
    fitted = kind(**PLAIN, **loss).fit(rows, targets[target], **groups)
    path = tmp_path / f"model.{ending}"
    fitted.save_model(str(path), format=ending)
    read = load(path)
    assert type(read) is kind
    told, known = np.ravel(read.predict(rows)), np.ravel(fitted.predict(rows))
    if target == "texts":
        np.testing.assert_array_equal(told, known)
    else:  # the library itself reads numbers of its JSON to some 15 digits
        np.testing.assert_allclose(told, known, rtol=1e-14, atol=1e-15)
    proven(read, rows, f"{kind.__name__} from a .{ending} file")


def test_a_file_of_another_kind_is_refused(tmp_path):
    for name, content in (("a.json", json.dumps([1]).encode()), ("b.cbm", b"\x80\x04nothing"), ("c.cbm", b"")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError, match=f"{name} is no CatBoost model"):
            load(path)


def test_what_cannot_be_lowered_is_refused_with_a_reason(mixed, rows, targets, proven, covered):
    frame, score = mixed
    fitted = CatBoostRegressor(**PLAIN, cat_features=CATEGORICAL).fit(frame, score)
    inside = make_pipeline(
        make_column_transformer(("passthrough", ["s", "a"])), CatBoostRegressor(**PLAIN, cat_features=[0])
    ).fit(frame, score)
    texts = CatBoostClassifier(**PLAIN, text_features=["s"])
    texts.fit(frame[["s", "a"]].assign(s=frame["s"] + " and more"), score > 2)
    refused = {
        "categories that the rows do not hold": (fitted, frame[:2], "has categories that the given rows do not hold"),
        "categories inside a pipeline": (inside, frame, "its categories are known by hash only"),
        "text features": (texts, frame, "it reads texts or embeddings"),
    }
    for name, (one, X, reason) in refused.items():
        with pytest.raises(RefusedError, match=reason):
            proven(one, X)
        covered("catboost", name, "refused", reason=reason)
    with pytest.raises(RefusedError, match="CatBoostRegressor is not fitted"):
        proven(CatBoostRegressor(), rows)
    with pytest.raises(TableError, match="the data has no column 'c'"):
        proven(CatBoostRegressor(**PLAIN).fit(rows, targets["score"]), rows[["a", "b", "n"]])


def test_a_statistic_of_too_many_combinations_is_refused(mixed, proven, monkeypatch):
    frame, score = mixed
    fitted = CatBoostRegressor(**PLAIN, cat_features=CATEGORICAL, max_ctr_complexity=1).fit(frame, score)
    monkeypatch.setattr(emit, "_LARGEST", 5)
    with pytest.raises(RefusedError, match="a statistic of 1 features at once has 6 combinations"):
        proven(fitted, frame)


def test_a_ship_answers_without_the_library(mixed, tmp_path):
    frame, score = mixed
    fitted = CatBoostClassifier(**PLAIN, cat_features=CATEGORICAL).fit(frame, score > 2)
    ship = pack(fitted, frame, path=tmp_path / "x.ship")
    row = {"k": "never seen", "a": 0.25, "s": "p", "i": 2, "t": True}
    answer = load_ship(ship.path).predict_row(row)
    expected = fitted.predict_proba(pd.DataFrame([row]))[0]
    np.testing.assert_allclose(answer.probabilities, expected, rtol=0, atol=1e-15)
