import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.pipeline import Pipeline

from shiplap.adapters.frameworks.lightgbm.estimators import boosted, fit_boosted
from shiplap.core.progress import listening
from shiplap.scientist.train import candidates, pictures, train
from shiplap.scientist.train.candidates import PORTFOLIO

FAST = {"train_seconds": 6}
AMPLE = {"train_seconds": 600}


@pytest.fixture(scope="module")
def mixed() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 2400
    rows = pd.DataFrame(
        {
            "amount": rng.gamma(2, 50, n).round(2),
            "age": np.where(rng.random(n) < 0.1, np.nan, rng.integers(18, 80, n)),
            "town": rng.choice(["ulm", "bonn", "kiel"], n),
            "agent": [f"agent {code:03d}" for code in rng.integers(0, 60, n)],
            "member": rng.random(n) < 0.5,
            "at": pd.date_range("2024-01-01", periods=n, freq="2h"),
        }
    )
    skill = pd.Series(rng.normal(size=60), index=[f"agent {code:03d}" for code in range(60)])
    logit = (rows["amount"] / 100 - 1) + (rows["town"] == "ulm") - rows["member"] + skill[rows["agent"]].to_numpy()
    return rows.assign(churned=np.where(rng.random(n) < 1 / (1 + np.exp(-logit)), "yes", "no"))


@pytest.fixture(scope="module")
def model(mixed):
    return train(mixed, target="churned", time="at", value={"tp": 80, "fp": -20, "unit": "EUR"}, budget=AMPLE)


def test_the_pipeline_is_plain_and_answers_the_table(model, mixed):
    assert isinstance(model.pipeline, Pipeline)
    assert list(model.pipeline.named_steps) == ["prepare", "model"]
    assert model.signature.names == ("amount", "age", "town", "agent", "member", "at")
    assert tuple(model.pipeline.classes_) == model.policy.classes == model.signature.classes == ("no", "yes")
    X = mixed[list(model.signature.names)].assign(member=mixed["member"].astype(float))
    shares = model.pipeline.predict_proba(X)
    assert np.allclose(shares.sum(axis=1), 1)
    assert model.policy.threshold not in shares[:, model.policy.positive]


def test_the_figures_speak_of_this_pipeline_on_the_last_rows(model, mixed):
    metrics = model.report.metrics
    test = mixed.tail(metrics["n_test"])
    X = test[list(model.signature.names)].assign(member=test["member"].astype(float))
    score = model.pipeline.predict_proba(X)[:, 1]
    acted, hit = score >= model.policy.threshold, (test["churned"] == "yes").to_numpy()
    assert metrics["money_per_1000"] == pytest.approx(1000 * np.mean(acted * np.where(hit, 80, -20)))
    assert metrics["test_brier"] == pytest.approx(np.mean((score - hit) ** 2))
    gain = [metrics[name] for name in ("gain_low", "gain_per_1000", "gain_high")]
    always, never = 1000 * np.mean(np.where(hit, 80, -20)), 0.0
    assert gain == sorted(gain)
    assert metrics["best_simple"] not in ("act always", "do nothing") or gain[1] == pytest.approx(
        metrics["money_per_1000"] - {"act always": always, "do nothing": never}[metrics["best_simple"]]
    )
    assert metrics["money_low"] <= metrics["money_per_1000"] <= metrics["money_high"]
    assert metrics["test_log_loss"] < metrics["constant_log_loss"]
    assert metrics["test_auc"] > 0.7


def test_the_report_has_what_readers_look_for(model):
    report = model.report
    assert {"value_curve", "calibration", "importance", "scores"} <= {figure.name for figure in report.figures}
    assert {"candidates", "slices"} <= {table.name for table in report.tables}
    assert {"train.budget", "train.fit", "train.calibration"} <= {finding.check for finding in report.findings}
    for figure in report.figures:
        assert len({len(values) for values in figure.data.values()}) == 1
        assert {figure.x, *figure.y} <= set(figure.data)
    assert report.table("candidates").rows[0][1] == min(row[1] for row in report.table("candidates").rows)


def test_the_same_seed_gives_the_same_model(model, mixed):
    again = train(mixed, target="churned", time="at", value={"tp": 80, "fp": -20, "unit": "EUR"}, budget=AMPLE)
    X = mixed[list(model.signature.names)].assign(member=mixed["member"].astype(float))
    assert (again.pipeline.predict_proba(X) == model.pipeline.predict_proba(X)).all()
    assert again.policy == model.policy
    timed = {"train_seconds"}
    same = {key: value for key, value in model.report.metrics.items() if key not in timed}
    assert {key: value for key, value in again.report.metrics.items() if key not in timed} == same


