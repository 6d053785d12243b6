import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiplap.core.errors import BriefError
from shiplap.methods.question import pose
from shiplap.methods.splits import by_group, by_stratum, by_time, honest_split


def disjoint(parts, n_rows):
    together = np.concatenate(parts)
    assert len(np.unique(together)) == len(together) <= n_rows
    return together


@given(st.lists(st.integers(0, 2000), min_size=30, max_size=300).filter(lambda hours: len(set(hours)) > 20))
def test_parts_by_time_are_disjoint_and_ordered(hours):
    time = np.datetime64("2024-01-01") + np.array(hours).astype("timedelta64[h]")
    train, tune, test = by_time(time.astype("datetime64[ns]"))
    assert len(disjoint((train, tune, test), len(hours))) == len(hours)
    assert time[train].max() < time[tune].min()
    assert time[tune].max() < time[test].min()


def test_the_stated_moment_is_the_border():
    time = np.arange("2024-01-01", "2024-12-31", dtype="datetime64[D]")
    train, tune, test = by_time(time, "2024-11-01")
    assert time[test].min() == np.datetime64("2024-11-01")
    assert time[tune].max() == np.datetime64("2024-10-31")
    assert len(train) > len(tune) > 0
    with pytest.raises(BriefError, match="leaves a side empty"):
        by_time(time, "2030-01-01")
    with pytest.raises(BriefError, match="not a moment"):
        by_time(time, "soon")


@given(st.lists(st.integers(0, 40), min_size=10, max_size=400).filter(lambda groups: len(set(groups)) >= 3))
def test_no_group_is_in_two_parts(groups):
    group = np.array(groups)
    parts = by_group(group, seed=1)
    assert len(disjoint(parts, len(group))) == len(group)
    sides = [set(group[part]) for part in parts]
    assert all(sides)
    assert len(sides[0] | sides[1] | sides[2]) == sum(len(side) for side in sides)


@given(st.lists(st.integers(0, 3), min_size=40, max_size=300))
def test_every_stratum_is_divided_alike(strata):
    stratum = np.array(strata)
    parts = by_stratum(stratum, seed=2)
    assert len(disjoint(parts, len(stratum))) == len(stratum)
    for code in np.unique(stratum):
        size = np.sum(stratum == code)
        shares = [np.sum(stratum[part] == code) for part in parts]
        assert abs(shares[0] - 0.6 * size) <= 1
        assert abs(shares[2] - 0.2 * size) <= 1


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 1000))
def test_with_time_and_group_both_hold(seed):
    rng = np.random.default_rng(seed)
    n = 1_000
    rows = {
        "x": rng.random(n),
        "who": [f"shop {index}" for index in rng.integers(0, 500, n)],
        "at": np.datetime64("2024-01-01T00:00") + np.sort(rng.integers(0, 9000, n)).astype("timedelta64[h]"),
        "y": rng.integers(0, 2, n),
    }
    problem = pose(rows, question={"target": "y", "time": "at", "group": "who"})
    split = honest_split(problem)
    assert problem.time[split.train].max() < problem.time[split.test].min()
    assert not set(problem.group[split.train]) & set(problem.group[split.test])
    assert not set(problem.group[split.tune]) & set(problem.group[split.test])


def test_the_same_seed_gives_the_same_parts():
    rows = {"x": np.arange(100.0), "y": np.arange(100) % 3}
    first, second, other = (honest_split(pose(rows, question={"target": "y", "seed": seed})).test for seed in (1, 1, 2))
    assert (first == second).all()
    assert (first != other).any()


def test_groups_that_were_all_seen_before_leave_nothing_to_test_on():
    rows = {
        "at": np.arange(200).astype("datetime64[D]").astype(str).tolist(),
        "who": [f"g{i % 4}" for i in range(200)],
        "x": np.arange(200.0).tolist(),
        "y": ["no", "yes"] * 100,
    }
    problem = pose(rows, question={"target": "y", "time": "at", "group": "who"})
    with pytest.raises(BriefError, match="no 'who' is new in the later rows"):
        honest_split(problem)
