"""MLflow scoring and Amazon SageMaker, which share one endpoint: ``POST /invocations``.

==================================================  ================================================================
sent                                                rows
==================================================  ================================================================
JSON with exactly one of ``dataframe_split``,       as MLflow's scoring server takes them; ``params`` may hold
``dataframe_records``, ``instances``, ``inputs``    ``predict_method`` (``predict``, ``predict_proba``, ``decide``)
another JSON object                                 one row: values by column
a JSON array                                        rows (objects or lists); one row where it holds no object and no
                                                    list and has as many values as the model has inputs
``application/jsonlines``, ``application/x-ndjson`` one row a line: an object, a list, or ``{"features": [...]}``
``text/csv``                                        a first line that names an input is a header; without one the
                                                    order is the signature's. ``text/csv; header=absent`` or
                                                    ``present`` says so itself
==================================================  ================================================================

``Accept`` chooses the answer: ``application/json`` (``{"predictions": [...]}``, also where nothing is asked for),
``application/jsonlines`` (one object a line: prediction, probabilities, decision) or ``text/csv`` (one prediction a
line, no header). SageMaker's ``X-Amzn-SageMaker-Custom-Attributes: predict_method=predict_proba`` does for every body
what ``params`` does in JSON. With several ships the path is SageMaker's ``/models/NAME/invoke``.

References
----------
https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

import shiplap
from shiplap.engineer.deploy.serve.bodies import JSON_TYPES, NDJSON
from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange, Head, Route
from shiplap.engineer.deploy.serve.models.fleet import Endpoints, Fleet
from shiplap.engineer.deploy.serve.openapi import operation
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.base import accepted, require_body
from shiplap.engineer.deploy.serve.protocols.predictions import Outputs, Predictions, Render
from shiplap.engineer.deploy.serve.protocols.rows import Row, header_of_csv, value_of
from shiplap.engineer.deploy.serve.schemas import Served, exactly_one, served, strict

__all__ = ["Invocations"]

CSV, LINES = "text/csv", "application/jsonlines"
_ANSWERS = (JSON, LINES, NDJSON, CSV)
_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_ATTRIBUTES_DESCRIBED = {
    "name": "X-Amzn-SageMaker-Custom-Attributes",
    "in": "header",
    "description": "predict_method=predict_proba asks for probabilities",
    "schema": {"type": "string"},
}


class Invocations:
    """The protocol.

    Parameters
    ----------
    fleet : Fleet
        What is served.
    """

    name = "invocations"

    def __init__(self, fleet: Fleet) -> None:
        self._served = Endpoints(fleet, Predictions, "/models/{model}/invoke")

    def routes(self) -> Sequence[Route]:
        """Return where it listens."""
        return [
            Route("GET", "/ping", _ping),
            Route("GET", "/version", _version),
            Route("POST", "/invocations", self._invoke, "message"),
            Route("POST", "/models/{model}/invoke", self._invoke, "message"),
        ]

    def paths(self) -> Mapping[str, Any]:
        """Return its part of the OpenAPI description: path items by path."""
        tag = "MLflow and Amazon SageMaker"
        services = served(self._served.fleet)
        described = {f"/models/{each.path}/invoke": {"post": _described(tag, each)} for each in services}
        if len(services) == 1:
            described["/invocations"] = {"post": _described(tag, services[0])}
        health = {JSON: {"schema": strict({"status": {"enum": ["Healthy", "Unhealthy"]}})}}
        version = {"text/plain": {"schema": {"type": "string"}}}
        described["/ping"] = {"get": operation(tag, "Health", health, draining=True, open_to_all=True)}
        described["/version"] = {"get": operation(tag, "The version of this server", version)}
        return described

    def _invoke(self, exchange: Exchange) -> None:
        served = self._served.find(exchange)
        require_body(exchange)
        head = exchange.head
        media_type = accepted(head.headers.get("accept", ""), _ANSWERS)
        method = _asked(head.headers.get(_ATTRIBUTES, ""))
        served.answer(exchange, partial(_read, served, _reader(served, head), media_type, method), media_type)


def _read(
    served: Predictions, rows_of: Callable[[bytes], tuple[list[Row], object]], media_type: str, method: str, body: bytes
) -> tuple[list[Row], Render]:
    rows, chosen = rows_of(body)
    asked = method if chosen is None else chosen
    if media_type == JSON:
        return rows, served.render(asked)
    if media_type == CSV:
        return rows, partial(_cells, served.method(asked))
    served.method(asked)
    return rows, served.model.answers.lines


def _reader(served: Predictions, head: Head) -> Callable[[bytes], tuple[list[Row], object]]:
    """Return what reads a body of the type that is sent: rows, and the method that the body asks for."""
    kind = head.media_type
    if kind == CSV:
        header = header_of_csv(head.headers["content-type"])
        return lambda body: (served.rows.csv(body, header), None)
    if kind in {LINES, NDJSON, "application/x-jsonlines"}:
        return lambda body: (served.rows.lines(body), None)
    if kind in JSON_TYPES or kind.endswith("+json"):
        return partial(_json, served)
    named = f"{JSON}, {LINES} or {CSV}"
    raise ProblemError(415, f"the body is expected to be {named}", field="Content-Type", value=kind)


def _json(served: Predictions, body: bytes) -> tuple[list[Row], object]:
    rows = served.rows
    if body.lstrip()[:1] == b"[":
        return _array(served, body), None
    parts = rows.parts(body)
    forms: dict[str, Callable[[bytes | msgspec.Raw], list[Row]]] = {
        "dataframe_split": rows.split,
        "dataframe_records": rows.listed,
        "instances": rows.listed,
        "inputs": rows.columns,
    }
    used = [name for name in forms if name in parts and name not in rows.names]
    if not used:
        return [rows.one({name: value_of(raw) for name, raw in parts.items()})], None
    if len(used) > 1:
        raise ProblemError(
            422, "exactly one form of rows is expected", value=", ".join(used), expected=", ".join(forms)
        )
    params = value_of(parts["params"]) if "params" in parts else None
    method = params.get("predict_method") if isinstance(params, dict) else None
    return forms[used[0]](parts[used[0]]), method


def _array(served: Predictions, body: bytes) -> list[Row]:
    raws = served.rows.items(body)
    if len(raws) == len(served.rows.names) > 1 and not any(bytes(raw)[:1] in {b"{", b"["} for raw in raws):
        return [served.rows.one([value_of(raw) for raw in raws])]
    return served.rows.listed(body)


def _cells(values: Callable[[Outputs], list[Any]], outputs: Outputs) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for value in values(outputs):
        cells = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        writer.writerow([str(cell).lower() if isinstance(cell, bool) else cell for cell in cells])
    return text.getvalue().encode()


def _asked(attributes: str) -> str:
    """Read the method from SageMaker's custom attributes: ``key=value`` pairs."""
    pairs = (part.partition("=") for part in attributes.replace(";", ",").split(","))
    return next((value.strip() for key, _, value in pairs if key.strip() == "predict_method"), "predict")