def test_a_busy_machine_makes_the_same_model_where_the_budget_binds(tmp_path, mixed):
    """The plan is made of work, not of time: neither other threads nor a load may change it."""
    mixed.to_parquet(tmp_path / "rows.parquet")
    program = (
        "import sys\n"
        "from shiplap.scientist.train import candidates, train\n"
        "candidates._CLOCK = 1_000.0\n"
        "model = train(sys.argv[1], target='churned', budget={'train_seconds': 0.15})\n"
        "print([row[:4] for row in model.report.table('candidates').rows], model.policy.threshold)\n"
        "print({key: made for key, made in model.report.metrics.items() if key != 'train_seconds'})\n"
        "print(model.report.table('importance'))\n"
        "print([f.verdict for f in model.report.findings if f.check == 'train.budget'])\n"
    )
    said = []
    for cores, loaded in (("1", False), ("2", False), ("2", True)):
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * loaded)]
        try:
            environment = {**os.environ, "OMP_NUM_THREADS": cores, "OPENBLAS_NUM_THREADS": cores}
            command = [sys.executable, "-c", program, str(tmp_path / "rows.parquet")]
            said.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
        finally:
            for process in busy:
                process.kill()
                process.wait()
    assert "['note']" in said[0]
    assert said[0] == said[1] == said[2]


def test_the_clock_cuts_what_does_not_keep_up_and_says_so(mixed, monkeypatch):
    monkeypatch.setattr(candidates, "_CLOCK", 0.0)
    model = train(mixed, target="churned", budget=AMPLE)
    said = next(f for f in model.report.findings if f.check == "train.budget")
    assert said.verdict == "warn"
    assert "how fast the machine was" in said.means


def test_few_units_are_spent_on_few_settings_then_on_few_rows(mixed):
    rows = pd.concat([mixed] * 5, ignore_index=True)
    model = train(rows, target="churned", budget={"train_seconds": 0.1})
    said = next(f for f in model.report.findings if f.check == "train.budget")
    assert said.verdict == "note"
    assert "of 7,200 train rows" in said.means
    assert len(model.report.table("candidates").rows) == 2


def test_of_many_columns_only_those_that_weigh_are_shuffled(monkeypatch):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(400, 60)), columns=[f"c{index}" for index in range(60)])
    asked = []
    answer = pictures.output_of
    monkeypatch.setattr(pictures, "output_of", lambda *given: asked.append(1) or answer(*given))
    model = train(rows.assign(y=rows["c7"] + rows["c9"] / 2 + rng.normal(size=400) > 0), target="y", budget=AMPLE)
    drivers = model.report.table("importance")
    assert len(asked) <= 1 + 2 * 20
    assert [row[0] for row in drivers.rows[:2]] == ["c7", "c9"]
    assert f"the {len(drivers.rows)} that weigh most in it or not at all, of 60" in drivers.title


def test_the_model_does_not_depend_on_the_number_of_threads(mixed):
    X, y = mixed[["amount", "age"]].to_numpy(), (mixed["churned"] == "yes").to_numpy()
    models = [boosted("binary", settings=PORTFOLIO[0], rounds=40, seed=0, threads=threads) for threads in (1, 2)]
    for model in models:
        fit_boosted(model, (X, y), (X[:500], y[:500]))
    assert (models[0].predict_proba(X) == models[1].predict_proba(X)).all()


def test_many_classes_are_told_apart():
    rows = load_wine(as_frame=True).frame
    model = train(rows, target="target", budget=FAST)
    assert model.signature.classes == (0, 1, 2)
    assert model.report.metrics["test_accuracy"] > 0.85
    assert "test_auc" not in model.report.metrics


def test_classes_that_are_not_drawn_are_counted():
    rng = np.random.default_rng(0)
    code = rng.integers(0, 22, 900)
    rows = pd.DataFrame({"a": code + rng.normal(size=900), "y": [f"class {value}" for value in code]})
    drawn = {figure.name: figure for figure in train(rows, target="y", budget=FAST).report.figures}["scores"]
    assert drawn.title.endswith("on the test rows: the 20 most frequent of 22 classes")


def test_a_matrix_becomes_the_policy():
    rows = load_wine(as_frame=True).frame
    matrix = {"0": {"0": 5.0, "1": -1.0}, "2": {"2": 3.0}}
    model = train(rows, target="target", value={"matrix": matrix}, budget=FAST)
    assert model.policy.matrix == ((5.0, -1.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 3.0))
    assert model.report.metrics["money_per_1000"] > 0


def test_numbers_are_predicted_and_shifted_to_where_errors_are_cheap():
    rows = load_diabetes(as_frame=True).frame
    model = train(rows, target="target", value={"over": 1.0, "under": 4.0}, budget=FAST)
    assert model.report.metrics["test_r2"] > 0.3
    assert model.policy.offset > 0
    assert model.report.metrics["money_per_1000"] < 0


def test_a_positive_class_that_comes_first_is_scored_by_its_own_column():
    rows = load_breast_cancer(as_frame=True).frame
    model = train(rows, target="target", positive=0, value={"tp": 10, "fp": -1}, budget=FAST)
    assert model.policy.positive == 0
    assert model.report.metrics["test_auc"] > 0.95


def test_a_small_budget_is_obeyed_and_said(mixed):
    heard = []
    with listening(lambda text, done: heard.append((text, done))):
        model = train(mixed, target="churned", budget={"train_seconds": 0.1})
    said = next(f for f in model.report.findings if f.check == "train.budget")
    assert said.verdict == "note"
    assert "settings of boosted trees" in said.means
    assert any("boosted" in text for text, _ in heard)


def test_a_table_of_noise_warns_instead_of_boasting():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(600, 3)), columns=list("abc")).assign(y=rng.random(600) < 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = train(rows, target="y", budget=FAST)
    assert model.report.metrics["test_log_loss"] == pytest.approx(model.report.metrics["constant_log_loss"], abs=0.03)
