import warnings

import numpy as np
import pytest
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
