"""The OpenAPI 3.1 description, generated from what is served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

import shiplap
from shiplap.core.brief import Label
from shiplap.core.schema import Kind
from shiplap.core.signature import Signature

__all__ = ["EXPECTED", "answer_schema", "describe", "key_of", "responses", "row_schema"]

EXPECTED: dict[Kind, str] = {
    "number": "a number, a text that is one, true, false or null",
    "boolean": "true, false, 1, 0, a text that means one of them, or null",
    "category": "a text, a number, true, false or null",
    "date": "a date and time as ISO 8601 text, or null",
    "text": "a text or null",
    "id": "a text, a number or null",
    "constant": "a text, a number, true, false or null",
    "tensor": "lists of numbers in the shape of the input",
    "image": "a PNG or JPEG file as base64 text",
}
"""What a column of each kind takes, in words."""

_SCALAR = ["string", "number", "boolean", "null"]
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "row": {"type": "integer", "description": "position of the row at fault, from 0"},
        "field": {"type": "string"},
        "value": {"type": _SCALAR},
        "expected": {"type": "string"},
        "hint": {"type": "string"},
    },
}
_LABEL_TYPES: dict[type, str] = {bool: "boolean", int: "number", float: "number", str: "string"}


def describe(paths: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the description as JSON.

    Parameters
    ----------
    paths : sequence of mapping
        Path items by path, one mapping a protocol; of two for one path and method, the first answers.
    """
    fixed = {path: {"get": _get(summary)} for path, summary in (("/", "What is served"), ("/health", "Health"))}
    merged: dict[str, Any] = dict(fixed)
    for part in paths:
        for path, item in part.items():
            merged[path] = {**item, **merged.get(path, {})}
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Shiplap", "version": shiplap.__version__},
            "paths": merged,
            "components": {"schemas": {"Problem": _PROBLEM}},
        }
    )


def row_schema(signature: Signature) -> dict[str, Any]:
    """Return the JSON schema of a row: values by column.

    Examples
    --------
    >>> from shiplap.core.signature import Field
    >>> row_schema(Signature(inputs=(Field(name="age", kind="number", example=41.0),), task="regression"))["properties"]
    {'age': {'type': ['string', 'number', 'boolean', 'null'],
             'description': 'a number, a text that is one, true, false or null', 'examples': [41.0]}}
    """
    columns: dict[str, Any] = {}
    for field in signature.inputs:
        columns[field.name] = {"type": _SCALAR, "description": EXPECTED[field.kind]}
        if field.shape:
            columns[field.name] = _array_schema(field.shape) | {"description": EXPECTED[field.kind]}
        if field.example is not None:
            columns[field.name]["examples"] = [field.example]
    return {"type": "object", "minProperties": 1, "properties": columns, "additionalProperties": True}


def answer_schema(signature: Signature) -> dict[str, Any]:
    """Return the JSON schema of an answer."""
    number: dict[str, Any] = {"type": ["number", "null"]}
    if signature.task == "tensor":
        return {"type": "object", "required": ["prediction"], "properties": {"prediction": _tensor_schema(signature)}}
    if signature.task == "regression":
        return {
            "type": "object",
            "required": ["prediction", "decision"],
            "properties": {"prediction": number, "decision": number},
        }
    keys = [key_of(label) for label in signature.classes]
    label = {"type": sorted({_LABEL_TYPES[type(label)] for label in signature.classes}), "enum": [*signature.classes]}
    decision = {"type": "boolean"} if signature.task == "binary" else label
    probabilities = {"type": "object", "required": keys, "properties": dict.fromkeys(keys, number)}
    known = "scores" if signature.scores else "probabilities"
    return {
        "type": "object",
        "required": ["prediction", known, "decision"],
        "properties": {"prediction": label, known: probabilities, "decision": decision},
    }


def _tensor_schema(signature: Signature) -> dict[str, Any]:
    """Describe a tensor: numbers by name, or lists in lists."""
    if signature.outputs:
        properties: dict[str, Any] = {name: {"type": ["number", "null"]} for name in signature.outputs}
        return {"type": "object", "required": list(signature.outputs), "properties": properties}
    return _array_schema(signature.shape)


def _array_schema(shape: Sequence[int]) -> dict[str, Any]:
    """Describe lists in lists of numbers."""
    schema: dict[str, Any] = {"type": ["number", "null"]}
    for size in reversed(shape):
        schema = {"type": "array", "minItems": size, "maxItems": size, "items": schema}
    return schema


def responses(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the responses of an operation that answers with `content`, refusals included."""
    refused = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refusal = {"description": "refused, with the reason", "content": refused}
    return {"200": {"description": "answered", "content": dict(content)}, "4XX": refusal, "5XX": refusal}


def key_of(label: Label) -> str:
    """Return the name of a class as a JSON key.

    Examples
    --------
    >>> key_of(True), key_of(3), key_of("late")
    ('true', '3', 'late')
    """
    return label if isinstance(label, str) else str(label).lower() if isinstance(label, bool) else str(label)


def _get(summary: str) -> dict[str, Any]:
    return {"summary": summary, "responses": responses({"application/json": {"schema": {"type": "object"}}})}
