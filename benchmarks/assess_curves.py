"""How often the learning curve of a fifth of the rows holds what all of them reach.

A table is cut in two: 30 % judge, 70 % are there to learn from. `assess` is given a fifth of those, splits them as it
always does, and extrapolates its learning curve to five times its rows, with its 90 % interval. The truth is what the
same models reach when they learn from all of those rows, on the rows that judge, against the same simple policy. The
peer is a power law fitted by least squares, as usual, with the 90 % interval that SciPy's covariance gives it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from assess_tables import Case, made, real
from scipy.optimize import curve_fit

from shiplap.core.finding import Finding
from shiplap.methods.curves import LearningCurve
from shiplap.methods.metrics import auc
from shiplap.methods.policies import has_money
from shiplap.methods.question import Problem, pose
from shiplap.methods.simple import Entrant, best_learned, simple
from shiplap.methods.splits import Split, honest_split
from shiplap.scientist.assess.curve import learning_curve
from shiplap.scientist.assess.entrants import models
from shiplap.scientist.assess.verdict import compare

__all__ = ["extrapolation"]

MOST_ROWS, JUDGES, PART = 40_000, 0.3, 5
VALUES: dict[str, dict[str, float]] = {
    "adult": {"tp": 10, "fp": -12},
    "give_me_credit": {"tp": 60, "fp": -5},
    "flights: late": {"tp": 60, "fp": -25},
    "telco_churn": {"tp": 80, "fp": -30},
    "made, plain": {"tp": 10, "fp": -4},
}
NOT_KNOWN = ("casual", "registered", "instant", "customerID", "dteday")
"""Columns that know the answer, or only name the row."""


def cases() -> Iterator[tuple[Case, int]]:
    """Every table once or twice, with values and without."""
    tables = {name: one for name, one in real().items() if len(one[0]) >= 1_500}
    tables |= {f"made, {kind}": (made(kind, 30_000, 50), "y") for kind in ("plain", "rare", "number")}
    for seed, (name, (rows, target)) in enumerate(tables.items(), 100):
        drop = [column for column in NOT_KNOWN if column in rows]
        yield Case(name, rows, {"target": target, "drop": drop}), seed
        if name in VALUES:
            paid = {"target": target, "drop": drop, "value": VALUES[name]}
            yield Case(f"{name}, money", rows, paid), seed + 100
    if len(tables) < 10:
        yield from (
            (Case(f"made, plain {seed}", made("plain", 30_000, seed), {"target": "y"}), seed) for seed in range(8)
        )


def one_case(case: Case, seed: int) -> list[dict[str, Any]]:
    """Extrapolate from a fifth, learn from all, compare."""
    rows = case.rows.sample(min(MOST_ROWS, len(case.rows)), random_state=seed).reset_index(drop=True)
    problem = pose(rows, None, {**case.question, "seed": seed})
    order = np.random.default_rng(seed).permutation(problem.n_rows)
    judges, rest = (np.sort(part) for part in np.split(order, [int(JUDGES * len(order))]))
    fifth = np.sort(np.random.default_rng(seed).permutation(rest)[: len(rest) // PART])
    split, whole = _within(problem, fifth), _within(problem, rest)
    entrants = [*simple(problem, split), *models(problem, split)]
    found = compare(problem, split, entrants)
    curve = learning_curve(problem, split, entrants, found)
    if curve is None:
        return []
    judged = replace(split, test=judges)
    plain = next(each for each in simple(problem, judged) if each.name == found.simple.name)
    best = best_learned(models(problem, replace(whole, test=judges)))
    n_rows = len(whole.train)
    said = [_row(case.name, curve.unit, curve.gain, curve.sizes, curve.gains, _gain(problem, best, plain), n_rows)]
    if curve.area is not None and best.output is not None and not has_money(problem):
        area = auc(problem.y[judges] == problem.positive, best.output[:, problem.positive])
        said.append(_row(case.name, "AUC", curve.area, curve.sizes, curve.areas, area or 0.0, n_rows))
    return said


def _within(problem: Problem, rows: Any) -> Split:
    split = honest_split(problem.rows(rows))
    said = Finding(check="split", verdict="good", means="")
    return Split(rows[split.train], rows[split.tune], rows[split.test], split.kind, said)


def _gain(problem: Problem, best: Entrant, plain: Entrant) -> float:
    means = float(plain.rows.mean()), float(best.rows.mean())
    if has_money(problem):
        return 1_000 * (means[1] - means[0])
    before, after = (np.sqrt(-mean) if problem.task == "regression" else -mean for mean in means)
    return float(before - after)


def _row(
    name: str, unit: str, curve: LearningCurve, sizes: Any, scores: Any, truth: float, n_rows: int
) -> dict[str, Any]:
    interval, usual = curve.at(n_rows), least_squares(sizes, scores, n_rows)
    return {
        "case": name,
        "metric": unit,
        "rows": f"{int(sizes.max()):,} -> {n_rows:,}",
        "now": float(scores[np.argmax(sizes)]),
        "truth": truth,
        "low": interval.low,
        "high": interval.high,
        "within": interval.low <= truth <= interval.high,
        "usual": usual[0] <= truth <= usual[1],
        "wide": (interval.high - interval.low) / 3.29 / curve.test_error if curve.test_error else float("nan"),
    }


def least_squares(sizes: Any, scores: Any, n_rows: int) -> tuple[float, float]:
    """Extrapolate as is usual: the 90 % interval of a power law fitted by least squares."""

    def law(size: Any, offset: float, excess: float, exponent: float) -> Any:
        return offset - excess * (size / sizes.max()) ** -exponent

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            start = (float(scores.max()), float(np.ptp(scores)) + 1e-9, 0.5)
            known, covariance = curve_fit(law, sizes, scores, p0=start, maxfev=5_000)
        except RuntimeError:
            return float("nan"), float("nan")
    step = 1e-6 * np.maximum(np.abs(known), 1e-6)
    slope = [(law(n_rows, *(known + step * one)) - law(n_rows, *known)) / step.sum(where=one > 0) for one in np.eye(3)]
    half = 1.645 * float(np.sqrt(max(0.0, np.array(slope) @ covariance @ np.array(slope))))
    return float(law(n_rows, *known)) - half, float(law(n_rows, *known)) + half


def extrapolation() -> list[dict[str, Any]]:
    """Go through all cases."""
    found = []
    for case, seed in cases():
        for row in one_case(case, seed):
            found.append(row)
            print(
                f"  {row['case']:26} {row['metric'][:22]:22} {row['rows']:>16}   now {row['now']:10.4g}   truth "
                f"{row['truth']:10.4g}   said {row['low']:10.4g} to {row['high']:10.4g}   "
                f"{'within' if row['within'] else 'OUTSIDE'}",
                flush=True,
            )
    return found


if __name__ == "__main__":
    extrapolation()
