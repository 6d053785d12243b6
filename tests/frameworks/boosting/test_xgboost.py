import json
import warnings

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier, VotingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRanker, XGBRegressor, XGBRFClassifier, XGBRFRegressor

from shiplap.adapters.frameworks import Ask
from shiplap.adapters.frameworks.xgboost import read_booster
from shiplap.adapters.frameworks.xgboost.files import load
from shiplap.adapters.frameworks.xgboost.ubjson import decode
from shiplap.core.errors import InputError, RefusedError, TableError
from shiplap.engineer.deploy import pack
from shiplap.scoring import load as load_ship

PLAIN = {"n_estimators": 12, "max_depth": 3, "n_jobs": 1}
# One unit of single precision beside the library's own exponential; sums and comparisons are exact.
ONE_ULP = 2.4e-7
EXACT = (
    "squared",
    "absolute",
    "quantile",
    "pseudohuber",
    "logitraw",
    "hinge",
    "rank",
    "multi_output",
    "custom",
    "base",
    "dart",
    "lossguide",
    "exact",
)


def model(kind, target, **options):
    name = next((str(options[key]) for key in ("objective", "booster", "multi_strategy") if key in options), "default")
    rest = "".join(f", {key}={value}" for key, value in options.items() if str(value) != name and not callable(value))
    name = getattr(options.get("objective"), "__name__", name)
    return pytest.param(kind, target, options, f"{kind.__name__} {name}{rest}", id=f"{kind.__name__}-{name}{rest}")


def custom(truth, score):
    return score - truth, np.ones_like(truth)


MODELS = [
    model(XGBClassifier, "binary", objective="binary:logistic"),
    model(XGBClassifier, "binary", objective="binary:hinge"),
    model(XGBClassifier, "binary", objective="binary:logitraw"),
    model(XGBClassifier, "classes", objective="multi:softprob"),
    model(XGBClassifier, "classes", objective="multi:softmax"),
    model(XGBClassifier, "labels", objective="binary:logistic", max_depth=3),
    *(
        model(XGBRegressor, "positive", objective=name)
        for name in (
            *("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror", "reg:gamma"),
            *("reg:tweedie", "count:poisson", "survival:cox"),
        )
    ),
    model(XGBRegressor, "binary", objective="reg:logistic"),
    model(XGBRegressor, "score", objective="reg:quantileerror", quantile_alpha=0.3),
    model(XGBRegressor, "score", objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9]),
    model(XGBRegressor, "several", objective="reg:squarederror", max_depth=3),
    model(XGBRegressor, "several", multi_strategy="multi_output_tree"),
    *(model(XGBRanker, "binary", objective=f"rank:{name}") for name in ("ndcg", "pairwise", "map")),
    model(XGBRFClassifier, "binary"),
    model(XGBRFClassifier, "classes"),
    model(XGBRFRegressor, "score"),
    model(XGBClassifier, "classes", num_parallel_tree=3),
    model(XGBClassifier, "binary", booster="dart", rate_drop=0.3),
    model(XGBRegressor, "score", booster="dart", rate_drop=0.3, normalize_type="forest"),
    model(XGBRegressor, "score", base_score=7.7),
    model(XGBClassifier, "binary", base_score=0.13),
    model(XGBRegressor, "score", grow_policy="lossguide", max_leaves=9),
    model(XGBRegressor, "score", tree_method="exact", gamma=5.0),
    model(XGBRegressor, "score", tree_method="approx"),
    model(XGBRegressor, "score", objective=custom),
]


@pytest.mark.parametrize(("kind", "target", "options", "name"), MODELS)
def test_every_objective_and_mode_is_proven(kind, target, options, name, rows, targets, proven):
    groups = {"qid": np.repeat(np.arange(30), 10)} if kind is XGBRanker else {}
    fitted = kind(**{**PLAIN, **options}).fit(rows, targets[target], **groups)
    exact = any(word in name for word in EXACT) and "softprob" not in name and "logistic" not in name
    proven(fitted, rows, name, limit=0 if exact and kind is not XGBClassifier else ONE_ULP)


