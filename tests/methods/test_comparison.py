import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from shiplap.adapters.frames import read
from shiplap.methods.comparison import _location, change_of
from shiplap.methods.tally import Tally, tally_numbers, tally_values

NUMBER = ('"x"', '"x"')


def tallied(first, second) -> Tally:
    tables = read(pd.DataFrame({"x": first})), read(pd.DataFrame({"x": second}))
    samples = tuple(table.frame.pandas('SELECT "x" FROM rows')["x"] for table in tables)
    columns = tuple(table.schema["x"] for table in tables)
    if columns[0].kind in ("number", "date"):
        return tally_numbers(tables, NUMBER, samples, columns)
    return tally_values(tables, NUMBER)


def counted(first, second) -> Tally:
    """The same without tables: quick."""
    ends = np.unique(np.quantile(np.concatenate([first, second]), np.arange(1, 16) / 16, method="lower"))
    sides = [np.bincount(np.searchsorted(ends, side), minlength=len(ends) + 1) for side in (first, second)]
    return Tally(tuple(map(str, range(len(ends) + 1))), *sides, (0, 0), tuple(map(str, ends)))


def test_every_row_is_counted_once_where_it_belongs():
    rng = np.random.default_rng(0)
    first, second = rng.lognormal(size=3000), rng.lognormal(size=2000) * 1.5
    first[:40], second[:7] = np.nan, np.nan
    found = tallied(first, second)
    assert found.first.sum() + found.missing[0] == 3000
    assert found.missing == (40, 7)
    ends = np.array([float(end) for end in found.ends])
    assert len(found.names) == len(ends) + 1
    for side, counts in ((first, found.first), (second, found.second)):
        expected = np.bincount(np.searchsorted(ends, side[~np.isnan(side)]), minlength=len(counts))
        assert np.abs(expected - counts).max() <= 3  # the ends are shown to six digits


def test_dates_are_counted_too():
    days = pd.date_range("2024-01-01", periods=3000, freq="3h").to_series()
    found = tallied(days.iloc[:2000].to_numpy(), days.iloc[1500:].to_numpy())
    assert (found.first.sum(), found.second.sum()) == (2000, 1500)
    assert found.ends[0].startswith("2024-01")
    assert found.second[0] == 0


def test_what_lies_outside_the_first_range_has_bins_of_its_own():
    rng = np.random.default_rng(1)
    first, second = rng.uniform(0, 1, 5000), rng.uniform(0, 1, 5000)
    assert change_of(tallied(first, np.sort(first)[1:-1])).unseen == 0
    assert change_of(tallied(first, second)).p > 0.05
    second[:25] = -3
    second[25:75] = 9
    found = change_of(tallied(first, second))
    assert found.unseen == pytest.approx(75 / 5000, abs=0.001)
    assert found.p < 1e-9


def test_the_size_is_the_share_of_rows_that_would_have_to_change():
    rng = np.random.default_rng(2)
    words = rng.choice(["a", "b", "c"], 20_000)
    other = rng.choice(["a", "b", "c"], 20_000)
    other[:2000] = "d"
    found = change_of(tallied(words, other))
    assert found.size == pytest.approx(0.1, abs=0.01)
    gone = np.where(np.arange(20_000) < 4000, None, other.astype(object))
    assert change_of(tallied(other, gone)).missing == (0.0, 0.2)
    assert change_of(tallied(other, gone)).size == pytest.approx(0.2, abs=0.01)


def test_chance_alone_has_no_size_and_no_significance():
    sizes, found = [], 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = np.concatenate([rng.choice(300, 400) % 97, rng.normal(50, 20, 1600)])
        order = rng.permutation(2000)
        change = change_of(counted(x[order[:1000]], x[order[1000:]]))
        sizes.append(change.size)
        found += change.p <= 0.05
    assert np.mean(sizes) < 0.03
    assert found <= 12  # ten expected at the most


def test_the_ranks_are_those_of_mann_and_whitney():
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 6, 300), rng.integers(0, 6, 200) + (rng.random(200) < 0.2)
    counts = [np.bincount(side, minlength=7) for side in (first, second)]
    expected = mannwhitneyu(second, first, use_continuity=False, method="asymptotic").pvalue
    assert _location(*counts) == pytest.approx(expected)


def test_shifts_are_found_at_the_stated_rate():
    found = {0.1: 0, 0.2: 0}
    for shift in found:
        for seed in range(20):
            rng = np.random.default_rng(seed)
            found[shift] += change_of(counted(rng.normal(size=5000), rng.normal(shift, 1, 5000))).p < 0.05 / 80
    assert found[0.2] == 20
    assert found[0.1] >= 15


def test_a_value_that_only_one_table_has_is_no_news_when_it_is_rare():
    first = ["a"] * 500 + ["b"] * 500
    assert change_of(tallied(first, [*first, "c", "d", "d"])).p > 0.05
    assert change_of(tallied(first, [*first, *["c"] * 30])).p < 1e-3
