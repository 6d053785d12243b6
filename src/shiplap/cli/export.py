"""`shiplap export`."""

from __future__ import annotations

from pathlib import Path

import click

from shiplap.cli.options import as_json, quiet, ship
from shiplap.cli.output import finish, progress
from shiplap.engineer.flow import export_file

__all__ = ["command"]


@click.command("export")
@ship
@click.option("--onnx", "form", flag_value="onnx", default="onnx", help="As one plain ONNX model; the only form.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File to write; SHIP.onnx if left out.")
@as_json
@quiet
def command(ship: Path, form: str, out: Path | None, as_json: bool, quiet: bool) -> None:
    """Write a ship as one plain ONNX file with named inputs, with proof.

    The file answers in any program that has ONNX Runtime. It is written only when it answers as the ship does, on the
    ship's own vectors and on rows built of every kind of value.

    \b
    Example: shiplap export churn.ship --onnx -o churn.onnx
    """
    del form
    with progress(quiet=quiet):
        report, path = export_file(ship, out=out)
    finish(report, as_json=as_json, then=f"model written to {path}")
