"""`shiplap explore`."""

from __future__ import annotations

from typing import Any

import click

from shiplap.cli.options import as_json, figures, page, question, question_fields, quiet, table
from shiplap.cli.output import finish, progress, write_figures, write_page
from shiplap.engineer.flow import verb

__all__ = ["command"]


@click.command("explore")
@table
@click.argument("other", required=False)
@question
@page
@figures
@as_json
@quiet
def command(
    table: str | None, other: str | None, html: Any, figures: Any, as_json: bool, quiet: bool, **options: Any
) -> None:
    """Know the data: schema, quality, drift, leak suspects; what changed from one table to another.

    TABLE is a CSV, TSV, Parquet or JSON lines file, a glob, a DuckDB or SQLite file, an SQL query over files in
    quotes, a table that stays in PostgreSQL (postgresql://user@host/database::table), or a folder with shiplap.toml
    (the working folder when left out).

    With OTHER, a second table, the report says what changed from the first to it: train and test, last month and this
    month, real and synthetic.

    \b
    Example: shiplap explore flights.csv --target "arr_delay > 15" --time time_hour
             shiplap explore january.csv february.csv --target churned
    """
    with progress(quiet=quiet):
        report = verb("explore", table, *([other] if other else []), **question_fields(options))
    finish(report, as_json=as_json, then=write_figures(report, figures, write_page(report, html)))
