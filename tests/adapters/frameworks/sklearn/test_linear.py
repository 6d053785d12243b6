"""Linear models: several targets, one model a class, links and outliers."""

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA, PLSCanonical, PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    MultiTaskElasticNet,
    OrthogonalMatchingPursuit,
    Perceptron,
    RANSACRegressor,
    Ridge,
    RidgeClassifierCV,
    SGDClassifier,
    SGDOneClassSVM,
    TweedieRegressor,
)
from sklearn.svm import LinearSVC

from shiplap.core.errors import RefusedError

pytestmark = pytest.mark.filterwarnings("ignore")  # of fits that end early, and of estimators on their way out


@pytest.mark.parametrize(
    "model",
    [
        LinearRegression(),
        Ridge(),
        MultiTaskElasticNet(alpha=0.1),
        OrthogonalMatchingPursuit(n_nonzero_coefs=2),
        RANSACRegressor(random_state=0),
        PLSRegression(2),
        PLSCanonical(1),
        CCA(1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_several_targets_stand_side_by_side(model, plain, proven):
    lowered = proven(model.fit(plain["rows"], plain["several"]), plain["rows"], "predict")
    assert (lowered.task, lowered.outputs) == ("tensor", ("y0", "y1"))


@pytest.mark.parametrize("target", ["binary", "texts"])
@pytest.mark.parametrize(
    "model",
    [
        SGDClassifier(loss="log_loss", random_state=0),
        SGDClassifier(loss="modified_huber", random_state=0),
        LogisticRegression(solver="newton-cholesky"),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'loss', '')}",
)
def test_probabilities_of_linear_classifiers(model, target, plain, proven):
    model.fit(plain["rows"], plain[target])
    for method in ("predict_proba", "decision_function"):
        assert proven(model, plain["rows"], method).scores == (method != "predict_proba")


@pytest.mark.parametrize("target", ["binary", "texts"])
@pytest.mark.parametrize(
    "model",
    [
        Perceptron(random_state=0),
        SGDClassifier(loss="hinge", learning_rate="pa1", random_state=0),
        RidgeClassifierCV(),
        LinearSVC(multi_class="crammer_singer", random_state=0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_scores_of_linear_classifiers(model, target, plain, proven):
    assert proven(model.fit(plain["rows"], plain[target]), plain["rows"]).scores


@pytest.mark.parametrize(
    "model",
    [TweedieRegressor(power=0), TweedieRegressor(power=1.5, link="log")],
    ids=str,
)
def test_regressions_of_one_target(model, plain, proven):
    assert proven(model.fit(plain["rows"], plain["positive"]), plain["rows"]).task == "regression"


@pytest.mark.parametrize("method", ["decision_function", "score_samples", "predict"])
def test_a_hyperplane_around_the_rows(method, plain, proven):
    proven(SGDOneClassSVM(random_state=0).fit(plain["rows"]), plain["rows"], method)


def test_a_hinge_gives_no_probability(plain, proven):
    model = SGDClassifier(random_state=0).fit(plain["rows"], plain["binary"])
    with pytest.raises(RefusedError, match="no method predict_proba"):
        proven(model, plain["rows"], "predict_proba")


def test_shares_of_classes_whose_scores_are_all_tiny_keep_their_digits(proven):
    rows = np.array([[-1.0], [0.0], [1.0]] * 20)
    model = SGDClassifier(loss="log_loss", random_state=0).fit(rows, np.array([0, 1, 2] * 20))
    model.coef_, model.intercept_ = np.zeros((3, 1)), np.array([-600.0, -601.0, -602.0])
    proven(model, rows, "predict_proba")


def test_coefficients_that_were_made_sparse(plain, proven):
    proven(LogisticRegression().fit(plain["rows"], plain["texts"]).sparsify(), plain["rows"])
