"""`shiplap score`."""

from __future__ import annotations

from pathlib import Path

import click

from shiplap.cli.options import as_json, quiet, ship
from shiplap.cli.output import finish, progress
from shiplap.scoring import score

__all__ = ["command"]


@click.command("score")
@ship
@click.argument("rows")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="File to write: .parquet .csv .jsonl")
@as_json
@quiet
def command(ship: Path, rows: str, out: Path, as_json: bool, quiet: bool) -> None:
    """Answer a file of rows, streaming, in constant memory.

    The base install reads and writes CSV, TSV and JSON lines; Parquet and the rest need shiplap[lab].

    \b
    Example: shiplap score churn.ship new.parquet -o answers.parquet
    """
    with progress(quiet=quiet):
        report = score(ship, rows, out)
    finish(report, as_json=as_json)
