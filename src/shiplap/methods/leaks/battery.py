"""The whole battery on the columns of a question: what accuses each, by evidence and never by its name."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np
import pandas as pd

from shiplap.core.finding import Finding, Grade
from shiplap.core.report import DataTable
from shiplap.methods.columns import known_at
from shiplap.methods.intervals import Interval
from shiplap.methods.leaks.copies import copies
from shiplap.methods.leaks.dates import later_dates
from shiplap.methods.leaks.dominant import dominant
from shiplap.methods.leaks.encodings import encodings, scaled
from shiplap.methods.leaks.found import failed_columns, gravest_first, suspect
from shiplap.methods.leaks.gaps import gap_score, gaps, missing_with_label
from shiplap.methods.leaks.interplay import interplays
from shiplap.methods.leaks.joint import Identity, identities, separating_pairs
from shiplap.methods.leaks.order import identifiers, row_order, texts
from shiplap.methods.leaks.questions import questions
from shiplap.methods.leaks.sample import Sample, alone, sample_of
from shiplap.methods.leaks.stakes import stakes
from shiplap.methods.question import Problem

__all__ = ["Evidence", "looked_for"]

_CERTAIN = 0.98


@dataclass(frozen=True, eq=False)
class Evidence:
    """What speaks against the columns of a question.

    Parameters
    ----------
    findings : tuple of Finding
        Gravest first; the check of each begins with ``leak.``.
    alone : dict of str to float
        What each feature says alone on rows it was not learned on: R squared, or area under the ROC curve.
    missing : dict of str to float
        The same of the fact alone that it is missing.
    stakes : dict of str to Interval
        Money per 1,000 decisions that the gravest suspects would seem to bring; empty without values.
    questions : DataTable or None
        What no evidence can tell.
    """

    findings: tuple[Finding, ...] = ()
    alone: dict[str, float] = field(default_factory=dict)
    missing: dict[str, float] = field(default_factory=dict)
    stakes: dict[str, Interval] = field(default_factory=dict)
    questions: DataTable | None = None


def looked_for(problem: Problem) -> Evidence:
    """Look for columns that know the answer.

    Parameters
    ----------
    problem : Problem
        The question. ``known_at = "decision"`` of a column settles it, ``"later"`` condemns it.

    Returns
    -------
    Evidence
        ``fail`` where the evidence is overwhelming, ``warn`` where somebody should be asked.

    Examples
    --------
    >>> from shiplap.methods.question import pose
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame(rng.normal(size=(600, 3)), columns=["a", "b", "c"])
    >>> rows["left"] = rng.random(600) < 1 / (1 + np.exp(-rows["a"]))
    >>> rows["refund"] = rows["left"] * (5 + rows["b"])
    >>> found = looked_for(pose(rows, question={"target": "left"})).findings
    >>> found[0].check, found[0].verdict, found[0].columns
    ('leak.alone', 'fail', ('refund',))
    """
    sample = sample_of(problem)
    says = {str(name): alone(sample, str(name)) for name in sample.X.columns}
    scores = {name: gap_score(sample, name) for name in says}
    missing = {name: score for name, score in scores.items() if score is not None}
    found = [
        *_stated(problem),
        *missing_with_label(problem, sample.tried),
        *copies(sample),
        *gaps(sample, missing),
        *encodings(problem, sample.tried),
    ]
    found += dominant(sample, says, failed_columns(found))
    found += _together(sample, says, failed_columns(found))
    found += [*later_dates(sample), *row_order(sample), *identifiers(sample), *texts(sample)]
    found += scaled(problem, tuple(name for name in sample.tried if name not in failed_columns(found)))
    found += [_settled(name) for name in problem.schema.names if name not in sample.tried]
    found = gravest_first(found)
    accused = [name for finding in found if finding.verdict in ("fail", "warn") for name in finding.columns]
    priced = stakes(problem, accused)
    told = tuple(_with_stake(finding, priced, problem.unit) for finding in found)
    return Evidence(told, says, missing, priced, questions(problem, told, says))


def _with_stake(finding: Finding, priced: dict[str, Interval], unit: str) -> Finding:
    """Say what the column would seem to bring, where that is surely more than nothing."""
    stake = priced.get(finding.columns[0]) if len(finding.columns) == 1 else None
    if stake is None or stake.low <= 0 or finding.verdict not in ("fail", "warn"):
        return finding
    means = f"{finding.means}; with it the verdict would seem better by {stake} {unit} per 1,000 decisions"
    return msgspec.structs.replace(finding, means=means)


def _stated(problem: Problem) -> list[Finding]:
    brief = problem.brief
    said = {
        column.name: ("leak.stated", f"the brief says that '{column.name}' is known only later")
        for column in problem.table.schema
        if known_at(column, brief) == "later"
    }
    if problem.target_columns != (brief.target.strip().strip('"'),):
        for name in problem.target_columns:
            said[name] = ("leak.definition", f"the target '{brief.target}' is made from '{name}'")
    return [suspect(check, "fail", name, means) for name, (check, means) in said.items()]


def _settled(name: str) -> Finding:
    means = f"the brief says that '{name}' is known when the decision is made: no leak test is held against it"
    return Finding(check="leak.settled", verdict="good", means=means, columns=(name,))


def _together(sample: Sample, says: dict[str, float], failed: set[str]) -> list[Finding]:
    problem = sample.problem
    names = [name for name in sample.tried if problem.schema[name].kind in ("number", "date")]
    rows = np.random.default_rng(problem.brief.seed).permutation(sample.few)
    numbers = pd.DataFrame({name: _as_number(sample.X[name].iloc[rows]) for name in names})
    given: list[tuple[str, Identity]] = []
    for source in sample.sources.columns:
        given += [(str(source), item) for item in identities(numbers, sample.sources[source].to_numpy()[rows])]
    if sample.sources.empty and problem.task == "binary":
        hit = sample.y[rows] == problem.positive
        given += [("the label", item) for item in separating_pairs(numbers, hit)]
    found = [finding for source, item in given for finding in _accused(source, item, failed)]
    left = [name for name in sample.tried if name not in {*failed, *failed_columns(found)}]
    for item, certainty in interplays(sample, left, says):
        grade: Grade = "fail" if certainty >= _CERTAIN else "warn"
        named = " and ".join(f"'{name}'" for name in item.columns)
        means = f"{named} give the target together ({item.agreement:.1%} of what is uncertain), each alone far less"
        found += [suspect("leak.joint", grade, name, means, value=item.agreement) for name in item.columns]
    return found


def _as_number(column: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if column.dtype.kind != "M":
        return column.to_numpy(dtype=np.float64)
    days = column.to_numpy().astype("datetime64[s]").astype(np.float64) / 86_400
    return np.asarray(np.where(column.isna(), np.nan, days))


def _accused(source: str, item: Identity, failed: set[str]) -> list[Finding]:
    """Accuse the members of an identity: those that other evidence speaks against, else every part of a sum.

    Without either column of a difference the leak is closed, so of those the one that alone says most is condemned.
    """
    named = " and ".join(f"'{name}'" for name in item.columns)
    means = f"{named} together give {source} (as a {item.form}, on {item.agreement:.1%})"
    known = [name for name in item.columns if name in failed]
    if known:
        return [suspect("leak.joint", "fail", name, means, value=item.agreement) for name in known]
    grades: list[Grade] = ["fail"] * len(item.columns)
    if item.form in ("difference", "clock difference"):
        grades[1] = "warn"
    return [
        suspect("leak.joint", grade, name, means, value=item.agreement)
        for name, grade in zip(item.columns, grades, strict=True)
    ]
