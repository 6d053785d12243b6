"""Selections, products, kernels, codes and neighbors: the options that the contract test leaves at their defaults."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import Birch, FeatureAgglomeration
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, DictionaryLearning, FastICA, KernelPCA, SparseCoder, SparsePCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, VarianceThreshold
from sklearn.kernel_approximation import AdditiveChi2Sampler, Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import Isomap, LocallyLinearEmbedding
from sklearn.neighbors import KNeighborsTransformer, RadiusNeighborsTransformer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from shiplap.core.errors import RefusedError

ATOMS = np.linalg.qr(np.random.default_rng(3).normal(size=(7, 4)))[0]


@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "sigmoid", "cosine"])
def test_components_of_every_kernel(kernel, plain, proven):
    proven(KernelPCA(2, kernel=kernel).fit(plain["rows"]), plain["rows"])


@pytest.mark.parametrize("kernel", ["laplacian", "chi2", "polynomial"])
def test_landmarks_of_every_kernel(kernel, plain, proven):
    rows = np.abs(plain["rows"])
    proven(Nystroem(kernel, n_components=7, random_state=0).fit(rows), rows)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_samples_of_chi2_at_zero_too(steps, plain, proven):
    rows = np.maximum(plain["rows"], 0.0)
    proven(AdditiveChi2Sampler(sample_steps=steps).fit(rows), rows)


@pytest.mark.parametrize(
    "model",
    [
        PCA(3, whiten=True),
        FastICA(2, whiten="arbitrary-variance", random_state=0),
        SparsePCA(2, random_state=0),
        LinearDiscriminantAnalysis(solver="eigen"),
        FeatureAgglomeration(2, pooling_func=np.max),
        FeatureAgglomeration(2, pooling_func=np.mean),
        Birch(threshold=0.01, n_clusters=None),
    ],
    ids=lambda model: str(model)[:40],
)
def test_products_and_pools(model, plain, proven):
    proven(model.fit(plain["rows"], plain["classes"]), plain["rows"], "transform")


@pytest.mark.parametrize("count", [1, 3])
def test_a_pursuit_takes_atom_after_atom(count, plain, proven):
    proven(SparseCoder(ATOMS, transform_n_nonzero_coefs=count, split_sign=True).fit(plain["rows"]), plain["rows"])


def test_codes_by_threshold_but_not_by_a_solver(plain, proven):
    proven(
        DictionaryLearning(3, transform_algorithm="threshold", alpha=0.1, max_iter=5).fit(plain["rows"]), plain["rows"]
    )
    with pytest.raises(RefusedError, match="lasso_cd goes on until it converges"):
        proven(SparseCoder(ATOMS, transform_algorithm="lasso_cd").fit(plain["rows"]), plain["rows"])


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_graphs_of_neighbors(mode, algorithm, plain, proven):
    rows = plain["rows"]
    proven(KNeighborsTransformer(mode=mode, n_neighbors=3, algorithm=algorithm).fit(rows), rows)
    proven(RadiusNeighborsTransformer(mode=mode, radius=1.2, algorithm=algorithm).fit(rows), rows)


def test_manifolds(plain, proven, differs):
    """Far beyond the data, what ``Isomap`` answers is the rounding error of its centered kernel: not asked here."""
    assert differs(Isomap(n_neighbors=6, n_components=3), plain["rows"]) < 1e-11
    frame = pd.DataFrame(plain["rows"], columns=list("abcd"))
    proven(LocallyLinearEmbedding(n_neighbors=7, method="modified", random_state=0).fit(frame), frame)


def test_weights_of_parts_multiply(mixed, proven):
    columns = ColumnTransformer(
        [("color", OneHotEncoder(), ["c"]), ("scale", StandardScaler(), ["b"])],
        remainder="passthrough",
        transformer_weights={"color": 3.0, "scale": 0.1},
        sparse_threshold=1.0,
    )
    lowered = proven(columns.fit(mixed), mixed)
    assert lowered.outputs[:3] == ("color__c_b", "color__c_g", "color__c_r")
    rows = mixed[["b", "d"]]
    union = FeatureUnion(
        [("scaled", StandardScaler()), ("as is", "passthrough"), ("gone", "drop")],
        transformer_weights={"scaled": 2.5, "as is": 0.1},
    )
    proven(union.fit(rows), rows)


@pytest.mark.parametrize(
    "selector",
    [
        SelectKBest(k=2),
        VarianceThreshold(0.9),
        RFE(LogisticRegression(), n_features_to_select=1),
        SelectFromModel(RandomForestClassifier(4, random_state=0)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_is_selected_keeps_its_thresholds(selector, plain, proven):
    """A column that was picked is still the column: rows are built on the thresholds of the trees behind."""
    trees = RandomForestClassifier(3, max_depth=3, random_state=0)
    lowered = proven(make_pipeline(selector, trees).fit(plain["rows"], plain["classes"]), plain["rows"])
    assert lowered.thresholds
    assert set(lowered.encoding.columns) == set(lowered.thresholds)


def test_what_is_code_is_refused(plain, proven):
    rows = plain["rows"]
    pooled = FeatureAgglomeration(2, pooling_func=lambda values, axis: values.mean(axis)).fit(rows)
    with pytest.raises(RefusedError, match=r"'.*<lambda>' is code"):
        proven(pooled, rows, "transform")
    with pytest.raises(RefusedError, match="its kernel is code"):
        proven(Nystroem(lambda x, y: float(x @ y), n_components=3).fit(rows), rows)
