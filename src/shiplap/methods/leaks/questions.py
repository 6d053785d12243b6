"""What evidence cannot see is asked: a column that comes too late and says little leaves no trace."""

from __future__ import annotations

from shiplap.core.finding import Finding
from shiplap.core.report import DataTable
from shiplap.methods.leaks.found import failed_columns
from shiplap.methods.question import Problem

__all__ = ["questions"]

_MOST_SUSPECTS, _MOST_STRONG = 3, 3


def questions(problem: Problem, found: tuple[Finding, ...], alone: dict[str, float]) -> DataTable | None:
    """Make one short list of what only those who know the process can answer.

    Parameters
    ----------
    problem : Problem
        The question.
    found : tuple of Finding
        What the battery found.
    alone : dict of str to float
        What each column says alone: the strongest are asked about, since the model will lean on them.

    Returns
    -------
    DataTable or None
        ``questions``: what is asked, why, and how to answer in the brief. None where everything is stated.
    """
    asked = [*_suspects(found), *_strongest(problem, found, alone), *_time(problem), *_labels(problem)]
    if not asked:
        return None
    columns = ("question", "why it is asked", "how to answer")
    return DataTable(name="questions", title="What no evidence can tell", columns=columns, rows=tuple(asked))


def _suspects(found: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    failed = failed_columns(found)
    names = dict.fromkeys(
        name for finding in found if finding.verdict == "warn" for name in finding.columns if name not in failed
    )
    return [
        (
            f"When is '{name}' written down: before the decision, or with the outcome?",
            "the evidence against it is strong but not overwhelming",
            f'columns.{name}.known_at = "decision" or "later"',
        )
        for name in list(names)[:_MOST_SUSPECTS]
    ]


def _strongest(problem: Problem, found: tuple[Finding, ...], alone: dict[str, float]) -> list[tuple[str, str, str]]:
    accused = {name for finding in found for name in finding.columns}
    open_ones = [name for name in problem.schema.names if name in alone and name not in accused]
    names = sorted(open_ones, key=lambda name: (-alone[name], name))[:_MOST_STRONG]
    if not names:
        return []
    listed = ", ".join(f"'{name}'" for name in names)
    return [
        (
            f"Is the value of {listed} at the moment of the decision the one in this table, or was it updated later?",
            "the model leans on them, and a value that is overwritten later looks like any other",
            f'columns.{names[0]}.known_at = "decision" or "later"',
        )
    ]


def _time(problem: Problem) -> list[tuple[str, str, str]]:
    dates = [column.name for column in problem.schema if column.kind == "date"]
    if problem.time is not None or not dates:
        return []
    why = "then it must be tested on the future; by chance it is tested on days that it has seen"
    return [(f"Will the model answer about rows later than these ('{dates[0]}')?", why, f"time = '{dates[0]}'")]


def _labels(problem: Problem) -> list[tuple[str, str, str]]:
    if not problem.n_unlabelled:
        return []
    why = "rows without a label are left out: if they differ from the others, the model is judged on the wrong ones"
    question = f"Why have {problem.n_unlabelled:,} rows no label: is the outcome not known yet, or do they have none?"
    return [(question, why, "drop those rows from the table, or give the outcome that they have")]
