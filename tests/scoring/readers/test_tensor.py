from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from shiplap.core.encoding import Encoding, Number, Tensor
from shiplap.core.errors import InputError, RowError
from shiplap.scoring import Encoder
from shiplap.scoring.readers.tensor import TensorReader
from shiplap.scoring.values import UnreadableError

ENCODER = Encoder(
    Encoding(operations=(Number(column="age"), Tensor(column="x", shape=(2, 3)), Number(column="height")))
)
WANTED = np.array([[41.0, 1, 2, 3, 4, 5, 6, 1.5]])


@pytest.mark.parametrize(
    "value",
    [[[1, 2, 3], [4, 5, 6]], np.arange(1, 7).reshape(2, 3), [["1", 2, 3], [4.0, 5, True + 5]]],
    ids=["lists", "an array", "texts among them"],
)
def test_a_row_and_many_rows_are_written_alike(value):
    row = {"age": 41, "x": value, "height": 1.5}
    out = np.full((1, 8), 7.0)
    ENCODER.row(row, out)
    assert np.array_equal(out, WANTED)
    assert np.array_equal(ENCODER.matrix([row, row]), WANTED.repeat(2, axis=0))


def test_an_array_with_a_value_in_each_row_is_a_column():
    x = np.arange(12.0).reshape(2, 2, 3)
    found = ENCODER.matrix({"age": [1, 2], "x": x, "height": [3, 4]})
    assert np.array_equal(found[:, 1:7], x.reshape(2, 6))


@pytest.mark.parametrize("value", [None, float("nan"), "", " "])
def test_missing_is_not_a_number_throughout(value):
    out = np.zeros(8)
    ENCODER.row({"age": 1, "x": value, "height": 2}, out)
    assert np.isnan(out[1:7]).all()
    assert (out[0], out[7]) == (1, 2)


@pytest.mark.parametrize("value", [[1, 2, 3], [[1, 2], [3]], 5, "red", [[1, 2, "a"], [4, 5, 6]]])
def test_another_shape_is_refused_with_the_one_expected(value):
    with pytest.raises(RowError, match=r"column 'x': expected (numbers of shape \[2, 3\]|a number)"):
        ENCODER.row({"age": 1, "x": value, "height": 2}, np.zeros(8))


def test_an_array_is_no_column_of_numbers():
    with pytest.raises(InputError, match="one dimension"):
        ENCODER.matrix({"age": np.zeros((1, 2)), "x": np.zeros((1, 2, 3)), "height": [1]})


def test_a_long_text_among_many_takes_no_memory_for_the_others():
    reader = TensorReader(Tensor(column="x", shape=(10_000,)))
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableError):
            reader.flat(["x" * 10_000] + ["1"] * 9_999)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
