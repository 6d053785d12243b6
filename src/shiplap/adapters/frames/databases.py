"""Tables inside DuckDB and SQLite files, opened for reading only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pyarrow as pa

from shiplap.adapters.frames.names import check_names
from shiplap.adapters.frames.session import Session, literal, quoted, refused
from shiplap.core.errors import TableError, nearest

__all__ = ["is_sqlite", "load_database", "sqlite_batches"]

_ROWS = 50_000


def is_sqlite(path: Path) -> bool:
    """Tell whether a database file is SQLite's, by its first bytes."""
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\x00"


def load_database(session: Session, path: Path, inner: str, relation: str) -> str:
    """Load one table (or view) of a database file.

    Parameters
    ----------
    session : Session
        Where it goes.
    path : Path
        The file.
    inner : str
        Its name in the file; may be empty when the file holds one only.
    relation : str
        What it is called in the session.

    Returns
    -------
    str
        The name it has in the file.

    Raises
    ------
    TableError
        The file cannot be opened, or has no such table.
    """
    return (_load_sqlite if is_sqlite(path) else _load_duckdb)(session, path, inner, relation)


def _load_duckdb(session: Session, path: Path, inner: str, relation: str) -> str:
    try:
        session.execute(f"ATTACH {literal(str(path))} AS source (READ_ONLY)")
    except duckdb.Error as error:
        hint = "close the program that has it open for writing" if "lock" in str(error) else ""
        raise refused(error, f"'{path}' cannot be opened", hint=hint) from error
    try:
        found = session.fetch(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = 'source' ORDER BY ALL"
        )
        names = {name if schema == "main" else f"{schema}.{name}": (schema, name) for schema, name in found}
        name = _chosen(path, inner, names)
        schema, table = names[name]
        session.execute(f"CREATE TABLE {relation} AS SELECT * FROM source.{quoted(schema)}.{quoted(table)}")
    except duckdb.Error as error:
        raise refused(error, f"'{path}' cannot be read") from error
    finally:
        session.execute("DETACH source")
    return name


def _load_sqlite(session: Session, path: Path, inner: str, relation: str) -> str:
    with closing(_connect(path)) as connection:
        try:
            name, schema = _sqlite_schema(connection, path, inner)
            session.register("incoming", schema.empty_table())
            session.execute(f"CREATE TABLE {relation} AS SELECT * FROM incoming")
            for batch in _sqlite_rows(connection, name, schema, schema.names, _ROWS):
                session.register("incoming", pa.Table.from_batches([batch]))
                session.execute(f"INSERT INTO {relation} SELECT * FROM incoming")
            session.unregister("incoming")
        except (sqlite3.Error, pa.ArrowInvalid) as error:
            raise TableError(f"'{path}' cannot be read: {error}", hint="it may be truncated; copy it again") from error
    return name


def sqlite_batches(path: Path, inner: str, columns: Iterable[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a table in an SQLite file, at most `rows` at a time; all columns when none are named."""
    with closing(_connect(path)) as connection:
        name, schema = _sqlite_schema(connection, path, inner)
        yield from _sqlite_rows(connection, name, schema, list(columns) or schema.names, rows)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)


def _sqlite_schema(connection: sqlite3.Connection, path: Path, inner: str) -> tuple[str, pa.Schema]:
    listed = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    name = _chosen(path, inner, {row[0]: row[0] for row in listed})
    names = [row[0] for row in connection.execute(f"SELECT * FROM {quoted(name)} LIMIT 0").description]
    check_names(names, f"'{path}::{name}'")
    kinds = [f"group_concat(DISTINCT typeof({quoted(column)}))" for column in names]
    seen = [
        found
        for start in range(0, len(kinds), 500)
        for found in connection.execute(
            f"SELECT {', '.join(kinds[start : start + 500])} FROM {quoted(name)}"
        ).fetchone()
    ]
    return name, pa.schema([(column, _type(found or "")) for column, found in zip(names, seen, strict=True)])


def _type(kinds: str) -> pa.DataType:
    found = set(kinds.split(",")) - {"null", ""}
    if found == {"integer"}:
        return pa.int64()
    if found and found <= {"integer", "real"}:
        return pa.float64()
    return pa.binary() if found == {"blob"} else pa.string()


def _sqlite_rows(
    connection: sqlite3.Connection, name: str, schema: pa.Schema, columns: list[str], rows: int
) -> Iterator[pa.RecordBatch]:
    chosen = pa.schema([schema.field(column) for column in columns])
    cursor = connection.execute(f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(name)}")
    while fetched := cursor.fetchmany(rows):
        arrays = [
            pa.array([_cell(cell, field.type) for cell in cells], type=field.type)
            for cells, field in zip(zip(*fetched, strict=True), chosen, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=chosen)


def _cell(value: Any, kind: pa.DataType) -> Any:
    if value is None or not pa.types.is_string(kind):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _chosen(path: Path, inner: str, names: Iterable[str]) -> str:
    known = list(names)
    if not known:
        raise TableError(f"'{path}' holds no table")
    if not inner and len(known) == 1:
        return known[0]
    if not inner:
        raise TableError(
            f"'{path}' holds {len(known)} tables", hint=f"name one: '{path}::{known[0]}'; {nearest('', known)}"
        )
    if inner not in known:
        raise TableError(f"'{path}' holds no table '{inner}'", hint=nearest(inner, known))
    return inner
