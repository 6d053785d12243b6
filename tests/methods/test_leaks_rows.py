"""Rows on two sides of a split that know each other: copies, rows of one time, rows of one entity."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

from shiplap.methods.leaks import Between, between_rows
from shiplap.methods.leaks.overlap import own_rows_gap
from shiplap.methods.leaks.sample import sample_of
from shiplap.methods.question import pose
from shiplap.methods.splits import honest_split


def looked(rows: pd.DataFrame, target: str = "target", **question) -> Between:
    problem = pose(rows, question={"target": target, **question})
    return between_rows(problem, honest_split(problem))


def checks(between: Between) -> dict[str, str]:
    return {finding.check: finding.verdict for finding in between.findings}


@pytest.mark.parametrize("load", [load_breast_cancer, load_diabetes])
def test_clean_tables_have_no_twins(load):
    found = looked(load(as_frame=True).frame)
    assert found.findings == []
    assert found.twins.share == 0


@pytest.mark.parametrize("jitter", [0.0, 1e-3])
def test_copies_across_the_split_are_found(jitter):
    rows = load_breast_cancer(as_frame=True).frame
    rng = np.random.default_rng(0)
    copies = rows.sample(frac=0.2, random_state=0)
    inputs = copies.columns.drop("target")
    copies[inputs] += jitter * rows[inputs].std().to_numpy() * rng.normal(size=(len(copies), len(inputs)))
    found = looked(pd.concat([rows, copies]).sample(frac=1, random_state=1).reset_index(drop=True))
    assert checks(found) == {"leak.duplicates": "warn"}
    assert 0.05 < found.twins.share < 0.3
    assert bool(found.twins.exact.any()) is (jitter == 0)
    assert found.twins.apart_of(twins=True) == 0


def test_rows_that_are_equal_by_coincidence_are_only_noted():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({name: rng.choice(list("abcdefghij"), 4000, p=[0.3, *[0.7 / 9] * 9]) for name in "uvwx"})
    rows["target"] = rng.random(4000) < 0.4
    assert checks(looked(rows)).get("leak.duplicates") in (None, "note")


def wandering(n: int = 3000) -> pd.DataFrame:
    """Days whose level wanders, and two columns that say a little."""
    rng = np.random.default_rng(0)
    day = np.sort(rng.integers(0, 300, n))
    level = np.cumsum(rng.normal(0, 0.35, 300))
    rows = pd.DataFrame(rng.normal(size=(n, 2)), columns=["a", "b"])
    rows["target"] = rows["a"] + 2 * level[day] + rng.normal(size=n)
    return rows.assign(day=pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D"))


def test_rows_of_the_same_time_tell_each_other():
    rows = wandering()
    found = looked(rows)
    assert checks(found)["leak.time_overlap"] == "warn"
    (overlap,) = [one for one in found.overlaps if one.finding.check == "leak.time_overlap"]
    assert overlap.column == "day"
    assert overlap.gap.mixed > overlap.gap.apart
    assert overlap.gap.skill.low > 0
    assert "leak.time_overlap" not in checks(looked(rows, time="day"))
    rng = np.random.default_rng(1)
    assert "leak.time_overlap" not in checks(looked(rows.assign(day=rng.permutation(rows["day"]))))


def customers(n: int = 3000, spread: float = 1.5) -> pd.DataFrame:
    """Ten rows a customer, some of whom do it more than others."""
    rng = np.random.default_rng(0)
    who = rng.integers(0, n // 10, n)
    habit = rng.normal(0, spread, n // 10)
    rows = pd.DataFrame(rng.normal(size=(n, 2)), columns=["a", "b"])
    rows["target"] = rng.random(n) < 1 / (1 + np.exp(-(rows["a"] + habit[who])))
    return rows.assign(customer=[f"C{number:05d}" for number in who])


def test_rows_of_the_same_customer_tell_each_other():
    found = looked(customers())
    assert checks(found) == {"leak.group_overlap": "warn"}
    assert found.overlaps[0].column == "customer"
    assert "group='customer'" in found.findings[0].todo
    assert looked(customers(), group="customer").findings == []
    assert looked(customers(spread=0.0)).findings == []


def test_an_identifier_that_is_no_feature_may_be_the_entity():
    found = looked(customers(), id=("customer",))
    assert checks(found) == {"leak.group_overlap": "warn"}
    assert looked(customers(), id=("customer",), private=("customer",)).findings == []


def test_what_measures_is_no_entity():
    rows = customers(spread=0.0)
    age = np.random.default_rng(0).integers(18, 90, len(rows))
    rows = rows.assign(target=rows["a"] + age / 10 + np.random.default_rng(1).normal(size=len(rows)), age=age)
    assert not [one for one in looked(rows).overlaps if one.column == "age"]


def test_the_gap_is_the_truth_on_made_data():
    """With half of the variance in the level of the entity, meeting it before explains almost that half."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(150), 20)
    rows = pd.DataFrame({"a": rng.normal(size=3000), "target": rng.normal(size=150)[who] + rng.normal(size=3000)})
    sample = sample_of(pose(rows, question={"target": "target"}))
    gap = own_rows_gap(sample, np.arange(3000), who, who < 45)
    assert 0.3 < gap.skill.value < 0.6
    assert gap.skill.low > 0.15
    assert abs(gap.apart) < 0.2
