"""Every estimator of scikit-learn with an answer on new rows is proven, or refused with the reason."""

import functools
import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.experimental.enable_halving_search_cv
import sklearn.experimental.enable_iterative_imputer  # noqa: F401
from sklearn.base import is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import all_estimators

from shiplap.adapters.frameworks import Ask
from shiplap.core.errors import RefusedError
from shiplap.proof import certify, lower
from shiplap.scoring import Scorer, write_ship

N = 150
WORDS = ("red", "green", "blue", "late", "early", "flight", "harbor", "keel")
METHODS = ("predict_proba", "decision_function", "score_samples", "predict", "transform")
SMALL = {
    "n_estimators": 4,
    "random_state": 0,
    "n_init": 1,
    "cv": 3,
    "n_clusters": 3,
    "n_quantiles": 20,
    "max_depth": 3,
    "n_nonzero_coefs": 2,
    "batch_size": 50,
    "hidden_layer_sizes": (5,),
}
DIMENSIONS = {"n_components": 2}

# How an estimator is made where its defaults, made small, will not do.
MADE = {
    "BaggingClassifier": {"estimator": DecisionTreeClassifier(max_depth=2)},
    "BaggingRegressor": {"estimator": DecisionTreeRegressor(max_depth=2)},
    "CalibratedClassifierCV": {"estimator": LogisticRegression(), "cv": 2},
    "ClassifierChain": {"estimator": LogisticRegression()},
    "ColumnTransformer": {"transformers": [("scale", StandardScaler(), [0, 2]), ("drop", "drop", [1])]},
    "CountVectorizer": {},
    "FeatureUnion": {"transformer_list": [("scale", StandardScaler()), ("reduce", PCA(2))]},
    "FixedThresholdClassifier": {"estimator": LogisticRegression(), "threshold": 0.4},
    "FrozenEstimator": {"estimator": LogisticRegression()},
    "FunctionTransformer": {"func": np.log1p},
    "GaussianRandomProjection": {"n_components": 2},
    "GridSearchCV": {"estimator": LogisticRegression(), "param_grid": {"C": [0.1, 1.0]}, "cv": 2},
    "HistGradientBoostingClassifier": {"max_iter": 4},
    "HistGradientBoostingRegressor": {"max_iter": 4},
    "HalvingGridSearchCV": {"estimator": LogisticRegression(), "param_grid": {"C": [0.1, 1.0]}, "cv": 2},
    "HalvingRandomSearchCV": {
        "estimator": LogisticRegression(),
        "param_distributions": {"C": [0.1, 1.0]},
        "n_candidates": 2,
        "cv": 2,
        "random_state": 0,
    },
    "LocalOutlierFactor": {"novelty": True, "n_neighbors": 5},
    "MultiOutputClassifier": {"estimator": LogisticRegression()},
    "MultiOutputRegressor": {"estimator": Ridge()},
    "OneVsOneClassifier": {"estimator": LogisticRegression()},
    "OneVsRestClassifier": {"estimator": LogisticRegression()},
    "OutputCodeClassifier": {"estimator": LogisticRegression()},
    "Pipeline": {"steps": [("scale", StandardScaler()), ("model", LogisticRegression())]},
    "PatchExtractor": {"patch_size": (2, 2)},
    "QuantileTransformer": {"n_quantiles": 20},
    "RANSACRegressor": {"estimator": LinearRegression(), "random_state": 0},
    "RFE": {"estimator": LogisticRegression()},
    "RFECV": {"estimator": LogisticRegression(), "cv": 2},
    "RadiusNeighborsClassifier": {"radius": 1.5, "outlier_label": 0},
    "RadiusNeighborsRegressor": {"radius": 1.5},
    "RandomTreesEmbedding": {"n_estimators": 4, "max_depth": 3, "random_state": 0},
    "RandomizedSearchCV": {
        "estimator": LogisticRegression(),
        "param_distributions": {"C": [0.1, 1.0]},
        "n_iter": 2,
        "cv": 2,
        "random_state": 0,
    },
    "RegressorChain": {"estimator": Ridge()},
    "SVC": {"probability": True, "random_state": 0},
    "NuSVC": {"probability": True, "random_state": 0},
    "SelectFromModel": {"estimator": LogisticRegression()},
    "SelfTrainingClassifier": {"estimator": LogisticRegression()},
    "SequentialFeatureSelector": {"estimator": LogisticRegression(), "cv": 2},
    "SparseCoder": {"dictionary": np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.6, 0.8, 0.0], [0.5, 0.5, 0.5, 0.5]])},
    "StackingClassifier": {"estimators": [("a", LogisticRegression()), ("b", DecisionTreeClassifier(max_depth=2))]},
    "StackingRegressor": {"estimators": [("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=2))]},
    "TransformedTargetRegressor": {"regressor": Ridge(), "func": np.log1p, "inverse_func": np.expm1},
    "TunedThresholdClassifierCV": {"estimator": LogisticRegression(), "cv": 2},
    "VotingClassifier": {
        "estimators": [("a", LogisticRegression()), ("b", DecisionTreeClassifier(max_depth=2))],
        "voting": "soft",
    },
    "VotingRegressor": {"estimators": [("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=2))]},
}
# Estimators that read one column of texts or dictionaries stand in a ColumnTransformer, as they do in practice.
TEXT = {
    "CountVectorizer": CountVectorizer(),
    "TfidfVectorizer": TfidfVectorizer(),
    "HashingVectorizer": HashingVectorizer(n_features=16),
    "DictVectorizer": DictVectorizer(),
    "FeatureHasher": FeatureHasher(n_features=16),
}
# What each reads, where plain numbers will not do; and what it is fitted to.
READS = {
    **dict.fromkeys(
        ("NMF", "MiniBatchNMF", "AdditiveChi2Sampler", "SkewedChi2Sampler", "PowerTransformer"), "positive"
    ),
    **dict.fromkeys(("BernoulliRBM",), "unit"),
    **dict.fromkeys(("ComplementNB", "MultinomialNB", "LatentDirichletAllocation", "TfidfTransformer"), "counts"),
    **dict.fromkeys(("CategoricalNB",), "codes"),
    **dict.fromkeys(("KNNImputer", "SimpleImputer", "IterativeImputer", "MissingIndicator"), "gaps"),
    **dict.fromkeys(("OneHotEncoder", "OrdinalEncoder", "TargetEncoder"), "categories"),
    **dict.fromkeys(("CountVectorizer", "TfidfVectorizer", "HashingVectorizer"), "text"),
    **dict.fromkeys(("DictVectorizer", "FeatureHasher"), "dictionaries"),
    "IsotonicRegression": "single",
    "KernelCenterer": "kernel",
    **dict.fromkeys(("LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer"), "labels"),
}
TARGETS = {
    **dict.fromkeys(
        ("GammaRegressor", "PoissonRegressor", "TweedieRegressor", "TransformedTargetRegressor"), "positive"
    ),
    **dict.fromkeys(("FixedThresholdClassifier", "TunedThresholdClassifierCV"), "binary"),
    **dict.fromkeys(("MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV"), "several"),
    **dict.fromkeys(("MultiOutputRegressor", "RegressorChain", "CCA", "PLSCanonical", "PLSRegression"), "several"),
    "PLSSVD": "several",
    "MultiOutputClassifier": "several classes",
    "ClassifierChain": "several labels",
    "SelfTrainingClassifier": "partly known",
    **dict.fromkeys(("LabelPropagation", "LabelSpreading"), "partly known"),
}

# Refused, by name or by (name, method): part of the reason.
REFUSED = {
    **dict.fromkeys(("LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer"), "encodes labels"),
    **dict.fromkeys(("NMF", "MiniBatchNMF"), "a solver goes on until"),
    "LatentDirichletAllocation": "iterates until",
    "PolynomialCountSketch": "fast Fourier transform",
    **dict.fromkeys(("DictVectorizer", "FeatureHasher"), "no columns of a table"),
    ("BernoulliRBM", "score_samples"): "by chance",
    "KernelDensity": "answers with its rounding",
}

# No answer on new rows: a fit is all they do.
NO_ANSWER = {
    **dict.fromkeys(
        ("AgglomerativeClustering", "DBSCAN", "HDBSCAN", "OPTICS", "SpectralClustering"), "labels its own rows only"
    ),
    **dict.fromkeys(("SpectralBiclustering", "SpectralCoclustering"), "labels its own rows and columns only"),
    **dict.fromkeys(("ClassicalMDS", "MDS", "SpectralEmbedding", "TSNE"), "places its own rows only"),
    **dict.fromkeys(
        ("EmpiricalCovariance", "GraphicalLasso", "GraphicalLassoCV", "LedoitWolf", "MinCovDet", "OAS"),
        "estimates a covariance; it has no answer a row",
    ),
    "ShrunkCovariance": "estimates a covariance; it has no answer a row",
    "PatchExtractor": "reads images and makes several rows of each",
    "NearestNeighbors": "finds neighbors; KNeighborsTransformer gives them as columns",
}


def numbers():
    return np.random.default_rng(0).normal(size=(N, 4)).round(2)


def frame_of(kind):
    """Rows of one kind, as an estimator reads them."""
    generator, plain = np.random.default_rng(1), numbers()
    if kind == "gaps":
        return np.where(generator.random(plain.shape) < 0.1, np.nan, plain)
    if kind == "categories":
        color = generator.choice(np.array(["red", "green", "blue", None], dtype=object), N)
        return pd.DataFrame({"color": color, "size": generator.integers(0, 4, N)})
    if kind == "text":
        texts = [" ".join(generator.choice(WORDS, generator.integers(1, 6))) for _ in range(N)]
        return pd.DataFrame({"note": pd.Series(texts, dtype=object)})
    if kind == "dictionaries":
        return pd.DataFrame({"note": [{str(generator.choice(WORDS)): float(value)} for value in plain[:, 0]]})
    if kind == "kernel":
        return plain[:12] @ plain[:12].T
    if kind == "labels":
        return pd.DataFrame({"label": generator.choice(WORDS, N)})
    made = {
        "numbers": plain,
        "positive": np.abs(plain) + 0.25,
        "unit": np.abs(plain) / np.abs(plain).max(),
        "counts": generator.integers(0, 6, (N, 4)).astype(np.float64),
        "codes": generator.integers(0, 3, (N, 4)).astype(np.float64),
        "single": plain[:, :1],
    }
    return made[kind]


def target_of(kind):
    """What is to be learned from the rows."""
    score = numbers() @ np.array([1.0, -0.5, 0.25, 0.0]) + np.random.default_rng(2).normal(size=N) / 2
    classes = np.digitize(score, [-0.6, 0.6])
    return {
        "classes": classes,
        "binary": (score > 0).astype(int),
        "numbers": score,
        "positive": np.abs(score) + 0.1,
        "several": np.column_stack([score, np.abs(score)]),
        "several classes": np.column_stack([classes, score > 0]).astype(int),
        "several labels": np.column_stack([score > 0.5, score > -0.5]).astype(int),
        "partly known": np.where(np.arange(N) % 3 == 0, -1, classes),
    }[kind]


def made(name, kind):
    """An estimator that is not fitted yet, made small."""
    if name in TEXT:
        return ColumnTransformer([("text", TEXT[name], "note")])
    known = inspect.signature(kind.__init__).parameters
    small = {key: value for key, value in {**SMALL, **DIMENSIONS}.items() if key in known}
    return kind(**MADE.get(name, small))


@functools.cache
def fitted(name):
    """The estimator, fitted, and the rows it was fitted on."""
    estimator = made(name, KINDS[name])
    rows = frame_of(READS.get(name, "numbers"))
    kind = "classes" if is_classifier(estimator) or not is_regressor(estimator) else "numbers"
    target = target_of(TARGETS.get(name, kind))
    if isinstance(estimator, FrozenEstimator):
        estimator.estimator.fit(rows, target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if READS.get(name) == "labels":
            return estimator.fit(rows), rows
        return estimator.fit(rows, target[: len(rows)]), rows


def methods_of(name):
    """The answers on new rows that are worth a proof of their own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = made(name, KINDS[name])
    found = [method for method in METHODS if hasattr(estimator, method)]
    if {"predict_proba", "decision_function"} & set(found):
        found.remove("predict")
    return found


KINDS = dict(all_estimators())
CASES = [(name, method) for name in KINDS if name not in NO_ANSWER for method in methods_of(name)]


def subject_of(estimator, rows, method):
    """Lower one answer of an estimator."""
    return lower(estimator, rows, ask=Ask(method=method))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Fewer made-up rows: the same proof on each of more than two hundred models."""
    monkeypatch.setitem(certify.__globals__, "_MADE_UP", 200)
    monkeypatch.setitem(certify.__globals__, "_VECTORS", 20)


@pytest.mark.filterwarnings("ignore")  # the originals' own
@pytest.mark.parametrize(("name", "method"), CASES, ids=[f"{name}-{method}" for name, method in CASES])
def test_every_answer_is_proven_or_refused_with_the_reason(name, method, tmp_path, covered):
    estimator, rows = fitted(name)
    reason = REFUSED.get((name, method), REFUSED.get(name))
    if reason is not None:
        with pytest.raises(RefusedError, match=reason) as refusal:
            subject_of(estimator, rows, method)
        assert refusal.value.hint
        covered("sklearn", name, "refused", method=method, reason=str(refusal.value))
        return
    subject = subject_of(estimator, rows, method)
    parts = {"signature": subject.signature, "policy": subject.policy}
    draft = write_ship(
        tmp_path / "draft.ship", name=name, encoding=subject.lowered.encoding, graph=subject.lowered.graph, **parts
    )
    certificate = certify(subject, Scorer(draft), seed=0)
    assert certificate.flips == 0, certificate.failures[:2]
    covered("sklearn", name, "proven", method=method, difference=certificate.largest_difference)


def test_every_estimator_is_asked_for_an_answer_or_has_none(covered):
    assert {name for name, _ in CASES} | NO_ANSWER.keys() == KINDS.keys()
    assert [name for name in NO_ANSWER if methods_of(name)] == ["PatchExtractor"]
    for name, reason in NO_ANSWER.items():
        covered("sklearn", name, "refused", reason=reason)
