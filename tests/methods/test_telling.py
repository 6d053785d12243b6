import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

from shiplap.methods.association import coded
from shiplap.methods.telling import _tested, relation_changed, tell_apart


def halves(rows: pd.DataFrame, seed: int):
    return np.random.default_rng(seed).permutation(np.arange(len(rows)) % 2 == 1)


def test_a_model_tells_tables_apart_by_the_columns_that_differ():
    rows = load_breast_cancer(as_frame=True).data.iloc[:, :10]
    second = halves(rows, 0)
    moved = rows.copy()
    moved.loc[second, "mean smoothness"] += rows["mean smoothness"].std()
    found = tell_apart(moved, second)
    assert found.p < 1e-6
    assert found.auc.low > 0.6
    assert next(iter(found.loss)) == "mean smoothness"
    assert np.corrcoef(found.share, second)[0, 1] > 0.2


def test_words_and_gaps_tell_too():
    rng = np.random.default_rng(0)
    second = np.arange(3000) % 2 == 1
    words = np.where(second & (rng.random(3000) < 0.3), "new", rng.choice(["a", "b"], 3000)).astype(object)
    gaps = np.where(~second & (rng.random(3000) < 0.3), np.nan, rng.normal(size=3000))
    found = tell_apart(pd.DataFrame({"luck": rng.normal(size=3000), "words": words, "gaps": gaps}), second)
    assert set(list(found.loss)[:2]) == {"words", "gaps"}
    assert found.auc.low > 0.6


@pytest.mark.parametrize("load", [load_breast_cancer, load_diabetes])
def test_halves_of_real_tables_are_not_told_apart(load):
    rows = load(as_frame=True).frame.iloc[:, -8:]
    p = [tell_apart(rows, halves(rows, seed)).p for seed in range(12)]
    assert np.sum(np.array(p) <= 0.05) <= 2
    assert np.std(np.array(p)) > 0.1


def world(n: int = 4000) -> tuple[pd.DataFrame, np.ndarray, np.random.Generator]:
    """Inputs that moved between the tables."""
    rng = np.random.default_rng(0)
    second = np.arange(n) % 2 == 1
    return pd.DataFrame({"a": rng.normal(size=n) + second, "b": rng.normal(size=n)}), second, rng


def test_inputs_that_moved_are_no_changed_answer():
    X, second, rng = world()
    chance = 1 / (1 + np.exp(-2 * X["a"].to_numpy()))
    y = (rng.random(len(X)) < chance).astype(np.int64)
    assert y[second].mean() - y[~second].mean() > 0.1
    found = relation_changed(X, y, second, tell_apart(X, second).share)
    assert found.p > 0.05
    assert found.change.low <= 0 <= found.change.high


def test_what_the_model_of_the_target_misses_is_made_good_by_that_of_the_table():
    X, second, rng = world()
    missed = 0.5 * X["a"].to_numpy() + rng.normal(size=len(X))
    codes = {"a": coded(X["a"]), "b": coded(X["b"])}
    share = 1 / (1 + np.exp(0.5 - X["a"].to_numpy()))  # the truth: both normal, one moved by 1
    assert _tested(missed, second - share, codes).p > 0.05
    assert _tested(missed, second - second.mean(), codes).p < 1e-9


def test_an_answer_that_changed_is_found_with_its_size():
    X, second, rng = world()
    chance = np.clip(0.3 + 0.1 * X["a"].to_numpy() + 0.15 * second, 0, 1)
    y = (rng.random(len(X)) < chance).astype(np.int64)
    found = relation_changed(X, y, second, tell_apart(X, second).share)
    assert found.p < 1e-6
    assert found.change.low < 0.15 < found.change.high


def test_a_change_that_cancels_out_is_found_by_its_column():
    X, second, rng = world()
    y = np.where(second, -1, 1) * X["b"].to_numpy() + rng.normal(size=len(X))
    found = relation_changed(X, y, second, tell_apart(X, second).share)
    assert found.column == "b"
    assert found.p < 1e-9
    assert found.change.low < 0 < found.change.high


def test_classes_are_looked_at_one_by_one():
    X, second, rng = world(2000)
    y = rng.choice(3, len(X), p=[0.5, 0.3, 0.2])
    share = tell_apart(X, second).share
    assert relation_changed(X, y, second, share).p > 0.001
    y = np.where(second & (rng.random(len(X)) < 0.2), 2, y)
    assert relation_changed(X, y, second, share).p < 1e-6
