"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from shiplap.core.brief import Brief, Budget
from shiplap.core.errors import BriefError

__all__ = [
    "as_json",
    "budget_fields",
    "figures",
    "out_path",
    "page",
    "question",
    "question_fields",
    "quiet",
    "ship",
    "table",
]

F = TypeVar("F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on standard output.")
quiet = click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
out_path = click.option(
    "-o", "--out", type=click.Path(path_type=Path), default=None, help="Where to write; the working folder if left out."
)
page = click.option("--html", type=click.Path(path_type=Path), help="Also write the report as one page.")
figures = click.option(
    "--figures",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Also write each figure as PDF, SVG and PNG.",
)
table = click.argument("table", required=False)
ship = click.argument("ship", type=click.Path(path_type=Path))

_QUESTION = (
    click.option("-t", "--target", help="Column to predict, or an expression such as 'arr_delay > 15'."),
    click.option("--positive", help="The class that is to be found."),
    click.option(
        "--task", help="binary, multiclass, regression, ranking, forecast or anomaly; inferred when left out."
    ),
    click.option("--horizon", type=int, help="How many steps ahead a forecast is asked."),
    click.option("--time", help="Column of time: learn from the past, test on the future."),
    click.option("--group", help="Column of groups that must not be split between training and test."),
    click.option("--label-time", help="Column of the moment from which on the label was known."),
    click.option("--acted", help="Column that says on which rows the decision was acted on in the past."),
    click.option("--sensitive", multiple=True, metavar="COLUMN", help="Compare error rates between its groups."),
    click.option("--value", multiple=True, metavar="NAME=MONEY", help="Worth of an outcome: tp=80, fp=-5, fn=amount."),
    click.option(
        "--capacity", multiple=True, metavar="NAME=MOST", help="How often can be acted: per_day=200, share=0.05."
    ),
    click.option(
        "--budget", multiple=True, metavar="NAME=LIMIT", help="p99_ms, size_mb, memory_mb, train_seconds, table_mb."
    ),
    click.option("--drop", multiple=True, metavar="COLUMN", help="Leave a column out."),
    click.option("--keep", multiple=True, metavar="COLUMN", help="Use a column whatever the leak tests say."),
    click.option("--private", multiple=True, metavar="COLUMN", help="Show a column in no ship, sample or page."),
    click.option("--name", help="Name of the ship."),
    click.option("--seed", type=int, help="Seed of every random choice."),
)


def question(command: F) -> F:
    """Add the options that make up a brief."""
    for option in reversed(_QUESTION):
        command = option(command)
    return command


def question_fields(options: dict[str, Any]) -> dict[str, Any]:
    """Turn the options of `question` into fields of a brief; what was not given is left out.

    Examples
    --------
    >>> question_fields({"target": "churned", "value": ("tp=80", "fp=-amount"), "drop": (), "seed": None})
    {'target': 'churned', 'value': {'tp': 80.0, 'fp': '-amount'}}
    """
    fields = {key: value for key, value in options.items() if value not in (None, ())}
    for key in ("value", "capacity", "budget"):
        if key in fields:
            fields[key] = dict(_assignment(key, text) for text in fields[key])
    return fields


def _assignment(option: str, text: str) -> tuple[str, float | str]:
    name, equals, right = text.partition("=")
    if not equals:
        example = {"value": "tp=80", "capacity": "per_day=200"}.get(option, "p99_ms=1")
        raise BriefError(f"--{option} wants NAME=NUMBER, not '{text}'", hint=f"for example --{option} {example}")
    try:
        return name.strip(), float(right)
    except ValueError:
        return name.strip(), right.strip()


def budget_fields(options: dict[str, Any]) -> Budget:
    """Turn ``--budget NAME=LIMIT`` options into a `Budget`."""
    return Brief.make(budget=question_fields({"budget": options["budget"]}).get("budget", {})).budget
