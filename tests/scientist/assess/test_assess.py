import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from shiplap.scientist.assess import assess


def noise(seed: int, n: int = 1500) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(rng.normal(size=(n, 6)), columns=list("abcdef"))
    return rows.assign(town=rng.choice(["x", "y", "z"], n), y=rng.random(n) < 0.3)


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_never_a_go(seed):
    value = {"tp": 10, "fp": -5, "fn": 0} if seed % 2 else None
    report = assess(noise(seed), target="y", value=value, seed=seed)
    assert report.verdict in ("no-go", "collect more")
    assert report.holds is (report.verdict != "no-go")


def test_a_real_signal_is_a_go_in_money():
    rows = noise(0)
    rows["y"] = np.random.default_rng(1).random(1500) < np.where(rows["a"] + rows["b"] > 1, 0.95, 0.03)
    report = assess(rows, target="y", value={"tp": 10, "fp": -20, "fn": -1, "unit": "EUR"})
    assert report.verdict == "go"
    assert 0 < report.metrics["gain_low"] <= report.metrics["gain_per_1000"] <= report.metrics["gain_high"]
    assert report.metrics["unit"] == "EUR"
    policies = {row[0]: row for row in report.table("policies").rows}
    assert policies["do nothing"][2] == pytest.approx(-1000 * report.metrics["base_rate"], rel=0.05)
    assert {"do nothing", "act always", "logistic regression", "boosted trees"} < set(policies)


def test_the_effort_must_be_exceeded():
    rows = load_breast_cancer(as_frame=True).frame
    value = {"tp": 10, "fp": -10, "effort": 1e9}
    report = assess(rows, target="target", value=value)
    assert (report.verdict, report.holds) == ("no-go", False)
    assert "effort" in report.findings[0].means


def test_without_values_no_money_is_invented():
    report = assess(load_breast_cancer(as_frame=True).frame, target="target")
    assert report.metrics["gain_per_1000"] is None
    assert report.metrics["unit"] == "log loss"
    assert report.metrics["break_even"] >= 0
    assert report.verdict == "go"
    assert {"verdict.no_values", "verdict.break_even"} <= {f.check for f in report.findings}


def test_many_classes_with_a_matrix():
    names = ["a", "b", "c"]
    rows = load_wine(as_frame=True).frame.assign(target=lambda d: d["target"].map(dict(enumerate(names))))
    matrix = {decided: {actual: 1.0 if decided == actual else -1.0 for actual in names} for decided in names}
    report = assess(rows, target="target", value={"matrix": matrix})
    assert report.verdict == "go"
    assert report.table("policies").rows[0][0].startswith("always")


def test_prices_of_error_for_numbers():
    rows = load_diabetes(as_frame=True).frame
    report = assess(rows, target="target", value={"over": 1.0, "under": 3.0})
    assert report.metrics["gain_per_1000"] > 0
    without = assess(rows, target="target")
    assert without.metrics["unit"] == "RMSE"
    assert without.verdict == "go"


def test_a_rule_is_found_where_one_rule_is_the_answer():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"age": rng.integers(18, 80, 2000).astype(float), "other": rng.normal(size=2000)})
    rows["buys"] = np.where(rng.random(2000) < np.where(rows["age"] > 50, 0.9, 0.05), "yes", "no")
    report = assess(rows, target="buys", value={"tp": 10, "fp": -10})
    policies = {row[0]: row for row in report.table("policies").rows}
    (rule,) = [name for name in policies if name.startswith("rule: age up to")]
    assert report.metrics["best_simple"] == rule
    assert report.verdict != "go"


def test_dependent_days_count_as_one_piece():
    rows = noise(0).assign(day=np.repeat(pd.date_range("2024-01-01", periods=150), 10))
    report = assess(rows, target="y", time="day")
    sample = next(f for f in report.findings if f.check == "verdict.sample")
    assert "25 independent pieces" in sample.means
    assert sample.verdict == "warn"


@pytest.mark.parametrize("hits", [6, 25])
def test_a_handful_of_hits_settles_nothing(hits):
    """Six hits leave one or two among the test rows; none at all says nothing of what a hit would bring."""
    rows = noise(0, 400).assign(y=np.arange(400) < hits)
    rows["day"] = pd.date_range("2024-01-01", periods=400)
    by_chance = assess(rows, target="y", value={"tp": 50, "fp": -1})
    assert by_chance.verdict == "collect more"
    before_the_test = assess(rows, target="y", value={"tp": 50, "fp": -1}, time="day", drop=["a"])
    assert before_the_test.verdict == "collect more"
    assert any("too few for a verdict" in finding.means for finding in before_the_test.findings)
