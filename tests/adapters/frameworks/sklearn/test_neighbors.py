"""Neighbors: distances added up as the library does, ties as its own search meets them."""

import numpy as np
import pytest
from sklearn.neighbors import (
    KernelDensity,
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
)
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from shiplap.core.errors import RefusedError

SEARCHES = [
    {},
    {"weights": "distance"},
    {"algorithm": "ball_tree", "leaf_size": 3},
    {"algorithm": "brute"},
    {"algorithm": "brute", "p": 1, "weights": "distance"},
    {"p": 1, "leaf_size": 1},
    {"p": 3},
    {"metric": "chebyshev"},
    {"n_neighbors": 1},
    {"n_neighbors": 14, "leaf_size": 6},
]


@pytest.fixture(scope="module")
def grid():
    """Rows on the points of a grid: most distances are shared, many rows are there twice."""
    generator = np.random.default_rng(3)
    rows = generator.integers(0, 4, (150, 3)).astype(float)
    return rows, generator.integers(0, 3, 150), generator.normal(size=150)


@pytest.mark.parametrize("options", SEARCHES, ids=str)
def test_ties_among_neighbors_fall_as_in_the_library(options, grid, proven):
    rows, classes, numbers = grid
    proven(KNeighborsRegressor(**options).fit(rows, numbers), rows)
    proven(KNeighborsClassifier(**options).fit(rows, classes), rows)


@pytest.mark.parametrize("options", SEARCHES[1:4], ids=str)
def test_neighbors_of_rows_that_lie_anywhere(options, plain, proven):
    proven(KNeighborsClassifier(**options).fit(plain["rows"], plain["texts"]), plain["rows"], "predict_proba")


def test_several_targets_of_neighbors(plain, proven):
    lowered = proven(KNeighborsClassifier().fit(plain["rows"], plain["mixed"]), plain["rows"])
    assert lowered.outputs == ("y0=0", "y0=1", "y0=2", "y1=0", "y1=1")
    proven(KNeighborsRegressor(weights="distance").fit(plain["rows"], plain["several"]), plain["rows"])


@pytest.mark.parametrize("options", [{}, {"weights": "distance"}, {"algorithm": "brute"}, {"p": 1}], ids=str)
@pytest.mark.filterwarnings("ignore:One or more samples have no neighbors")
def test_neighbors_within_a_radius(options, grid, proven):
    rows, classes, numbers = grid
    proven(RadiusNeighborsRegressor(1.0, **options).fit(rows, numbers), rows)
    proven(RadiusNeighborsClassifier(1.0, outlier_label="most_frequent", **options).fit(rows, classes), rows)


@pytest.mark.parametrize("method", ["decision_function", "score_samples", "predict"])
def test_local_outliers(method, grid, plain, proven):
    rows = plain["rows"] if method == "predict" else grid[0]
    proven(LocalOutlierFactor(6, novelty=True).fit(rows), rows, method)


@pytest.mark.parametrize("kernel", ["gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine"])
def test_densities(kernel, plain, proven):
    weights = np.random.default_rng(0).random(len(plain["rows"])) + 0.1
    model = KernelDensity(bandwidth=0.7, kernel=kernel, rtol=0, leaf_size=200)
    proven(model.fit(plain["rows"], sample_weight=weights), plain["rows"])


def test_a_density_is_promised_as_exactly_as_the_library_adds_it_up(plain, proven):
    exact, usual = (KernelDensity(kernel="exponential", rtol=rtol).fit(plain["rows"]) for rtol in (0, 1e-8))
    assert proven(usual, plain["rows"]).terms > 1000 * proven(exact, plain["rows"]).terms / len(plain["rows"])


@pytest.mark.parametrize("model", [LabelSpreading(kernel="knn", n_neighbors=5), LabelPropagation(gamma=2)], ids=str)
def test_labels_that_spread(model, plain, proven):
    proven(model.fit(plain["rows"], plain["unlabeled"]), plain["rows"])


def weighed(distances):
    return 1 / (1 + distances)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (KNeighborsClassifier(algorithm="brute", weights="distance"), "its own rounding"),
        (KNeighborsClassifier(weights=weighed), "weights are code"),
        (KNeighborsClassifier(metric="canberra"), "the metric 'canberra'"),
        (RadiusNeighborsClassifier(2.0, outlier_label=7), "none of its classes"),
        (KernelDensity(atol=0.1, leaf_size=200), "absolute tolerance"),
        (KernelDensity(), "answers with its rounding"),
    ],
    ids=str,
)
def test_what_is_refused_says_why(model, reason, plain, proven):
    with pytest.raises(RefusedError, match=reason) as refusal:
        proven(model.fit(plain["rows"], plain["classes"]), plain["rows"])
    assert refusal.value.hint
