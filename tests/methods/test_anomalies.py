import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.metrics import roc_auc_score

from shiplap.methods.anomalies import Detector, reasons, tail_probability
from shiplap.methods.mixed import mixed


def oddness(X: pd.DataFrame) -> np.ndarray:
    encoded = mixed(X).matrix
    return Detector(encoded, seed=0).oddness(encoded)


def rare(load, value: int, share: float) -> tuple[pd.DataFrame, np.ndarray]:
    data = load(as_frame=True)
    hit = (data.target == value).to_numpy()
    few = np.random.default_rng(0).permutation(np.flatnonzero(hit))[: int(share * (~hit).sum())]
    kept = np.sort(np.r_[np.flatnonzero(~hit), few])
    return data.data.iloc[kept].reset_index(drop=True), hit[kept]


@pytest.mark.parametrize(("load", "value", "least"), [(load_breast_cancer, 0, 0.9), (load_wine, 2, 0.95)])
def test_the_rare_class_is_odd(load, value, least):
    X, hit = rare(load, value, 0.05)
    assert roc_auc_score(hit, oddness(X)) > least


def orders(n: int = 3_000) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    plan = rng.choice(["basic", "plus", "pro"], n, p=[0.6, 0.3, 0.1])
    seats = rng.integers(1, 40, n).astype(float)
    price = pd.Series(plan).map({"basic": 5.0, "plus": 9.0, "pro": 15.0}).to_numpy()
    bill = seats * price * rng.normal(1, 0.02, n)
    age = np.where(rng.random(n) < 0.1, np.nan, rng.gamma(4, 10, n))
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    return pd.DataFrame({"plan": plan, "seats": seats, "bill": bill, "age": age, "since": days})


def test_a_broken_relation_and_a_wild_value_are_found_with_their_columns():
    X = orders()
    X.loc[7, "bill"] = 900.0
    X.loc[7, ["plan", "seats"]] = ["basic", 2.0]
    X.loc[11, "age"] = 4_000.0
    encoded = mixed(X)
    detector = Detector(encoded.matrix, seed=0)
    odd = detector.oddness(encoded.matrix)
    assert set(np.argsort(-odd)[:2]) == {7, 11}
    bill, age = reasons(X, encoded, detector, np.array([7, 11]), seed=0)
    assert bill[0].column == "bill"
    assert bill[0].value == 900.0
    assert 5 < bill[0].usual < 40
    assert (age[0].column, age[0].value) == ("age", 4_000.0)
    assert sum(reason.share for reason in bill) == pytest.approx(1)


def test_rows_that_break_how_columns_go_together_are_listed_and_no_others():
    rng = np.random.default_rng(2)
    X = pd.DataFrame(rng.normal(size=(3_000, 4)) @ rng.normal(size=(4, 4)), columns=list("abcd"))
    X["e"] = X["a"] - X["b"] + rng.normal(0, 0.1, 3_000)
    X.loc[[3, 5, 8], "e"] = X.loc[[3, 5, 8], "a"] + X.loc[[3, 5, 8], "b"] + 3
    listed = false_discovery_control(tail_probability(oddness(X))) <= 0.05
    assert np.flatnonzero(listed).tolist() == [3, 5, 8]


def test_a_gap_where_there_never_is_one_is_named():
    X = orders()
    X.loc[5, "seats"] = np.nan
    encoded = mixed(X)
    detector = Detector(encoded.matrix, seed=0)
    first = reasons(X, encoded, detector, np.array([5]), seed=0)[0][0]
    assert (first.column, first.value) == ("seats", None)
    assert isinstance(first.usual, float)


@pytest.mark.parametrize("shape", ["normal", "lognormal", "uniform", "standard_cauchy"])
def test_long_tails_alone_are_no_anomalies(shape):
    listed = 0
    for seed in range(4):
        odd = oddness(pd.DataFrame(getattr(np.random.default_rng(seed), shape)(size=(2_500, 4))))
        listed += int((false_discovery_control(tail_probability(odd)) <= 0.05).sum())
    assert listed <= 5  # of 10,000 rows


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 100), st.floats(-50, 50))
def test_probabilities_fall_as_scores_rise_whatever_the_unit(seed, scale, shift):
    scores = np.random.default_rng(seed).gamma(2, size=400)
    probability = tail_probability(scores)
    ordered = probability[np.argsort(scores)]
    assert (np.diff(ordered) <= 0).all()
    assert ((probability >= 0) & (probability <= 1)).all()
    assert tail_probability(scores * scale + shift) == pytest.approx(probability, rel=1e-2, abs=1e-6)


def test_little_to_judge_by_lists_nothing():
    assert (tail_probability(np.arange(20.0)) == 1).all()
    assert (tail_probability(np.zeros(500)) == 1).all()


def test_encoding_keeps_what_varies_and_has_no_gap():
    X = orders().assign(same=1.0, empty=np.nan, wild=[np.inf, *range(2_999)])
    encoded = mixed(X)
    assert encoded.names == ("plan", "seats", "bill", "age", "since", "wild")
    assert np.isfinite(encoded.matrix).all()
    assert encoded.blocks[-1].stop == encoded.matrix.shape[1]


def test_the_same_seed_finds_the_same():
    X = orders()
    assert (oddness(X) == oddness(X)).all()
