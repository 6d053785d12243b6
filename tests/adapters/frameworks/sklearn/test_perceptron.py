"""Perceptrons, constants and isotonic lines."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.isotonic import IsotonicRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

from shiplap.core.errors import RefusedError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_layer_sizes": (6, 4), "max_iter": 15, "random_state": 0}


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("target", ["binary", "texts"])
def test_layers_of_a_classifier(activation, target, plain, proven):
    model = MLPClassifier(activation=activation, **SMALL).fit(plain["rows"], plain[target])
    proven(model, plain["rows"], "predict" if activation == "relu" else "predict_proba")


@pytest.mark.parametrize("method", ["predict_proba", "predict"])
def test_several_labels_of_a_perceptron(method, plain, proven):
    model = MLPClassifier(**SMALL).fit(plain["rows"], plain["labels"])
    assert proven(model, plain["rows"], method).task == "tensor"


@pytest.mark.parametrize(("loss", "target"), [("squared_error", "score"), ("poisson", "positive")])
def test_layers_of_a_regression(loss, target, plain, proven):
    proven(MLPRegressor(loss=loss, **SMALL).fit(plain["rows"], plain[target]), plain["rows"])


def test_weights_of_single_precision_meet_rows_of_double_precision(plain, proven):
    model = MLPRegressor(**SMALL).fit(plain["rows"].astype(np.float32), plain["score"].astype(np.float32))
    assert model.coefs_[0].dtype == np.float32
    proven(model, plain["rows"])


@pytest.mark.parametrize("strategy", ["prior", "most_frequent", "constant"])
@pytest.mark.parametrize("method", ["predict_proba", "predict"])
def test_constant_classes(strategy, method, plain, proven):
    proven(DummyClassifier(strategy=strategy, constant="mid").fit(plain["rows"], plain["texts"]), plain["rows"], method)


@pytest.mark.parametrize("strategy", ["mean", "median", "quantile", "constant"])
def test_constant_numbers(strategy, plain, proven):
    model = DummyRegressor(strategy=strategy, quantile=0.3, constant=2.5)
    proven(model.fit(plain["rows"], plain["score"]), plain["rows"])


@pytest.mark.parametrize("strategy", ["stratified", "uniform"])
def test_labels_drawn_at_random_are_refused(strategy, plain, proven):
    with pytest.raises(RefusedError, match="draws its labels at random"):
        proven(DummyClassifier(strategy=strategy).fit(plain["rows"], plain["texts"]), plain["rows"])


@pytest.mark.parametrize("beyond", ["nan", "clip", "raise"])
@pytest.mark.parametrize("increasing", [True, False])
def test_isotonic_lines(beyond, increasing, plain, proven):
    rows = plain["rows"][:, :1]
    model = IsotonicRegression(out_of_bounds=beyond, increasing=increasing).fit(rows, plain["score"])
    lowered = proven(model, rows)
    assert lowered.thresholds["x0"].tolist() == model.X_thresholds_.tolist()


def test_an_isotonic_line_of_one_knot(plain, proven):
    rows = np.ones((20, 1))
    proven(IsotonicRegression(out_of_bounds="clip").fit(rows, plain["score"][:20]), rows)
