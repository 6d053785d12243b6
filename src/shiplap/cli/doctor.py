"""`shiplap doctor`."""

from __future__ import annotations

import click

from shiplap.cli.options import as_json
from shiplap.cli.output import finish
from shiplap.engineer.flow import doctor

__all__ = ["command"]


@click.command("doctor")
@as_json
def command(as_json: bool) -> None:
    """Say what is installed and what each missing extra would give."""
    finish(doctor(), as_json=as_json)
