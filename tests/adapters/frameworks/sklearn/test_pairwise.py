import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import euclidean_distances, pairwise_kernels

from shiplap.adapters.frameworks.graph import INPUT
from shiplap.adapters.frameworks.lowering import Context
from shiplap.adapters.frameworks.sklearn import pairwise
from shiplap.adapters.runtimes import runtimes
from shiplap.core.errors import RefusedError

ROWS = np.abs(np.random.default_rng(0).normal(size=(40, 5)).round(1))
ROWS[0] = 0.0
POINTS = np.abs(np.random.default_rng(1).normal(size=(9, 5)).round(1))
POINTS[:3] = ROWS[:3]


def answer(build):
    context = Context(columns={}, fitted=lambda estimator: True, path=("here",))
    graph = context.graph.build(build(context), width=ROWS.shape[1])
    return runtimes.get("onnxruntime")(graph).run(ROWS)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("linear", {}),
        ("poly", {"gamma": 0.3, "degree": 2.5, "coef0": 2.0}),
        ("rbf", {"gamma": 0.7}),
        ("rbf", {}),
        ("sigmoid", {"gamma": 0.1, "coef0": -1.0}),
        ("laplacian", {}),
        ("cosine", {}),
        ("chi2", {"gamma": 0.4}),
        ("additive_chi2", {}),
    ],
)
def test_kernels_are_those_of_scikit_learn(name, options):
    ours = answer(lambda context: pairwise.kernel(context, INPUT, POINTS, name, **options))
    np.testing.assert_allclose(ours, pairwise_kernels(ROWS, POINTS, name, **options), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "cityblock", "chebyshev"])
def test_distances_by_coordinates_are_those_of_scipy_bit_by_bit(metric):
    ours = answer(lambda context: pairwise.distances(context, INPUT, POINTS, metric))
    np.testing.assert_array_equal(ours, cdist(ROWS, POINTS, metric))


def test_minkowski_and_cosine_distances_are_within_rounding():
    ours = answer(lambda context: pairwise.distances(context, INPUT, POINTS, "minkowski", 3))
    np.testing.assert_allclose(ours, cdist(ROWS, POINTS, "minkowski", p=3), rtol=1e-14)


def test_expanded_distances_are_never_below_zero():
    ours = answer(lambda context: pairwise.squared_distances(context, INPUT, POINTS))
    np.testing.assert_allclose(ours, euclidean_distances(ROWS, POINTS, squared=True), atol=1e-14)
    assert ours.min() >= 0


def test_an_unknown_kernel_or_metric_is_refused_with_what_there_is():
    with pytest.raises(RefusedError, match=r"kernel 'mine'.*laplacian"):
        answer(lambda context: pairwise.kernel(context, INPUT, POINTS, "mine"))
    with pytest.raises(RefusedError, match=r"metric 'mine'.*chebyshev"):
        answer(lambda context: pairwise.distances(context, INPUT, POINTS, "mine"))


def test_the_nearest_come_in_order_and_of_equals_the_first():
    ours = answer(
        lambda context: context.graph.op("Cast", context.graph.top(INPUT, 3), to=11)  # positions, as doubles
    )
    np.testing.assert_array_equal(ours, np.argsort(ROWS, axis=1, kind="stable")[:, :3])


@pytest.mark.parametrize("width", [3, 8, 21, 128, 150, 700])
def test_sums_of_rows_are_those_of_numpy_bit_by_bit(width):
    rows = np.random.default_rng(0).normal(size=(40, width))
    context = Context(columns={}, fitted=lambda estimator: True)
    graph = context.graph.build(pairwise.row_sums(context, INPUT, width), width=width)
    np.testing.assert_array_equal(runtimes.get("onnxruntime")(graph).run(rows)[:, 0], rows.sum(axis=1))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("width", [2, 5, 13])
def test_a_point_is_as_far_from_itself_as_there(order, width):
    """The root of a rounding error: only the same order of the same sums gives the same one."""
    rows = np.asarray(np.random.default_rng(0).normal(size=(30, width)), order=order)
    context = Context(columns={}, fitted=lambda estimator: True)
    squared = pairwise.squared_distances(context, INPUT, rows, order=order)
    graph = context.graph.build(context.graph.op("Sqrt", squared), width=width)
    np.testing.assert_array_equal(
        runtimes.get("onnxruntime")(graph).run(rows), euclidean_distances(rows, rows.copy("K"))
    )
