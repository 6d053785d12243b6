import numpy as np
import pandas as pd

from shiplap.adapters.frames import read
from shiplap.scientist.explore.anomalies import look_at_anomalies
from shiplap.scientist.explore.view import view_of


def trips(n: int = 2_000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    distance = rng.uniform(100, 2_500, n)
    return pd.DataFrame(
        {
            "distance": distance,
            "minutes": distance / 8 + 20 + rng.normal(0, 4, n),
            "fuel": distance * 2 + rng.normal(0, 50, n),
            "carrier": rng.choice(["AA", "UA", "DL"], n),
            "note": [f"trip number {k} went as planned today" for k in range(n)],
        }
    )


def looked(rows: pd.DataFrame, private: tuple[str, ...] = ()):
    return look_at_anomalies(view_of(read(rows, name="trips"), None, private=private, seed=0))


def test_impossible_trips_are_said_in_words_with_the_column_responsible():
    rows = trips()
    rows.loc[[10, 20], "minutes"] = [30.0, 380.0]
    rows.loc[[10, 20], "distance"] = [2_000.0, 300.0]
    rows.loc[[10, 20], "fuel"] = [4_000.0, 600.0]
    part = looked(rows)
    finding = part.findings[0]
    assert (finding.check, finding.verdict, finding.columns[0]) == ("rows.anomalous", "note", "minutes")
    assert finding.value == part.metrics["n_anomalous_rows"] == 2
    assert finding.means.startswith("2 rows of 2,000 do not look like the rest, mostly by 'minutes'")
    table = part.tables[0]
    assert [row[1] for row in table.rows[:3]] == [True, True, False]
    assert table.rows[0][-1].startswith("minutes = ")
    assert "(usual " in table.rows[0][-1]
    assert part.figures[0].data["column"][0] == "minutes"
    assert part.figures[0].data["rows"][0] == 2


def test_an_ordinary_table_is_called_so_and_its_oddest_rows_are_shown():
    part = looked(trips())
    assert part.findings[0].verdict == "good"
    assert part.metrics == {"n_anomalous_rows": 0}
    assert not part.figures
    assert not any(row[1] for row in part.tables[0].rows)


def test_a_private_column_is_not_blamed():
    rows = trips()
    rows.loc[10, "minutes"] = 5_000.0
    assert not any("minutes" in row[-1] for row in looked(rows, private=("minutes",)).tables[0].rows)


def test_a_small_table_is_left_alone():
    assert not looked(trips(60)).findings
