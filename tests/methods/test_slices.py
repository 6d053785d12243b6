import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

from shiplap.methods.importance import permutation_importance
from shiplap.methods.slices import worst_slices


def test_the_planted_weak_spot_is_found_first_and_noise_gives_none():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=2000), "town": rng.choice(["x", "y", "z"], 2000)})
    loss = rng.exponential(1.0, 2000)
    assert worst_slices(X, loss) == []
    weak = loss + 2.0 * (X["town"] == "z").to_numpy()
    found = worst_slices(X, weak)
    assert (found[0].column, found[0].value) == ("town", "z")
    assert found[0].low > weak.mean()
    assert worst_slices(X, weak, hidden=("town",)) == []


def test_shuffling_what_drives_a_model_costs_most():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = LinearRegression().fit(X[["bmi", "s5", "age"]].to_numpy(), y)
    names = ["bmi", "s5", "age", "s6"]
    parts = {name: np.array([place]) for place, name in enumerate(names)}
    found = permutation_importance(
        X[names].to_numpy(), parts, lambda rows: np.array([np.mean((y - model.predict(rows[:, :3])) ** 2)])
    )
    assert found["s6"][0] == 0.0
    assert min(found["bmi"][0], found["s5"][0]) > 10 * abs(found["age"][0])