@pytest.mark.parametrize("target", ["score", "binary", "classes"])
def test_a_linear_booster_is_proven(target, rows, targets, proven):
    kind = XGBRegressor if target == "score" else XGBClassifier
    fitted = kind(n_estimators=20, n_jobs=1, booster="gblinear").fit(rows, targets[target])
    proven(
        fitted,
        rows,
        f"{kind.__name__} gblinear{', many classes' if target == 'classes' else ''}",
        limit=ONE_ULP,
        thresholds=False,
    )


@pytest.mark.parametrize(
    ("objective", "target", "more"),
    [
        ("reg:absoluteerror", "score", {"booster": "dart", "rate_drop": 0.3}),
        ("binary:logistic", "binary", {}),
        ("binary:hinge", "binary", {}),
        ("multi:softprob", "classes", {"num_class": 3}),
        ("multi:softmax", "classes", {"num_class": 3}),
        ("reg:squarederror", "score", {}),
        ("survival:aft", "interval", {}),
        ("rank:pairwise", "binary", {}),
    ],
)
def test_a_bare_booster_is_proven(objective, target, more, rows, targets, proven):
    truth = targets[target]
    data = xgboost.DMatrix(rows, None if truth.ndim == 2 else truth)
    if truth.ndim == 2:
        data.set_float_info("label_lower_bound", truth[:, 0])
        data.set_float_info("label_upper_bound", truth[:, 1])
    booster = xgboost.train({"objective": objective, "nthread": 1, "max_depth": 4, **more}, data, 15)
    subject = proven(booster, rows, f"Booster {objective}", limit=ONE_ULP)
    classes = {"binary": (0, 1), "classes": (0, 1, 2)}.get(target, ()) if "rank" not in objective else ()
    assert subject.lowered.classes == classes


def test_a_bare_booster_takes_names_of_its_classes(rows, targets, proven):
    data = xgboost.DMatrix(rows.to_numpy(), targets["binary"])
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 5)
    subject = proven(booster, rows.to_numpy(), limit=ONE_ULP, ask=Ask(classes=("no", "yes")))
    assert subject.signature.classes == ("no", "yes")
    assert subject.signature.names == ("x0", "x1", "x2", "x3")
    with pytest.raises(InputError, match="tells 2 classes apart, and 3 names are given"):
        proven(booster, rows.to_numpy(), ask=Ask(classes=("a", "b", "c")))


def test_rows_on_single_precision_thresholds_go_as_the_library_sends_them(rows, targets, proven):
    fitted = XGBRegressor(**PLAIN).fit(rows, targets["score"])
    subject = proven(fitted, rows, limit=0)
    tree = read_booster(fitted.get_booster()).trees[0]
    place = next(node for node, left in enumerate(tree.left) if left >= 0 and tree.feature[node] in {0, 2})
    limit, column = tree.threshold[place], rows.columns[tree.feature[place]]
    under = np.nextafter(limit, np.float32(-np.inf))
    middle = (float(limit) + float(under)) / 2
    tried = subject.lowered.thresholds[column]
    assert {float(limit), float(under)} <= set(tried.tolist())
    assert np.abs(tried - middle).min() <= np.spacing(abs(middle))


@pytest.mark.parametrize("stands", [-999.0, 2.0, 0.1])
def test_a_number_that_stands_for_missing_is_compared_in_single_precision(stands, rows, targets, proven):
    frame = rows.fillna(stands).assign(b=rows["b"].replace(2.0, stands))
    frame["d"] = [np.nextafter(stands, side) for side in (-np.inf, np.inf, 0.0)] * 100
    fitted = XGBClassifier(**PLAIN, missing=stands).fit(frame, targets["binary"])
    proven(fitted, frame, f"XGBClassifier missing={stands}", limit=ONE_ULP)


@pytest.fixture(scope="module")
def categories(rows):
    generator = np.random.default_rng(2)
    frame = rows.assign(
        k=pd.Categorical(generator.choice(["u", "v", "w x", "y", "z"], len(rows))),
        m=pd.Categorical(generator.choice([1, 2, 30], len(rows))),
    )
    frame.loc[::11, "k"] = None
    return frame


