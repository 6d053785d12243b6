from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes

from shiplap.core.errors import BriefError
from shiplap.methods.policies import settled
from shiplap.methods.question import pose
from shiplap.methods.simple import Entrant, simple
from shiplap.methods.splits import honest_split
from shiplap.scientist.assess.entrants import models
from shiplap.scientist.assess.hurdles import hurdles
from shiplap.scientist.assess.hurdles.effect import least_effect, rows_a_side, stratified_difference
from shiplap.scientist.assess.hurdles.fairness import fairness


def looked_at(rows: pd.DataFrame, **question):
    problem = pose(rows, question={"target": "y", "budget": {"train_seconds": 2}, **question})
    split = honest_split(problem)
    problem = settled(problem, split)
    return hurdles(problem, split, [*simple(problem, split), *models(problem, split)])


def said(part, check):
    return [finding for finding in part.findings if finding.check == check]


def people(seed: int = 0, n: int = 4_000, *, blind: bool = False) -> pd.DataFrame:
    """Rows with a signal in a and b; where blind, it says nothing of group q."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    rows["group"] = rng.choice(["p", "q"], n, p=[0.6, 0.4])
    signal = 2 * rows["a"] + rows["b"]
    signal = signal.where((rows["group"] == "p") | (not blind), 2 * rng.normal(size=n))
    return rows.assign(y=rng.random(n) < 1 / (1 + np.exp(-signal)))


def test_groups_that_are_served_worse_are_found():
    part = looked_at(people(blind=True), sensitive=["group"])
    found = said(part, "hurdle.fairness.group")
    assert {finding.verdict for finding in found} == {"warn"}
    assert all("'q' against" in finding.means for finding in found)
    rates = {(row[1], row[2]): row[4] for row in next(table for table in part.tables if table.name == "fairness").rows}
    assert rates["q", "missed, of the positive"] > rates["p", "missed, of the positive"] + 0.2
    assert {figure.name for figure in part.figures} == {"fairness.group.missed", "fairness.group.acted_on"}


def test_groups_that_are_served_alike_are_hardly_ever_accused():
    problem = pose(people(), question={"target": "y", "sensitive": ["group"]})
    split = honest_split(problem)
    rng, accused = np.random.default_rng(0), 0
    for _ in range(200):
        beside = pd.DataFrame({"group": rng.choice(["p", "q", "r"], problem.n_rows)})
        score = rng.random(len(split.test))
        learned = Entrant("guess", True, score, np.column_stack([1 - score, score]), (score > 0.5).astype(int))
        part = fairness(replace(problem, beside=beside), split, learned)
        accused += any(finding.verdict != "good" for finding in part.findings)
    assert accused <= 0.1 * 200 + 3 * (0.1 * 0.9 * 200) ** 0.5  # two rates, each at level 0.05


def test_groups_of_numbers_and_of_many_classes_are_compared():
    rows = load_diabetes(as_frame=True).frame.rename(columns={"target": "y"})
    (found,) = said(looked_at(rows, sensitive=["age"]), "hurdle.fairness.age")
    assert "absolute error" in found.means
    rows = people().assign(y=lambda d: np.select([d["a"] < -0.5, d["a"] < 0.5], ["low", "middle"], "high"))
    (found,) = said(looked_at(rows, sensitive=["group"]), "hurdle.fairness.group")
    assert found.means.startswith("wrong")


def test_a_private_column_cannot_be_shown_as_groups():
    with pytest.raises(BriefError, match="both private and sensitive"):
        looked_at(people(), sensitive=["group"], private=["group"])


@given(
    st.lists(st.floats(0.5, 20), min_size=1, max_size=20),
    st.lists(st.floats(-20, -0.5), min_size=1, max_size=20),
)
def test_at_the_least_effect_acting_neither_pays_nor_costs(hits, others):
    worth = np.column_stack([np.zeros(len(hits) + len(others)), [*hits, *others]])
    hit = np.arange(len(worth)) < len(hits)
    least = least_effect(worth, hit)
    if sum(hits) + sum(others) <= 0:
        assert least is None
        return
    vain = np.mean(others)
    assert 0 <= least < 1
    assert least * sum(hits) + (1 - least) * vain * len(hits) + sum(others) == pytest.approx(0, abs=1e-6)


def test_an_experiment_of_the_size_given_finds_the_effect():
    n = rows_a_side(0.4, 0.15)
    rng = np.random.default_rng(0)
    alone, acted = rng.binomial(n, 0.4, 20_000) / n, rng.binomial(n, 0.4 * 0.85, 20_000) / n
    pooled = (alone + acted) / 2
    found = np.abs(alone - acted) > 1.96 * np.sqrt(2 * pooled * (1 - pooled) / n)
    assert np.mean(found) == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(("prevented", "verdict"), [(0.5, "note"), (0.0, "warn")])
def test_what_acting_did_is_told_among_rows_alike(prevented, verdict):
    rows = people(n=8_000)
    rng = np.random.default_rng(1)
    # The riskier are acted on more often: a plain comparison would say that acting does harm.
    acted = rng.random(len(rows)) < 1 / (1 + np.exp(-rows["a"]))
    rows["y"] = rows["y"] & ~(acted & (rng.random(len(rows)) < prevented))
    part = looked_at(rows.assign(called=np.where(acted, "yes", "no")), acted="called", value={"tp": 10, "fp": -5})
    (found,) = said(part, "hurdle.acted")
    assert found.verdict == verdict
    assert (found.value < -0.1) is (prevented > 0)
    assert "called" not in part.metrics


def test_the_interval_of_what_acting_did_holds_the_truth():
    rng = np.random.default_rng(3)
    held = []
    for _ in range(400):
        score = rng.random(3_000)
        was = rng.random(3_000) < 0.2 + 0.6 * score
        hit = rng.random(3_000) < score * np.where(was, 0.8, 1.0)
        found = stratified_difference(hit, was, score)
        weight = score * (0.2 + 0.6 * score) * (0.8 - 0.6 * score)
        truth = -0.2 * weight.sum() / ((0.2 + 0.6 * score) * (0.8 - 0.6 * score)).sum()
        held.append(found.low <= truth <= found.high)
    assert 0.9 <= np.mean(held) <= 0.99


def test_few_rows_acted_on_say_nothing():
    rows = people().assign(called=lambda d: d.index < 10)
    (found,) = said(looked_at(rows, acted="called"), "hurdle.acted")
    assert found.verdict == "warn"
    assert found.value is None


def dated(n: int = 6_000, *, days: int = 300) -> pd.DataFrame:
    rows = people(n=n)
    return rows.assign(at=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n) * days / n, unit="D"))


def test_labels_that_come_late_are_counted():
    rows = dated().assign(closed=lambda d: d["at"] + pd.Timedelta(days=30))
    part = looked_at(rows, time="at", label_time="closed")
    (found,) = said(part, "hurdle.delay")
    assert (found.verdict, part.metrics["label_delay_p95_days"]) == ("warn", pytest.approx(30))
    assert 0.05 < found.value < 0.2
    assert not said(part, "hurdle.delay_negative")
    early = looked_at(rows.assign(closed=rows["at"] - pd.Timedelta(days=1)), time="at", label_time="closed")
    assert said(early, "hurdle.delay_negative")[0].value == 1.0


def test_nobody_guesses_when_labels_are_known():
    (found,) = said(looked_at(dated(), time="at"), "hurdle.delay")
    assert "label_time" in found.todo


@pytest.mark.parametrize("column", ["closed", "called"])
def test_what_is_known_later_is_no_feature(column):
    rows = dated().assign(closed=lambda d: d["at"], called=lambda d: d["y"])
    problem = pose(rows, question={"target": "y", "time": "at", "label_time": "closed", "acted": "called"})
    assert column not in problem.schema.names


def test_wrong_kinds_of_columns_are_refused():
    with pytest.raises(BriefError, match="label_time column 'a' holds dates"):
        looked_at(dated(), time="at", label_time="a")
    with pytest.raises(BriefError, match="acted column 'group' says yes or no"):
        looked_at(people(), acted="group")


def test_a_gain_that_fades_is_told():
    rows = dated(n=12_000)
    fading = np.random.default_rng(0).random(len(rows)) < 0.5
    rows["y"] = rows["y"].where(rows["at"] < rows["at"].max() - pd.Timedelta(days=30), fading)
    assert said(looked_at(rows, time="at"), "hurdle.shift")[0].verdict == "warn"
    part = looked_at(dated(n=12_000), time="at")
    assert said(part, "hurdle.shift")[0].verdict == "good"
    figure = next(figure for figure in part.figures if figure.name == "gain_over_time")
    assert len(figure.data["gain"]) == 6


def test_wrong_labels_of_a_clear_question_are_told():
    rows = load_breast_cancer(as_frame=True).frame.rename(columns={"target": "y"})
    assert said(looked_at(rows), "hurdle.labels")[0].verdict == "good"
    rows = people(n=5_000).assign(y=lambda d: d["a"] + d["b"] > 0)
    dated_rows = rows.assign(at=pd.date_range("2024-01-01", periods=len(rows), freq="h"))
    wrong = (np.random.default_rng(0).random(len(rows)) < 0.1) & (np.arange(len(rows)) > 0.8 * len(rows))
    (found,) = said(looked_at(dated_rows.assign(y=dated_rows["y"] ^ wrong), time="at"), "hurdle.labels")
    assert found.verdict == "warn"


@pytest.mark.parametrize(("n_hits", "verdict"), [(30, "warn"), (150, "note"), (900, "good")])
def test_a_rare_class_is_told(n_hits, verdict):
    rows = people(n=3_000).assign(y=np.arange(3_000) < n_hits)
    assert said(looked_at(rows), "hurdle.prevalence")[0].verdict == verdict


def test_how_much_likelier_a_row_must_be_is_told():
    part = looked_at(people().assign(y=lambda d: d["a"] > 1.8), value={"tp": 2, "fp": -1})
    assert said(part, "hurdle.lift")[0].value == pytest.approx(1 / 3 / (people()["a"] > 1.8).mean(), rel=0.05)
