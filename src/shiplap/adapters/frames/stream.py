"""Rows of a file in batches, in constant memory, as they stand in it: what scoring reads where it cannot by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from shiplap.adapters.frames.databases import is_sqlite, sqlite_batches
from shiplap.adapters.frames.load import load_files, load_query
from shiplap.adapters.frames.names import check_names
from shiplap.adapters.frames.query import Query, parsed_query
from shiplap.adapters.frames.session import Session, quoted, refused
from shiplap.adapters.frames.source import FileSource, is_query, locate
from shiplap.adapters.frames.textfiles import csv_error, opened_csv, scan_csv
from shiplap.core.errors import TableError, nearest

__all__ = ["open_batches"]


def open_batches(
    source: str | Path, columns: Sequence[str] = (), rows: int = 65_536, *, base: Path | None = None
) -> Iterator[dict[str, list[Any]]]:
    """Yield the rows of a file or query, column by column, at most `rows` at a time.

    Values are as in the file: texts from CSV (None for an empty cell), typed values from everything else. Nothing is
    inferred and no marker of "missing" is replaced; that is the encoder's work.

    Parameters
    ----------
    source : str or Path
        A file or glob of any format that `read` takes, ``database::table``, or a SQL query over such files.
    columns : sequence of str
        What to read, in this order; all columns when empty. A column that the file has not raises.
    rows : int
        Most rows in a batch.
    base : Path, optional
        Folder that relative file names start from.

    Raises
    ------
    TableError
        The file cannot be read, or has no such column.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "rows.csv"
    >>> _ = file.write_text("age,plan\\n31,basic\\n,gold\\n")
    >>> list(open_batches(file, ("plan", "age")))
    [{'plan': ['basic', 'gold'], 'age': ['31', None]}]
    """
    if isinstance(source, str) and is_query(source):
        batches = _queried(parsed_query(source), columns, rows, base)
    else:
        batches = _record_batches(locate(source, base), columns, rows)
    for batch in batches:
        yield {name: batch.column(i).to_pylist() for i, name in enumerate(batch.schema.names)}


def _record_batches(source: FileSource, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    if source.format == "parquet":
        for path in source.files:
            yield from _parquet(path, columns, rows)
    elif source.format == "csv":
        for path in source.files:
            yield from _csv(path, columns, rows)
    elif source.format == "database" and is_sqlite(source.files[0]):
        yield from sqlite_batches(source.files[0], source.inner, columns, rows)
    else:
        yield from _loaded(source, columns, rows)


def _parquet(path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 16) as file:  # reads no further than asked
            check_names(file.schema_arrow.names, f"'{path}'")
            chosen = _chosen(path, columns, file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=rows, columns=chosen):
                yield batch.select(chosen)
    except (pa.ArrowInvalid, OSError) as error:
        raise TableError(
            f"'{path}' is not a Parquet file: {error}", hint="it may be truncated; copy it again"
        ) from error


def _csv(path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    head = opened_csv(path)
    check_names(head.names, f"'{path}'")
    chosen = ", ".join(map(quoted, _chosen(path, columns, head.names)))
    session = Session()
    try:
        yield from session.ask(f"SELECT {chosen} FROM {scan_csv(path, head)}").to_arrow_reader(rows)
    except duckdb.Error as error:
        raise csv_error(error, path) from error
    finally:
        session.close()


def _loaded(source: FileSource, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """JSON and DuckDB: the keys and types of all rows are found first, and the rows spilled if they are many."""
    session = Session()
    try:
        load_files(session, source, "raw")
        yield from _streamed(session, str(source.files[0]), columns, rows)
    finally:
        session.close()


def _queried(query: Query, columns: Sequence[str], rows: int, base: Path | None) -> Iterator[pa.RecordBatch]:
    session = Session()
    try:
        load_query(session, query, "raw", base)
        yield from _streamed(session, "the query", columns, rows)
    finally:
        session.close()


def _streamed(session: Session, where: str, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    chosen = ", ".join(map(quoted, _chosen(where, columns, [name for name, _ in session.columns("raw")])))
    try:
        yield from session.ask(f"SELECT {chosen} FROM raw").to_arrow_reader(rows)
    except duckdb.Error as error:
        raise refused(error, f"'{where}' cannot be read") from error


def _chosen(where: str | Path, columns: Sequence[str], there: Iterable[str]) -> list[str]:
    names = list(there)
    for column in columns:
        if column not in names:
            raise TableError(f"'{where}' has no column '{column}'", hint=nearest(column, names))
    return list(columns) or names