@pytest.mark.parametrize("most", [1, 10], ids=["sets", "one-hot"])
@pytest.mark.parametrize("bare", [False, True])
def test_native_categories_are_those_that_the_model_remembers(most, bare, categories, targets, proven):
    truth = (targets["score"] + 2 * categories["k"].cat.codes > 4).astype(int)
    options = {"max_cat_to_onehot": most, "max_depth": 4}
    if bare:
        data = xgboost.DMatrix(categories, truth, enable_categorical=True)
        fitted = xgboost.train({"objective": "binary:logistic", "nthread": 1, **options}, data, 15)
    else:
        fitted = XGBClassifier(**{**PLAIN, **options}, enable_categorical=True).fit(categories, truth)
    other = categories.assign(k=categories["k"].cat.reorder_categories(["z", "y", "w x", "v", "u"]))
    subject = proven(
        fitted, other, f"{type(fitted).__name__} categories {'one by one' if most > 1 else 'by sets'}", limit=ONE_ULP
    )
    by_column = {operation.column: operation for operation in subject.lowered.encoding.operations}
    assert by_column["k"].categories == ("u", "v", "w x", "y", "z")
    assert by_column["m"].categories == (1.0, 2.0, 30.0)


def test_codes_of_categories_lose_their_fraction(rows, targets, proven):
    codes = rows.fillna(0)[["a", "b"]].to_numpy()
    fitted = XGBClassifier(**PLAIN, enable_categorical=True, max_cat_to_onehot=1, feature_types=["q", "c"])
    fitted.fit(codes, targets["binary"])
    odd = np.vstack([codes, [[0.1, value] for value in (1.5, -0.5, -3.0, 4.0 - 2.0**-30, 7.0, 3e6, np.nan)]])
    proven(fitted, odd, "XGBClassifier feature_types=c", limit=ONE_ULP)


def test_an_early_stopped_estimator_answers_with_its_best_iteration(rows, targets, proven):
    fitted = XGBClassifier(**{**PLAIN, "n_estimators": 200}, early_stopping_rounds=3)
    fitted.fit(rows[:200], targets["binary"][:200], eval_set=[(rows[200:], targets["binary"][200:])], verbose=False)
    best = proven(fitted, rows, "XGBClassifier early stopped", limit=ONE_ULP)
    whole = proven(fitted.get_booster(), rows, limit=ONE_ULP)
    assert fitted.best_iteration + 1 < fitted.get_booster().num_boosted_rounds()
    assert len(best.lowered.graph) < len(whole.lowered.graph)


@pytest.mark.parametrize("kind", ["pipeline", "calibrated", "voting", "stacking"])
def test_it_is_a_part_of_scikit_learn_estimators(kind, rows, targets, proven):
    inner, other = XGBClassifier(**PLAIN), HistGradientBoostingClassifier(max_iter=4)
    frame = rows.assign(t=np.where(rows["n"] > 0, "up", "down").astype(object))
    prepare = make_column_transformer((StandardScaler(), ["a", "b", "c"]), (OneHotEncoder(), ["t"]))
    fitted = {
        "pipeline": make_pipeline(prepare, inner),
        "calibrated": CalibratedClassifierCV(inner, cv=2),
        "voting": VotingClassifier([("one", inner), ("two", other)], voting="soft"),
        "stacking": StackingClassifier([("one", inner), ("two", other)], cv=2),
    }[kind]
    X = frame if kind == "pipeline" else rows
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        fitted.fit(X, targets["binary"])
    proven(fitted, X, limit=ONE_ULP)


