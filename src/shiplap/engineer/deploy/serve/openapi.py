"""The OpenAPI 3.1 description, generated from what is served.

A protocol describes its own paths; schemas of a ship stand in `schemas`, of single values in `accepted`. Whatever may
happen to any request (too large, too slow, no key) is described once, under ``components/responses``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import shiplap
from shiplap.core.brief import Label
from shiplap.core.schema import Kind
from shiplap.engineer.deploy.serve.problem import phrase

__all__ = ["ALWAYS", "EXPECTED", "REFUSALS", "describe", "key_of", "named", "operation"]

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

REFUSALS: dict[int, str] = {
    400: "not HTTP, not JSON, not CSV, not UTF-8, or nested too deep",
    401: "no key that is known here, where keys are asked for",
    403: "the key is not for this model",
    404: "no such model or version",
    406: "no answer can be given of the type that Accept asks for",
    408: "the whole request did not come in time",
    411: "no body, and no length",
    413: "too many bytes, or too many rows",
    414: "the request target is too long",
    415: "a body of a type, or with a compression, that is not read here",
    417: "an expectation other than 100-continue",
    422: "JSON, but no rows that the model can answer; the problem names row, field and value",
    429: "more requests than the key allows",
    431: "headers too large",
    500: "an error of the server; it is logged under the id that is told",
    503: "full or stopping; Retry-After says when to try again",
    505: "another version of HTTP than 1.0 and 1.1",
}
"""What each refusal means."""

ALWAYS = (400, 401, 403, 408, 413, 414, 415, 417, 429, 431, 500, 503, 505)
"""Refusals that any request may meet."""

_SENT = (400, 404, 411, 413, 415, 422)
_PROBLEM = {
    "type": "object",
    "description": "What went wrong, after RFC 9457.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "what was expected, and what came"},
        "row": {"type": "integer", "minimum": 0, "description": "position of the row at fault"},
        "field": {"type": "string", "description": "the column, member or header at fault"},
        "value": {"type": ["string", "number", "boolean", "null"], "description": "what came, shortened"},
        "expected": {"type": "string"},
        "hint": {"type": "string"},
        "id": {"type": "string", "description": "of the log's entry"},
        "error": {"type": "string", "description": "the detail again, for clients of other servers"},
        "message": {"type": "string", "description": "the detail again, for clients of other servers"},
    },
}
_NUMBERED = {"X-Request-Id": {"required": True, "schema": {"type": "string"}}}


def describe(
    paths: Iterable[Mapping[str, Any]], schemas: Mapping[str, Any], security: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the description.

    Parameters
    ----------
    paths : iterable of mapping
        Path items by path, one mapping a protocol; of two for one path and method, the first answers.
    schemas : mapping
        Schemas by name that the paths refer to.
    security : mapping, optional
        Schemes by name, of which any one lets a client in; where none is given, nobody need say who they are.
    """
    merged: dict[str, Any] = {}
    for part in paths:
        for path, item in part.items():
            merged[path] = {**item, **merged.get(path, {})}
    _identify(merged)
    tags = dict.fromkeys(tag for item in merged.values() for each in item.values() for tag in each["tags"])
    components = {"schemas": {"Problem": _PROBLEM, **schemas}, "responses": _refusals()}
    told = {
        "openapi": "3.1.0",
        "info": {"title": "Shiplap", "version": shiplap.__version__, "description": "What is served here."},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": merged,
        "components": components,
    }
    if security:
        components["securitySchemes"] = dict(security)
        told["security"] = [{name: []} for name in security]
    return told


def operation(
    tag: str,
    summary: str,
    answers: Mapping[str, Any],
    *,
    body: Mapping[str, Any] | None = None,
    parameters: Sequence[Mapping[str, Any]] = (),
    refusals: Iterable[int] = (),
    draining: bool = False,
    open_to_all: bool = False,
) -> dict[str, Any]:
    """Return an operation.

    Parameters
    ----------
    tag : str
        The protocol, as a person calls it.
    summary : str
        What it does.
    answers, body : mapping
        Media types and what they hold: of the answer (200), and of the body that is asked for.
    parameters : sequence of mapping
        Parameters.
    refusals : iterable of int
        Refusals beside those of every request and, where there is a body, of every body.
    draining : bool
        Whether a server that is stopping says so by the same answer with status 503.
    open_to_all : bool
        Whether it is answered without a key even where keys are asked for.
    """
    known = sorted({*ALWAYS, *refusals, *(_SENT if body else ()), *([404] if parameters else [])})
    responses: dict[str, Any] = {"200": {"description": "answered", "headers": _NUMBERED, "content": dict(answers)}}
    responses |= {str(status): {"$ref": f"#/components/responses/{_compact(status)}"} for status in known}
    if draining:
        full = {"application/problem+json": {"schema": named("Problem")}}
        responses["503"] = {"description": "stopping, or full", "content": {**answers, **full}}
    asked = {"requestBody": {"required": True, "content": dict(body)}} if body else {}
    places = {"parameters": list(parameters)} if parameters else {}
    free: dict[str, Any] = {"security": []} if open_to_all else {}
    return {"tags": [tag], "summary": summary, **places, **asked, "responses": responses, **free}


def named(name: str) -> dict[str, Any]:
    """Return the reference to a schema of the description."""
    return {"$ref": f"#/components/schemas/{name}"}


def key_of(label: Label) -> str:
    """Return the name of a class as a JSON key.

    Examples
    --------
    >>> key_of(True), key_of(3), key_of("late")
    ('true', '3', 'late')
    """
    return label if isinstance(label, str) else str(label).lower() if isinstance(label, bool) else str(label)


def _refusals() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": named("Problem")}}
    return {
        _compact(status): {"description": meaning, "headers": _NUMBERED, "content": content}
        for status, meaning in REFUSALS.items()
    }


def _compact(status: int) -> str:
    return phrase(status).replace(" ", "").replace("-", "")


def _identify(paths: Mapping[str, Any]) -> None:
    """Give every operation a name that no other has."""
    given: set[str] = set()
    for path, item in paths.items():
        for method, described in item.items():
            name = re.sub("[^A-Za-z0-9]+", "_", f"{method}{path}").rstrip("_")
            while name in given:
                name += "_"
            given.add(name)
            described["operationId"] = name
