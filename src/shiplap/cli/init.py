"""`shiplap init`."""

from __future__ import annotations

from pathlib import Path

import click

from shiplap.cli.options import as_json
from shiplap.cli.output import print_path
from shiplap.engineer.flow import init

__all__ = ["command"]


@click.command("init")
@click.argument("table")
@click.option("-t", "--target", help="Column to predict, or an expression such as 'arr_delay > 15'.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder; the working folder if left out.")
@click.option("--force", is_flag=True, help="Replace a shiplap.toml that is there.")
@as_json
def command(table: str, target: str | None, out: Path | None, force: bool, as_json: bool) -> None:
    """Write a commented shiplap.toml from the table it is shown.

    \b
    Example: shiplap init churn.csv --target churned
    """
    path = init(table, target=target or "", folder=out, force=force)
    print_path(path, as_json=as_json, said="brief written to")
