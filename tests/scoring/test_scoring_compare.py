import numpy as np
import pytest

from shiplap.scoring import distances


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ([[1.0, 0.0]], [[1.0, 0.0]], 0.0),
        ([[np.nan]], [[np.nan]], 0.0),
        ([[np.inf]], [[np.inf]], 0.0),
        ([[np.inf]], [[-np.inf]], np.inf),
        ([[np.nan]], [[0.5]], np.inf),
        ([[0.5]], [[np.nan]], np.inf),
        ([[0.25, 0.75]], [[0.5, 0.5]], 0.25),
        ([[1e9]], [[1e9 + 1]], 1e-9),
    ],
)
def test_distance_of_a_row(theirs, ours, expected):
    found = distances(np.array(theirs), np.array(ours), 1.0)
    assert found.tolist() == [pytest.approx(expected)]


def test_no_rows_have_no_distance():
    assert distances(np.empty((0, 2)), np.empty((0, 2)), 1.0).shape == (0,)
