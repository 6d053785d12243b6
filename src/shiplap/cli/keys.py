"""`shiplap keys`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from shiplap.cli.options import as_json
from shiplap.core.errors import InputError
from shiplap.core.report import DataTable, Report
from shiplap.engineer.deploy.serve.access import Grant, add_key, list_keys, revoke_key, rotate_key

__all__ = ["command"]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_file = click.option(
    "--file",
    "file",
    default="keys.json",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The key file; a running server takes changes up by itself.",
)
_name = click.argument("name")
_expires = click.option("--expires", metavar="TIME", help="How long it lasts: 90d, 12h, 30m, 45s.")


@click.group("keys")
def command() -> None:
    """Give, list, revoke and rotate the keys of those who may ask a server.

    The file holds digests of keys, never a key. Each command explains itself (keys add --help) and takes --json.

    \b
    Example: shiplap keys add billing --models churn --rate 100 --expires 90d
             curl -H "Authorization: Bearer $KEY" -d '{"age": 41}' http://127.0.0.1:8000/predict
    """


@command.command("add")
@_name
@click.option("--models", help="Models it may ask, with commas between; all where none is named.")
@click.option("--rate", type=float, help="Requests a second, over all workers; as many as they like if left out.")
@click.option("--burst", type=int, help="Requests that may come at once; those of one second if left out.")
@_expires
@click.option("--admin", is_flag=True, help="The admin listener answers it.")
@click.option("--certificate", default="", metavar="NAME", help="No key: known by this name in a client certificate.")
@_file
@as_json
def _add(
    name: str,
    models: str | None,
    expires: str | None,
    file: Path,
    as_json: bool,
    **terms: Any,
) -> None:
    """Give NAME a key, and print it: it is shown once, and written nowhere."""
    chosen = [model.strip() for model in (models or "").split(",") if model.strip()]
    key = add_key(file, name, models=chosen, expires=_span(expires), **terms)
    if key:
        _print_key(name, key, as_json=as_json)
    else:
        certificate = terms["certificate"]
        told = json.dumps({"name": name, "certificate": certificate})
        click.echo(told if as_json else f"'{name}' is known by a certificate with the name '{certificate}'")


@command.command("list")
@_file
@as_json
def _list(file: Path, as_json: bool) -> None:
    """List who has a key, and what for."""
    grants = list_keys(file)
    if as_json:
        click.echo(json.dumps({"keys": [_told(grant) for grant in grants]}))
        return
    columns = ("name", "models", "rate/s", "burst", "created", "expires", "admin", "state")
    rows = tuple(_row(grant) for grant in grants)
    table = DataTable(name="keys", title=str(file), columns=columns, rows=rows)
    click.echo(str(Report(verb="keys", title="Who may ask", verdict=str(len(rows)), tables=(table,))))


@command.command("revoke")
@_name
@_file
@as_json
def _revoke(name: str, file: Path, as_json: bool) -> None:
    """Take the key of NAME away; running servers refuse it within a second."""
    revoke_key(file, name)
    click.echo(json.dumps({"name": name, "revoked": True}) if as_json else f"'{name}' has no key any more")


@command.command("rotate")
@_name
@click.option(
    "--grace", metavar="TIME", help="How long the old key is taken beside the new one; not at all if left out."
)
@_expires
@_file
@as_json
def _rotate(name: str, grace: str | None, expires: str | None, file: Path, as_json: bool) -> None:
    """Give NAME another key in place of theirs, and print it."""
    key = rotate_key(file, name, grace=_span(grace), expires=_span(expires))
    _print_key(name, key, as_json=as_json)


def _print_key(name: str, key: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"name": name, "key": key}))
        return
    click.echo(key)
    click.echo(f"the key of '{name}': it is not shown again", err=True)


def _told(grant: Grant) -> dict[str, object]:
    """Return all of a grant but its digests."""
    return {
        "name": grant.name,
        "models": list(grant.models),
        "rate": grant.rate,
        "burst": grant.at_once if grant.rate is not None else None,
        "created": grant.created.isoformat(),
        "expires": grant.expires.isoformat() if grant.expires else None,
        "admin": grant.admin,
        "certificate": grant.certificate or None,
        "taken": _taken(grant),
    }


def _row(grant: Grant) -> tuple[str | float | int | None, ...]:
    models = ", ".join(grant.models) or "all"
    created, expires = f"{grant.created:%Y-%m-%d}", f"{grant.expires:%Y-%m-%d}" if grant.expires else "never"
    burst = grant.at_once if grant.rate is not None else None
    state = {0: "expired", 1: "good"}.get(_taken(grant), "rotating")
    return (grant.name, models, grant.rate, burst, created, expires, "yes" if grant.admin else "no", state)


def _taken(grant: Grant) -> int:
    """Return how many keys or certificates are taken: two or more during a rotation."""
    now = datetime.now(UTC)
    return sum(end is None or end > now for _, end in grant.marks())


def _span(text: str | None) -> timedelta | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text.strip())
    if match is None:
        raise InputError(f"a time such as 90d, 12h, 30m or 45s is expected, not '{text}'")
    try:
        return timedelta(**{_UNITS[match[2]]: float(match[1])})
    except OverflowError as error:
        raise InputError(f"'{text}' is too long", hint="leave it out for no end") from error
