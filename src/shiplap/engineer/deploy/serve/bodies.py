"""Request bodies: from bytes to rows, with everything that can be wrong about them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = [
    "JSON_TYPES",
    "NDJSON",
    "check_depth",
    "decode_array",
    "decode_each",
    "decode_error",
    "decode_row",
    "piece_of_array",
    "piece_of_lines",
    "rest_of_array",
]

NDJSON = "application/x-ndjson"
# What curl sends when it is told nothing else is taken for JSON too.
JSON_TYPES = frozenset({"", "application/json", "text/json", "application/x-www-form-urlencoded"})

Row = dict[str, Any]
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ONE_KIND = bytes.maketrans(b"[]", b"{}")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_row = msgspec.json.Decoder(Row)
_PIECE_BYTES = 16_384
_SEAM = re.compile(rb"\}[ \t\r\n]*,")
_raws = msgspec.json.Decoder(list[msgspec.Raw])


def decode_row(body: bytes) -> Row:
    """Decode a JSON object.

    Raises
    ------
    ProblemError
        400: it is not JSON. 422: it is JSON, but no object.
    """
    try:
        return _row.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise decode_error(error) from error


def piece_of_array(body: bytes, start: int) -> tuple[bytes, int]:
    """Cut a shorter array, some ten thousand bytes, from a JSON array of objects.

    Parameters
    ----------
    body : bytes
        The array.
    start : int
        Where the last cut ended; 0 at first.

    Returns
    -------
    tuple of bytes and int
        The shorter array, and where the next one starts; 0 after the last. A cut may fall into the middle of a value:
        then the shorter array is no JSON, for what is JSON up to a place stands between two values there.

    Examples
    --------
    >>> piece_of_array(b'[{"a": 1}, {"a": 2}]', 0)
    (b'[{"a": 1}, {"a": 2}]', 0)
    """
    seam = _SEAM.search(body, start + _PIECE_BYTES)
    if seam is None:
        return rest_of_array(body, start), 0
    text = body[start : seam.start() + 1] + b"]"
    return (b"[" + text if start else text), seam.end()


def rest_of_array(body: bytes, start: int) -> bytes:
    """Return what follows the last cut of a JSON array as an array; raises ``ProblemError`` where there is nothing."""
    if not start:
        return body
    if body[start:].strip() == b"]":
        raise ProblemError(400, "JSON is malformed: trailing comma in array")
    return b"[" + body[start:]


def piece_of_lines(body: bytes, start: int) -> tuple[list[bytes], int]:
    """Take some lines, of ten thousand bytes or so, without the empty ones.

    Examples
    --------
    >>> piece_of_lines(b"1 \\n \\n2", 0)
    ([b'1 ', b'2'], 0)
    """
    end = body.find(b"\n", start + _PIECE_BYTES) + 1
    text = body[start : end or len(body)]
    return [line for line in text.split(b"\n") if line.strip()], end


def decode_array(text: bytes) -> list[msgspec.Raw]:
    """Split a JSON array into its values; raises ``ProblemError``."""
    try:
        return _raws.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise decode_error(error) from error


def decode_each(raws: Sequence[bytes | msgspec.Raw], first: int = 0) -> list[Row]:
    """Decode JSON objects; raises ``ProblemError``, which counts rows from `first`."""
    decode = _row.decode
    rows: list[Row] = []
    try:
        for raw in raws:
            rows.append(decode(raw))  # noqa: PERF401
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise decode_error(error, row=first + len(rows)) from error
    return rows


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


def _shallow(body: bytes, limit: int) -> bool:
    """Tell whether the brackets of `body`, strings included, fold away in `limit` steps."""
    brackets = body.translate(_ONE_KIND, _NOT_BRACKETS)
    for _ in range(limit):
        brackets = brackets.replace(b"{}", b"")
    return not brackets
