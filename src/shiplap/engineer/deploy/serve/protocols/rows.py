"""`Rows`: the forms in which clients of other servers send rows, read into what the encoder takes.

A row is an object with values by column, or a list with one value for each input in the order of the signature; for a
ship of one input also the bare value. Rows come one by one (row form), as columns (column form), as a table with its
columns named once (split form), one a line, or as CSV. What a value means is the encoder's word alone.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from shiplap.core.signature import Signature
from shiplap.engineer.deploy.serve.bodies import check_depth, decode_error
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Row", "Rows", "header_of_csv", "value_of"]

Row = Mapping[str, object]
T = TypeVar("T")
_FAULTS = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


class _Split(msgspec.Struct):
    data: list[msgspec.Raw]
    columns: list[str | int] | None = None


class Rows:
    """Reads rows for one ship.

    Parameters
    ----------
    signature : Signature
        Its inputs, in order.
    limits : Limits
        How many rows, and how deep.

    Examples
    --------
    >>> from shiplap.core.signature import Field
    >>> inputs = (Field(name="age", kind="number"), Field(name="plan", kind="category"))
    >>> rows = Rows(Signature(inputs=inputs, task="regression"), Limits())
    >>> rows.listed(b'[{"age": 41}, [42, "basic"]]')
    [{'age': 41}, {'age': 42, 'plan': 'basic'}]
    >>> rows.columns(b'{"age": [41, 42]}')
    [{'age': 41}, {'age': 42}]
    """

    def __init__(self, signature: Signature, limits: Limits) -> None:
        self.names = signature.names
        self._limits = limits
        self._kinds = {field.name: field.kind for field in signature.inputs}
        self._deep = frozenset(field.name for field in signature.inputs if field.shape)
        self._alone = self.names[0] if len(self.names) == 1 else ""
        values = f"a list of {len(self.names)} values in the order of the inputs"
        self._expected = f"an object, or {'a value' if self._alone else values}"

    def parts(self, body: bytes) -> dict[str, msgspec.Raw]:
        """Return the members of a JSON object, not yet decoded.

        Raises
        ------
        ProblemError
            400: it is not JSON, or nested too deep. 422: it is no object.
        """
        check_depth(body, self._limits.depth)
        return _decode(body, dict[str, msgspec.Raw])

    def items(self, body: bytes) -> list[msgspec.Raw]:
        """Return the elements of a JSON array, not yet decoded; raises ``ProblemError`` as `parts` does."""
        check_depth(body, self._limits.depth)
        return _decode(body, list[msgspec.Raw])

    def listed(self, body: bytes | msgspec.Raw) -> list[Row]:
        """Read a JSON array of rows; raises ``ProblemError``."""
        return self._each(_decode(body, list[msgspec.Raw]))

    def lines(self, body: bytes) -> list[Row]:
        """Read rows, one a line; raises ``ProblemError``."""
        check_depth(body, self._limits.depth)
        return self._each([line for line in body.split(b"\n") if line.strip()])

    def columns(self, body: bytes | msgspec.Raw) -> list[Row]:
        """Read a JSON object of columns, or rows where it is an array; raises ``ProblemError``."""
        if bytes(body).lstrip()[:1] == b"[":
            return self.listed(body)
        columns = _decode(body, dict[str, list[Any]])
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) != 1:
            told = ", ".join(f"{name}: {length}" for name, length in lengths.items())
            raise ProblemError(422, "columns of one length are expected", value=told or "none")
        self._check(next(iter(lengths.values())))
        values = [self._column(name, values) for name, values in columns.items()]
        return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]

    def split(self, body: bytes | msgspec.Raw) -> list[Row]:
        """Read a JSON object with ``columns`` and ``data``; raises ``ProblemError``."""
        table = _decode(body, _Split)
        names = self.names if table.columns is None else [str(name) for name in table.columns]
        self._check(len(table.data))
        cells = (_decode(raw, list[Any], index) for index, raw in enumerate(table.data))
        return [self._opened(row) for row in _named(names, cells)]

    def csv(self, body: bytes, header: bool | None = None) -> list[Row]:
        """Read CSV; without word on it, a first line that holds the name of an input is a header.

        Raises
        ------
        ProblemError
            400: it is not UTF-8. 413: too many rows. 422: lines of different length.
        """
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise decode_error(error) from error
        lines: list[list[str]] = []
        try:
            for line in csv.reader(io.StringIO(text, newline=""), strict=True):
                if line:
                    lines.append(line)
                if len(lines) > self._limits.rows + 1:
                    break
        except csv.Error as error:
            raise ProblemError(400, f"this is not CSV: {error}", row=len(lines)) from error
        named = bool(lines) and not set(self.names).isdisjoint(lines[0]) if header is None else header
        names = lines.pop(0) if named and lines else self.names
        self._check(len(lines))
        return list(_named(names, lines))

    def one(self, value: object, position: int | None = None) -> Row:
        """Read one row that is decoded already; raises ``ProblemError``."""
        if type(value) is dict:
            if len(value) != 1 or not ({"features", "b64"} - self._kinds.keys()) & value.keys():
                return self._opened(value)
            value = value.get("features", value)
        if self._alone:
            wrapped = type(value) is list and len(value) == 1 and self._alone not in self._deep
            return self._opened({self._alone: value[0] if wrapped else value})  # type: ignore[index]
        if type(value) is list and len(value) == len(self.names):
            return self._opened(dict(zip(self.names, value, strict=True)))
        where = "" if position is None else f"row {position}: "
        raise ProblemError(422, f"{where}{self._expected} is expected", row=position, value=str(value))

    def _each(self, raws: Sequence[bytes | msgspec.Raw]) -> list[Row]:
        self._check(len(raws))
        return [self.one(value_of(raw, index), index) for index, raw in enumerate(raws)]

    def _check(self, n_rows: int) -> None:
        if n_rows > self._limits.rows:
            raise ProblemError(413, f"at most {self._limits.rows} rows are accepted in one request", value=n_rows)

    def _column(self, name: str, values: list[Any]) -> list[Any]:
        """Take the inner lists off a column of the shape (n, 1), and open what is in base64."""
        if name not in self._deep and values and all(type(value) is list and len(value) == 1 for value in values):
            values = [value[0] for value in values]
        if dict in set(map(type, values)):
            return [self._text(name, value) if type(value) is dict else value for value in values]
        return values

    def _opened(self, row: Row) -> Row:
        if dict not in set(map(type, row.values())):
            return row
        return {name: self._text(name, value) if type(value) is dict else value for name, value in row.items()}

    def _text(self, name: str, value: Mapping[str, object]) -> object:
        """Read ``{"b64": ...}``: an image stays in base64, as the encoder takes it; anything else is a text."""
        coded = value.get("b64")
        if len(value) != 1 or not isinstance(coded, str) or self._kinds.get(name) == "image":
            return value if not isinstance(coded, str) else coded
        try:
            return base64.b64decode(coded, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise ProblemError(422, f"column '{name}' is no UTF-8 text in base64", field=name, value=coded) from error


def _named(names: Sequence[str], lines: Iterable[Sequence[object]]) -> Iterable[Row]:
    if len(set(names)) != len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise ProblemError(422, f"column '{twice}' is there more than once", field=twice)
    for index, cells in enumerate(lines):
        if len(cells) != len(names):
            detail = f"row {index}: {len(names)} values are expected, not {len(cells)}"
            raise ProblemError(422, detail, row=index, expected=", ".join(names))
        yield dict(zip(names, cells, strict=True))


def value_of(raw: bytes | msgspec.Raw, row: int | None = None) -> Any:
    """Decode JSON of any type; raises ``ProblemError``."""
    try:
        return msgspec.json.decode(raw)
    except _FAULTS as error:
        raise decode_error(error, row) from error


def _decode(body: bytes | msgspec.Raw, kind: type[T], row: int | None = None) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except _FAULTS as error:
        raise decode_error(error, row) from error


def header_of_csv(content_type: str) -> bool | None:
    """Read the parameter ``header`` of RFC 4180; None where there is none.

    Examples
    --------
    >>> header_of_csv("text/csv; header=absent"), header_of_csv("text/csv")
    (False, None)
    """
    folded = content_type.lower().replace(" ", "").replace('"', "")
    return {";header=present": True, ";header=absent": False}.get(
        next((part for part in (";header=present", ";header=absent") if part in folded), "")
    )
