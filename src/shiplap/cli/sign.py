"""`shiplap sign`."""

from __future__ import annotations

from pathlib import Path

import click

from shiplap.cli.options import as_json, ship
from shiplap.cli.output import finish
from shiplap.scoring import show, sign

__all__ = ["command"]


@click.command("sign")
@ship
@click.option("--key", required=True, type=click.Path(path_type=Path), help="Private elliptic-curve key, PEM.")
@as_json
def command(ship: Path, key: Path, as_json: bool) -> None:
    """Sign a ship file, after the OpenSSF model signing specification.

    The signature is attached to the file; check it with verify --key. The password of an encrypted key is taken from
    SHIPLAP_KEY_PASSWORD.

    \b
    Example: shiplap sign churn.ship --key key.pem
    """
    finish(show(sign(ship, key=key)), as_json=as_json, then=f"{ship} is signed")
