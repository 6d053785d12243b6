import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes

from shiplap.adapters.frames import read
from shiplap.methods.question import asked, pose
from shiplap.scientist.explore.associations import look_at_associations
from shiplap.scientist.explore.view import view_of


def looked(rows, target="", private=()):
    table = read(rows, name="rows")
    brief = asked(None, {"target": target, "private": private})
    problem = pose(table, brief) if target else None
    return look_at_associations(view_of(table, problem, private=private, seed=0))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 3000
    town = rng.choice(["Rome", "Oslo", "Lima"], n)
    heat = np.select([town == "Rome", town == "Oslo"], [25.0, 5.0], 18.0) + rng.normal(0, 4, n)
    return pd.DataFrame(
        {
            "town": town,
            "country": pd.Series(town).map({"Rome": "Italy", "Oslo": "Norway", "Lima": "Peru"}),
            "heat": heat,
            "heating": 30 - heat + rng.normal(0, 3, n),
            "coat": np.where(heat + rng.normal(0, 3, n) < 10, "coat", "none"),
            "luck": rng.normal(size=n),
            "note": [
                "so " * int(k) + f"it was written down as {i} by me"
                for i, k in enumerate(np.clip(heat / 4 + rng.normal(size=n), 0, 9))
            ],
        }
    )


def test_pairs_of_all_kinds_are_said_in_words(rows):
    part = looked(rows)
    said = {frozenset((row[0], row[1])): row[5] for row in part.tables[0].rows}
    assert said[frozenset({"heat", "heating"})] == "'heat' falls as 'heating' rises"
    assert "'heat' is highest where 'town' is 'Rome' (mean 25" in said[frozenset({"town", "heat"})]
    assert "lowest where it is 'Oslo'" in said[frozenset({"town", "heat"})]
    assert "'coat' is 'coat' on" in said[frozenset({"town", "coat"})]
    assert frozenset({"heat", "length of note"}) in said
    assert not any("luck" in pair for pair in said)


def test_a_copy_is_noted_and_not_shouted(rows):
    findings = looked(rows).findings
    (same,) = [finding for finding in findings if finding.check == "association.same"]
    assert set(same.columns) == {"town", "country"}
    strong = [finding for finding in findings if finding.check == "association.strong"]
    assert strong
    assert all({"town", "country"} != set(finding.columns) for finding in strong)
    named = [name for finding in strong for name in finding.columns]
    assert len(named) == len(set(named))


def test_the_map_holds_every_pair_with_related_columns_side_by_side(rows):
    (figure,) = looked(rows).figures
    order = list(dict.fromkeys(figure.data["column"]))
    assert len(figure.data["strength"]) == len(order) ** 2
    assert abs(order.index("town") - order.index("country")) == 1
    assert order.index("luck") in (0, len(order) - 1)


def test_nothing_is_found_where_nothing_is():
    rng = np.random.default_rng(3)
    part = looked(pd.DataFrame(rng.normal(size=(800, 6)), columns=list("abcdef")))
    assert [finding.check for finding in part.findings] == ["association.none"]
    assert part.tables == ()
    assert part.figures == ()


def test_the_target_takes_part_and_private_columns_do_not(rows):
    part = looked(load_diabetes(as_frame=True).frame, target="target")
    assert "target" in part.figures[0].data["column"]
    assert "bmi" in {cell for row in part.tables[0].rows if "target" in row[:2] for cell in row[:2]}
    hidden = looked(rows, private=("heat",))
    assert "'heat'" not in str(hidden)
    assert "heat" not in hidden.figures[0].data["column"]
