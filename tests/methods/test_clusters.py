import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.metrics import adjusted_rand_score

from shiplap.methods.clusters import clusters_of, described


def customers(n: int = 1_200) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    kind = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    tenure = np.array([rng.gamma(2, 3, n), rng.gamma(9, 4, n), rng.gamma(20, 4, n)])[kind, np.arange(n)]
    contract = np.array(["monthly", "yearly", "two years"])[np.where(rng.random(n) < 0.95, kind, 0)]
    pays = np.array(["card", "bank", "check"])[np.where(rng.random(n) < 0.85, kind, rng.integers(0, 3, n))]
    X = pd.DataFrame({"contract": contract, "tenure": tenure, "pays": pays, "age": rng.normal(45, 12, n)})
    X.loc[::17, "age"] = np.nan
    return X, kind


@pytest.mark.parametrize(("load", "count", "least"), [(load_iris, 3, 0.55), (load_wine, 3, 0.85)])
def test_the_kinds_of_flowers_and_wines_are_found(load, count, least):
    data = load(as_frame=True)
    clusters = clusters_of(data.data)
    assert clusters.count == count
    assert adjusted_rand_score(data.target, clusters.labels) > least
    assert clusters.stability > 0.8


@pytest.mark.parametrize("shape", ["normal", "lognormal", "uniform"])
def test_one_piece_is_not_cut(shape):
    rng = np.random.default_rng(1)
    X = pd.DataFrame(getattr(rng, shape)(size=(800, 3)))
    X[1] += 0.8 * X[0]
    assert clusters_of(X.assign(side=rng.choice(["left", "right"], 800))).count == 1


def test_groups_of_customers_are_told_in_their_own_words():
    X, kind = customers()
    clusters = clusters_of(X)
    assert clusters.count == 3
    assert adjusted_rand_score(kind, clusters.labels) > 0.7
    rules = [described(X, clusters.labels == group) for group in range(3)]
    assert "contract = monthly" in rules[0].rule
    assert min(rule.precision for rule in rules) > 0.8
    assert min(rule.coverage for rule in rules) > 0.7


def test_a_rule_names_gaps_and_dates():
    days = pd.date_range("2024-01-01", periods=400)
    X = pd.DataFrame({"day": days, "fee": np.where(np.arange(400) % 4, 5.0, np.nan)})
    assert described(X, X["fee"].isna().to_numpy()).rule == "fee is missing"
    assert described(X, np.asarray(days >= "2024-07-01")).rule == "day above 2024-06-30"


def test_the_same_seed_finds_the_same_groups():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(150, 2)))
    X.loc[:60] += 6
    assert (clusters_of(X, seed=3).labels == clusters_of(X, seed=3).labels).all()


def test_columns_that_do_not_vary_make_no_groups():
    assert clusters_of(pd.DataFrame({"a": np.ones(200), "b": [None] * 200})).count == 1
