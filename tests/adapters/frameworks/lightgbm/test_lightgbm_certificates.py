import re
import warnings

import lightgbm
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shiplap.adapters.frameworks import Ask
from shiplap.adapters.frameworks.lightgbm import read_booster
from shiplap.adapters.frameworks.lightgbm.checks import checked_text
from shiplap.adapters.frameworks.lightgbm.files import load
from shiplap.core.errors import InputError, RefusedError, TableError
from shiplap.proof import certify, lower
from shiplap.scoring import Scorer, write_ship

PLAIN = {"n_estimators": 12, "num_leaves": 7, "verbose": -1, "n_jobs": 1, "min_child_samples": 5}
TRAIN = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5, "min_data_per_group": 5, "num_leaves": 7}
ON_THRESHOLDS = {"on a threshold", "one ulp below", "one ulp above"}


@pytest.fixture(scope="module")
def numbers(rows):
    return rows[["height", "price", "count"]][:300]


@pytest.fixture(scope="module")
def typed(rows):
    frame = rows[["height", "price", "color", "shape"]][:300].astype({"color": "category", "shape": "category"})
    return frame.assign(size=pd.Categorical(rows["count"][:300]))


@pytest.fixture
def proven(monkeypatch, tmp_path, covered):
    """Lower a fitted model, certify it with few made-up rows, require that no row flips, and note it."""
    monkeypatch.setitem(certify.__globals__, "_MADE_UP", 200)
    monkeypatch.setitem(certify.__globals__, "_VECTORS", 20)

    def prove(model, X, name="", *, ask=None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the original's own
            subject = lower(model, X, ask=ask or Ask())
        parts = {"encoding": subject.lowered.encoding, "graph": subject.lowered.graph, "policy": subject.policy}
        ship = write_ship(tmp_path / "draft.ship", name="draft", signature=subject.signature, **parts)
        certificate = certify(subject, Scorer(ship), seed=0)
        assert certificate.flips == 0, certificate.failures
        assert certificate.largest_difference <= 1e-12
        assert {kind.name for kind in certificate.kinds} >= ON_THRESHOLDS
        if name:
            covered("lightgbm", name, "proven", difference=certificate.largest_difference)
        return subject

    return prove


def own(truth, score):
    return score - truth, np.ones_like(score)


def model(kind, target, **options):
    told = {key: getattr(value, "__name__", value) for key, value in options.items()}
    text = ", ".join(str(value) if isinstance(value, str) else f"{key}={value}" for key, value in told.items())
    return pytest.param(kind, target, options, f"{kind.__name__} {text}", id=f"{kind.__name__}-{text}")


MODELS = [
    *(model(LGBMClassifier, "binary", objective=name) for name in ("binary", "cross_entropy")),
    *(model(LGBMClassifier, "multiclass", objective=name) for name in ("multiclass", "multiclassova")),
    *(
        model(LGBMRegressor, "positive", objective=name)
        for name in ("l2", "l1", "huber", "fair", "poisson", "tweedie", "gamma", "quantile", "mape")
    ),
    *(model(LGBMRegressor, "binary", objective=name) for name in ("cross_entropy", "cross_entropy_lambda")),
    *(model(LGBMRanker, "binary", objective=name) for name in ("lambdarank", "rank_xendcg")),
    model(LGBMRegressor, "regression", objective=own),
    model(LGBMClassifier, "binary", objective=own),
    model(LGBMRegressor, "regression", boosting_type="dart"),
    model(LGBMClassifier, "binary", boosting_type="rf", subsample=0.5, subsample_freq=1),
    model(LGBMRegressor, "regression", linear_tree=True),
    model(LGBMClassifier, "multiclass", linear_tree=True, boosting_type="dart"),
    model(LGBMRegressor, "regression", boost_from_average=False),
]


@pytest.mark.parametrize(("kind", "target", "options", "name"), MODELS)
def test_every_objective_and_mode_is_proven(kind, target, options, name, numbers, targets, proven):
    groups = {"group": [10] * 30} if kind is LGBMRanker else {}
    fitted = kind(**PLAIN, **options).fit(numbers, targets[target][:300], **groups)
    subject = proven(fitted, numbers, name)
    plain = kind is LGBMClassifier and options.get("objective") is not own
    assert (subject.signature.task != "regression") == plain


@pytest.mark.parametrize("options", [{"zero_as_missing": True}, {"use_missing": False}, {"linear_tree": True}], ids=str)
def test_every_mode_of_missing_values_is_proven(options, numbers, targets, proven):
    frame = numbers.assign(price=numbers["price"].where(numbers["price"].abs() > 0.3, 0.0))
    proven(
        LGBMRegressor(**PLAIN, **options).fit(frame, targets["regression"][:300]),
        frame,
        f"LGBMRegressor {', '.join(options)}, gaps",
    )


def test_a_leaf_with_a_missing_feature_answers_with_its_constant(numbers, targets, proven):
    fitted = LGBMRegressor(**PLAIN, linear_tree=True).fit(numbers, targets["regression"][:300])
    ensemble = read_booster(fitted.booster_)
    assert {len(leaf.features) for tree in ensemble.trees for leaf in tree.linear} >= {1, 2}
    subject = proven(fitted, numbers)
    gaps = numbers[:8].assign(height=np.nan, price=[np.nan, 0.1] * 4)
    assert not np.isnan(subject.outputs(gaps)).any()


@pytest.mark.parametrize("kind", ["estimator", "booster", "file"])
@pytest.mark.parametrize("linear", [False, True])
def test_native_categories_are_those_that_the_model_remembers(kind, linear, typed, targets, proven, tmp_path):
    truth = targets["regression"][:300] + 3 * (typed["shape"] == "round")
    if kind == "estimator":
        fitted = LGBMRegressor(**PLAIN, min_data_per_group=5, linear_tree=linear).fit(typed, truth)
    else:
        fitted = lightgbm.train({**TRAIN, "linear_tree": linear}, lightgbm.Dataset(typed, truth), 12)
    if kind == "file":
        fitted.save_model(tmp_path / "model.txt")
        fitted = load(tmp_path / "model.txt")
    proven(fitted, typed, f"categories of pandas, {kind}{', linear trees' if linear else ''}")


@pytest.mark.parametrize(
    ("objective", "target", "task"),
    [
        ("binary", "binary", "binary"),
        ("multiclass", "multiclass", "multiclass"),
        ("poisson", "positive", "regression"),
        ("own", "multiclass", "tensor"),
    ],
)
def test_a_bare_booster_is_proven(objective, target, task, numbers, targets, proven):
    def scores(score, data):
        return score - np.eye(3)[data.get_label().astype(int)], np.ones_like(score)

    more = {"num_class": 3} if target == "multiclass" else {}
    options = {**TRAIN, **more, "objective": scores if objective == "own" else objective}
    fitted = lightgbm.train(options, lightgbm.Dataset(numbers.to_numpy(), targets[target][:300]), 12)
    subject = proven(fitted, numbers.to_numpy(), f"Booster {objective}")
    assert subject.signature.task == task
    assert subject.signature.names == ("x0", "x1", "x2")
    if task == "binary":
        assert proven(fitted, numbers.to_numpy(), ask=Ask(classes=("no", "yes"))).signature.classes == ("no", "yes")


def test_columns_of_a_file_are_found_by_name(numbers, targets, proven, tmp_path):
    fitted = LGBMClassifier(**PLAIN).fit(numbers, targets["binary"][:300])
    fitted.booster_.save_model(tmp_path / "model.txt")
    read = load(tmp_path / "model.txt")
    proven(read, numbers[["price", "count", "height"]], "Booster from a .txt file")
    with pytest.raises(TableError, match="no column 'count'"):
        proven(read, numbers[["height", "price"]])


def test_a_file_of_another_kind_is_refused(tmp_path):
    for name, content, message in (
        ("a.txt", b"some words", "is no LightGBM model"),
        ("b.txt", b"\x80\x04binary", "is no LightGBM model"),
        ("c.txt", b"tree\nversion=v4\nnum_class=1\n", "is a damaged LightGBM model"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name} {message}"):
            load(tmp_path / name)


DAMAGE = {
    "trees": ("end of trees", "end of tree"),
    "tree 0": ("tree_sizes=", "tree_sizes=9"),
    "outputs": ("num_tree_per_iteration=1", "num_tree_per_iteration=5"),
    "classes": ("num_class=1", "num_class=999999999"),
    "features": ("feature_infos=", "feature_infos=none "),
    "children of tree 1": (r"left_child=\S+", "left_child=99"),
    "nodes of tree 1": ("left_child=", "left_child=7 "),
    "features of tree 1": ("split_feature=", "split_feature=9"),
    "numbers of tree 1": ("internal_value=", "internal_value=x"),
    "lists of tree 1": ("internal_value=", "internal_value=1 "),
    "leaves of tree 1": ("leaf_value=", "leaf_value=1 "),
    "categories of tree 1": ("num_cat=", "num_cat=4"),
}


@pytest.mark.parametrize("part", DAMAGE)
def test_a_damaged_file_is_refused_before_the_library_reads_it(part, typed, targets, tmp_path):
    """LightGBM's own reader runs past the end of such lists, and takes the process down."""
    fitted = lightgbm.train(TRAIN, lightgbm.Dataset(typed, targets["regression"][:300]), 3)
    text = fitted.model_to_string()
    found, made = DAMAGE[part]
    start = text.index("Tree=1\n") if part.endswith("tree 1") else 0
    damaged = text[:start] + re.sub(found, made, text[start:], count=1)
    if part.endswith("tree 1"):
        told = text.partition("tree_sizes=")[2].partition("\n")[0]
        words = told.split()
        grown = str(int(words[1]) + len(damaged) - len(text))
        damaged = damaged.replace(told, " ".join([words[0], grown, words[2]]), 1)
    (tmp_path / "model.txt").write_text(damaged)
    with pytest.raises(InputError, match=f"the {part} do not fit together"):
        load(tmp_path / "model.txt")


def test_no_cut_of_a_file_gets_past_the_checks(numbers, targets):
    content = LGBMRegressor(**PLAIN).fit(numbers, targets["regression"][:300]).booster_.model_to_string().encode()
    ends = content.index(b"end of trees") + len(b"end of trees")
    for cut in range(0, ends, 97):
        with pytest.raises((ValueError, KeyError)):
            checked_text(content[:cut])
    assert "[boosting: gbdt]" not in checked_text(content)


def test_own_objectives_in_a_pipeline_and_unfitted_models_are_refused(numbers, targets, proven, covered):
    inside = make_pipeline(StandardScaler(), LGBMClassifier(**PLAIN, objective=own))
    inside.fit(numbers, targets["binary"][:300])
    reason = "an objective of your own gives no probabilities"
    with pytest.raises(RefusedError, match=reason):
        proven(inside, numbers)
    covered("lightgbm", "own objective of a classifier in a pipeline", "refused", reason=reason)
    with pytest.raises(RefusedError, match="not fitted"):
        proven(LGBMClassifier(), numbers)
