import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, r2_score, roc_auc_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shiplap.methods.bins import bins_score
from shiplap.methods.calibration import cox, reliability
from shiplap.methods.metrics import auc, summary


def test_binary_figures_agree_with_scikit_learn():
    X, y = load_breast_cancer(return_X_y=True)
    output = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:300], y[:300]).predict_proba(X[300:])
    found = summary("binary", y[300:], output, positive=1)
    assert found["auc"] == pytest.approx(roc_auc_score(y[300:], output[:, 1]))
    assert found["log_loss"] == pytest.approx(log_loss(y[300:], output))
    assert found["brier"] == pytest.approx(brier_score_loss(y[300:], output[:, 1]))
    assert found["accuracy"] == pytest.approx(accuracy_score(y[300:], output.argmax(axis=1)))


def test_many_classes_agree_with_scikit_learn():
    X, y = load_wine(return_X_y=True)
    output = make_pipeline(StandardScaler(), LogisticRegression(C=0.01)).fit(X, y).predict_proba(X)
    found = summary("multiclass", y, output)
    assert found["mean_auc"] == pytest.approx(roc_auc_score(y, output, multi_class="ovr"))
    assert found["log_loss"] == pytest.approx(log_loss(y, output))


def test_regression_figures_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    y, guess = rng.normal(size=50), rng.normal(size=50)
    found = summary("regression", y, guess)
    assert found["rmse"] == pytest.approx(root_mean_squared_error(y, guess))
    assert found["r2"] == pytest.approx(r2_score(y, guess))


def test_ties_count_half():
    hit, score = np.array([True, False, True, False]), np.array([0.5, 0.5, 0.5, 0.1])
    assert auc(hit, score) == pytest.approx(roc_auc_score(hit, score))


def test_bins_find_a_relation_and_none_where_there_is_none():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 10, 4000)
    assert bins_score("binary", x, (rng.random(4000) < x / 10).astype(int)) > 0.8
    assert bins_score("binary", x, rng.integers(0, 2, 4000)) < 0.54
    assert bins_score("regression", x, x + rng.normal(size=4000) * 0.1) > 0.99
    assert bins_score("multiclass", x, x % 3) == 1.0


def test_overconfidence_shows_in_the_slope():
    rng = np.random.default_rng(0)
    honest = rng.random(20_000)
    hit = rng.random(20_000) < honest
    odds = (honest / (1 - honest)) ** 2
    assert cox(hit, odds / (1 + odds))[1] == pytest.approx(0.5, abs=0.03)
    assert reliability(hit, honest).error < 0.01 < reliability(hit, odds / (1 + odds)).error
