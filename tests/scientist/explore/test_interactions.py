import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from shiplap.adapters.frames import read
from shiplap.methods.question import asked, pose
from shiplap.scientist.explore.interactions import look_at_interactions
from shiplap.scientist.explore.view import view_of


def looked(rows, **question):
    table, brief = read(rows, name="rows"), asked(None, question)
    problem = pose(table, brief) if brief.target else None
    return look_at_interactions(view_of(table, problem, private=(), seed=0))


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
def test_the_planted_pair_is_said_and_drawn(load):
    rows = load(as_frame=True).data
    first, second = rows.columns[[1, 4]]
    apart = (rows[first] > rows[first].median()) != (rows[second] > rows[second].median())
    rows["left"] = np.where(apart ^ (np.random.default_rng(0).random(len(rows)) < 0.1), "yes", "no")
    part = looked(rows, target="left")
    finding = part.findings[0]
    assert set(finding.columns) == {first, second}
    assert "the share of 'yes' is" in finding.means
    named = [name for finding in part.findings for name in finding.columns]
    assert len(named) == len(set(named))
    figure = part.figures[0]
    assert figure.kind == "heatmap"
    assert len(figure.data["mean"]) == len(set(figure.data["first"])) * len(set(figure.data["second"]))
    low, high = min(figure.data["mean"]), max(figure.data["mean"])
    assert high - low > 0.4


def test_nothing_is_said_where_single_effects_do():
    part = looked(load_diabetes(as_frame=True).frame, target="target")
    assert [finding.check for finding in part.findings] == ["interaction.none"]
    assert part.figures == ()
    assert looked(load_diabetes(as_frame=True).frame).findings == ()


def test_classes_are_named():
    rows = load_wine(as_frame=True).frame
    rng = np.random.default_rng(0)
    large = rows.sample(1500, replace=True, random_state=0).reset_index(drop=True)
    large = large + rng.normal(0, 1e-3, large.shape)
    low, high = (large[name] > large[name].median() for name in ("alcohol", "ash"))
    large["target"] = np.where(low != high, "c", rng.choice(["a", "b"], len(large)))
    part = looked(large, target="target")
    assert set(part.findings[0].columns) == {"alcohol", "ash"}
    assert "share of 'c'" in part.findings[0].means


def test_too_few_of_a_class_say_nothing():
    rows = load_wine(as_frame=True).data
    rows["rare"] = np.where(np.arange(len(rows)) % 15 == 0, "yes", "no")
    assert looked(rows, target="rare").findings == ()