def _ping(exchange: Exchange) -> None:
    draining = exchange.line.desk.draining
    body = msgspec.json.encode({"status": "Unhealthy" if draining else "Healthy"})
    exchange.answer(body, status=503 if draining else 200)


def _version(exchange: Exchange) -> None:
    exchange.answer(shiplap.__version__.encode(), media_type="text/plain; charset=utf-8")


def _described(tag: str, each: Served) -> dict[str, Any]:
    schemas = each.schemas
    row = schemas.example
    forms = {
        "dataframe_split": schemas.split,
        "dataframe_records": schemas.rows,
        "instances": schemas.rows,
        "inputs": {"anyOf": [schemas.columns, schemas.rows]},
    }
    used = {name: schema for name, schema in forms.items() if name not in row}
    params = {"properties": {"predict_method": {"enum": [*schemas.methods, None]}}}
    bare = {"allOf": [schemas.row, {"not": {"anyOf": [{"required": [name]} for name in used]}}]}
    body = {
        JSON: {
            "schema": {"anyOf": [exactly_one(used, {"params": params}), bare, schemas.rows, *schemas.alone]},
            "examples": {
                "a table": {"value": {"dataframe_split": {"columns": list(row), "data": [list(row.values())]}}},
                "records": {"value": {"dataframe_records": [row]}},
                "a row": {"value": row},
            },
        },
        LINES: {
            "schema": {"type": "string", "minLength": 1, "description": "one row a line"},
            "example": msgspec.json.encode(row).decode(),
        },
        CSV: {
            "schema": {"type": "string", "minLength": 1, "description": "a row a line, with or without a header"},
            "example": f"{_line(row)}{_line(row.values())}",
        },
    }
    answers = {
        JSON: {"schema": strict({"predictions": schemas.values})},
        LINES: {"schema": {"type": "string", "description": "one answer a line"}},
        NDJSON: {"schema": {"type": "string", "description": "one answer a line"}},
        CSV: {"schema": {"type": "string", "description": "one prediction a line"}},
    }
    summary = f"Answer rows by {each.name}, in the type that Accept asks for"
    return operation(tag, summary, answers, body=body, refusals=[406], parameters=[_ATTRIBUTES_DESCRIBED])


def _line(cells: Iterable[object]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(
        [str(cell).lower() if isinstance(cell, bool) else cell for cell in cells]
    )
    return text.getvalue()
