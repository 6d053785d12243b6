from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shiplap.core.errors import StoreError
from shiplap.methods.sketches import (
    MISSING,
    MOST_BINS,
    MOST_CODES,
    UNSEEN,
    Sketch,
    sketch_codes,
    sketch_numbers,
    sketch_shares,
)
from shiplap.methods.traffic import Traffic, merge_packed, pack, unpack

SHARES = (0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0)


def drawn(seed: int, n_rows: int, kind: str) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    made = {
        "normal": lambda: rng.normal(size=n_rows),
        "amounts": lambda: rng.lognormal(3, 2, n_rows),
        "years": lambda: rng.integers(1900, 2030, n_rows).astype(float),
        "moments": lambda: 1.7e9 + rng.uniform(0, 86_400, n_rows),
        "wild": lambda: rng.integers(-(2**63), 2**63 - 1, n_rows).view(np.float64),
        "one": lambda: np.full(n_rows, -3.25),
    }[kind]()
    return np.where(rng.random(n_rows) < 0.1, np.nan, made)


samples = st.builds(
    drawn,
    st.integers(0, 1_000),
    st.integers(0, 3_000),
    st.sampled_from(["normal", "amounts", "years", "moments", "wild", "one"]),
)
edge_cases = st.lists(st.floats(), max_size=50).map(np.array)


def same_bins(one: Sketch, other: Sketch) -> bool:
    return (
        (one.rows, one.missing, one.unseen, one.finite, one.shift)
        == (other.rows, other.missing, other.unseen, other.finite, other.shift)
        and one.keys.tolist() == other.keys.tolist()
        and one.counts.tolist() == other.counts.tolist()
        and (one.low, one.high) == (other.low, other.high)
    )


@given(samples | edge_cases, st.integers(1, 5), st.integers(0, 100))
def test_parts_added_in_any_order_are_the_whole(values: NDArray[np.float64], n_parts: int, seed: int) -> None:
    values = values.astype(float)
    owner = np.random.default_rng(seed).integers(0, n_parts, len(values))
    parts = [sketch_numbers(values[owner == part]) for part in range(n_parts)]
    whole = sketch_numbers(values)
    for ordered in (parts, parts[::-1]):
        total = ordered[0]
        for part in ordered[1:]:
            total = total + part
        assert same_bins(total, whole)
        if whole.finite and abs(whole.high) < 1e100 and abs(whole.low) < 1e100:
            scale = max(abs(whole.low), abs(whole.high))
            assert total.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-12 * scale)
            assert total.squares == pytest.approx(whole.squares, rel=1e-6, abs=1e-12 * scale**2 * whole.finite)


@given(samples | edge_cases)
def test_every_count_is_exact_between_the_edges_of_its_bin(values: NDArray[np.float64]) -> None:
    values = values.astype(float)
    sketch = sketch_numbers(values)
    there = values[~np.isnan(values)]
    lows, highs = sketch.edges()
    assert len(sketch.keys) <= MOST_BINS
    assert sketch.missing == len(values) - len(there)
    assert [int(np.sum((there >= low) & (there <= high))) for low, high in zip(lows, highs, strict=True)] == (
        sketch.counts.tolist()
    )
    assert (lows[1:] > highs[:-1]).all()


@given(samples, st.sampled_from(SHARES))
def test_a_quantile_lies_in_the_bin_of_the_exact_one(values: NDArray[np.float64], share: float) -> None:
    sketch = sketch_numbers(values)
    there = values[~np.isnan(values)]
    if not len(there):
        assert math.isnan(sketch.quantile(share))
        return
    exact = np.quantile(there, share, method="inverted_cdf")
    lows, highs = sketch.edges()
    place = int(np.flatnonzero((lows <= exact) & (exact <= highs))[0])
    found = sketch.quantile(share)
    assert lows[place] <= found <= highs[place]
    if np.isfinite(highs[place]) and np.isfinite(lows[place]):
        assert abs(found - exact) <= (highs[place] / 2 - lows[place] / 2) * (1 + 1e-9)
    if sketch.shift == 0:
        assert found == exact


@given(samples)
def test_moments_are_those_of_the_values(values: NDArray[np.float64]) -> None:
    finite = values[np.isfinite(values)]
    if not len(finite) or np.abs(finite).max() > 1e100:
        return
    sketch = sketch_numbers(values)
    assert (sketch.finite, sketch.low, sketch.high) == (len(finite), finite.min(), finite.max())
    assert sketch.mean == pytest.approx(finite.mean())
    assert sketch.variance == pytest.approx(finite.var(), abs=1e-12)


