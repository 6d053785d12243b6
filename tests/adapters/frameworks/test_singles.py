import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shiplap.adapters.frameworks.singles import around, at_most, below

SINGLES = st.floats(width=32, allow_nan=False)
EDGES = np.array([0.0, -0.0, 1e-45, -1e-45, 1.0, -1.5, 3.4028235e38, -3.4028235e38, np.inf, -np.inf], np.float32)


def holds(limits, values):
    """Compare in both ways: with the cast, and without it."""
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    np.testing.assert_array_equal(values <= at_most(limits), narrow <= limits)
    lowest = (limits == -np.inf) & (values == -np.inf)  # no comparison with a double says that nothing is below
    np.testing.assert_array_equal((values <= below(limits)) & ~lowest, narrow < limits)


def beside(limits):
    """Return doubles on, beside and between float32 limits and their neighbors."""
    found = np.concatenate([around(limits, at_most(limits)), below(limits)])
    return np.concatenate([found, np.nextafter(found, -np.inf), np.nextafter(found, np.inf)])


def test_edges_of_single_precision_are_compared_alike():
    for limit in EDGES:
        limits = np.array([limit], np.float32)
        values = np.concatenate([beside(limits), EDGES.astype(float), [1e308, -1e308, 5e-324, -5e-324, 2.0**-150]])
        for value in values:
            holds(limits, np.array([value]))


@settings(max_examples=50)
@given(st.lists(SINGLES, min_size=1, max_size=8), st.floats(allow_nan=False))
def test_any_limit_and_any_double_are_compared_alike(limits, value):
    limits = np.array(limits, np.float32)
    for one in [value, *beside(limits).tolist()]:
        holds(limits, np.full(len(limits), one))


def test_an_even_limit_takes_the_middle_and_an_odd_one_does_not():
    even, odd = np.float32(1.0), np.nextafter(np.float32(1.0), np.float32(2.0))
    middle = (float(even) + float(odd)) / 2
    assert at_most(np.array([even]))[0] == middle
    assert below(np.array([odd]))[0] == middle
    assert below(np.array([even]))[0] < 1.0 - 2.0**-26
