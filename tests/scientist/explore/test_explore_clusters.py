import numpy as np
import pandas as pd

from shiplap.adapters.frames import read
from shiplap.scientist.explore.clusters import look_at_clusters
from shiplap.scientist.explore.view import view_of


def looked(rows: pd.DataFrame):
    return look_at_clusters(view_of(read(rows, name="customers"), None, private=(), seed=0))


def test_two_kinds_of_customers_are_described():
    rng = np.random.default_rng(0)
    new = rng.random(800) < 0.4
    rows = pd.DataFrame(
        {
            "contract": np.where(new, "monthly", "yearly"),
            "tenure": np.where(new, rng.normal(12, 5, 800), rng.normal(40, 6, 800)),
            "bill": np.where(new, rng.normal(30, 6, 800), rng.normal(60, 7, 800)),
            "age": rng.normal(45, 9, 800),
            "calls": rng.gamma(3, 2, 800),
        }
    )
    part = looked(rows)
    assert part.metrics["n_clusters"] == 2
    assert part.findings[0].means.startswith("the rows fall into 2 groups: 6")
    assert [row[1] for row in part.tables[0].rows] == sorted((int(new.sum()), int((~new).sum())), reverse=True)
    assert all(row[3] > 0.95 and row[4] > 0.95 for row in part.tables[0].rows)
    assert sum(part.figures[0].data["rows"]) == 800


def test_rows_of_one_piece_are_said_to_be_so():
    part = looked(pd.DataFrame(np.random.default_rng(0).normal(size=(500, 3)), columns=list("abc")))
    assert part.findings[0].verdict == "good"
    assert part.metrics == {"n_clusters": 1}
    assert not part.figures
