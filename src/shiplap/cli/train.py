"""`shiplap train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from shiplap.cli.options import as_json, figures, question, question_fields, quiet, table
from shiplap.cli.output import finish, progress, write_figures
from shiplap.engineer.flow import train_to_file

__all__ = ["command"]


@click.command("train")
@table
@question
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Model file to write; NAME.skops if left out.")
@figures
@as_json
@quiet
def command(table: str | None, out: Path | None, figures: Any, as_json: bool, quiet: bool, **options: Any) -> None:
    """Train a model: a plain scikit-learn pipeline, in a file.

    The file is a skops file (no pickle); `shiplap pack NAME.skops --data TABLE` makes it a ship.

    \b
    Example: shiplap train churn.csv --target churned --budget train_seconds=60
    """
    with progress(quiet=quiet):
        report, path = train_to_file(table, out=out, **question_fields(options))
    finish(report, as_json=as_json, then=write_figures(report, figures, f"model written to {path}"))
