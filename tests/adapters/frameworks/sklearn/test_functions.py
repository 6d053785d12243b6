import functools
import warnings

import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from shiplap.adapters.frameworks import framework_of
from shiplap.adapters.runtimes import runtimes

EDGES = np.array([0.0, -0.0, 1e-300, 1e-17, -1e-17, 2.5, 700.0, 800.0, -50.0, -1.0, -2.0, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("function", [np.log1p, np.expm1, np.rint, np.reciprocal, np.square], ids=str)
def test_numpy_functions_to_their_last_digits(function):
    """Near 0 too, where ``log(1 + x)`` and ``exp(x) - 1`` have none left."""
    small = np.exp(np.random.default_rng(0).uniform(-40, 5, 2_000))
    values = np.concatenate([small, -small / 200, EDGES]).reshape(-1, 1)
    model = Pipeline([("function", FunctionTransformer(function)), ("model", LinearRegression())])
    model.fit(np.array([[1.0], [2.0], [3.0]]), [1.0, 2.0, 3.0])
    framework = framework_of(model)
    frame, columns = framework.sample(values[:3], model)
    first = framework.lower(model, frame, columns).probes()[0]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        expected = function(values)
    np.testing.assert_allclose(runtimes.get("onnxruntime")(first.graph).run(values), expected, rtol=1e-15, atol=0)


@pytest.mark.parametrize(
    "function",
    [
        *(np.log2, np.log10, np.exp2, np.cbrt, np.arcsinh, np.tan, np.trunc, np.radians, special.expit),
        *(special.logit, np.isnan, np.isinf, np.isfinite, np.logical_not, np.nan_to_num, np.round),
    ],
    ids=lambda function: function.__name__,
)
def test_more_functions_within_a_few_units_of_their_last_digit(function):
    values = np.concatenate([np.random.default_rng(1).normal(size=300) * 3, EDGES]).reshape(-1, 1)
    np.testing.assert_allclose(*_both(FunctionTransformer(function), values), rtol=1e-14, atol=2e-16)


@pytest.mark.parametrize(
    ("function", "settings"),
    [
        (np.clip, {"a_min": -1, "a_max": 0.5}),
        (np.clip, {"min": 0}),
        (np.round, {"decimals": 2}),
        (np.round, {"decimals": -1}),
        (np.nan_to_num, {"nan": -1.0, "posinf": 7.0}),
        (functools.partial(np.clip, a_max=1.0), {"a_min": 0.0}),
    ],
)
def test_functions_with_settings_to_the_last_bit(function, settings):
    values = np.concatenate([np.random.default_rng(1).normal(size=300) * 30, EDGES]).reshape(-1, 1)
    np.testing.assert_array_equal(*_both(FunctionTransformer(function, kw_args=settings), values))


def _both(transformer, values):
    framework = framework_of(transformer)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        model = transformer.fit(values)
        frame, columns = framework.sample(values, model)
        graph = framework.lower(model, frame, columns).graph
        return runtimes.get("onnxruntime")(graph).run(values), np.asarray(model.transform(values), np.float64)
