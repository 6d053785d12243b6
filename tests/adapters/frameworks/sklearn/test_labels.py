"""What ``predict`` says of classifiers that are lowered by their scores and probabilities."""

import importlib

import numpy as np
import pytest

from shiplap.adapters.frameworks.lowering import Context
from shiplap.adapters.frameworks.registry import labelers
from shiplap.adapters.frameworks.sklearn.labels import first_largest, one_hot
from shiplap.adapters.runtimes import runtimes

KNOWN = [name for name in labelers.names() if name.startswith("sklearn.")]
SMALL = {"n_estimators": 4, "max_depth": 3, "cv": 2, "random_state": 0}


def made(name):
    module, _, kind = name.rpartition(".")
    estimator = getattr(importlib.import_module(module), kind)()
    known = estimator.get_params(deep=False)
    return estimator.set_params(**{option: value for option, value in SMALL.items() if option in known})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", ["texts", "binary"])
@pytest.mark.parametrize("name", KNOWN)
def test_predict_names_the_class_that_the_original_names(name, target, plain, proven):
    model = made(name)
    # Whole numbers of at least 0, which each of them reads; many rows are alike, so that scores are equal too.
    rows = np.abs(plain["rows"]).round().clip(0, 2)
    lowered = proven(model.fit(rows, plain[target]), rows, "predict")
    assert lowered.scores
    assert lowered.classes == tuple(model.classes_.tolist())


@pytest.mark.parametrize("values", [[1.0, 3.0, 3.0], [np.nan, 1.0, np.inf], [2.0, np.nan, np.nan], [-np.inf] * 3])
def test_the_first_largest_is_found_as_numpy_finds_it(values):
    context = Context(columns={}, fitted=lambda estimator: True)
    output = one_hot(context, first_largest(context, "rows"), 3)
    found = runtimes.get("onnxruntime")(context.graph.build(output, width=3)).run(np.array([values]))
    assert found[0].argmax() == np.argmax(values)
    assert found.sum() == 1
