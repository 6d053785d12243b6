import numpy as np
import pandas as pd
import pytest

from shiplap.adapters.frames import reach
from shiplap.core.brief import Brief
from shiplap.core.errors import BriefError, TableError
from shiplap.methods.question import pose
from shiplap.methods.splits import honest_split


@pytest.fixture
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"customer-{index:05d}" for index in range(300)],
            "age": rng.integers(18, 90, 300).astype(float),
            "plan": rng.choice(["basic", "plus", "pro"], 300),
            "since": pd.date_range("2023-01-01", periods=300, freq="D"),
            "paid": rng.normal(50, 20, 300).round(2),
            "same": ["x"] * 300,
            "left": rng.choice(["no", "yes"], 300, p=[0.8, 0.2]),
        }
    )


def checks(problem) -> dict:
    return {finding.check: finding for finding in problem.findings}


def test_the_canonical_inputs(rows):
    problem = pose(rows, question={"target": "left"})
    assert list(problem.X.columns) == ["age", "plan", "since", "paid"]
    assert problem.X["age"].dtype == np.float64
    assert problem.X["since"].dtype.kind == "M"
    assert (problem.labels == rows["left"].to_numpy()).all()
    assert problem.classes[problem.positive] == "yes"
    left_out = {f.columns[0] for f in problem.findings if f.check == "column.left_out"}
    assert left_out == {"id", "same"}


def test_an_expression_excludes_its_own_columns(rows):
    problem = pose(rows, question={"target": "paid > 60 AND age > 30"})
    assert problem.task == "binary"
    assert problem.classes == (False, True)
    assert not {"paid", "age"} & set(problem.X.columns)
    assert (problem.y == ((rows["paid"] > 60) & (rows["age"] > 30)).to_numpy()).all()


def test_rows_without_a_label_are_dropped_and_counted(rows):
    rows.loc[:9, "left"] = None
    problem = pose(rows, question={"target": "left"})
    assert problem.n_rows == 290
    assert checks(problem)["rows.unlabelled"].value == 10


@pytest.mark.parametrize(
    ("target", "task"),
    [
        (["a", "b"] * 150, "binary"),
        ([0, 1] * 150, "binary"),
        ([0.5, 2.5] * 150, "binary"),
        (["a", "b", "c"] * 100, "multiclass"),
        ([1, 2, 3] * 100, "multiclass"),
        ([3, 4, 5, 6, 7, 8] * 50, "regression"),
        (list(range(300)), "regression"),
        ([True, False, None] * 100, "binary"),
    ],
)
def test_the_task_follows_from_the_target(rows, target, task):
    assert pose(rows.assign(goal=target), question={"target": "goal"}).task == task


def test_the_stated_positive_class_is_found_however_it_is_written(rows):
    assert pose(rows, question={"target": "left", "positive": "no"}).positive == 0
    numbered = rows.assign(left=(rows["left"] == "yes").astype(int))
    for positive in (1, "1", 1.0, True):
        problem = pose(numbered, question={"target": "left", "positive": positive})
        assert problem.classes[problem.positive] == 1
    with pytest.raises(BriefError, match="no class 'maybe'"):
        pose(rows, question={"target": "left", "positive": "maybe"})


def test_what_the_brief_says_of_columns_is_obeyed(rows):
    brief = Brief.make(
        target="left", drop=("plan",), private=("paid",), columns={"since": {"known_at": "later"}}, group="same"
    )
    assert list(pose(rows, brief).X.columns) == ["age"]
    kept = brief.replaced(keep=("since",))
    assert list(pose(rows, kept).X.columns) == ["age", "since"]


def test_amounts_make_the_worth_of_each_row(rows):
    value = {"tp": "0.5 * paid", "fp": -3, "fn": "-paid"}
    problem = pose(rows, question={"target": "left", "value": value})
    hit, paid = (rows["left"] == "yes").to_numpy(), rows["paid"].to_numpy()
    assert np.allclose(problem.worth[:, 1], np.where(hit, 0.5 * paid, -3.0))
    assert np.allclose(problem.worth[:, 0], np.where(hit, -paid, 0.0))


def test_a_missing_amount_counts_nothing_and_is_said(rows):
    rows.loc[3, "paid"] = np.nan
    problem = pose(rows, question={"target": "left", "value": {"tp": "paid"}})
    assert problem.worth[3].tolist() == [0.0, 0.0]
    assert checks(problem)["value.missing_amount"].value == 1


def test_a_matrix_is_laid_out_by_decision(rows):
    value = {"matrix": {"basic": {"basic": 1.0, "pro": -2.0}, "pro": {"pro": 5.0}}}
    problem = pose(rows, question={"target": "plan", "value": value})
    assert problem.classes == ("basic", "plus", "pro")
    pro = np.flatnonzero(rows["plan"] == "pro")[0]
    assert problem.worth[pro].tolist() == [-2.0, 0.0, 5.0]


def test_infinite_numbers_are_missing_and_said(rows):
    rows.loc[5, "paid"] = np.inf
    problem = pose(rows, question={"target": "left"})
    assert np.isnan(problem.X["paid"].iloc[5])
    assert checks(problem)["column.infinite"].value == 1


