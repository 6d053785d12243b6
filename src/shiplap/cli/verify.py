"""`shiplap verify`."""

from __future__ import annotations

from pathlib import Path

import click

from shiplap.cli.options import as_json, ship
from shiplap.cli.output import finish
from shiplap.scoring import verify

__all__ = ["command"]


@click.command("verify")
@ship
@click.option("--key", type=click.Path(path_type=Path), help="Public key that the ship must be signed with, PEM.")
@as_json
def command(ship: Path, key: Path | None, as_json: bool) -> None:
    """Check a ship file's digests and replay its vectors here.

    Exit code 0: it answers here as it did where it was sealed; 1: it does not; 2: it is not a sound ship file.
    """
    finish(verify(ship, key=key), as_json=as_json)
