"""From a source to a raw relation in a session."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from shiplap.adapters.frames.canonical import natural
from shiplap.adapters.frames.databases import load_database
from shiplap.adapters.frames.infer import Found, infer, relations
from shiplap.adapters.frames.names import check_names
from shiplap.adapters.frames.query import Query
from shiplap.adapters.frames.session import Session, literal, plain, quoted, refused
from shiplap.adapters.frames.source import FileSource, locate
from shiplap.adapters.frames.textfiles import load_csv, load_json
from shiplap.core.brief import ColumnBrief
from shiplap.core.errors import TableError, nearest
from shiplap.core.progress import tell

__all__ = ["found_in", "keep_parquet", "load_arrow", "load_files", "load_query"]


def load_files(session: Session, source: FileSource, relation: str) -> None:
    """Make the rows of files known as `relation`: CSV and JSON as they are written, everything else typed."""
    tell(f"reading {source.name}")
    if source.format == "csv":
        load_csv(session, source.files, relation)
    elif source.format in ("json", "jsonl"):
        load_json(session, source.files, relation, lines=source.format == "jsonl")
    elif source.format == "database":
        load_database(session, source.files[0], source.inner, relation)
    else:
        _load_parquet(session, source.files, relation)
    if session.one(f"SELECT count(*) FROM {relation}")[0] == 0:
        kept = "a header and no rows" if source.format == "csv" else "no rows"
        raise TableError(
            f"'{source.files[0]}' has {kept}", hint="there is nothing to work with; check how it was written"
        )


def load_arrow(session: Session, rows: pa.Table, relation: str) -> None:
    """Make an Arrow table known as `relation`, without copying it."""
    if rows.num_rows == 0 or rows.num_columns == 0:
        raise TableError("the table has no rows" if rows.num_columns else "the table has no columns")
    session.register(relation, rows)


def load_query(session: Session, query: Query, relation: str, base: Path | None) -> dict[str, list[Found]]:
    """Make the answer of a query over files known as `relation`.

    Every file is read and typed like a table of its own: numbers are BIGINT or DOUBLE, moments DATE or TIMESTAMP,
    markers of "missing" NULL.

    Returns
    -------
    dict of str to list of Found
        What was found of the columns, by file.
    """
    found: dict[str, list[Found]] = {}
    kinds = []
    for i, name in enumerate(query.names):
        source, raw = locate(name, base), f"file_{i}"
        kinds.append("VIEW" if source.format == "parquet" else "TABLE")
        load_files(session, source, raw)
        found[name] = found_in(session, raw, {})
        columns = ", ".join(f"{natural(one)} AS {quoted(one.column.name)}" for one in found[name])
        session.execute(f"CREATE VIEW {quoted(name)} AS SELECT {columns} FROM {raw}")
    tell("running the query")
    try:
        answer = session.fetch(f"DESCRIBE {query.sql}")
        _check_answer(session, query)
        session.execute_in_order(f"CREATE TABLE {relation} AS {query.sql}")
    except duckdb.Error as error:
        raise _query_error(error, found) from error
    if session.one(f"SELECT count(*) FROM {relation}")[0] == 0:
        raise TableError("the query answers no rows", hint="check its conditions")
    check_names([row[0] for row in answer], "the answer of the query")
    for i, name in enumerate(query.names):
        session.execute(f"DROP VIEW {quoted(name)}")
        session.execute(f"DROP {kinds[i]} file_{i}")
    return found


def found_in(session: Session, relation: str, told: dict[str, ColumnBrief]) -> list[Found]:
    """Find out what every column of a relation holds, or check what the brief says of it."""
    columns = relations(session, relation)
    found = []
    for i, (column, raw) in enumerate(columns):
        tell(f"looking at column {column.name}", i / len(columns))
        found.append(infer(column, raw, told.get(column.name, ColumnBrief())))
    return found


def keep_parquet(session: Session, files: tuple[Path, ...], values: str) -> None:
    """Make ``rows`` a view of Parquet files: `values` as SQL, and a rowid that follows the order of files and rows."""
    absolute = tuple(path.resolve() for path in files)
    session.execute("DROP VIEW raw")
    rowid = "(CAST(file_index AS BIGINT) << 40) + CAST(file_row_number AS BIGINT) AS rowid"
    session.execute(f"CREATE VIEW rows AS SELECT {values}, {rowid} FROM {_scan(absolute)}")
    session.keep(absolute)


def _scan(files: tuple[Path, ...]) -> str:
    return f"read_parquet({literal(str(path) for path in files)}, union_by_name=true)"


def _load_parquet(session: Session, files: tuple[Path, ...], relation: str) -> None:
    for path in files:
        try:
            session.fetch(f"SELECT name FROM parquet_schema({literal(str(path))})")
        except duckdb.Error as error:
            raise refused(
                error, f"'{path}' is not a Parquet file", hint="it may be truncated; copy it again"
            ) from error
    try:
        session.execute(f"CREATE VIEW {relation} AS SELECT * FROM {_scan(files)}")
    except duckdb.Error as error:
        raise refused(error, f"'{files[0]}' cannot be read") from error
    check_names([name for name, _ in session.columns(relation)], f"'{files[0]}'")


def _check_answer(session: Session, query: Query) -> None:
    names = [column[0] for column in session.execute(f"SELECT * FROM ({query.sql}) LIMIT 0").description or ()]
    check_names(names, "the answer of the query")


def _query_error(error: duckdb.Error, found: dict[str, list[Found]]) -> TableError:
    text = plain(error)
    names = [one.column.name for columns in found.values() for one in columns]
    quotes = text.split('"')
    missing = len(quotes) > 2 and "not found" in text
    return TableError(f"the query cannot be run: {text}", hint=nearest(quotes[1], names) if missing else "")