def test_classes_with_few_rows_are_left_out(rows):
    rows.loc[:1, "plan"] = "trial"
    problem = pose(rows, question={"target": "plan"})
    assert problem.classes == ("basic", "plus", "pro")
    assert problem.n_rows == len(problem.X) == 298


@pytest.mark.parametrize(
    ("question", "error", "message"),
    [
        ({}, BriefError, "no target"),
        ({"target": "lefft"}, BriefError, "left"),
        ({"target": "same"}, TableError, "one value only"),
        ({"target": "left", "time": "plan"}, BriefError, "time column"),
        ({"target": "left", "drop": ("agee",)}, TableError, "age"),
        ({"target": "plan", "task": "regression"}, BriefError, "text, not a number"),
        ({"target": "paid", "task": "binary"}, BriefError, "binary target has 2 values"),
        ({"target": "plan", "value": {"over": 1}}, BriefError, "text, not a number"),
        ({"target": "left", "value": {"tp": "amuont"}}, BriefError, "names no column"),
        ({"target": "plan", "value": {"matrix": {"bsic": {"pro": 1.0}}}}, BriefError, "basic"),
        ({"target": "id"}, BriefError, "different texts"),
        ({"target": "left", "drop": ("age", "plan", "since", "paid")}, TableError, "no column is left"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(rows, question, error, message):
    with pytest.raises(error, match=message) as caught:
        pose(rows, question=question)
    assert caught.value.exit_code == 2


def test_a_target_without_any_label_is_refused(rows):
    with pytest.raises((TableError, BriefError)):
        pose(rows.assign(left=None), question={"target": "left"})


def test_a_date_is_no_target_and_says_what_to_ask_instead(rows):
    with pytest.raises(BriefError, match="'since' is a date") as caught:
        pose(rows, question={"target": "since"})
    assert "date_diff('day', opened, since)" in caught.value.hint
    assert pose(rows, question={"target": "hour(since) >= 0 AND age > 40", "time": "since"}).task == "binary"


@pytest.mark.parametrize(("role", "name"), [("time", "since"), ("group", "plan")])
def test_the_target_is_neither_the_time_nor_the_group_column(rows, role, name):
    with pytest.raises(BriefError, match=f"'{name}' is both the target and the {role} column"):
        pose(rows, question={"target": name, role: name})


def test_a_number_as_time_is_said_to_be_one(rows):
    said = checks(pose(rows, question={"target": "left", "time": "age"}))["time.number"]
    assert (said.verdict, "tested on the rows where it is largest" in said.means) == ("warn", True)
    seconds = rows.assign(age=1.7e9 + 60.0 * np.arange(300))
    said = checks(pose(seconds, question={"target": "left", "time": "age"}))["time.number"]
    assert said.verdict == "note"
    assert "seconds since 1970: 2023-11-14 to 2023-11-15" in said.means
    with pytest.raises(BriefError, match="too large for seconds"):
        pose(seconds.assign(age=seconds["age"] * 1000), question={"target": "left", "time": "age"})


def test_the_stated_minimum_is_enough_for_the_split():
    rng = np.random.default_rng(0)
    for n_hits in range(5, 21):
        rows = pd.DataFrame({"a": rng.normal(size=25), "y": np.repeat(["yes", "no"], [n_hits, 25 - n_hits])})
        split = honest_split(pose(rows, question={"target": "y"}))
        assert min(len(split.tune), len(split.test)) >= 5
    with pytest.raises(TableError, match="24 labelled rows are too few"):
        pose(rows.head(24), question={"target": "y"})


def test_rows_that_do_not_fit_into_memory_are_sampled_and_said_so(monkeypatch):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {"a": rng.normal(size=4_000), "kind": rng.choice(["x", "y"], 4_000), "amount": np.arange(4_000) + 0.5}
    )
    rows["y"] = np.where(np.arange(4_000) % 4 == 0, None, (rows["a"] > 0).astype(float))
    question = {"target": "y", "value": {"tp": "amount"}, "seed": 3}
    whole = pose(rows, question=question)
    assert not [finding for finding in whole.findings if finding.check == "rows.sampled"]
    monkeypatch.setattr(reach, "_CELL_BYTES", 1024 * 2**20 / 4 / 1_000)  # so that 1,000 rows of 4 columns fill it
    some = pose(rows, question=question)
    said = next(finding for finding in some.findings if finding.check == "rows.sampled")
    assert 850 <= some.n_rows == said.value <= 1_150
    assert f"of {whole.n_rows:,} labelled rows" in said.means
    assert some.n_unlabelled == 1_000
    kept = np.isin(whole.X["amount"], some.X["amount"])
    assert whole.X[kept].reset_index(drop=True).equals(some.X)
    assert (whole.worth[kept] == some.worth).all()
    assert (whole.y[kept] == some.y).all()
    assert pose(rows, question=question).X.equals(some.X)
    assert not pose(rows, question={**question, "seed": 4}).X.equals(some.X)
    assert some.table.frame.where("amount < 100").fetch(
        "WITH n AS (SELECT * FROM rows) SELECT max(amount) < 100 FROM n"
    ) == [(True,)]
