"""`shiplap pack`."""

from __future__ import annotations

from pathlib import Path

import click

from shiplap.cli.options import as_json, quiet
from shiplap.cli.output import finish, progress
from shiplap.engineer.flow import pack_file

__all__ = ["command"]


@click.command("pack")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--data", required=True, help="Rows the model can answer; any table.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Ship file to write; MODEL.ship if left out.")
@as_json
@quiet
def command(model: Path, data: str, out: Path | None, as_json: bool, quiet: bool) -> None:
    """Turn a trained model into a ship file, with proof.

    MODEL is a .skops file. The ship is written only when it flips no answer of the original, on rows of the data and
    on rows built to break it.

    \b
    Example: shiplap pack churn.skops --data churn.csv -o churn.ship
    """
    with progress(quiet=quiet):
        report, path = pack_file(model, data=data, out=out)
    finish(report, as_json=as_json, then=f"ship written to {path}")
