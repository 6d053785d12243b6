import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from sklearn.datasets import load_breast_cancer, load_wine

from shiplap.methods.association import associations, coded, cross_table, independence


def kinds_of(rho: float, n: int = 20_000) -> pd.DataFrame:
    """One relation, told by columns of five kinds."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n)
    words = pd.Series(np.array(["low", "middle", "high", "top"], object)[np.digitize(y, [-1, 0, 1])])
    return pd.DataFrame(
        {
            "x": x,
            "number": y,
            "curved": np.exp(y),
            "boolean": (y > 0).astype(float),
            "category": words,
            "date": pd.Timestamp("2020-01-01") + pd.to_timedelta(y * 1000, unit="h"),
        }
    )


@pytest.mark.parametrize("rho", [0.1, 0.3, 0.5, 0.8, 0.95])
def test_one_relation_has_one_strength_whatever_the_kind(rho):
    strength = associations(kinds_of(rho)).strength[0, 1:]
    assert strength == pytest.approx(np.full(5, rho), abs=0.07)


def test_the_scale_ends_at_independence_and_at_a_copy():
    rng = np.random.default_rng(0)
    names = rng.choice(["a", "b", "c"], 3000)
    rows = pd.DataFrame({"a": names, "copy": np.char.upper(names), "other": rng.choice(["u", "v"], 3000)})
    found = associations(rows).strength
    assert found[0, 1] == pytest.approx(1.0, abs=1e-3)
    assert found[0, 2] < 0.05


def test_the_test_is_the_likelihood_ratio_test():
    table = np.array([[10, 20, 30], [25, 14, 40]])
    plain = chi2_contingency(table, lambda_="log-likelihood").pvalue
    assert independence(table).p == pytest.approx(plain, rel=0.1)
    assert independence(table).p > plain  # Williams' correction takes a little off
    assert independence(table).p == independence(table.T).p
    assert np.isnan(independence(np.array([[5, 5]])).p)
    assert np.isnan(independence(np.array([[5, 5], [0, 0]])).strength)


def test_gaps_are_left_out_pair_by_pair():
    rng = np.random.default_rng(1)
    x = rng.normal(size=4000)
    rows = pd.DataFrame({"x": x, "y": x + rng.normal(size=4000)})
    whole = associations(rows).strength[0, 1]
    rows.loc[rng.random(4000) < 0.4, "x"] = np.nan
    rows.loc[rng.random(4000) < 0.4, "y"] = np.nan
    (pair,) = associations(rows).pairs
    assert pair.rows == int(rows.notna().all(axis=1).sum())
    assert pair.strength == pytest.approx(whole, abs=0.1)
    rows.loc[20:, "y"] = np.nan
    assert associations(rows).pairs == ()


def test_rare_categories_share_a_bin_and_missing_has_none():
    column = pd.Series(["a"] * 500 + ["b"] * 480 + [f"rare {i}" for i in range(15)] + [None] * 5)
    codes = coded(column)
    assert len(set(codes)) == 4
    assert np.all(codes[-5:] == -1)
    assert cross_table(codes, codes).sum() == 995


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
def test_shuffled_columns_of_real_tables_go_with_nothing(load):
    rng = np.random.default_rng(0)
    rows = load(as_frame=True).frame.astype({"target": str}).iloc[:, -14:]
    rows["rare"] = np.where(rng.random(len(rows)) < 0.04, "rare", "common")
    found = [associations(rows.apply(lambda column: rng.permutation(column.to_numpy()))).pairs for _ in range(40)]
    assert sum(any(pair.p <= 0.05 for pair in pairs) for pairs in found) <= 4  # two expected at the most
    assert np.mean([pair.strength for pairs in found for pair in pairs]) < 0.1  # the bias is taken out


def test_related_columns_lie_together():
    rng = np.random.default_rng(2)
    a, b, c = rng.normal(size=(3, 2000))
    noise = rng.normal(size=(3, 2000)) / 3
    rows = pd.DataFrame({"a": a, "b": b, "c": c, "b2": b + noise[0], "a2": a + noise[1], "c2": c + noise[2]})
    found = associations(rows)
    order = [found.names[index] for index in found.clustered()]
    assert {frozenset(order[at : at + 2]) for at in (0, 2, 4)} == {
        frozenset({"a", "a2"}),
        frozenset({"b", "b2"}),
        frozenset({"c", "c2"}),
    }
