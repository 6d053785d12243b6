import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from shiplap.methods.ceilings import gamma, least_error, least_log_loss, neighbors, repeats


def coins(seed, n=6000):
    """Rows whose class is a coin, loaded by one column: the least error and log loss are known."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, 2))
    chance = 0.1 + 0.6 * x[:, 0]
    return x, (rng.random(n) < chance).astype(int), chance


def test_the_least_error_lies_between_the_bounds():
    x, y, chance = coins(0)
    truth = float(np.minimum(chance, 1 - chance).mean())
    nearest = neighbors(x[:3000], x[3000:])[1][:, 0]
    disagreement = float(np.mean(y[:3000] != y[3000:][nearest]))
    assert least_error(disagreement, 2) <= truth <= disagreement
    entropy = float(-(chance * np.log(chance) + (1 - chance) * np.log(1 - chance)).mean())
    assert least_log_loss(disagreement) == pytest.approx(entropy, rel=0.08)
    assert least_log_loss(float(2 * (chance * (1 - chance)).mean())) < entropy


def test_iris_is_nearly_without_noise_and_shuffled_iris_is_all_noise():
    data = load_iris()
    order = np.random.default_rng(0).permutation(150)
    x, y = data.data[order], data.target[order]
    nearest = neighbors(x[:75], x[75:])[1][:, 0]
    assert least_error(float(np.mean(y[:75] != y[75:][nearest])), 3) < 0.05
    mixed = np.random.default_rng(1).permutation(y)
    assert least_error(float(np.mean(mixed[:75] != mixed[75:][nearest])), 3) > 0.3


@pytest.mark.parametrize("noise", [0.0, 0.2, 1.0])
def test_gamma_finds_the_noise_of_a_smooth_function(noise):
    rng = np.random.default_rng(0)
    x = rng.random((800, 2))
    y = np.sin(5 * x[:, 0]) + x[:, 1] + noise * rng.normal(size=800)
    assert gamma(x[:400], y[:400], x[400:], y[400:]) == pytest.approx(noise**2, abs=0.25 * noise**2 + 0.005)


def test_equal_rows_show_the_noise_that_no_model_can_explain():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.integers(0, 50, 4000), "b": ["x"] * 2000 + ["y"] * 2000})
    coin = rng.random(4000) < 0.3
    assert repeats(X, coin.astype(int), classes=True).noise == pytest.approx(2 * 0.3 * 0.7, abs=0.02)
    number = X["a"] + rng.normal(0, 2.0, 4000)
    assert repeats(X, number.to_numpy(), classes=False).noise == pytest.approx(4.0, rel=0.06)


def test_rows_that_differ_are_no_repeats():
    found = repeats(pd.DataFrame({"a": [1.0, 2.0, np.nan, np.nan]}), np.array([0, 1, 0, 1]), classes=True)
    assert (found.n_rows, found.n_sets, found.noise) == (2, 1, 1.0)