@pytest.mark.parametrize("ending", ["json", "ubj"])
@pytest.mark.parametrize("bare", [False, True])
def test_model_files_are_read_as_what_wrote_them(ending, bare, rows, targets, proven, tmp_path):
    fitted = XGBClassifier(**PLAIN).fit(rows, targets["classes"])
    path = tmp_path / f"model.{ending}"
    booster = fitted.get_booster()
    if bare:
        booster.set_attr(scikit_learn=None)
    (booster if bare else fitted).save_model(path)
    read = load(path)
    assert type(read) is (xgboost.Booster if bare else XGBClassifier)
    proven(read, rows, f"{type(read).__name__} from a .{ending} file", limit=ONE_ULP)


def test_a_file_of_another_kind_is_refused(tmp_path):
    for name, content in (("a.json", b"{}"), ("b.ubj", b"\x80\x04nothing"), ("c.json", json.dumps([1]).encode())):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError, match=f"{name} is no XGBoost model"):
            load(path)


DAMAGE = {
    "children of nodes": lambda tree: tree["left_children"].__setitem__(0, 999),
    "features of nodes": lambda tree: tree["split_indices"].__setitem__(0, 999),
    "nodes": lambda tree: tree["parents"].pop(),
    "categories of nodes": lambda tree: tree.update(
        categories=[1], categories_nodes=[0], categories_segments=[0], categories_sizes=[99]
    ),
    "a part": lambda tree: tree.pop("default_left"),
}


@pytest.mark.parametrize("part", DAMAGE)
def test_a_damaged_file_is_refused_before_the_library_follows_it(part, rows, targets, tmp_path):
    path = tmp_path / "model.json"
    XGBRegressor(**PLAIN).fit(rows, targets["score"]).save_model(path)
    form = json.loads(path.read_text())
    DAMAGE[part](form["learner"]["gradient_booster"]["model"]["trees"][1])
    path.write_text(json.dumps(form))
    with pytest.raises(InputError, match="is no XGBoost model") as raised:
        load(path)
    assert part in str(raised.value.__cause__)


def test_no_cut_of_a_binary_file_gets_past_the_decoder(rows, targets, tmp_path):
    """XGBoost's own decoder of UBJSON crashes, or never ends, on many of them."""
    path = tmp_path / "model.ubj"
    XGBRegressor(**PLAIN).fit(rows, targets["score"]).save_model(path)
    content = path.read_bytes()
    assert decode(content)["learner"]["learner_model_param"]["num_feature"] == "4"
    for cut in range(0, len(content), 211):
        with pytest.raises(ValueError, match="it "):
            decode(content[:cut])
    with pytest.raises(ValueError, match="more behind its end"):
        decode(content + b"Z")
    with pytest.raises(ValueError, match="nests too deep"):
        decode(b"[" * 100_000)


def test_what_cannot_be_lowered_is_refused_with_a_reason(categories, rows, targets, proven, covered):
    codes = categories.assign(k=categories["k"].cat.codes, m=categories["m"].cat.codes)
    codes["k"] = codes["k"].clip(0)
    numbers = XGBClassifier(**PLAIN, enable_categorical=True, feature_types=["q"] * 4 + ["c", "c"])
    numbers.fit(codes.to_numpy(), targets["binary"])
    reason = "does not hold the categories of column 'k'"
    with pytest.raises(RefusedError, match=reason):
        proven(numbers, categories)
    covered("xgboost", "categories that the model does not hold", "refused", reason=reason)
    with pytest.raises(TableError, match="the data has no column 'c'"):
        proven(XGBRegressor(**PLAIN).fit(rows, targets["score"]), rows[["a", "b", "n"]])
    with pytest.raises(RefusedError, match="not fitted"):
        proven(XGBRegressor(), rows)


def test_a_ship_answers_without_the_library(rows, targets, tmp_path):
    fitted = XGBClassifier(**PLAIN).fit(rows, targets["binary"])
    ship = pack(fitted, rows, path=tmp_path / "x.ship")
    answer = load_ship(ship.path).predict_row({"a": None, "b": 1.0, "c": 0.5, "n": 2})
    expected = fitted.predict_proba(pd.DataFrame({"a": [np.nan], "b": [1.0], "c": [0.5], "n": [2]}))[0]
    np.testing.assert_allclose(answer.probabilities, expected, rtol=0, atol=ONE_ULP)
