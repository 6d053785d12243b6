"""CSV, TSV and JSON lines into DuckDB, every cell of text as it stands in the file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb

from shiplap.adapters.frames.csvhead import Dialect, check_gzip, check_utf8, read_head
from shiplap.adapters.frames.names import check_names
from shiplap.adapters.frames.session import Session, literal, plain, refused
from shiplap.core.errors import TableError

__all__ = ["csv_error", "load_csv", "load_json", "opened_csv", "scan_csv"]

_NATIVE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "BOOLEAN")


def load_csv(session: Session, files: tuple[Path, ...], relation: str) -> None:
    """Load CSV files into a table of texts; an empty cell is NULL, and nothing is guessed about types yet.

    Raises
    ------
    TableError
        A file cannot be read; the message names the line and what to do.
    """
    heads = [opened_csv(path) for path in files]
    for path, head in zip(files, heads, strict=True):
        check_names(head.names, f"'{path}'")
        if head.names != heads[0].names:
            other = next(iter({*head.names} ^ {*heads[0].names}), "")
            what = f": '{other}' is not in both" if other else " in another order"
            raise TableError(f"'{path}' and '{files[0]}' have different columns{what}", hint="read them one by one")
    for i, (path, head) in enumerate(zip(files, heads, strict=True)):
        verb = f"CREATE TABLE {relation} AS" if i == 0 else f"INSERT INTO {relation}"
        _run_csv(session, verb, path, head)


def scan_csv(path: Path, head: Dialect, *, strict: bool = True) -> str:
    """Return the DuckDB table function that reads one CSV file as texts under its own column names."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in head.names)
    options = [
        literal(str(path)),
        "auto_detect=false, header=true, quote='\"', escape='\"', nullstr='', hive_partitioning=false",
        f"columns={{{columns}}}",
        f"delim={literal(head.delimiter)}",
        f"new_line={literal(head.newline.encode('unicode_escape').decode())}" if strict else "strict_mode=false",
        f"compression={literal({'.gz': 'gzip', '.zst': 'zstd'}.get(path.suffix.lower(), 'none'))}",
    ]
    return f"read_csv({', '.join(options)})"


def opened_csv(path: Path) -> Dialect:
    """Check a file's compression and return its dialect; raises ``TableError`` when it cannot be read."""
    if path.suffix.lower() == ".gz":
        check_gzip(path)
    return read_head(path)


def _run_csv(session: Session, verb: str, path: Path, head: Dialect) -> None:
    try:
        session.execute(f"{verb} SELECT * FROM {scan_csv(path, head)}")
    except duckdb.Error as error:
        if "state machine reached an invalid state" not in str(error):
            raise csv_error(error, path) from error
        try:  # lines that end now with \n, now with \r\n: harmless, but refused in strict mode
            session.execute(f"{verb} SELECT * FROM {scan_csv(path, head, strict=False)}")
        except duckdb.Error as again:
            raise csv_error(again, path) from again


def csv_error(error: duckdb.Error, path: Path) -> TableError:
    """Return what went wrong in a CSV file, with the line and what to do."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return refused(error, f"the rows of '{path}' cannot be read")
    text = str(error)
    found = re.search(r"CSV Error on Line: (\d+)", text)
    line = f"line {int(found[1]):,} of '{path}'" if found else f"'{path}'"
    if "unicode" in text:
        check_utf8(path)
        return TableError(f"{line} is not UTF-8", hint="convert the file to UTF-8")
    if wrong := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text):
        hint = "put quotes around cells that hold the delimiter, or correct the line"
        return TableError(f"{line} has {wrong[2]} cells where the header has {wrong[1]}", hint=hint)
    if "unterminated quote" in text:
        return TableError(f"{line} has a quote that is not closed", hint='write a quote inside a quoted cell as ""')
    if "maximum line size" in text.lower():
        return TableError(f"{line} is longer than 2 MB", hint="a quote before it may not be closed")
    return TableError(f"{line} cannot be read: {plain(error)}", hint="write it as standard CSV (RFC 4180)")


def load_json(session: Session, files: tuple[Path, ...], relation: str, *, lines: bool) -> None:
    """Load JSON lines (or one array of objects) into a table: numbers and booleans typed, everything else as text.

    Raises
    ------
    TableError
        A line is not JSON, or the lines are not objects.
    """
    for path in files:
        if path.suffix.lower() == ".gz":
            check_gzip(path)
    where = f"'{files[0]}'" if len(files) == 1 else f"'{files[0]}' and {len(files) - 1} more"
    paths = literal(str(path) for path in files)
    form = "newline_delimited" if lines else "auto"
    options = f"{paths}, format='{form}', union_by_name=true, hive_partitioning=false"
    try:
        found = session.columns(
            f"read_json({options}, sample_size=-1, maximum_depth=2, field_appearance_threshold=0, "
            "map_inference_threshold=-1)"
        )
        _check_keys(session, found, paths, form, where)
        types = ", ".join(f"{literal(name)}: '{kind if kind in _NATIVE else 'VARCHAR'}'" for name, kind in found)
        session.execute(f"CREATE TABLE {relation} AS SELECT * FROM read_json({options}, columns={{{types}}})")
    except duckdb.Error as error:
        raise _json_error(error, where, files) from error


def _check_keys(session: Session, found: list[tuple[str, str]], paths: str, form: str, where: str) -> None:
    names = [name for name, _ in found]
    if names == ["json"]:
        first = session.one(f"SELECT json FROM read_json_objects({paths}, format='{form}') LIMIT 1")[0]
        if not isinstance(json.loads(first), dict):
            raise TableError(f"{where} holds values that are not objects", hint='write a row as {"column": value, ...}')
    folded = {name.casefold() for name in names}
    if any(re.sub(r"_\d+$", "", name).casefold() in folded - {name.casefold()} for name in names):
        keys = session.fetch(
            f"SELECT DISTINCT unnest(json_keys(json)) FROM read_json_objects({paths}, format='{form}') ORDER BY 1"
        )
        check_names([key for (key,) in keys], where)
    check_names(names, where)


def _json_error(error: duckdb.Error, where: str, files: tuple[Path, ...]) -> TableError:
    text = plain(error)
    if "unicode" in text.lower() or "utf" in text.lower():
        for path in files:
            check_utf8(path)
    found = re.search(r"in line (\d+)", text)
    line = f"line {int(found[1]):,} of {where}" if found else where
    return TableError(f"{line} is not JSON: {text}", hint='write one object a line: {"column": value, ...}')
