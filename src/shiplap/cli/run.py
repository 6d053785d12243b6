"""`shiplap run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from shiplap.cli.options import as_json, figures, out_path, question, question_fields, quiet, table
from shiplap.cli.output import finish, progress, write_figures
from shiplap.engineer.flow import run

__all__ = ["command"]


@click.command("run")
@table
@question
@out_path
@figures
@as_json
@quiet
def command(table: str | None, out: Path | None, figures: Any, as_json: bool, quiet: bool, **options: Any) -> None:
    """The main job: table and question in, proven ship and report out.

    Runs explore, assess, train, pack, bench and present, and leaves NAME.ship and NAME.html in the working folder
    (or in --out); in a project folder, NAME.ship and report.html. What was done before is answered from the store.

    \b
    Example: shiplap run churn.csv --target churned --value tp=80 --value fp=-5 --budget p99_ms=1
    """
    with progress(quiet=quiet):
        report = run(table, out=out, **question_fields(options))
    finish(report, as_json=as_json, then=write_figures(report, figures))
