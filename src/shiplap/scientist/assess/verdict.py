"""The verdict: what the best learned policy brings beyond the best simple one, and whether that is sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from shiplap.core.finding import Finding
from shiplap.methods.capacity import allowed_share
from shiplap.methods.intervals import Interval
from shiplap.methods.metrics import auc, loss_name
from shiplap.methods.money import PER, break_even
from shiplap.methods.policies import has_money, row_blocks
from shiplap.methods.question import Problem
from shiplap.methods.ranked import captured, ranking_metrics
from shiplap.methods.simple import Entrant, Measured, best_learned, best_simple, opponents
from shiplap.methods.splits import Split

__all__ = ["AHEAD", "Comparison", "Outlook", "Verdict", "compare", "decided", "reasons"]

Verdict = Literal["go", "no-go", "collect more"]
AHEAD = 10.0
"""How many times the rows there are anybody would collect."""
_FEWEST = 10
_SLIGHT = 0.1


@dataclass(frozen=True, eq=False)
class Comparison:
    """Entrants measured on the same resampled test rows.

    Parameters
    ----------
    scores : list of Interval
        What each entrant brings, in the order given: money per 1,000 decisions, or its loss.
    simple : Entrant
        The simple policy that brings most on the test rows.
    learned : Entrant
        The learned policy that brought most on the tune rows.
    gain : Interval
        What `learned` brings beyond the best of the simple policies, sure of each of them.
    effort : float
        What the gain must exceed.
    unit : str
        Unit of all of these.
    n_blocks : int
        Independent pieces that the test rows fall into.
    n_rarer : int
        Test rows of the rarer of two classes, or in a ranking those that can be acted on; all of them for other tasks.
    """

    scores: list[Interval]
    simple: Entrant
    learned: Entrant
    gain: Interval
    effort: float
    unit: str
    n_blocks: int
    n_rarer: int

    @property
    def settles(self) -> bool:
        """Whether the test rows are enough to be sure of anything: resampling cannot show what none of them shows."""
        return min(self.n_blocks, self.n_rarer) >= _FEWEST


@dataclass(frozen=True)
class Outlook:
    """What more rows would change.

    Parameters
    ----------
    chance : float
        Chance that ten times the rows would make it a go.
    times : float or None
        How many times the rows would make it a go more likely than not; None where not even ten times would.
    """

    chance: float
    times: float | None


def decided(found: Comparison, outlook: Outlook) -> Verdict:
    """Decide: ``go`` when the gain surely exceeds the effort; else by what more rows would change.

    ``no-go`` when the chance that ten times the rows would make it a go is below one in ten, ``collect more``
    otherwise, and where the test rows are too few for either.
    """
    if not found.settles:
        return "collect more"
    if found.gain.low > found.effort:
        return "go"
    return "no-go" if outlook.chance < _SLIGHT else "collect more"


def compare(problem: Problem, split: Split, entrants: list[Entrant]) -> Comparison:
    """Compare entrants on the test rows, resampling whole days, groups or rows.

    Parameters
    ----------
    problem : Problem
        What is asked.
    split : Split
        Its parts.
    entrants : list of Entrant
        All of them. The best learned one did best on the tune rows; its gain is over the best of the simple ones,
        whichever that is; without values over the constant.
    """
    paid = has_money(problem)
    measured = Measured(problem, split.test, [entrant.rows for entrant in entrants])
    learned = best_learned(entrants)
    plain = opponents(problem, entrants)
    value = problem.brief.value
    return Comparison(
        scores=[measured.score(index) for index in range(len(entrants))],
        simple=best_simple(problem, entrants),
        learned=learned,
        gain=measured.gain(entrants.index(learned), [entrants.index(entrant) for entrant in plain]),
        effort=value.effort if value else 0.0,
        unit=f"{problem.unit} per {PER:,} decisions" if paid else loss_name(problem.task),
        n_blocks=int(row_blocks(problem, split.test).max()) + 1,
        n_rarer=_rarer(problem, split),
    )


def _rarer(problem: Problem, split: Split) -> int:
    if problem.ranks:
        return round(allowed_share(problem, split.test) * len(split.test))
    if problem.task != "binary":
        return len(split.test)
    hits = int(np.sum(problem.y[split.test] == problem.positive))
    return min(hits, len(split.test) - hits)


def reasons(problem: Problem, split: Split, found: Comparison, outlook: Outlook) -> list[Finding]:
    """Say why the verdict is what it is."""
    said = [_gain(found, outlook, len(split.train)), _sample(problem, split, found)]
    if not has_money(problem):
        means = f"no values are given: the verdict rests on the {found.unit}, not on money"
        said.append(Finding(check="verdict.no_values", verdict="note", means=means, todo="give value= for money"))
    if problem.task == "binary":
        said += _ranking(problem, split, found)
    return [*said, *_captured(problem, split, found)] if problem.ranks else said


def _gain(found: Comparison, outlook: Outlook, n_train: int) -> Finding:
    what = f"the gain of {found.learned.name} over '{found.simple.name}' is {found.gain} {found.unit}"
    if found.unit in ("RMSE", "log loss"):
        what = f"{found.learned.name} lowers the {found.unit} of '{found.simple.name}' by {found.gain}"
    limit = f"the effort of {found.effort:,.6g}" if found.effort else "nothing"
    verdict = decided(found, outlook)
    if verdict == "go":
        return _finding("good", f"{what}: surely more than {limit}", "build it", found)
    ahead = f"the chance that {AHEAD:.0f} times the rows would make it a go is {outlook.chance:.0%}"
    if verdict == "no-go":
        todo = f"stay with '{found.simple.name}', or find columns that say more"
        sure = "surely not" if found.gain.high <= found.effort else "not surely"
        return _finding("fail", f"{what}: {sure} more than {limit}, and {ahead}", todo, found)
    todo = "find columns that say more: rows alone would more likely than not leave it open"
    if outlook.times is not None:
        todo = f"collect about {outlook.times:g} times as many rows ({outlook.times * n_train:,.0f} to learn from): "
        todo += "that would more likely than not make it a go"
    return _finding("warn", f"{what}: it may be more than {limit}, or not; {ahead}", todo, found)


def _finding(verdict: Literal["good", "warn", "fail"], means: str, todo: str, found: Comparison) -> Finding:
    return Finding(
        check="verdict.gain", verdict=verdict, means=means, todo=todo, value=found.gain.value, limit=found.effort
    )


def _sample(problem: Problem, split: Split, found: Comparison) -> Finding:
    means = f"the intervals hold for {len(split.test):,} test rows in {found.n_blocks:,} independent pieces"
    if found.n_rarer < _FEWEST:
        which = "that can be acted on" if problem.ranks else "of the rarer class"
        means += f", {found.n_rarer:,} {which}: too few for a verdict"
    few = found.n_blocks < 30 or found.n_rarer < _FEWEST
    todo = "intervals from so few pieces are too narrow: test on a longer time or more groups" if few else ""
    return Finding(check="verdict.sample", verdict="warn" if few else "good", means=means, todo=todo)


def _ranking(problem: Problem, split: Split, found: Comparison) -> list[Finding]:
    if found.learned.output is None:
        return []
    hit, score = problem.y[split.test] == problem.positive, found.learned.output[:, problem.positive]
    area, ratio, rate = auc(hit, score), break_even(hit, score), float(np.mean(hit))
    said = []
    if area is not None:
        means = f"{found.learned.name} ranks a random hit above a random other row {area:.1%} of the time"
        said.append(Finding(check="verdict.ranking", verdict="note", means=means, value=area))
    if ratio is not None:
        everyone = f"; acting on everyone pays from {(1 - rate) / rate:,.2g}" if rate else ""
        means = f"acting on the best-scored rows pays where a hit is worth at least {ratio:,.2g} false alarms"
        said.append(Finding(check="verdict.break_even", verdict="note", means=means + everyone, value=ratio))
    return said


def _captured(problem: Problem, split: Split, found: Comparison) -> list[Finding]:
    """Say how much of what could be had the ranking brings, beside the best simple policy."""
    learned, rows = found.learned, split.test
    brought, plain = (captured(problem, rows, one.rows) for one in (learned, found.simple))
    if learned.output is None or brought is None or plain is None:
        return []
    means = (
        f"{learned.name} brings {brought:.0%} of what could be had within the capacity if values were known, "
        f"'{found.simple.name}' {plain:.0%}"
    )
    figures = ranking_metrics(problem, rows, learned.output)
    known = {"NDCG": figures["ndcg"], "rank correlation with the values": figures["spearman"]}
    said = ", ".join(f"{name} {value:.2f}" for name, value in known.items() if value is not None)
    means += f" ({said})" if said else ""
    return [Finding(check="verdict.ranking", verdict="note", means=means, value=brought)]
