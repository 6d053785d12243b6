"""How much any model of these columns could bring: bounds from neighbors and from rows with equal inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shiplap.core.finding import Finding
from shiplap.methods.ceilings import Repeats, gamma, least_error, least_log_loss, neighbors, repeats
from shiplap.methods.metrics import loss_name
from shiplap.methods.money import PER
from shiplap.methods.pipelines import for_trees
from shiplap.methods.policies import has_money, perfect_money
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant
from shiplap.methods.splits import Split
from shiplap.scientist.assess.verdict import Comparison

__all__ = ["Ceiling", "ceiling_findings", "ceiling_of"]

Floats: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.int64]
_MOST_ROWS, _MOST_POOL = 4_000, 20_000
_FEWEST_REPEATS, _FEWEST_SHARE = 50, 0.02
_CAVEAT = "estimated from neighbors, which say too little is possible where rows are few or columns many"


@dataclass(frozen=True)
class Ceiling:
    """Bounds on what any model of these columns could do.

    Parameters
    ----------
    best : float
        Classes: the least possible share of wrong answers is at or above this. Numbers: the least possible RMSE.
    reached : float
        The same of the best learned policy on the test rows: the least possible is at or below this.
    gain : float or None
        What the best possible model could bring beyond the best simple policy, in the unit of the verdict; None where
        that cannot be bounded.
    repeats : Repeats
        Rows whose inputs are all equal.
    """

    best: float
    reached: float
    gain: float | None
    repeats: Repeats


def ceiling_of(problem: Problem, split: Split, found: Comparison) -> Ceiling:
    """Bound what any model of these columns could do on the test rows.

    Neighbors are looked for among the train rows by all columns, each brought to one scale, and among the test rows by
    the output of the best learned model; whichever says that more is possible counts.

    Parameters
    ----------
    problem : Problem
        What is asked.
    split : Split
        Its parts.
    found : Comparison
        How the policies compare.
    """
    rng = np.random.default_rng(problem.brief.seed)
    order = rng.permutation(len(split.test))
    half = len(order) // 2
    asked, others = (np.sort(part[:_MOST_ROWS]) for part in (order[:half], order[half:]))
    pool = np.sort(rng.permutation(split.train)[:_MOST_POOL])
    views = [(split.test[asked], pool, *_by_columns(problem, split.test[asked], pool))]
    output = found.learned.output
    if output is not None:
        flat = output.reshape(len(output), -1)
        views.append((split.test[asked], split.test[others], flat[asked], flat[others]))
    same = repeats(problem.X, problem.y, classes=problem.task != "regression")
    bounds = _of_numbers if problem.task == "regression" else _of_classes
    best, gain = bounds(problem, split, found, views)
    return Ceiling(best, _reached(problem, split, found.learned), gain, same)


def _by_columns(problem: Problem, asked: Rows, pool: Rows) -> tuple[Floats, Floats]:
    X, labels = problem.X.iloc[pool], problem.labels[pool]
    prepare = for_trees(X, problem.y[pool], problem.schema, problem.task, seed=problem.brief.seed)
    scale = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    seen = scale.fit_transform(np.asarray(prepare.fit_transform(X, labels), dtype=np.float64))
    return scale.transform(np.asarray(prepare.transform(problem.X.iloc[asked]), dtype=np.float64)), seen


def _of_classes(
    problem: Problem, split: Split, found: Comparison, views: list[tuple[Rows, Rows, Floats, Floats]]
) -> tuple[float, float | None]:
    shares, gains = [], []
    for asked, pool, matrix, among in views:
        nearest = pool[neighbors(matrix, among)[1][:, 0]]
        differ = problem.y[asked] != problem.y[nearest]
        shares.append(float(np.mean(differ)))
        gains.append(_gain_of_classes(problem, split, found, asked, nearest, shares[-1]))
    known = [gain for gain in gains if gain is not None]
    return least_error(min(shares), len(problem.classes)), max(known) if known else None


def _gain_of_classes(
    problem: Problem, split: Split, found: Comparison, asked: Rows, nearest: Rows, share: float
) -> float | None:
    """Bound the gain: of the losses of the nearest neighbor, half of the smaller one is beyond any model.

    Where acting rightly on a hit is worth ``a``, and on another row ``b``, any decision at a place where a share ``p``
    are hits loses at least ``min(p * a, (1 - p) * b) >= p * (1 - p) * min(a, b)``, and two rows of that place differ
    with the chance ``2 * p * (1 - p)``.
    """
    plain = -float(found.simple.rows.mean())
    if not has_money(problem):
        return plain - least_log_loss(share)
    if problem.worth is None or not problem.acts:
        return None
    stake = np.abs(problem.worth[:, 1] - problem.worth[:, 0])
    differ = problem.y[asked] != problem.y[nearest]
    lost = np.mean(differ * np.minimum(stake[asked], stake[nearest])) / 2
    perfect = float(problem.worth[split.test].max(axis=1).mean()) - float(lost)
    return PER * (min(perfect, float(perfect_money(problem, split.test).mean())) + plain)


def _of_numbers(
    problem: Problem, split: Split, found: Comparison, views: list[tuple[Rows, Rows, Floats, Floats]]
) -> tuple[float, float | None]:
    noise = min(gamma(matrix, problem.y[asked], among, problem.y[pool]) for asked, pool, matrix, among in views)
    best = float(np.sqrt(noise))
    if problem.ranks:
        return best, PER * float(perfect_money(problem, split.test).mean() - found.simple.rows.mean())
    return best, None if has_money(problem) else float(np.sqrt(-found.simple.rows.mean())) - best


def _reached(problem: Problem, split: Split, learned: Entrant) -> float:
    y, output = problem.y[split.test], learned.output
    if output is None:
        return float("nan")
    if problem.task == "regression":
        return float(np.sqrt(np.mean((y - output) ** 2)))
    return float(np.mean(np.argmax(output, axis=1) != y))


def ceiling_findings(problem: Problem, found: Comparison, ceiling: Ceiling) -> list[Finding]:
    """Say between which bounds the best possible model lies, what it could bring, and what equal rows say."""
    said = [_bounds(problem, found, ceiling)]
    same = ceiling.repeats
    if same.n_rows >= max(_FEWEST_REPEATS, _FEWEST_SHARE * problem.n_rows):
        said.append(_equal(problem, same))
    return said


def _bounds(problem: Problem, found: Comparison, ceiling: Ceiling) -> Finding:
    if problem.task == "regression":
        means = f"no model of these columns would have an RMSE much below {ceiling.best:.4g}"
        means += f"; {found.learned.name} has {ceiling.reached:.4g}"
    else:
        means = f"the best possible model of these columns is wrong on {min(ceiling.best, ceiling.reached):.1%} to "
        means += f"{ceiling.reached:.1%} of rows"
    if ceiling.gain is not None:
        how = "bring" if has_money(problem) else f"lower the {loss_name(problem.task)} by"
        unit = f" {found.unit}" if has_money(problem) else ""
        means += f" and could {how} at most {_short(ceiling.gain)}{unit} beyond '{found.simple.name}'"
    below = ceiling.gain is not None and ceiling.gain <= found.effort
    todo = "no amount of rows lifts this: find columns that say more" if below else ""
    return Finding(
        check="ceiling.neighbors",
        verdict="warn" if below else "note",
        means=f"{means} ({_CAVEAT})",
        todo=todo,
        value=ceiling.gain if ceiling.gain is not None else ceiling.best,
        limit=found.effort or None,
    )


def _equal(problem: Problem, same: Repeats) -> Finding:
    who = f"{same.n_rows:,} rows share all their inputs with another"
    if problem.task == "regression":
        means = f"{who}, and such rows still differ by a standard deviation of {np.sqrt(same.noise):.4g}"
    else:
        means = f"{who}, and two such rows are of different classes {same.noise:.1%} of the time"
    return Finding(
        check="ceiling.repeats",
        verdict="note",
        means=f"{means}: no model of these columns can tell them apart",
        todo="find out what differs between them, and record it",
        value=same.noise,
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
