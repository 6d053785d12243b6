"""`shiplap bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from shiplap.cli.options import as_json, budget_fields, figures, quiet, ship
from shiplap.cli.output import finish, progress, write_figures
from shiplap.engineer.bench import bench

__all__ = ["command"]


@click.command("bench")
@ship
@click.option("--budget", multiple=True, metavar="NAME=LIMIT", help="p99_ms, size_mb, memory_mb.")
@figures
@as_json
@quiet
def command(ship: Path, figures: Any, as_json: bool, quiet: bool, **options: Any) -> None:
    """Measure latency, throughput, memory and size on this machine, and attach them to the ship file.

    Exit code 1 when a --budget is missed.
    """
    with progress(quiet=quiet):
        report = bench(ship, budget=budget_fields(options))
    finish(report, as_json=as_json, then=write_figures(report, figures))
