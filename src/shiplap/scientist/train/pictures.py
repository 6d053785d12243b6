"""What a reader of a training report sees: money against threshold, calibration, drivers, scores, weak spots."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

from shiplap.core.finding import Finding
from shiplap.core.policy import Policy
from shiplap.core.progress import tell
from shiplap.core.report import Cell, DataTable, Figure
from shiplap.methods.calibration import reliability
from shiplap.methods.framing import ranking_figure, value_figure
from shiplap.methods.importance import column_weights, permutation_importance, prepared_columns
from shiplap.methods.metrics import loss_name, row_loss
from shiplap.methods.money import PER
from shiplap.methods.pipelines import output_of
from shiplap.methods.policies import has_money, money_of
from shiplap.methods.question import Problem
from shiplap.methods.slices import worst_slices
from shiplap.methods.splits import Split
from shiplap.methods.work import UNITS_PER_SECOND, scoring_units
from shiplap.scientist.train.candidates import Candidate, Search
from shiplap.scientist.train.curves import precision_recall, residuals
from shiplap.scientist.train.judge import Judgment

__all__ = ["candidate_table", "figures_of", "importance_figure", "slice_table"]

Floats: TypeAlias = npt.NDArray[np.float64]
_IMPORTANCE_ROWS = 4_000
_IMPORTANCE_SHARE = 0.1
_UNITS_A_VALUE = 4.0
_FEWEST_ROWS, _FEWEST_COLUMNS = 200, 5
_MOST_CELLS = 10_000_000
_SHOWN_COLUMNS = 20


def candidate_table(problem: Problem, found: Search, chosen: Candidate) -> DataTable:
    """List the candidates, least tune loss first."""
    root = math.sqrt if problem.task == "regression" else float
    rows: list[tuple[Cell, ...]] = [
        (
            candidate.name,
            round(root(candidate.tune_loss), 6),
            candidate.rounds or None,
            candidate.fitted or None,
            round(candidate.seconds, 2),
            candidate.name == chosen.name,
        )
        for candidate in found.all
    ]
    return DataTable(
        name="candidates",
        title="What was tried, judged on the tune rows",
        columns=("candidate", f"tune {loss_name(problem.task)}", "rounds used", "rounds fitted", "seconds", "chosen"),
        rows=tuple(rows),
    )


def slice_table(problem: Problem, split: Split, judgment: Judgment) -> DataTable:
    """List where the model fails, with private columns left out by construction."""
    name = "squared error" if problem.task == "regression" else "log loss"
    found = worst_slices(problem.X.iloc[split.test], judgment.loss)
    rows = tuple(
        (part.column, part.value, part.rows, round(part.loss, 5), round(part.low, 5), round(part.high, 5))
        for part in found
    )
    overall = float(np.mean(judgment.loss))
    level = f"{overall:,.0f}" if overall >= 1000 else f"{overall:.4g}"
    return DataTable(
        name="slices",
        title=f"Where it fails: parts of the test rows whose {name} is surely above that of all, {level}",
        columns=("column", "value", "rows", name, "low", "high"),
        rows=rows,
    )


def figures_of(problem: Problem, split: Split, judgment: Judgment, policy: Policy) -> list[Figure]:
    """Draw what the test rows show, as data."""
    if problem.task == "regression":
        y = np.asarray(problem.y[split.test], dtype=np.float64)
        framed = [ranking_figure(problem, split.test, {"the model": judgment.output})] if problem.ranks else []
        drawn = [_predicted(problem, split, judgment), residuals(y, judgment.output, target=problem.brief.target)]
        return [*framed, *drawn]
    y = problem.y[split.test]
    code = problem.positive if problem.task == "binary" else int(np.argmax(np.bincount(y)))
    drawn = [_calibration(problem, y == code, judgment.output[:, code], code)]
    if problem.task == "binary":
        score = judgment.output[:, code]
        curve = [value_figure(problem, split.test, score, policy.threshold)] if problem.worth is not None else []
        name, hit = str(problem.classes[code]), y == code
        found = [precision_recall(hit, score, threshold=policy.threshold, name=name)] if hit.any() else []
        return [*curve, *drawn, _scores(problem, hit, score, policy), *found]
    return [*drawn, _confusion(problem, y, judgment)]


def _calibration(problem: Problem, hit: npt.NDArray[np.bool_], score: Floats, code: int) -> Figure:
    found = reliability(hit, score)
    data: dict[str, list[Cell]] = {
        "stated": found.stated.tolist(),
        "observed": found.observed.tolist(),
        "low": found.low.tolist(),
        "high": found.high.tolist(),
        "rows": found.rows.tolist(),
    }
    return Figure(
        name="calibration",
        title=f"Stated against observed share of '{problem.classes[code]}' on the test rows",
        kind="interval",
        data=data,
        x="stated",
        y=("observed",),
        low="low",
        high="high",
        labels={"stated": "stated probability", "observed": "observed share"},
        diagonal=True,
    )


def _scores(problem: Problem, hit: npt.NDArray[np.bool_], score: Floats, policy: Policy) -> Figure:
    edges = np.linspace(0.0, 1.0, 41)
    data: dict[str, list[Cell]] = {
        "score": ((edges[1:] + edges[:-1]) / 2).tolist(),
        "low": edges[:-1].tolist(),
        "high": edges[1:].tolist(),
    }
    names = []
    for inside, code in ((hit, problem.positive), (~hit, 1 - problem.positive)):
        names.append(str(problem.classes[code]))
        data[names[-1]] = (np.histogram(score[inside], edges)[0] / max(1, inside.sum())).tolist()
    return Figure(
        name="scores",
        title="How the scores of the two classes lie apart on the test rows",
        kind="histogram",
        data=data,
        x="score",
        y=tuple(names),
        low="low",
        high="high",
        labels={"score": f"probability of '{problem.classes[problem.positive]}'", **{name: name for name in names}},
        marks=((float(np.clip(policy.threshold, 0.0, 1.0)), "threshold"),),
    )


def _confusion(problem: Problem, y: npt.NDArray[Any], judgment: Judgment) -> Figure:
    guess = np.argmax(judgment.output, axis=1)
    kept = np.argsort(-np.bincount(y, minlength=len(problem.classes)))[:_SHOWN_COLUMNS]
    rest = len(problem.classes) - len(kept)
    most = f": the {len(kept)} most frequent of {len(problem.classes)} classes" if rest else ""
    pairs = [(actual, said) for actual in sorted(kept) for said in sorted(kept)]
    share = [float(np.mean(guess[y == actual] == said)) if (y == actual).any() else 0.0 for actual, said in pairs]
    data: dict[str, list[Cell]] = {
        "said": [str(problem.classes[said]) for _, said in pairs],
        "actual": [str(problem.classes[actual]) for actual, _ in pairs],
        "share": list(share),
    }
    return Figure(
        name="scores",
        title=f"What is said of each class on the test rows{most}",
        kind="heatmap",
        data=data,
        x="said",
        y=("actual", "share"),
        labels={"said": "most probable class", "actual": "actual class", "share": "share of the actual class"},
    )


def _predicted(problem: Problem, split: Split, judgment: Judgment) -> Figure:
    y = problem.y[split.test]
    rows = np.random.default_rng(problem.brief.seed).permutation(len(y))[:1_000]
    data: dict[str, list[Cell]] = {"predicted": judgment.output[rows].tolist(), "actual": y[rows].tolist()}
    return Figure(
        name="scores",
        title=f"Predicted against actual '{problem.brief.target}' on test rows",
        kind="scatter",
        data=data,
        x="predicted",
        y=("actual",),
        labels={"predicted": "predicted", "actual": "actual"},
        diagonal=True,
    )


def importance_figure(
    problem: Problem, split: Split, chosen: Candidate, policy: Policy
) -> tuple[Figure, DataTable, Finding | None]:
    """Measure what drives the model on a sample of the test rows.

    Parameters
    ----------
    problem, split, chosen, policy
        What was asked, and what is kept. The 20 columns that weigh most in the model are shuffled, on fewer rows where
        trees are many for the budget; a column that the model never looks at costs nothing, and is not shuffled.

    Returns
    -------
    figure : Figure
        In money per 1,000 decisions where there are values, in the loss otherwise.
    table : DataTable
        Both, for every column that was shuffled.
    finding : Finding or None
        The column whose shuffling costs most.
    """
    prepare, model = chosen.pipeline.named_steps["prepare"], chosen.pipeline.named_steps["model"]
    parts = prepared_columns(prepare)
    weights = column_weights(model, parts)
    strongest = sorted((name for name in weights if weights[name] > 0), key=lambda name: (-weights[name], name))
    width = sum(len(places) for places in parts.values())
    n_rows, n_columns = _affordable(problem, chosen, width, len(strongest))
    rows = np.sort(np.random.default_rng(problem.brief.seed).permutation(split.test)[:n_rows])
    y, paid = problem.y[rows], has_money(problem)

    def measure(matrix: Floats) -> Floats:
        output = output_of(model, matrix, problem.task)
        return np.array(
            [np.mean(row_loss(problem.task, y, output)), -PER * np.mean(money_of(problem, policy, output, rows))]
        )

    matrix = prepare.transform(problem.X.iloc[rows])
    found = permutation_importance(
        matrix.toarray() if issparse(matrix) else np.asarray(matrix, dtype=np.float64),
        {name: parts[name] for name in strongest[:n_columns]},
        measure,
        seed=problem.brief.seed,
        told=lambda done: tell("measuring drivers", done),
    )
    found |= {name: np.zeros(2) for name in problem.X.columns if not weights.get(name)}
    ranked = sorted(found.items(), key=lambda pair: (-pair[1][int(paid)], -pair[1][0], pair[0]))
    name = "squared error" if problem.task == "regression" else "log loss"
    unit = f"{problem.unit} per 1,000 decisions" if paid else name
    shown = ranked[:_SHOWN_COLUMNS]
    figure = Figure(
        name="importance",
        title="What the model loses when one column is shuffled",
        kind="bar",
        data={
            "column": [column for column, _ in shown],
            "lost": [float(change[int(paid)]) for _, change in shown],
        },
        x="column",
        y=("lost",),
        labels={"column": "column", "lost": f"lost {unit}"},
    )
    left = problem.X.shape[1] - len(found)
    more = f": the {len(found)} that weigh most in it or not at all, of {problem.X.shape[1]:,}" if left else ""
    table = DataTable(
        name="importance",
        title=f"What the model loses when one column is shuffled{more}",
        columns=("column", f"more {name}", *([f"lost {problem.unit} per 1,000"] if paid else [])),
        rows=tuple(
            (column, round(float(change[0]), 6), *([round(float(change[1]), 2)] if paid else []))
            for column, change in ranked
        ),
    )
    return figure, table, _driver(ranked[0][0], float(ranked[0][1][int(paid)]), unit)


def _affordable(problem: Problem, chosen: Candidate, width: int, n_columns: int) -> tuple[int, int]:
    """Rows, and how many of the strongest columns are shuffled twice on them, for the share of the budget by work."""
    trees = chosen.rounds * (len(problem.classes) if problem.task == "multiclass" else 1)
    a_shuffle = scoring_units(0, trees) + _UNITS_A_VALUE * width
    units = _IMPORTANCE_SHARE * problem.brief.budget.train_seconds * UNITS_PER_SECOND
    per_row = units / _FEWEST_ROWS - scoring_units(problem.X.shape[1], 0)
    kept = min(n_columns, _SHOWN_COLUMNS, max(_FEWEST_COLUMNS, int(per_row / (2 * a_shuffle))))
    n_rows = units / (scoring_units(problem.X.shape[1], 0) + 2 * kept * a_shuffle)
    return int(min(_IMPORTANCE_ROWS, max(_FEWEST_ROWS, n_rows), max(_FEWEST_ROWS, _MOST_CELLS // max(1, width)))), kept


def _driver(column: str, lost: float, unit: str) -> Finding | None:
    if lost <= 0:
        return None
    means = f"'{column}' drives the model most: shuffled, it costs {lost:,.4g} {unit}"
    return Finding(check="train.driver", verdict="note", means=means, columns=(column,), value=lost)
