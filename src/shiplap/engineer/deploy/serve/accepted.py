"""What a column takes, as JSON schema: read off the operations of the encoder, value by value.

A schema here promises: what it allows is accepted. Of the endless spellings of a moment and of a yes or no it names the
usual ones; a date with a format of its own is described in words alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from shiplap.core.encoding import Boolean, Category, Date, Image, Number, Operation, Tensor, Text
from shiplap.engineer.deploy.serve.openapi import named

__all__ = ["VALUES", "column_schema"]

_SPACE = r"[ \t\n\r\v\f]*"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?([nN][aA][nN]|[iI][nN][fF]([iI][nN][iI][tT][yY])?)"
_ZERO, _ONE = r"[+-]?(0+\.?0*|\.0+)([eE][+-]?[0-9]+)?", r"\+?0*1(\.0*)?([eE][+-]?0+)?"
_YES_OR_NO = rf"[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|{_ZERO}|{_ONE}|[+-]?[nN][aA][nN]"
_LARGEST = 2**64 - 1  # a whole number that may stand for a text
_SPELLING = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def _day(separator: str) -> str:
    days = {"(0?[13578]|1[02])": "3[01]", "(0?[469]|11)": "30", "0?2": ""}
    parts = [
        f"{month}{separator}(0?[1-9]|1[0-9]|2[0-8]{'|29|' + last if last else ''})" for month, last in days.items()
    ]
    return f"[1-8][0-9]{{3}}{separator}({'|'.join(parts)})"


_TIME = r"([Tt]| +)([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?"
_ZONE = r" *([Zz]|UTC|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?"
_MOMENT = rf"({_day('-')}|{_day('/')})({_TIME})?{_ZONE}"


def _string(pattern: str, markers: Iterable[str]) -> dict[str, Any]:
    told = "".join(f"|{_escaped(marker.strip())}" for marker in markers if marker.strip())
    return {"type": "string", "pattern": f"^{_SPACE}({pattern}{told})?{_SPACE}$"}


def _escaped(text: str) -> str:
    """Escape a text for the regular expressions of ECMA-262."""
    return re.sub(r"([\\^$.*+?()\[\]{}|/])", r"\\\1", text)


def _number(markers: Iterable[str] = ()) -> dict[str, Any]:
    return {"anyOf": [{"type": ["number", "boolean", "null"]}, _string(_NUMBER, markers)]}


def _boolean(markers: Sequence[str] = ()) -> dict[str, Any]:
    spelled = {float(text) for text in map(str.strip, markers) if _SPELLING.fullmatch(text)}
    numbers = [int(number) if number.is_integer() else number for number in sorted(spelled | {0.0, 1.0})]
    return {"anyOf": [{"type": ["boolean", "null"]}, {"enum": numbers}, _string(_YES_OR_NO, markers)]}


def _date(markers: Iterable[str] = ()) -> dict[str, Any]:
    return {"anyOf": [{"type": "null"}, _string(_MOMENT, markers)]}


VALUES: dict[str, dict[str, Any]] = {
    "Number": {**_number(), "description": "A number, or a text that is one. null and an empty text are missing."},
    "YesOrNo": {**_boolean(), "description": "Yes or no. null and an empty text are missing."},
    "Category": {
        "type": ["string", "number", "boolean", "null"],
        "description": "A value the model knows, or any other. null and an empty text are missing.",
    },
    "Moment": {**_date(), "description": "Date and time as ISO 8601 text. null and an empty text are missing."},
    "Words": {
        "anyOf": [{"type": ["string", "null"]}, {"type": "integer", "minimum": -_LARGEST, "maximum": _LARGEST}],
        "description": "A text, or a whole number that stands for its digits. null is missing.",
    },
    "Picture": {
        "type": "string",
        "contentEncoding": "base64",
        "contentMediaType": "image/png",
        "description": "A PNG or JPEG file in base64.",
    },
}
"""Schemas of values by name, for those columns that have no texts of their own for missing, yes and no."""


def column_schema(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the schema of a column's values: what every operation that reads it takes; anything where none does.

    Examples
    --------
    >>> column_schema([Number(column="age")])
    {'$ref': '#/components/schemas/Number'}
    >>> column_schema([Tensor(column="x", shape=(2,))])["anyOf"][0]["maxItems"]
    2
    """
    found: list[dict[str, Any]] = []
    for schema in map(_schema, operations):
        if schema not in found:
            found.append(schema)
    if not found:
        return {}
    return found[0] if len(found) == 1 else {"allOf": found}


def _schema(operation: Operation) -> dict[str, Any]:
    if isinstance(operation, Number):
        return _number(operation.missing) if operation.missing else named("Number")
    if isinstance(operation, Boolean):
        markers = (*operation.missing, *operation.true, *operation.false)
        return _boolean(markers) if markers else named("YesOrNo")
    if isinstance(operation, Date):
        if operation.format:
            return {"type": ["string", "integer", "null"], "description": f"a date of the form {operation.format}"}
        return _date(operation.missing) if operation.missing else named("Moment")
    if isinstance(operation, Tensor):
        blank = {"type": "string", "pattern": "^[ \\t]*$"}
        return {"anyOf": [_array(operation.shape), {"type": "null"}, blank]}
    return named({Category: "Category", Text: "Words", Image: "Picture"}[type(operation)])


def _array(shape: Sequence[int]) -> dict[str, Any]:
    schema: dict[str, Any] = named("Number")
    for size in reversed(shape):
        schema = {"type": "array", "minItems": size, "maxItems": size, "items": schema}
    return schema
