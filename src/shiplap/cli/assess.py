"""`shiplap assess`."""

from __future__ import annotations

from typing import Any

import click

from shiplap.cli.options import as_json, figures, page, question, question_fields, quiet, table
from shiplap.cli.output import finish, progress, write_figures, write_page
from shiplap.engineer.flow import verb

__all__ = ["command"]


@click.command("assess")
@table
@question
@page
@figures
@as_json
@quiet
def command(table: str | None, html: Any, figures: Any, as_json: bool, quiet: bool, **options: Any) -> None:
    """Is it worth solving with ML? A verdict in money: go, no-go, or collect more.

    Exit code 0 for go and collect more, 1 for no-go. Without --value no money is invented: the break-even ratio is
    reported instead.

    \b
    Example: shiplap assess churn.csv --target churned --value tp=80 --value fp=-5 --value fn=-120
    """
    with progress(quiet=quiet):
        report = verb("assess", table, **question_fields(options))
    finish(report, as_json=as_json, then=write_figures(report, figures, write_page(report, html)))
