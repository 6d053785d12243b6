import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder

from shiplap.adapters.frameworks.lightgbm.estimators import Settings, boosted, fit_boosted
from shiplap.methods.importance import column_weights, permutation_importance, prepared_columns
from shiplap.methods.pipelines import fit_linear, for_trees, linear, output_of
from shiplap.methods.question import pose


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    n = 600
    rows = pd.DataFrame(
        {
            "noise": rng.normal(size=n),
            "gap": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "town": rng.choice(["ulm", "bonn", "kiel", "rare 1"], n, p=[0.5, 0.3, 0.198, 0.002]),
            "agent": [f"agent {code:03d}" for code in rng.integers(0, 90, n)],
            "at": pd.date_range("2024-01-01", periods=n, freq="5h"),
            "strong": rng.normal(size=n),
        }
    )
    return pose(rows.assign(y=np.digitize(rows["strong"] + rng.normal(size=n) / 4, [-0.5, 0.5])), None, {"target": "y"})


def made(problem, *, trees: bool):
    if not trees:
        pipeline = linear(problem.X, problem.schema, problem.task)
        fit_linear(pipeline, problem.X, problem.labels, seed=0)
        return pipeline.named_steps["prepare"], pipeline.named_steps["model"]
    prepare = for_trees(problem.X, problem.y, problem.schema, problem.task, seed=0)
    matrix = prepare.fit_transform(problem.X, problem.labels)
    model = boosted(problem.task, settings=Settings("plain"), rounds=10, seed=0)
    fit_boosted(model, (matrix, problem.labels), (matrix, problem.labels))
    return prepare, model


def dense(matrix):
    return matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)


@pytest.mark.parametrize("trees", [True, False])
def test_shuffling_the_prepared_columns_is_shuffling_the_column_itself(problem, trees):
    prepare, _ = made(problem, trees=trees)
    parts = prepared_columns(prepare)
    before = dense(prepare.transform(problem.X))
    assert sorted(np.concatenate(list(parts.values()))) == list(range(before.shape[1]))
    order = np.random.default_rng(1).permutation(problem.n_rows)
    for name in problem.X:
        shuffled = problem.X.assign(**{name: problem.X[name].to_numpy()[order]})
        expected = before.copy()
        expected[:, parts[name]] = before[order][:, parts[name]]
        assert np.array_equal(dense(prepare.transform(shuffled)), expected, equal_nan=True), name


@pytest.mark.parametrize("trees", [True, False])
def test_the_column_that_counts_weighs_most_and_loses_most(problem, trees):
    prepare, model = made(problem, trees=trees)
    parts = prepared_columns(prepare)
    weights = column_weights(model, parts)
    matrix = dense(prepare.transform(problem.X))
    wrong = permutation_importance(
        matrix, parts, lambda X: np.array([np.mean(output_of(model, X, "multiclass").argmax(axis=1) != problem.y)])
    )
    assert max(weights, key=weights.__getitem__) == max(wrong, key=lambda name: wrong[name][0]) == "strong"


def test_rare_categories_share_one_place():
    X = pd.DataFrame({"a": ["x"] * 5 + ["y"] * 5 + ["z", "w"], "b": ["u", "v"] * 6})
    encoder = OneHotEncoder(min_frequency=3, handle_unknown="infrequent_if_exist")
    prepare = ColumnTransformer([("categories", encoder, ["a", "b"])]).fit(X)
    assert {name: len(places) for name, places in prepared_columns(prepare).items()} == {"a": 3, "b": 2}
