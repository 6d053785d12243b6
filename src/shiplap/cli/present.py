"""`shiplap present`."""

from __future__ import annotations

from pathlib import Path

import click

from shiplap.cli.options import as_json, figures
from shiplap.cli.output import print_path
from shiplap.engineer.flow import present_file

__all__ = ["command"]


@click.command("present")
@click.argument("report", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Page to write; report.html if left out.")
@figures
@as_json
def command(report: Path, out: Path | None, figures: Path | None, as_json: bool) -> None:
    """Draw the report page of a run again, and its figures as files.

    REPORT is what `shiplap run --json` printed, or another verb.

    \b
    Example: shiplap run churn.csv --target churned --json > churn.json; shiplap present churn.json
    """
    print_path(present_file(report, out=out, figures=figures), as_json=as_json, said="page written to")
