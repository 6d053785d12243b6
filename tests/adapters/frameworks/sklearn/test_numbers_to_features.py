"""Bins, splines, polynomials, quantiles and powers: the options that the contract test leaves at their defaults."""

import numpy as np
import pytest
from scipy import special
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
)
from sklearn.tree import DecisionTreeRegressor

from shiplap.adapters.frameworks.graph import INPUT
from shiplap.adapters.frameworks.lowering import Context
from shiplap.adapters.frameworks.sklearn.quantile import normal_quantile
from shiplap.adapters.runtimes import runtimes
from shiplap.core.errors import RefusedError

EXTRAPOLATIONS = ["constant", "linear", "continue", "periodic", "error"]


@pytest.mark.parametrize("extrapolation", EXTRAPOLATIONS)
@pytest.mark.parametrize("degree", [1, 3])
def test_splines_are_the_same_bits_inside_and_outside_of_their_knots(extrapolation, degree, plain, differs):
    spline = SplineTransformer(n_knots=4, degree=degree, extrapolation=extrapolation, include_bias=degree == 3)
    assert differs(spline, plain["rows"], beyond=extrapolation != "error") == 0


@pytest.mark.parametrize("extrapolation", ["constant", "continue"])
def test_splines_of_degree_0_have_nothing_outside(extrapolation, plain, differs):
    assert differs(SplineTransformer(degree=0, extrapolation=extrapolation), plain["rows"], beyond=False) == 0


def test_splines_give_zeros_for_what_is_missing(plain, proven):
    rows = plain["rows"].copy()
    rows[::5, 1] = np.nan
    for sparse in (False, True):
        spline = SplineTransformer(handle_missing="zeros", extrapolation="linear", sparse_output=sparse)
        proven(spline.fit(rows), rows)


@pytest.mark.parametrize("encode", ["ordinal", "onehot", "onehot-dense"])
@pytest.mark.parametrize("strategy", ["uniform", "quantile", "kmeans"])
def test_bins_are_the_same_on_their_edges(encode, strategy, plain, differs):
    bins = KBinsDiscretizer(4, encode=encode, strategy=strategy, quantile_method="averaged_inverted_cdf")
    assert differs(bins, plain["rows"]) == 0


def test_bins_of_single_precision_compare_single_precision(plain, proven):
    bins = KBinsDiscretizer(3, dtype=np.float32, strategy="uniform").fit(plain["rows"])
    lowered = proven(bins, plain["rows"])
    assert all(len(values) == 2 for values in lowered.thresholds.values())


@pytest.mark.parametrize(
    "options", [{"degree": 3}, {"degree": (2, 3), "interaction_only": True}, {"degree": 0}, {"include_bias": False}]
)
def test_polynomials_are_the_same_bits(options, plain, differs):
    assert differs(PolynomialFeatures(**options), plain["rows"]) == 0


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_quantiles_hold_where_many_are_equal_and_where_values_are_missing(distribution, plain, proven):
    rows = plain["rows"].round(0)
    rows[::7, 0] = np.nan
    proven(QuantileTransformer(n_quantiles=60, output_distribution=distribution).fit(rows), rows)


def test_the_normal_quantile_is_that_of_scipy():
    shares = np.concatenate([np.logspace(-14, -0.31, 400), 1 - np.logspace(-7, -0.31, 400)])[:, None]
    context = Context(columns={}, fitted=lambda estimator: True)
    graph = context.graph.build(normal_quantile(INPUT, context), width=1)
    ours = runtimes.get("onnxruntime")(graph).run(shares)
    np.testing.assert_allclose(ours, special.ndtri(shares), rtol=2e-15)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("powers", [None, [0.0, 2.0, 1.0, -3.0]])
def test_powers_with_and_without_a_logarithm(standardize, powers, plain, proven):
    for method, rows in (("yeo-johnson", plain["rows"]), ("box-cox", np.exp(plain["rows"]))):
        model = PowerTransformer(method, standardize=standardize).fit(rows)
        if powers is not None:
            model.lambdas_ = np.array(powers)
        proven(model, rows)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_rows_of_almost_nothing_are_not_normalized(norm, plain, proven):
    rows = plain["rows"].copy()
    rows[:9] = 0.0
    rows[9:12] = 1e-17
    proven(Normalizer(norm).fit(rows), rows)


@pytest.mark.parametrize(
    "step",
    [Binarizer(threshold=0.31), KBinsDiscretizer(5, strategy="uniform"), PolynomialFeatures(2), SplineTransformer()],
)
def test_a_tree_behind_sees_no_other_bit(step, plain, proven):
    proven(make_pipeline(step, DecisionTreeRegressor(max_depth=6)).fit(plain["rows"], plain["score"]), plain["rows"])


def test_a_lambda_is_refused_with_the_functions_that_there_are(plain, proven):
    model = FunctionTransformer(lambda rows: rows + 1).fit(plain["rows"])
    with pytest.raises(RefusedError, match=r"<lambda>' is code.*arcsinh.*clip.*logit"):
        proven(model, plain["rows"])


def test_what_is_not_fitted_is_refused(plain, proven):
    with pytest.raises(NotFittedError):
        SplineTransformer().transform(plain["rows"])
    model = make_pipeline(SplineTransformer(), Ridge()).fit(plain["rows"], plain["score"])
    model.steps[0] = ("splinetransformer", SplineTransformer())
    with pytest.raises((RefusedError, NotFittedError), match="not fitted"):
        proven(model, plain["rows"])
