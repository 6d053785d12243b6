"""Naive Bayes and discriminants: likelihoods of the classes."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import NearestCentroid

METHODS = ("predict_proba", "predict")


@pytest.mark.parametrize("target", ["binary", "texts"])
@pytest.mark.parametrize(
    "model",
    [GaussianNB(var_smoothing=0.1), BernoulliNB(binarize=0.3), BernoulliNB(fit_prior=False)],
    ids=str,
)
def test_likelihoods_of_numbers(model, target, plain, proven):
    proven(model.fit(plain["rows"], plain[target]), plain["rows"], METHODS[target == "texts"])


@pytest.mark.parametrize(
    "model", [MultinomialNB(), ComplementNB(), ComplementNB(norm=True), CategoricalNB(min_categories=6)], ids=str
)
def test_likelihoods_of_counts(model, plain, proven):
    counts = np.abs(plain["rows"] * 2).astype(int).astype(float)
    model.fit(counts, plain["texts"])
    proven(model, counts)


def test_a_threshold_of_presence_is_where_rows_are_built(plain, proven):
    lowered = proven(BernoulliNB(binarize=0.25).fit(plain["rows"], plain["binary"]), plain["rows"])
    assert [values.tolist() for values in lowered.thresholds.values()] == [[0.25]] * 4


@pytest.mark.parametrize("target", ["binary", "texts"])
@pytest.mark.parametrize("method", ["predict_proba", "decision_function", "predict"])
def test_quadratic_discriminants(target, method, plain, proven):
    proven(QuadraticDiscriminantAnalysis(reg_param=0.1).fit(plain["rows"], plain[target]), plain["rows"], method)


@pytest.mark.parametrize(
    "model",
    [NearestCentroid(priors="empirical"), NearestCentroid(shrink_threshold=0.2), NearestCentroid(metric="manhattan")],
    ids=str,
)
@pytest.mark.parametrize("target", ["binary", "texts"])
@pytest.mark.filterwarnings("ignore:Averaging")
def test_the_nearest_centroid(model, target, plain, proven):
    model.fit(plain["rows"], plain[target])
    for method in ("predict_proba", "decision_function", "predict"):
        if hasattr(model, method):
            proven(model, plain["rows"], method)


def test_labels_that_do_not_follow_from_probabilities_are_not_promised(plain, proven):
    """With even classes the library's labels come from plain distances, its probabilities from scaled ones."""
    model = NearestCentroid().fit(plain["rows"], plain["texts"])
    assert proven(model, plain["rows"], "predict_proba").task == "tensor"
    assert proven(model, plain["rows"], "predict").task == "multiclass"
