"""How often the interval of the gain holds the truth, and how often noise is called a go.

A population is a table so large that it counts as the truth: policies are fitted and chosen once, on 4,000 of its rows,
and the true gain is what the learned one brings on all of the rest beyond the best simple one there. Then samples of
the rest, drawn as users draw them (rows, whole days, whole groups), are judged by the code that judges test rows,
`shiplap.scientist.assess.verdict.compare`, and its 95 % interval holds that truth or not. The best simple policy is
whichever is best in the population: the sample does not know it either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from assess_tables import Case, flights, made, real

from shiplap.core.finding import Finding
from shiplap.methods.policies import has_money
from shiplap.methods.question import Problem, pose
from shiplap.methods.simple import Entrant, best_learned, opponents, simple
from shiplap.methods.splits import Split, honest_split
from shiplap.scientist.assess.entrants import models
from shiplap.scientist.assess.verdict import Outlook, compare, decided

__all__ = ["coverage", "noise"]

Drawn = Literal["rows", "days", "groups"]
LEARNED_ROWS, TUNED_ROWS = 3_000, 1_000


@dataclass(frozen=True, eq=False)
class Population:
    """Rows whose policies and truth are known.

    Parameters
    ----------
    name : str
        In words.
    problem : Problem
        The question on all rows.
    rows : numpy.ndarray of int64
        The rows that no policy was fitted on.
    entrants : list of Entrant
        Policies, with what each brings on `rows`.
    drawn : {"rows", "days", "groups"}
        What is drawn from it.
    size : int
        How many rows, days or groups make a sample.
    """

    name: str
    problem: Problem
    rows: npt.NDArray[np.int64]
    entrants: list[Entrant]
    drawn: Drawn
    size: int

    @property
    def truth(self) -> float:
        """What the learned policy brings beyond the best simple one, on all rows; in the units of the verdict."""
        plain = opponents(self.problem, self.entrants)
        learned = best_learned(self.entrants)
        if has_money(self.problem):
            return 1_000 * min(float(learned.rows.mean() - each.rows.mean()) for each in plain)
        losses = [-float(each.rows.mean()) for each in (plain[0], learned)]
        if self.problem.task == "regression":
            losses = [float(np.sqrt(loss)) for loss in losses]
        return losses[0] - losses[1]

    def sample(self, rng: np.random.Generator) -> tuple[Problem, Split, list[Entrant]]:
        """Draw rows with replacement, or whole pieces, which then count as different days or groups."""
        if self.drawn == "rows":
            drawn = rng.integers(len(self.rows), size=self.size)
            piece = np.arange(self.size)
        else:
            of = self.problem.group if self.drawn == "groups" else self.problem.time.astype("datetime64[D]")  # type: ignore[union-attr]
            codes = np.unique(of[self.rows], return_inverse=True)[1]
            members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
            chosen = [members[index] for index in rng.integers(len(members), size=self.size)]
            drawn, piece = np.concatenate(chosen), np.repeat(np.arange(self.size), [len(each) for each in chosen])
        problem = self.problem.rows(self.rows[drawn])
        days = (np.datetime64("2000-01-01") + piece.astype("timedelta64[D]")).astype("datetime64[ns]")
        problem = replace(
            problem,
            time=days if self.drawn == "days" else None,
            group=piece if self.drawn == "groups" else None,
        )
        entrants = [
            replace(each, rows=each.rows[drawn], output=None if each.output is None else each.output[drawn])
            for each in self.entrants
        ]
        every = np.arange(len(drawn))
        return (
            problem,
            Split(every, every, every, "stratified", Finding(check="split", verdict="good", means="")),
            entrants,
        )


def population(case: Case, drawn: Drawn, size: int, seed: int) -> Population:
    """Fit and choose the policies once; all other rows are the population."""
    problem = pose(case.rows, None, {**case.question, "seed": seed})
    if drawn == "rows":
        order = np.random.default_rng(seed).permutation(problem.n_rows)
    else:
        of = problem.group if drawn == "groups" else problem.time
        codes = np.unique(of, return_inverse=True)[1]
        order = np.argsort(np.random.default_rng(seed).permutation(codes.max() + 1)[codes], kind="stable")
    ends = np.cumsum([LEARNED_ROWS, TUNED_ROWS])
    parts = [np.sort(part) for part in np.split(order, ends)]
    said = Finding(check="split", verdict="good", means="")
    split = Split(parts[0], parts[1], parts[2], "stratified", said)
    return Population(case.name, problem, parts[2], [*simple(problem, split), *models(problem, split)], drawn, size)


def populations() -> Iterator[Population]:
    """Make them one after the other; real ones where there are tables for them."""
    price = {"tp": 60, "fp": -25}
    late = flights(100_000).assign(late=lambda rows: rows.pop("arr_delay") > 15)
    untimed = late.drop(columns="time_hour")
    yield population(Case("flights, rows", untimed, {"target": "late", "value": price}), "rows", 1_000, 0)
    yield population(Case("flights, no values", untimed, {"target": "late"}), "rows", 1_000, 1)
    timed = {"target": "late", "value": price, "time": "time_hour"}
    yield population(Case("flights, 50 days", late, timed), "days", 50, 2)
    yield population(Case("flights, 25 days", late, timed), "days", 25, 3)
    tails = {"target": "late", "value": price, "group": "tailnum", "drop": ["time_hour"]}
    yield population(Case("flights, 100 planes", late, tails), "groups", 100, 4)
    minutes = flights(60_000, 1).drop(columns="time_hour")
    yield population(
        Case("minutes late, prices", minutes, {"target": "arr_delay", "value": {"over": 1, "under": 3}}), "rows", 800, 5
    )
    yield population(Case("minutes late, RMSE", minutes, {"target": "arr_delay"}), "rows", 800, 6)
    yield from _made()
    yield from _named(real())


def _made() -> Iterator[Population]:
    n_rows = 120_000
    value: dict[str, Any] = {"tp": 10, "fp": -4}
    yes = {"target": "y", "positive": "yes", "value": value}
    yield population(Case("made, rows", made("plain", n_rows), yes), "rows", 400, 10)
    yield population(Case("made, weak signal", made("plain", n_rows, 1, signal=0.2), yes), "rows", 1_000, 11)
    even = {**yes, "value": {"tp": 10, "fp": -6.2}}
    yield population(Case("made, simple ones tie", made("plain", n_rows, 2, signal=0.5), even), "rows", 1_000, 12)
    rare = {**yes, "value": {"tp": 60, "fp": -1}}
    yield population(Case("made, 2 % hits", made("rare", n_rows, 3), rare), "rows", 1_000, 13)
    amounts = {**yes, "value": {"tp": "amount", "fp": "-0.2 * amount"}}
    yield population(Case("made, heavy amounts", made("amounts", n_rows, 4), amounts), "rows", 1_000, 14)
    grouped = {**yes, "group": "piece"}
    yield population(Case("made, 40 groups", made("groups", n_rows, 5), grouped), "groups", 40, 15)
    dated = {**yes, "time": "piece"}
    yield population(Case("made, 30 days", made("days", n_rows, 6), dated), "days", 30, 16)
    number = {"target": "y", "value": {"over": 1, "under": 4}}
    yield population(Case("made number, prices", made("number", n_rows, 7), number), "rows", 500, 17)


def _named(tables: dict[str, tuple[Any, str]]) -> Iterator[Population]:
    lent: dict[str, Any] = {"tp": "MonthlyIncome", "fp": "-0.1 * MonthlyIncome"}
    asked: dict[str, dict[str, Any]] = {
        "adult": {"value": {"tp": 10, "fp": -12}},
        "give_me_credit": {"value": lent},
        "diamonds": {"value": {"over": 1, "under": 2}},
        "california_housing": {},
        "pmlb_sleep": {},
    }
    for seed, (name, question) in enumerate(asked.items(), 20):
        if name in tables:
            rows, target = tables[name]
            case = Case(name, rows.head(60_000), {"target": target, **question})
            yield population(case, "rows", 1_000, seed)


def coverage(cases: int) -> list[dict[str, Any]]:
    """Draw samples of every population until there are so many, and count where the truth lay."""
    every = list(populations())
    each = -(-cases // len(every))
    found = []
    for place, one in enumerate(every):
        truth, rng, where = one.truth, np.random.default_rng(place), Counter[str]()
        for _ in range(each):
            gain = compare(*one.sample(rng)).gain
            where["below" if truth < gain.low else "above" if truth > gain.high else "within"] += 1
        found.append(
            {
                "population": one.name,
                "samples": each,
                "truth": truth,
                **{key: where[key] for key in ("within", "below", "above")},
            }
        )
        print(
            f"  {one.name:26} truth {truth:>10,.4g}   within {where['within']:3} of {each}"
            f"   (below {where['below']}, above {where['above']})",
            flush=True,
        )
    return found


def noise(runs: int) -> Counter[str]:
    """Ask for a verdict on targets that no column says anything of; what more rows would change is not asked."""
    verdicts = Counter[str]()
    kinds: list[tuple[str, Any]] = [
        ("plain", {"tp": 10, "fp": -4}),
        ("plain", None),
        ("rare", {"tp": 60, "fp": -1}),
        ("amounts", {"tp": "amount", "fp": "-0.2 * amount"}),
        ("number", {"over": 1, "under": 4}),
        ("number", None),
    ]
    for run in range(runs):
        kind, value = kinds[run % len(kinds)]
        problem = pose(made(kind, 1_500, run, signal=0.0), None, {"target": "y", "value": value, "seed": run})
        split = honest_split(problem)
        found = compare(problem, split, [*simple(problem, split), *models(problem, split)])
        verdicts["go" if decided(found, Outlook(chance=0.0, times=None)) == "go" else "no go"] += 1
    return verdicts


if __name__ == "__main__":
    coverage(1_000)
