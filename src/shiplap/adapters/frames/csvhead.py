"""The head of a CSV file: its column names and dialect, and what is wrong with the bytes of one that cannot be read."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from shiplap.core.errors import TableError

__all__ = ["Dialect", "check_gzip", "check_utf8", "read_head"]

_HEAD = 1 << 18
_CHUNK = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_RECORDS = 200


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Parameters
    ----------
    names : tuple of str
        Column names; an empty one (as pandas writes for its index) is called ``column0``, ``column1``, ... by position.
    delimiter : str
        ``,``, ``;``, tab or ``|``.
    newline : str
        What ends a line: ``\\n``, ``\\r\\n`` or ``\\r``.
    """

    names: tuple[str, ...]
    delimiter: str
    newline: str


def read_head(path: Path) -> Dialect:
    """Find names and dialect from the first 256 KiB of a file.

    Raises
    ------
    TableError
        It is empty, not UTF-8, or its header cannot be used (a name twice, or numbers in place of names).
    """
    start, whole = _first_bytes(path)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise TableError(f"'{path}' is UTF-16, not UTF-8", hint=f"iconv -f UTF-16 -t UTF-8 '{path}' > utf8.csv")
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(start, final=whole)
    except UnicodeDecodeError:
        check_utf8(path)
        raise
    if not text.strip():
        raise TableError(f"'{path}' is empty", hint="it should hold a header line and rows")
    newline = _newline(text)
    delimiter = _delimiter(text, whole, path)
    header = next(_records(text, delimiter), [])
    names = tuple(name or f"column{i}" for i, name in enumerate(header))
    _refuse_data_as_header(path, names)
    return Dialect(names, delimiter, newline)


def check_gzip(path: Path) -> None:
    """Read a gzip file to its end and check its sums (DuckDB does not); raises ``TableError`` if they are wrong."""
    try:
        with gzip.open(path, "rb") as file:
            while file.read(_CHUNK):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TableError(f"'{path}' is a truncated or corrupt gzip file", hint="copy or download it again") from error


def check_utf8(path: Path) -> None:
    """Find the first byte of a text file that is not UTF-8; raises ``TableError`` that names its line and value."""
    lines, seen = 1, 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    for piece in _pieces(path):
        held = decoder.getstate()[0]
        try:
            decoder.decode(piece)
        except UnicodeDecodeError as error:
            data, at = held + piece, error.start
            line = lines + data.count(b"\n", 0, at) - held.count(b"\n")
            raise TableError(
                f"'{path}' is not UTF-8: byte 0x{data[at]:02x} in line {line:,} (offset {seen - len(held) + at:,})",
                hint=f"convert it: iconv -f WINDOWS-1252 -t UTF-8 '{path}' > utf8.csv",
            ) from error
        lines += piece.count(b"\n")
        seen += len(piece)


def _first_bytes(path: Path) -> tuple[bytes, bool]:
    start = b""
    for piece in _pieces(path):
        start += piece
        if len(start) >= _HEAD:
            return start[:_HEAD], False
    return start, True


def _pieces(path: Path) -> Iterator[bytes]:
    compression = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix.lower())
    try:
        with pa.input_stream(str(path), compression=compression) as stream:
            while piece := stream.read(_HEAD):
                yield piece
    except OSError as error:
        kind = f"{compression} file" if compression else "file"
        raise TableError(f"'{path}' is a truncated or corrupt {kind}", hint="copy or download it again") from error


def _newline(text: str) -> str:
    quoted = False
    for at, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "\r\n":
            return "\r\n" if text[at : at + 2] == "\r\n" else character
    return "\n"


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    limit = csv.field_size_limit(_HEAD)
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if record:
                yield record
    except csv.Error:
        return
    finally:
        csv.field_size_limit(limit)


def _delimiter(text: str, whole: bool, path: Path) -> str:
    """Choose the one that cuts the first records into the same number of fields, and into the most."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    scores = {}
    for delimiter in _DELIMITERS:
        widths = [len(record) for record, _ in zip(_records(text, delimiter), range(_RECORDS), strict=False)]
        widths = widths if whole or len(widths) < 2 else widths[:-1]
        alike = sum(width == widths[0] for width in widths) / len(widths) if widths else 0.0
        split = bool(widths) and widths[0] > 1
        favored = delimiter == ("\t" if ".tsv" in suffixes or ".tab" in suffixes else ",")
        scores[delimiter] = (split and alike > 0.9, split, alike if split else 0.0, favored, widths[0] if widths else 0)
    return max(scores, key=scores.__getitem__)


def _refuse_data_as_header(path: Path, names: tuple[str, ...]) -> None:
    numbers = [name for name in names if _is_fraction(name)]
    if len(numbers) * 2 >= len(names):
        raise TableError(
            f"the first line of '{path}' holds numbers such as '{numbers[0]}', not column names",
            hint="add a line with the names of the columns",
        )


def _is_fraction(text: str) -> bool:
    head, point, tail = text.strip().lstrip("+-").partition(".")
    return bool(point) and (head + tail).isdecimal()
