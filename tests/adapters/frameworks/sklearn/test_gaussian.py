"""Gaussian processes, kernel ridge and mixtures."""

import math

import numpy as np
import pytest
from sklearn.covariance import EllipticEnvelope
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Matern,
    PairwiseKernel,
    RationalQuadratic,
    WhiteKernel,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

from shiplap.adapters.frameworks.lowering import Context
from shiplap.adapters.frameworks.sklearn.outputs import error_function
from shiplap.adapters.runtimes import runtimes
from shiplap.core.errors import RefusedError

NOISE = WhiteKernel(0.5)
KERNELS = [
    ConstantKernel(2.0) * RBF([1.0, 2.0, 3.0, 4.0]) + NOISE,
    Matern(nu=0.5) + NOISE,
    Matern(nu=1.5) + NOISE,
    Matern(nu=2.5) + NOISE,
    Matern(nu=np.inf) + NOISE,
    RationalQuadratic(alpha=0.7) + NOISE,
    ExpSineSquared(length_scale=3.0) + WhiteKernel(9.0),
    DotProduct() ** 2 + NOISE,
    ConstantKernel(1.5),
]


@pytest.mark.parametrize("kernel", [*KERNELS, PairwiseKernel(metric="laplacian") + NOISE], ids=str)
def test_means_of_processes(kernel, plain, proven):
    model = GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True).fit(plain["rows"], plain["score"])
    proven(model, plain["rows"])


@pytest.mark.parametrize("kernel", [KERNELS[0], *KERNELS[-3:]], ids=str)
def test_probabilities_of_processes(kernel, plain, proven):
    model = GaussianProcessClassifier(kernel, optimizer=None).fit(plain["rows"], plain["binary"])
    proven(model, plain["rows"])


@pytest.mark.parametrize(
    ("several", "method"), [("one_vs_rest", "predict_proba"), ("one_vs_rest", "predict"), ("one_vs_one", "predict")]
)
def test_processes_of_several_classes(several, method, plain, proven):
    model = GaussianProcessClassifier(RBF(2.0), optimizer=None, multi_class=several)
    proven(model.fit(plain["rows"], plain["texts"]), plain["rows"], method)


def test_a_process_of_several_targets(plain, proven):
    model = GaussianProcessRegressor(RBF(1.5), alpha=0.1, optimizer=None).fit(plain["rows"], plain["several"])
    assert proven(model, plain["rows"]).outputs == ("y0", "y1")


def test_the_error_function_is_right_to_its_last_digits():
    context = Context(columns={}, fitted=bool)
    rows = np.concatenate([np.linspace(-7, 7, 4001), [0.0, 5e-324, -1e-20, 1e308, -np.inf, np.nan]])[:, None]
    graph = context.graph.build(error_function(context, "rows"), width=1)
    found = runtimes.get("onnxruntime")(graph).run(rows)
    np.testing.assert_allclose(found[:, 0], [math.erf(value) for value in rows[:, 0]], rtol=4e-16)


@pytest.mark.parametrize(
    ("model", "target", "reason"),
    [
        (GaussianProcessRegressor(Matern(nu=0.7) + NOISE, optimizer=None), "score", "Bessel"),
        (GaussianProcessClassifier(PairwiseKernel(), optimizer=None), "binary", "PairwiseKernel"),
        (KernelRidge(kernel=lambda one, other: float(one @ other)), "score", "kernel is code"),
    ],
    ids=["bessel", "pairwise", "code"],
)
def test_kernels_that_are_refused(model, target, reason, plain, proven):
    with pytest.raises(RefusedError, match=reason):
        proven(model.fit(plain["rows"], plain[target]), plain["rows"])


@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "sigmoid"])
def test_kernel_ridge(kernel, plain, proven):
    proven(KernelRidge(kernel=kernel, gamma=0.01).fit(plain["rows"], plain["score"]), plain["rows"])


@pytest.mark.parametrize(
    ("kind", "shape", "method"),
    [
        (GaussianMixture, "full", "predict_proba"),
        (GaussianMixture, "diag", "predict"),
        (GaussianMixture, "spherical", "predict_proba"),
        (GaussianMixture, "tied", "score_samples"),
        (BayesianGaussianMixture, "full", "score_samples"),
        (BayesianGaussianMixture, "diag", "predict_proba"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # it need not converge
def test_mixtures(kind, shape, method, plain, proven):
    model = kind(n_components=2, covariance_type=shape, random_state=0, max_iter=20).fit(plain["rows"])
    proven(model, plain["rows"], method)


@pytest.mark.parametrize("method", ["predict_proba", "predict"])
def test_shares_of_a_tied_mixture_are_refused(method, plain, proven):
    model = GaussianMixture(2, covariance_type="tied", random_state=0).fit(plain["rows"])
    with pytest.raises(RefusedError, match="may add up to 2"):
        proven(model, plain["rows"], method)


@pytest.mark.parametrize("method", ["decision_function", "score_samples", "predict"])
def test_an_ellipse_around_the_rows(method, plain, proven):
    proven(EllipticEnvelope(random_state=0).fit(plain["rows"]), plain["rows"], method)