def test_bins_of_usual_columns_are_narrow() -> None:
    rng = np.random.default_rng(3)
    for values in (rng.normal(40, 12, 200_000), rng.lognormal(3, 1, 200_000), 1.7e9 + rng.uniform(0, 86_400, 200_000)):
        sketch = sketch_numbers(values)
        lows, highs = sketch.edges()
        spread = np.quantile(values, 0.99) - np.quantile(values, 0.01)
        bulk = (lows > np.quantile(values, 0.01)) & (highs < np.quantile(values, 0.99))
        assert len(sketch.keys) > MOST_BINS / 4
        assert (highs - lows)[bulk].max() < 0.04 * spread


@given(samples)
def test_bins_joined_on_demand_are_those_of_a_coarser_count(values: NDArray[np.float64]) -> None:
    sketch = sketch_numbers(values)
    assert same_bins(sketch.joined(sketch.shift + 3), sketch_numbers(values, shift=sketch.shift + 3))
    assert sketch.joined(0) is sketch


@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=200).map(np.array), st.integers(0, 200))
def test_probabilities_are_counted_in_hundredths(values: NDArray[np.float64], cut: int) -> None:
    values = values.astype(float)
    sketch = sketch_shares(values[:cut]) + sketch_shares(values[cut:])
    assert same_bins(sketch, sketch_shares(values))
    there = values[~np.isnan(values)]
    assert sketch.counts.sum() == len(there)
    if len(there):
        assert sketch.mean == pytest.approx(there.mean())
        assert abs(sketch.quantile(0.5) - np.quantile(there, 0.5, method="inverted_cdf")) <= 0.01


@given(st.lists(st.integers(-2, MOST_CODES + 5), max_size=200).map(lambda codes: np.array(codes, np.int64)))
def test_categories_are_counted_exactly(codes: NDArray[np.int64]) -> None:
    sketch = sketch_codes(codes[:70]) + sketch_codes(codes[70:])
    assert sketch.rows == len(codes)
    assert (sketch.unseen, sketch.missing) == (np.sum(codes == UNSEEN), np.sum(codes == MISSING))
    counts = dict(zip(sketch.keys.tolist(), sketch.counts.tolist(), strict=True))
    assert sum(counts.values()) + sketch.unseen + sketch.missing == len(codes)
    assert counts.get(MOST_CODES, 0) == np.sum(codes >= MOST_CODES)
    assert all(counts[code] == np.sum(codes == code) for code in counts if code < MOST_CODES)


@given(samples, samples)
def test_packed_traffic_is_what_it_was(ages: NDArray[np.float64], amounts: NDArray[np.float64]) -> None:
    one = Traffic(inputs={"age": sketch_numbers(ages)}, answers={"label": sketch_codes(np.array([0, 1, 1]))})
    other = Traffic(inputs={"age": sketch_numbers(amounts)}, outputs={"yes": sketch_shares(np.array([0.5]))})
    back = unpack(pack(one))
    assert same_bins(back.inputs["age"], one.inputs["age"])
    assert back.inputs["age"].squares == one.inputs["age"].squares
    total = unpack(merge_packed([pack(one), pack(other)]))
    assert same_bins(total.inputs["age"], one.inputs["age"] + other.inputs["age"])
    assert same_bins(total.answers["label"], one.answers["label"])
    assert same_bins(total.outputs["yes"], other.outputs["yes"])


def test_a_bare_sketch_tells_nothing_of_the_values() -> None:
    bare = sketch_numbers(np.array([1.5, np.nan])).bare()
    assert (bare.rows, bare.missing, bare.finite, bare.mean, len(bare.keys)) == (2, 1, 0, 0.0, 0)
    assert bare.low == math.inf


@pytest.mark.parametrize("data", [b"", b"\x93", pack(Traffic())[:-1], b"\x93\x80\x80\x81\xa1a\x91\x01"])
def test_bytes_that_are_no_sketches_are_refused(data: bytes) -> None:
    with pytest.raises(StoreError, match="no sketches"):
        unpack(data)


def test_different_scales_are_not_added() -> None:
    with pytest.raises(StoreError, match="codes and one of numbers"):
        sketch_codes(np.array([1])) + sketch_numbers(np.array([1.0]))
