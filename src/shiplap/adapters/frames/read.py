"""`read`: rows from anywhere, as a `Table`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from shiplap.adapters.frames.canonical import canonical, counted
from shiplap.adapters.frames.databases import is_sqlite
from shiplap.adapters.frames.digests import digest_arrow, digest_of, sha256_file
from shiplap.adapters.frames.frame import DuckFrame
from shiplap.adapters.frames.infer import Found
from shiplap.adapters.frames.load import found_in, keep_parquet, load_arrow, load_files, load_query
from shiplap.adapters.frames.objects import arrow_of
from shiplap.adapters.frames.places import is_live, live_digest, read_live
from shiplap.adapters.frames.query import Query, parsed_query
from shiplap.adapters.frames.session import MEMORY_MB, Session, quoted, refused
from shiplap.adapters.frames.source import FileSource, is_query, locate
from shiplap.core.brief import ColumnBrief
from shiplap.core.errors import BriefError, nearest
from shiplap.core.progress import tell
from shiplap.core.schema import Schema
from shiplap.core.table import Table

__all__ = ["fingerprint", "read"]

Digester = Callable[[Path], str]


def read(
    source: Any,
    *,
    name: str = "",
    columns: Mapping[str, ColumnBrief] = {},
    base: Path | None = None,
    digest_file: Digester = sha256_file,
    memory_mb: float = MEMORY_MB,
) -> Table:
    """Read a table and find out what its columns hold, from all of its rows.

    What the digest names is what later queries answer from: the rows are a snapshot, kept compressed, whatever happens
    to the source. Large Parquet files are read where they lie; queries are refused once somebody changed them.

    Parameters
    ----------
    source : Table, str, Path, DataFrame, Arrow table, mapping of str to sequence, or list of mappings
        A path or glob of CSV, TSV, Parquet or JSON lines files (text also ``.gz`` and ``.zst``); a DuckDB or SQLite
        file (``shop.db::orders`` where it holds several tables); one SQL SELECT over such files
        (``SELECT * FROM 'a.csv' JOIN 'b.parquet' USING (k)``); rows in memory. A `Table` is returned as it is,
        unless `columns` says something new of it. Rows of ``postgresql://user@host/database::table`` and of a Spark
        ``DataFrame`` stay where they lie.
    name : str
        Short name; from the file when empty.
    columns : mapping of str to ColumnBrief
        What is known about single columns; it overrides what would be inferred.
    base : Path, optional
        Folder that relative file names start from; the working folder when left out.
    digest_file : callable
        ``(path) -> SHA-256`` of a file's bytes; a caller may pass one that remembers.
    memory_mb : float
        What the rows, and queries over them, may take in memory; the rest lies in the folder for temporary files.

    Raises
    ------
    TableError
        The source is missing, empty, unreadable or not a table; or a column does not fit the kind stated for it.
    BriefError
        `columns` names a column that does not exist.

    Examples
    --------
    >>> table = read({"age": ["31", "?", "45"], "plan": ["basic", "gold", "basic"]})
    >>> [(column.name, column.kind, column.missing) for column in table.schema]
    [('age', 'number', ('?',)), ('plan', 'category', ())]
    >>> table.frame.fetch("SELECT avg(age) FROM rows")
    [(38.0,)]
    """
    if isinstance(source, Table):
        return _told_again(source, name, columns)
    if is_live(source):
        return read_live(source, name, columns)
    origin = _origin(source, base)
    digest = _digest(origin, columns, digest_file)
    session = Session(memory_mb)
    try:
        schema, n_rows = _fill(session, origin, columns, base)
    except BaseException:
        session.close()
        raise
    return Table(
        name=name or origin.name,
        source=origin.words,
        schema=schema,
        digest=digest,
        n_rows=n_rows,
        frame=DuckFrame(session),
        folder=origin.files.files[0].parent.absolute() if origin.files else None,
    )


def fingerprint(
    source: Any,
    *,
    columns: Mapping[str, ColumnBrief] = {},
    base: Path | None = None,
    digest_file: Digester = sha256_file,
) -> str:
    """Return the digest that `read` would give the table, without reading its rows (parameters as there).

    Examples
    --------
    >>> fingerprint({"age": [31]}) == read({"age": [31]}).digest
    True
    """
    if isinstance(source, Table):
        return _told_again(source, "", columns).digest
    if is_live(source):
        return live_digest()
    return _digest(_origin(source, base), columns, digest_file)


@dataclass(frozen=True)
class _Origin:
    """Where rows come from: exactly one of files, query (with its files) and rows."""

    name: str
    words: str
    files: FileSource | None = None
    query: Query | None = None
    named: tuple[FileSource, ...] = ()
    rows: pa.Table | None = None


def _origin(source: Any, base: Path | None) -> _Origin:
    if isinstance(source, str) and is_query(source):
        query = parsed_query(source)
        return _Origin("query", source.strip(), query=query, named=tuple(locate(name, base) for name in query.names))
    if isinstance(source, str | os.PathLike):
        files = locate(os.fspath(source), base)
        return _Origin(files.name, os.fspath(source), files=files)
    rows, words = arrow_of(source)
    return _Origin("table", words, rows=rows)


def _digest(origin: _Origin, columns: Mapping[str, ColumnBrief], digest_file: Digester) -> str:
    told = {name: msgspec.to_builtins(columns[name]) for name in sorted(columns)}
    if origin.rows is not None:
        return digest_of({"rows": digest_arrow(origin.rows), "columns": told})
    sources = [_file_facts(source, digest_file) for source in (origin.named if origin.query else (origin.files,))]
    return digest_of({"query": origin.query.sql if origin.query else "", "files": sources, "columns": told})


def _file_facts(source: FileSource | None, digest_file: Digester) -> dict[str, Any]:
    if source is None:
        return {}
    files = list(source.files)
    if source.format == "database" and is_sqlite(files[0]):
        log = files[0].with_name(files[0].name + "-wal")
        files += [log] if log.exists() and log.stat().st_size else []
    suffixes = sorted({path.suffix.lower() for path in source.files})
    return {
        "format": source.format,
        "inner": source.inner,
        "suffixes": suffixes,
        "digests": [digest_file(path) for path in files],
    }


def _fill(
    session: Session, origin: _Origin, columns: Mapping[str, ColumnBrief], base: Path | None
) -> tuple[Schema, int]:
    """Load, infer, and leave the table ``rows`` in the session, which is sealed then."""
    before: dict[str, list[Found]] = {}
    if origin.query is not None:
        before = load_query(session, origin.query, "raw", base)
    elif origin.files is not None:
        load_files(session, origin.files, "raw")
    else:
        load_arrow(session, origin.rows, "raw")
    names = [column for column, _ in session.columns("raw")]
    for stated in columns:
        if stated not in names:
            raise BriefError(
                f"the brief speaks of a column '{stated}' that the table has not", hint=nearest(stated, names)
            )
    found = [_remembering(one, before) for one in found_in(session, "raw", dict(columns))]
    values = ", ".join(f"{canonical(one)} AS {quoted(one.column.name)}" for one in found)
    if origin.files is not None and _stays(origin.files, found):
        keep_parquet(session, origin.files.files, values)
    else:
        _copy(session, origin, values)
    n_rows = int(session.one("SELECT count(*) FROM rows")[0])
    schema = counted(session, found, n_rows)
    session.seal()
    return schema, n_rows


def _stays(source: FileSource, found: list[Found]) -> bool:
    """Tell whether rows are read where they lie: from large Parquet files that hold their values as what they are."""
    if source.format != "parquet" or not source.is_large:
        return False
    return not any(one.raw == "VARCHAR" and one.column.kind in ("number", "boolean", "date") for one in found)


def _copy(session: Session, origin: _Origin, values: str) -> None:
    tell("keeping the rows")
    try:
        session.execute(f"CREATE TABLE rows AS SELECT {values} FROM raw")
    except duckdb.Error as error:
        raise refused(error, "the rows cannot be read") from error
    if origin.rows is not None:
        session.unregister("raw")
    else:
        kind = "VIEW" if origin.files is not None and origin.files.format == "parquet" else "TABLE"
        session.execute(f"DROP {kind} raw")


def _remembering(found: Found, before: dict[str, list[Found]]) -> Found:
    """Keep the texts of "missing", yes and no, and the format that a file's column of the same name had.

    The answer of a query holds NULL and moments where the file held texts; rows that come later may hold those texts.
    """
    column = found.column
    same = [one.column for columns in before.values() for one in columns if one.column.name == column.name]
    same = [one for one in same if one.kind == column.kind]
    missing = tuple(dict.fromkeys((*column.missing, *(text for one in same for text in one.missing))))
    alike = next((one for one in same if one.format or one.true), column)
    kept = msgspec.structs.replace(
        column,
        missing=missing,
        true=column.true or alike.true,
        false=column.false or alike.false,
        format=column.format or alike.format,
    )
    return replace(found, column=kept)


def _told_again(table: Table, name: str, columns: Mapping[str, ColumnBrief]) -> Table:
    """Apply to a table what is said of its columns; the rows are only read again where a kind or marker changes."""
    for stated in columns:
        if stated not in table.schema:
            raise BriefError(
                f"the brief speaks of a column '{stated}' that the table has not",
                hint=nearest(stated, table.schema.names),
            )
    new = {stated: told for stated, told in columns.items() if not _holds(table.schema, stated, told)}
    if not new:
        return replace(table, name=name) if name else table
    if not isinstance(table.frame, DuckFrame):
        raise BriefError("what the brief says of columns must be said when this table is read")
    again = read(table.frame.arrow("SELECT * FROM rows"), name=name or table.name, columns=_kept(table.schema, columns))
    digest = digest_of({"table": table.digest, "columns": {key: msgspec.to_builtins(new[key]) for key in sorted(new)}})
    return replace(again, source=table.source, digest=digest)


def _holds(schema: Schema, name: str, told: ColumnBrief) -> bool:
    column = schema[name]
    return (
        (told.kind is None or told.kind == column.kind)
        and set(told.missing) <= set(column.missing)
        and (told.known_at is None or told.known_at == column.known_at)
        and (column.private or not told.private)
    )


def _kept(schema: Schema, columns: Mapping[str, ColumnBrief]) -> dict[str, ColumnBrief]:
    kept = {}
    for column in schema:
        told = columns.get(column.name, ColumnBrief())
        kept[column.name] = ColumnBrief(
            kind=told.kind or column.kind,
            missing=tuple(dict.fromkeys((*column.missing, *told.missing))),
            known_at=told.known_at or column.known_at,  # type: ignore[arg-type]
            private=told.private or column.private,
        )
    return kept
