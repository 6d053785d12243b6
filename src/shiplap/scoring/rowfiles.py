"""Rows out of files, a batch at a time: CSV, TSV and JSON lines here; the rest by the frames adapter."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import msgspec

from shiplap.core.errors import InputError, MissingExtraError, TableError, nearest
from shiplap.core.registry import Registry

__all__ = ["Batch", "open_rows", "row_readers"]

_T = TypeVar("_T")
_Columns = tuple[Mapping[str, Any], int]
_DELIMITERS = ",;\t|"
_CELL_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True)
class Batch:
    """Some rows as columns.

    Parameters
    ----------
    columns : mapping of str to sequence
        Values by name.
    n_rows : int
        How many rows there are.
    done : float or None
        Fraction of the source that was read, 0 to 1; None where it is not known.
    """

    columns: Mapping[str, Any]
    n_rows: int
    done: float | None = None


row_readers: Registry[Callable[..., Iterator[Mapping[str, Any]]]] = Registry("row reader", group="shiplap.row_readers")
"""Functions ``(source, columns, rows) -> iterator of columns by name`` for what the base install cannot read."""
row_readers.add_lazy("table", "shiplap.adapters.frames:open_batches", extra="lab")


def open_rows(
    source: str | Path, needed: Sequence[str], *, keep: Sequence[str] = (), rows: int
) -> Generator[Batch, None, None]:
    """Yield the rows of a source in order, in constant memory.

    Parameters
    ----------
    source : str or Path
        A file, or whatever else the frames adapter reads.
    needed : sequence of str
        Columns that must be there. In JSON lines an object may lack some, but not all.
    keep : sequence of str
        Further columns that must be there.
    rows : int
        Most rows of a batch.

    Raises
    ------
    TableError
        The source is missing, empty or broken, or lacks a column; says where.
    MissingExtraError
        Its format needs a library that is not installed.
    """
    if rows < 1:
        raise InputError(f"batch_rows must be 1 or more, not {rows}")
    path = Path(source)
    kind = path.name.casefold().removesuffix(".gz").rpartition(".")[2]
    if kind in {"csv", "tsv", "jsonl", "ndjson"} and not any(mark in str(source) for mark in "*?["):
        with closing(_plain(path, _Wanted(tuple(needed), tuple(keep), rows), kind)) as batches:
            yield from batches
        return
    try:
        reader = row_readers.get("table")
    except MissingExtraError as error:
        raise MissingExtraError(f"reading '{source}'", extra=error.extra) from error
    for columns in reader(source, list(dict.fromkeys([*needed, *keep])), rows):
        yield Batch(columns, len(next(iter(columns.values()), ())))


@dataclass(frozen=True)
class _Wanted:
    needed: tuple[str, ...]
    keep: tuple[str, ...]
    rows: int

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.needed, *self.keep)))


def _plain(path: Path, wanted: _Wanted, kind: str) -> Generator[Batch, None, None]:
    with _opened(path) as (raw, file), _explained(path):
        size = max(path.stat().st_size, 1)
        batches = _jsonl(path, file, wanted) if kind in {"jsonl", "ndjson"} else _csv(path, file, wanted, kind == "tsv")
        for columns, n_rows in batches:
            yield Batch(columns, n_rows, min(raw.tell() / size, 1.0))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    try:
        raw = path.open("rb")
    except FileNotFoundError:
        raise TableError(f"no file '{path}'", hint="check the path") from None
    except OSError as error:
        raise TableError(f"'{path}' cannot be read: {error.strerror}") from error
    with raw:
        yield raw, cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if path.suffix.casefold() == ".gz" else raw


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise TableError(f"'{path}' is not UTF-8: {error.reason}", hint="save it as UTF-8") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TableError(f"'{path}' is not a whole gzip file: {error}", hint="copy it again") from error
    except csv.Error as error:
        raise TableError(f"'{path}' is not readable as CSV: {error}") from error


def _csv(path: Path, file: BinaryIO, wanted: _Wanted, tabs: bool) -> Iterator[_Columns]:
    previous = csv.field_size_limit(_CELL_LIMIT)
    try:
        with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            first = text.readline()
            if not first.strip():
                raise TableError(f"'{path}' is empty", hint="it needs a line of column names and at least one row")
            delimiter = "\t" if tabs else max(_DELIMITERS, key=first.count)
            reader = csv.reader(itertools.chain([first], text), delimiter=delimiter, strict=True)
            header = next(reader)
            places = _places(path, header, wanted.columns)
            for records in _batched(_records(path, reader, len(header)), wanted.rows):
                columns = list(zip(*records, strict=True))
                yield {name: columns[at] for name, at in places.items()}, len(records)
    finally:
        csv.field_size_limit(previous)


def _places(path: Path, header: list[str], columns: Sequence[str]) -> dict[str, int]:
    repeated = [name for name in columns if header.count(name) > 1]
    if repeated:
        raise TableError(f"'{path}' has the column '{repeated[0]}' more than once", hint="rename one")
    for name in columns:
        if name not in header:
            raise TableError(f"'{path}' has no column '{name}'", hint=nearest(name, header))
    return {name: header.index(name) for name in columns}


def _records(path: Path, reader: Any, width: int) -> Iterator[list[str]]:
    for record in reader:
        if len(record) == width:
            yield record
        elif record:
            raise TableError(
                f"'{path}', line {reader.line_num}: {len(record)} fields where the header has {width}",
                hint="quote fields that hold the delimiter",
            )
        elif width == 1:
            yield [""]


def _jsonl(path: Path, file: BinaryIO, wanted: _Wanted) -> Iterator[_Columns]:
    for objects in _batched(_objects(path, file, frozenset(wanted.needed)), wanted.rows):
        yield {name: [row.get(name) for row in objects] for name in wanted.columns}, len(objects)


def _objects(path: Path, file: BinaryIO, needed: frozenset[str]) -> Iterator[dict[str, Any]]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            raise TableError(f"'{path}', line {number}: not a JSON object: {error}") from error
        if needed.isdisjoint(row):
            hint = nearest(next(iter(row), ""), sorted(needed))
            raise TableError(f"'{path}', line {number}: none of the model's columns is there", hint=hint)
        yield row


def _batched(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    rest = iter(items)
    while batch := list(itertools.islice(rest, size)):
        yield batch
