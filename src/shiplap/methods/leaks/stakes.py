"""Money at stake: what the verdict would gain falsely by a column that knows the answer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from shiplap.core.errors import TableError
from shiplap.methods.bins import binned
from shiplap.methods.intervals import Interval
from shiplap.methods.leaks.sample import Floats, Ints
from shiplap.methods.policies import has_money, money_of, policy_for, settled
from shiplap.methods.question import Problem
from shiplap.methods.simple import Measured
from shiplap.methods.splits import Split, honest_split

__all__ = ["stakes"]

_ROWS = 10_000
_MOST = 4
_TREES = 30
_BINS = 32


def stakes(problem: Problem, accused: list[str]) -> dict[str, Interval]:
    """Say what money per 1,000 decisions each accused column would seem to bring.

    Two policies on the same test rows of an honest split, learned by the same quick trees: one without any accused
    column, one with this column besides. The difference is what the verdict would promise and production not deliver,
    if the column is not known in time.

    Parameters
    ----------
    problem : Problem
        The question, with values; at most 10,000 of its rows are used.
    accused : list of str
        Columns, the gravest first; the first four that are features are priced.

    Returns
    -------
    dict of str to Interval
        With 95 % intervals; empty without values, without an accused feature, or where the rows are too few to split.
    """
    accused = [name for name in dict.fromkeys(accused) if name in problem.schema]
    if not has_money(problem) or not accused:
        return {}
    chosen = np.sort(np.random.default_rng(problem.brief.seed).permutation(problem.n_rows)[:_ROWS])
    problem = problem.rows(chosen)
    try:
        split = honest_split(problem)
    except TableError:
        return {}
    problem = settled(problem, split)
    codes = {str(name): binned(problem.X[name], bins=_BINS)[0] for name in problem.X.columns}
    others = [name for name in codes if name not in accused]
    before = _brought(problem, split, [codes[name] for name in others])
    found = {}
    for name in [name for name in accused if name in codes][:_MOST]:
        with_it = _brought(problem, split, [codes[other] for other in (*others, name)])
        found[name] = Measured(problem, split.test, [with_it, before]).gain(0, [1])
    return found


def _brought(problem: Problem, split: Split, codes: list[Ints]) -> Floats:
    """Money on each test row of the policy that earns most on the tune rows."""
    matrix = np.column_stack(codes or [np.zeros(problem.n_rows, np.int64)]).astype(np.float32)
    tuned, output = _outputs(problem, matrix, split.train, (split.tune, split.test))
    return money_of(problem, policy_for(problem, tuned, split.tune), output, split.test)


def _outputs(
    problem: Problem, matrix: npt.NDArray[np.float32], train: Ints, asked: tuple[Ints, Ints]
) -> tuple[Floats, Floats]:
    settings = {"n_estimators": _TREES, "min_samples_leaf": 5, "max_features": 0.6, "random_state": problem.brief.seed}
    if problem.task == "regression":
        numbers = ExtraTreesRegressor(**settings).fit(matrix[train], problem.y[train])
        return numbers.predict(matrix[asked[0]]), numbers.predict(matrix[asked[1]])
    classes = ExtraTreesClassifier(**settings).fit(matrix[train], problem.y[train])
    return classes.predict_proba(matrix[asked[0]]), classes.predict_proba(matrix[asked[1]])
