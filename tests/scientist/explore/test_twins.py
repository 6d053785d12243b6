"""Columns that say the same are found over all rows, whatever the units, the case and a few rows that differ."""

import numpy as np
import pandas as pd
import pytest

from shiplap.scientist.explore import explore

N = 4_000


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    kelvin = np.round(rng.normal(290, 8, N), 2)
    broken = kelvin / 10
    broken[rng.choice(N, 40, replace=False)] = 1e9
    rare = (rng.random(N) < 0.005).astype(float)
    ordered = pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 90 * 24, N), unit="h")
    city = rng.choice(["Bonn", "Kiel", "Ulm", "Jena"], N)
    shouted = np.array([f" {name.upper()}" for name in city])
    shouted[:9] = "ULM?"
    return pd.DataFrame(
        {
            "kelvin": kelvin,
            "sensor": broken,
            "fahrenheit": kelvin * 1.8 - 459.67,
            "gappy": np.where(rng.random(N) < 0.3, np.nan, kelvin),
            "ordered": ordered,
            "due": ordered + pd.Timedelta(days=3),
            "city": city,
            "shouted": shouted,
            "rare": rare,
            "other rare": (rng.random(N) < 0.005).astype(float),
            "rare too": np.where(np.arange(N) == np.flatnonzero(rare)[0], 0.0, rare),
            "noisy": kelvin + rng.normal(0, 0.05, N),
        }
    )


def said(rows: pd.DataFrame) -> dict[tuple[str, ...], tuple[str, str]]:
    found = [f for f in explore(rows).findings if f.check in ("column.same", "column.nearly_same")]
    return {f.columns: (f.check, f.means) for f in found}


def test_lines_shifts_and_spellings_are_found_and_nothing_else(rows):
    found = said(rows)
    assert set(found) == {
        ("kelvin", "sensor"),
        ("kelvin", "fahrenheit"),
        ("kelvin", "gappy"),
        ("ordered", "due"),
        ("city", "shouted"),
        ("rare", "rare too"),
    }
    assert found["kelvin", "fahrenheit"] == (
        "column.same",
        "'kelvin' and 'fahrenheit' say the same: 'fahrenheit' is 1.8 times 'kelvin' minus 459.67",
    )
    assert found["ordered", "due"][1].endswith("'due' is 3 days after 'ordered'")
    assert found["kelvin", "sensor"][0] == "column.nearly_same"
    assert "on all but 40 of 4,000 rows" in found["kelvin", "sensor"][1]
    gaps = int(rows["gappy"].isna().sum())
    assert f"wherever both are known; {gaps:,} rows have only one" in found["kelvin", "gappy"][1]
    assert "all but 9 of 4,000 rows" in found["city", "shouted"][1]
    assert found["city", "shouted"][1].endswith("'shouted' is 'city' but for case and blanks")


def test_what_differs_on_two_rows_of_a_hundred_is_not_the_same(rows):
    other = rows["kelvin"].where(np.arange(N) % 50 > 0, 0.0)
    assert said(pd.DataFrame({"a": rows["kelvin"], "b": other})) == {}
