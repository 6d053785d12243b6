"""Leak suspects by evidence: what defines the target, is missing with it, gives it away alone or together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from shiplap.core.brief import Brief
from shiplap.core.finding import Finding, Grade
from shiplap.methods.bins import binned, bins_score
from shiplap.methods.columns import known_at
from shiplap.methods.leaks import Identity, identities, is_copy, missing_pattern, separating_pairs, stands_out
from shiplap.methods.question import Problem
from shiplap.scientist.explore.view import Counts, View

__all__ = ["Scores", "score_columns", "suspects"]

_BINS = 32
_PAIR_ROWS = 5_000
_LATER = 'leave it out; if it is known when the decision is made, say known_at = "decision" for it'


@dataclass(frozen=True)
class Scores:
    """How well each column alone predicts the target.

    Parameters
    ----------
    alone : dict of str to float
        R squared, or area under the ROC curve, on rows it was not learned on.
    missing : dict of str to float
        The same of the fact alone that the column is missing.
    """

    alone: dict[str, float]
    missing: dict[str, float]


def score_columns(view: View) -> Scores:
    """Measure every column alone on the sample."""
    alone, missing = {}, {}
    if view.problem is None or view.y is None:
        return Scores({}, {})
    for name in view.schema.names:
        codes, _ = binned(view.X[name], bins=_BINS)
        alone[name] = bins_score(view.problem.task, codes, view.y)
        absent = view.X[name].isna().to_numpy()
        if absent.any() and not absent.all():
            missing[name] = bins_score(view.problem.task, absent.astype(np.int64), view.y)
    return Scores(alone, missing)


def suspects(view: View, brief: Brief, counts: Counts, scores: Scores) -> list[Finding]:
    """Name the columns that know the answer too well, gravest first.

    Parameters
    ----------
    view : View
        The sample.
    brief : Brief
        ``known_at = "decision"`` settles a column, ``"later"`` condemns it.
    counts : dict of str to Missing
        Missing values over all rows.
    scores : Scores
        What each column predicts alone.

    Returns
    -------
    list of Finding
        One column each; ``fail`` where the evidence is overwhelming.
    """
    problem = view.problem
    if problem is None:
        return []
    settled = {column.name for column in view.table.schema if known_at(column, brief) == "decision"}
    tried = [name for name in view.schema.names if name not in settled]
    found = [
        *_stated(view, brief),
        *_definition(problem, brief),
        *_missing_with_label(problem, counts, tried),
        *_copies(view, tried),
    ]
    found += _alone(problem, scores, tried, _failed(found))
    failed = _failed(found)
    found += _together(view, tried, failed)
    found += [_settled(name) for name in view.schema.names if name in settled]
    return _gravest_first(found)


def _failed(found: list[Finding]) -> set[str]:
    return {finding.columns[0] for finding in found if finding.verdict == "fail"}


def _stated(view: View, brief: Brief) -> list[Finding]:
    later = [column.name for column in view.table.schema if known_at(column, brief) == "later"]
    return [
        _finding("leak.stated", "fail", name, f"the brief says that '{name}' is known only later") for name in later
    ]


def _settled(name: str) -> Finding:
    means = f"the brief says that '{name}' is known when the decision is made: no leak test is held against it"
    return Finding(check="leak.settled", verdict="good", means=means, columns=(name,))


def _definition(problem: Problem, brief: Brief) -> list[Finding]:
    if problem.target_columns == (brief.target.strip().strip('"'),):
        return []
    return [
        _finding("leak.definition", "fail", name, f"the target '{brief.target}' is made from '{name}'")
        for name in problem.target_columns
    ]


def _missing_with_label(problem: Problem, counts: Counts, tried: list[str]) -> list[Finding]:
    graded: list[tuple[str, Grade, float, float]] = []
    for name in tried:
        count = counts[name]
        grade = missing_pattern(
            n_unlabelled=problem.n_unlabelled,
            missing_unlabelled=count.unlabelled,
            n_labelled=problem.n_rows,
            missing_labelled=count.labelled,
        )
        if grade is not None:
            share, background = count.unlabelled / problem.n_unlabelled, count.labelled / problem.n_rows
            graded.append((name, grade, share, background))
    hollow = len(graded) > len(tried) / 2
    found = []
    for name, grade, share, background in graded:
        means = (
            f"'{name}' is missing on {share:.0%} of the rows without a label and on {background:.1%} of the others: "
            "it is filled in with the outcome"
        )
        if hollow:
            means = f"'{name}' is missing on {share:.0%} of the rows without a label, as most columns are"
        found.append(_finding("leak.missing_pattern", "warn" if hollow else grade, name, means, value=share, limit=0.8))
    return found


def _copies(view: View, tried: list[str]) -> list[Finding]:
    found = []
    for name in tried:
        if view.schema[name].kind != "number":
            continue
        for source in view.sources.columns:
            if is_copy(view.X[name].to_numpy(), view.sources[source].to_numpy()):
                means = f"'{name}' is {source} in other units: their orders agree"
                found.append(_finding("leak.copy", "fail", name, means, value=1.0))
    return found


def _alone(problem: Problem, scores: Scores, tried: list[str], failed: set[str]) -> list[Finding]:
    """Go from the strongest column down; one that is accused is no yardstick for the others."""
    what = "R squared" if problem.task == "regression" else "AUC"
    telling = [name for name in tried if scores.missing.get(name, 0.0) >= 0.95]
    found = []
    for name in telling:
        means = f"whether '{name}' is missing tells the label by itself ({what} {scores.missing[name]:.3f})"
        found.append(_finding("leak.missing_tells", "fail", name, means, value=scores.missing[name], limit=0.95))
    accused = failed | set(telling)
    for name in sorted(set(tried) - set(telling), key=lambda name: (-scores.alone[name], name)):
        others = [score for other, score in scores.alone.items() if other != name and other not in accused]
        grade = stands_out(problem.task, scores.alone[name], others)
        if grade is not None:
            accused.add(name)
            best = max(others, default=0.0)
            means = (
                f"'{name}' alone predicts implausibly well: {what} {scores.alone[name]:.3f}, the next best {best:.3f}"
            )
            found.append(_finding("leak.alone", grade, name, means, value=scores.alone[name], limit=best))
    return found


def _together(view: View, tried: list[str], failed: set[str]) -> list[Finding]:
    problem = view.problem
    numeric = [name for name in tried if view.schema[name].kind == "number"]
    if problem is None or view.y is None or len(numeric) < 2:
        return []
    rows = np.sort(np.random.default_rng(0).permutation(len(view.X))[:_PAIR_ROWS])
    numbers: pd.DataFrame = view.X[numeric].iloc[rows]
    given: list[tuple[str, Identity]] = []
    for source in view.sources.columns:
        given += [(str(source), item) for item in identities(numbers, view.sources[source].to_numpy()[rows])]
    if view.sources.empty and problem.task == "binary":
        hit = view.y[rows] == problem.positive
        given += [("the label", item) for item in separating_pairs(numbers, hit)]
    found = []
    for source, item in given:
        found += _accused(source, item, failed)
    return found


def _accused(source: str, item: Identity, failed: set[str]) -> list[Finding]:
    """Accuse the members of an identity: those that other evidence speaks against, else every part of a sum.

    Without either column of a difference the leak is closed, so of those the one that alone says most is condemned.
    """
    named = " and ".join(f"'{name}'" for name in item.columns)
    means = f"{named} together give {source} (as a {item.form}, on {item.agreement:.1%})"
    known = [name for name in item.columns if name in failed]
    if known:
        return [_finding("leak.joint", "fail", name, means, value=item.agreement) for name in known]
    grades: list[Grade] = ["fail"] * len(item.columns)
    if item.form in ("difference", "clock difference"):
        grades[1] = "warn"
    return [
        _finding("leak.joint", grade, name, means, value=item.agreement)
        for name, grade in zip(item.columns, grades, strict=True)
    ]


def _finding(
    check: str, verdict: Grade, name: str, means: str, *, value: float | None = None, limit: float | None = None
) -> Finding:
    todo = _LATER if verdict == "fail" else "ask when it is filled in, and say known_at for it"
    return Finding(check=check, verdict=verdict, means=means, todo=todo, columns=(name,), value=value, limit=limit)


def _gravest_first(found: list[Finding]) -> list[Finding]:
    order = ("fail", "warn", "note", "good")
    unique = {(finding.check, finding.columns, finding.verdict): finding for finding in reversed(found)}
    kept = [finding for finding in found if unique[finding.check, finding.columns, finding.verdict] is finding]
    return sorted(kept, key=lambda finding: order.index(finding.verdict))
