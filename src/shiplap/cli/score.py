"""`shiplap score`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from shiplap.cli.options import as_json, quiet, ship
from shiplap.cli.output import finish, progress
from shiplap.scoring import score

__all__ = ["command"]


@click.command("score")
@ship
@click.argument("rows")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="File to write: .parquet .csv .jsonl")
@click.option("--keep", multiple=True, metavar="COLUMN", help="Carry a column of the rows over into the answers.")
@click.option(
    "--on-error",
    type=click.Choice(["stop", "fallback"]),
    default="stop",
    show_default=True,
    help="A row that cannot be read ends with its error, or gets the fallback decision of the ship's policy.",
)
@as_json
@quiet
def command(
    ship: Path,
    rows: str,
    out: Path,
    keep: tuple[str, ...],
    on_error: Literal["stop", "fallback"],
    as_json: bool,
    quiet: bool,
) -> None:
    """Answer a file of rows, streaming, in constant memory.

    The base install reads and writes CSV, TSV and JSON lines; Parquet and the rest need shiplap[lab].

    \b
    Example: shiplap score churn.ship new.parquet -o answers.parquet --keep id
    """
    with progress(quiet=quiet):
        report = score(ship, rows, out, keep=keep, on_error=on_error)
    finish(report, as_json=as_json)
