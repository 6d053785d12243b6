import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from shiplap.methods import pipelines
from shiplap.methods.pipelines import fit_linear, for_trees, linear, ordered_categories, useful_parts
from shiplap.methods.policies import policy_for, settled
from shiplap.methods.question import pose
from shiplap.methods.splits import honest_split


def rows(n: int = 1500) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "town": rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]),
            "tail": [f"N{code:03d}" for code in rng.integers(0, 80, n)],
            "at": pd.date_range("2024-01-01", periods=n, freq="4h"),
            "y": rng.integers(0, 2, n),
        }
    )


def test_trees_get_numbers_as_they_are_and_unseen_values_as_unseen():
    problem = pose(rows(), question={"target": "y"})
    prepare = for_trees(problem.X, problem.y, problem.schema, problem.task, seed=0)
    matrix = prepare.fit_transform(problem.X, problem.labels)
    assert np.array_equal(matrix[:, 0], problem.X["size"].to_numpy(), equal_nan=True)
    strange = problem.X.iloc[:2].assign(town=["nowhere", None], tail=["N999", None])
    coded = prepare.transform(strange)
    assert np.isnan(coded[:, 1]).all()
    assert np.isfinite(coded[:, 2]).all()


def test_the_linear_pipeline_takes_what_it_never_saw():
    problem = pose(rows(), question={"target": "y"})
    model = linear(problem.X, problem.schema, problem.task).fit(problem.X, problem.labels)
    strange = problem.X.iloc[:2].assign(size=np.nan, town=["nowhere", None], tail="N999", at=pd.NaT)
    assert np.isfinite(model.predict_proba(strange)).all()


def test_many_classes_order_categories_along_their_main_difference():
    values = pd.Series(np.repeat(["p", "q", "r"], 200))
    y = np.concatenate(
        [np.repeat([0, 1], [180, 20]), np.repeat([0, 1, 2], [100, 80, 20]), np.repeat([1, 2], [20, 180])]
    )
    order = ordered_categories(values, y, "multiclass", least=5).tolist()
    assert order in (["p", "q", "r"], ["r", "q", "p"])


def test_parts_of_a_date_that_never_come_again_are_left_out():
    assert "month" not in useful_parts(pd.Series(pd.date_range("2024-01-01", "2024-12-01")))
    assert "month" in useful_parts(pd.Series(pd.date_range("2021-01-01", "2024-12-01")))
    assert useful_parts(pd.Series(pd.to_datetime([None, None]))) == ()


def test_a_number_that_only_counts_time_is_left_out_of_a_split_by_time():
    data = rows().assign(counter=np.arange(1500) // 7, month=lambda d: d["at"].dt.month)
    problem = pose(data, question={"target": "y", "time": "at"})
    kept = settled(problem, honest_split(problem))
    assert list(kept.X.columns) == ["size", "town", "tail", "at"]
    assert {f.columns[0] for f in kept.findings if f.check == "column.clock"} == {"counter", "month"}
    insisted = pose(data, question={"target": "y", "time": "at", "keep": ("month",)})
    assert "month" in settled(insisted, honest_split(insisted)).X.columns


def test_a_class_the_train_part_lacks_is_left_out():
    data = rows().assign(y=lambda d: np.where(np.arange(1500) > 1400, "new", np.where(d["y"] == 1, "one", "none")))
    problem = pose(data, question={"target": "y", "time": "at"})
    split = honest_split(problem)
    kept = settled(problem, split)
    assert kept.classes == ("none", "one")
    assert set(kept.labels[split.test]) <= {"none", "one"}


def test_the_threshold_is_the_implied_one_where_the_rows_cannot_tell():
    rng = np.random.default_rng(0)
    score = rng.beta(2, 5, 3000)
    data = {"x": rng.random(3000), "y": (rng.random(3000) < score).astype(int)}
    problem = pose(data, question={"target": "y", "value": {"tp": 30, "fp": -10}})
    policy = policy_for(problem, np.column_stack([1 - score, score]), np.arange(3000))
    assert abs(policy.threshold - 0.25) < 0.01
    assert policy.threshold not in score


@pytest.mark.parametrize(("units", "n_rows", "passes"), [(np.inf, 4_000, 200), (9e6, 2_041, 200), (1e6, 2_000, 22)])
def test_a_linear_fit_spares_rows_then_passes_by_the_shape_alone(units, n_rows, passes):
    matrix, labels = np.zeros((4_000, 20)), np.tile([0, 1], 2_000)
    assert pipelines._affordable(matrix, LogisticRegression(), labels, units) == (n_rows, passes)


def test_the_work_of_a_linear_fit_changes_what_is_learned():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"a": rng.normal(size=5_000), "b": rng.normal(size=5_000)})
    problem = pose(rows.assign(y=rows["a"] + rng.normal(size=5_000) > 0), None, {"target": "y"})
    fits = [
        fit_linear(linear(problem.X, problem.schema, "binary"), problem.X, problem.labels, seed=0, units=units)
        for units in (np.inf, 1e6, 1e6)
    ]
    whole, few, again = (fit.named_steps["model"].coef_ for fit in fits)
    assert (few == again).all()
    assert (few != whole).all()
    assert fits[1].named_steps["model"].max_iter < 200
