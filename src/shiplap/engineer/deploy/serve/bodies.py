"""Request bodies: from bytes to rows, with everything that can be wrong about them."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["JSON_TYPES", "NDJSON", "check_depth", "decode_error", "decode_row", "decode_rows", "split_lines"]

NDJSON = "application/x-ndjson"
# What curl sends when it is told nothing else is taken for JSON too.
JSON_TYPES = frozenset({"", "application/json", "text/json", "application/x-www-form-urlencoded"})

Row = dict[str, Any]
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ONE_KIND = bytes.maketrans(b"[]", b"{}")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_row = msgspec.json.Decoder(Row)
_raws = msgspec.json.Decoder(list[msgspec.Raw])


def decode_row(body: bytes, limits: Limits) -> Row:
    """Decode a JSON object.

    Raises
    ------
    ProblemError
        400: it is not JSON, or nested too deep. 422: it is JSON, but no object.
    """
    if body.find(b"{", 1) > 0 or body.find(b"[") >= 0:
        check_depth(body, limits.depth)
    try:
        return _row.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise decode_error(error) from error


def decode_rows(body: bytes, limits: Limits) -> list[Row]:
    """Decode a JSON array of objects, row by row, so that a thread can let others run in between.

    Raises
    ------
    ProblemError
        400: it is not JSON, or nested too deep. 413: too many rows. 422: it is JSON, but no array of objects.
    """
    check_depth(body, limits.depth)
    try:
        raws = _raws.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise decode_error(error) from error
    return _all_rows(raws, limits)


def split_lines(body: bytes, limits: Limits) -> list[Row]:
    """Decode JSON objects, one a line; empty lines are skipped.

    Raises
    ------
    ProblemError
        As `decode_rows` does.
    """
    check_depth(body, limits.depth)
    return _all_rows([line for line in body.split(b"\n") if line.strip()], limits)


def check_depth(body: bytes, limit: int) -> None:
    """Refuse JSON that is nested deeper than `limit`.

    Examples
    --------
    >>> check_depth(b'{"a": "[[[[[["}', 2)
    >>> check_depth(b'{"a": [[1]]}', 2)
    Traceback (most recent call last):
    shiplap.engineer.deploy.serve.problem.ProblemError: the body is nested deeper than 2 levels
    """
    if body.count(b"[") + body.count(b"{") <= limit or _shallow(body, limit) or _shallow(_STRING.sub(b"", body), limit):
        return
    raise ProblemError(400, f"the body is nested deeper than {limit} levels")


def decode_error(error: Exception, row: int | None = None) -> ProblemError:
    """Turn what a JSON decoder says into a problem."""
    if isinstance(error, RecursionError):
        return ProblemError(400, "the body is nested too deep")
    if isinstance(error, msgspec.ValidationError):
        return ProblemError(422, str(error), row=row)
    if isinstance(error, UnicodeDecodeError):
        return ProblemError(400, "the body is not UTF-8", row=row)
    return ProblemError(400, str(error), hint="NaN and Infinity are not JSON: send null for a missing value", row=row)


def _all_rows(raws: list[Any], limits: Limits) -> list[Row]:
    if len(raws) > limits.rows:
        raise ProblemError(413, f"at most {limits.rows} rows are accepted in one request", value=len(raws))
    decode = _row.decode
    rows: list[Row] = []
    try:
        for raw in raws:
            rows.append(decode(raw))  # noqa: PERF401
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise decode_error(error, row=len(rows)) from error
    return rows


def _shallow(body: bytes, limit: int) -> bool:
    """Tell whether the brackets of `body`, strings included, fold away in `limit` steps."""
    brackets = body.translate(_ONE_KIND, _NOT_BRACKETS)
    for _ in range(limit):
        brackets = brackets.replace(b"{}", b"")
    return not brackets
