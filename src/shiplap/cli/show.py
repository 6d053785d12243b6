"""`shiplap show`."""

from __future__ import annotations

from pathlib import Path

import click

from shiplap.cli.options import as_json, ship
from shiplap.cli.output import finish
from shiplap.scoring import show

__all__ = ["command"]


@click.command("show")
@ship
@as_json
def command(ship: Path, as_json: bool) -> None:
    """Say what a ship file is: what it takes, answers and decides, how it was proven, how fast it is."""
    finish(show(ship), as_json=as_json)
