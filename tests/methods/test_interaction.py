import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from shiplap.methods.interaction import additive, interactions
from shiplap.methods.matrix import tree_matrix


def found(X: pd.DataFrame, y: np.ndarray, task="regression"):
    outputs = (y if y.ndim > 1 else y[:, None]).astype(float)
    return interactions(X, outputs - additive(X, y, task), outputs.var(axis=0))


@pytest.mark.parametrize("load", [load_breast_cancer, load_diabetes, load_wine])
def test_planted_exclusive_or_is_the_strongest_pair_of_real_tables(load):
    rows = load(as_frame=True).data
    rng = np.random.default_rng(0)
    for first, second in ((1, 4), (1, 8)):
        halves = [rows.iloc[:, at] > rows.iloc[:, at].median() for at in (first, second)]
        y = (halves[0] != halves[1]).to_numpy() ^ (rng.random(len(rows)) < 0.1)
        best = found(rows, y.astype(np.int64), "binary")[0]
        assert {best.first, best.second} == {rows.columns[first], rows.columns[second]}
        assert best.p < 1e-4
        assert best.gain > 0.1


@pytest.mark.parametrize("load", [load_breast_cancer, load_diabetes])
def test_shuffled_targets_of_real_tables_have_no_pairs(load):
    rows = load(as_frame=True)
    any_found = 0
    for seed in range(12):
        y = np.random.default_rng(seed).permutation(rows.target.to_numpy().astype(float))
        any_found += any(pair.p <= 0.05 for pair in found(rows.data.iloc[:, :10], y))
    assert any_found <= 2


def test_sums_of_curved_single_effects_are_no_pair():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(6000, 4)), columns=list("abcd"))
    X["e"] = X["a"] + rng.normal(size=6000) / 2
    y = (np.sin(3 * X["a"]) + X["b"] ** 2 - np.abs(X["e"])).to_numpy() + rng.normal(size=6000) / 4
    assert not [pair for pair in found(X, y) if pair.p <= 0.05 and pair.gain >= 0.005]
    chance = 1 / (1 + np.exp(-3 * (X["a"] + X["b"])))  # additive on the scale of the link, steep on that of chances
    hit = (rng.random(6000) < chance).to_numpy().astype(np.int64)
    assert not [pair for pair in found(X[["a", "b", "c"]], hit, "binary") if pair.p <= 0.05 and pair.gain >= 0.005]


def test_pairs_of_words_numbers_and_gaps_are_found():
    rng = np.random.default_rng(1)
    n = 4000
    X = pd.DataFrame(
        {"word": rng.choice(["a", "b", "c"], n), "number": rng.normal(size=n), "day": pd.Timestamp("2024-01-01")}
    )
    X["day"] += pd.to_timedelta(rng.integers(0, 500, n), unit="D")
    X["gap"] = np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n))
    y = np.where(X["word"] == "a", 1, -0.5) * X["number"] + rng.normal(size=n) / 2
    y += 1.0 * X["gap"].isna() * (X["day"] > "2024-09-01")
    best = [{pair.first, pair.second} for pair in found(X, y.to_numpy())[:2]]
    assert {"word", "number"} in best
    assert {"gap", "day"} in best


def test_the_gain_is_what_a_pair_explains_on_other_rows():
    rng = np.random.default_rng(2)
    X = pd.DataFrame(rng.choice([0.0, 1.0], (20_000, 3)), columns=list("abc"))
    product = (2 * X["a"] - 1) * (2 * X["b"] - 1)
    best = found(X, product.to_numpy() + 2 * rng.normal(size=20_000))[0]
    assert best.gain == pytest.approx(1 / 5, abs=0.02)  # of a variance of 1 + 4


def test_one_column_makes_no_pair():
    assert found(pd.DataFrame({"a": np.arange(100.0)}), np.arange(100.0)) == []


def test_every_kind_of_column_fits_the_matrix():
    rows = pd.DataFrame(
        {"when": pd.to_datetime(["2024-01-01", None]), "what": ["x", None], "how": [np.inf, 2.0], "all": [None, None]}
    )
    large = pd.concat([rows] * 20, ignore_index=True)
    matrix, words = tree_matrix(large)
    assert words.tolist() == [False, True, False, True]
    assert np.isnan(matrix).sum(axis=0).tolist() == [20, 20, 20, 0]
    assert not np.isnan(tree_matrix(rows)[0]).any()


def test_columns_without_values_or_with_them_on_every_other_row_are_borne():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
    X["never"], X["empty"] = np.nan, pd.Series([None] * 400, dtype=object)
    X["seldom"] = np.where(np.arange(400) < 5, 1.0, np.nan)
    X["turns"] = np.where(np.arange(400) % 2 == 0, X["a"], np.nan)
    assert len(found(X, rng.normal(size=400))) == 21
