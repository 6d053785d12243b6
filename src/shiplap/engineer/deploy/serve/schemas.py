"""`Schemas`: what a ship takes and answers, as JSON schema, under names of its own that a description refers to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from shiplap.core.signature import Field, Signature
from shiplap.engineer.deploy.serve.accepted import column_schema
from shiplap.engineer.deploy.serve.examples import example_row
from shiplap.engineer.deploy.serve.models.fleet import LABELS
from shiplap.engineer.deploy.serve.openapi import EXPECTED, key_of, named

if TYPE_CHECKING:
    from shiplap.engineer.deploy.serve.models.fleet import Fleet
    from shiplap.scoring import Scorer

__all__ = ["Schemas", "Served", "answer_schema", "exactly_one", "served", "strict"]

# Not a list of types: over one in a choice, Schemathesis stumbles.
_NUMBER: dict[str, Any] = {"anyOf": [{"type": "number"}, {"type": "null"}]}
_LABEL_TYPES: dict[type, str] = {bool: "boolean", int: "number", float: "number", str: "string"}


class Schemas:
    """Schemas of one ship. Each attribute refers to its place in a description; `definitions` is what stands there.

    Parameters
    ----------
    scorer : Scorer
        The ship.
    prefix : str
        What its names begin with.

    Attributes
    ----------
    row, listed, form, rows : mapping
        A row: values by column; values in the order of the inputs; either of them, or the bare value of an only input;
        an array of those.
    columns, split : mapping
        Rows by column, and as a table with its columns named once.
    answer, answers, one : mapping
        The answer to a row among others, to many, and to one that came alone.
    value, values : mapping
        What stands for a row in a list of predictions, and such a list.
    """

    def __init__(self, scorer: Scorer, prefix: str) -> None:
        self._scorer = scorer
        self.signature = scorer.signature
        self._prefix = prefix
        self.row, self.listed, self.form, self.rows = map(self._at, ("Row", "List", "AnyRow", "Rows"))
        self.columns, self.split = self._at("Columns"), self._at("Split")
        self.answer, self.answers, self.one = self._at("Answer"), self._at("Answers"), self._at("OneAnswer")
        self.value, self.values = self._at("Value"), self._at("Values")

    @property
    def alone(self) -> list[dict[str, Any]]:
        """One row that is no object and stands for itself: a list of bare values, where there are several inputs."""
        return [self.listed] if len(self.signature.inputs) > 1 and not self._nested else []

    @property
    def by_class(self) -> dict[str, Any] | None:
        """Probabilities or scores by class; None where there are no classes."""
        return _by_class(self.signature) if self.signature.classes else None

    @property
    def methods(self) -> list[str]:
        """The words by which a client may ask for other values."""
        if self.signature.task == "tensor":
            return ["predict"]
        known = "decision_function" if self.signature.scores else "predict_proba"
        return ["predict", "decide", *([known] if self.signature.classes else [])]

    @cached_property
    def example(self) -> dict[str, Any]:
        """A row."""
        return example_row(self.signature)

    def definitions(self) -> dict[str, Any]:
        """Return the schemas by their names in a description."""
        answer = answer_schema(self.signature)
        named = {"model": {"type": "string"}, "ship": {"type": "string"}}
        known = {
            "Row": self._row(),
            "List": self._list(),
            "AnyRow": {"anyOf": [self.row, *self._bare(), self._featured()]},
            "Rows": {"type": "array", "items": self.form},
            "Columns": self._columns(),
            "Split": _split(),
            "Answer": answer,
            "Answers": {"type": "array", "items": self.answer},
            "OneAnswer": strict({**answer["properties"], **named}),
            "Value": _value(self.signature),
            "Values": {"type": "array", "items": self.value},
        }
        return {f"{self._prefix}.{name}": schema for name, schema in known.items()}

    @property
    def _nested(self) -> bool:
        return any(field.shape for field in self.signature.inputs)

    def _at(self, name: str) -> dict[str, Any]:
        return named(f"{self._prefix}.{name}")

    def _column(self, field: Field) -> dict[str, Any]:
        operations = self._scorer.ship.encoding.operations
        schema = column_schema([operation for operation in operations if operation.column == field.name])
        told = {"description": EXPECTED[field.kind], **schema}
        return told if self.example[field.name] is None else {**told, "examples": [self.example[field.name]]}

    def _row(self) -> dict[str, Any]:
        read = self._scorer.ship.encoding.columns
        images = [field.name for field in self.signature.inputs if field.kind == "image"]
        schema = {
            "type": "object",
            "properties": {field.name: self._column(field) for field in self.signature.inputs},
            "examples": [self.example],
            "description": "Values by column. One that is not sent is missing, one the model does not know is ignored.",
        }
        if images:
            return {**schema, "required": images}
        return {**schema, "anyOf": [{"required": [name]} for name in read]}

    def _list(self) -> dict[str, Any]:
        columns = [self._column(field) for field in self.signature.inputs]
        size = len(columns)
        return {"type": "array", "prefixItems": columns, "minItems": size, "maxItems": size, "items": False}

    def _bare(self) -> list[dict[str, Any]]:
        """Return how a row looks that is no object: in a ship of one array, the array is the row."""
        fields = self.signature.inputs
        alone = [self._column(fields[0])] if len(fields) == 1 else []
        return alone if alone and fields[0].shape else [*alone, self.listed]

    def _featured(self) -> dict[str, Any]:
        bare = self._bare()
        inner = bare[0] if len(bare) == 1 else {"anyOf": bare}
        return strict({"features": inner})

    def _columns(self) -> dict[str, Any]:
        properties = {field.name: {"type": "array", "items": self._column(field)} for field in self.signature.inputs}
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": {"type": "array"},
            "minProperties": 1,
            "description": "Values by column, as many in each.",
        }


class Served(NamedTuple):
    """A model as a description sees it.

    Parameters
    ----------
    name, path : str
        Its name, and the same as it stands in a path.
    schemas : Schemas
        Of its first version.
    version : mapping
        The parameter of a path that names a version: those that take and answer what the first one does.
    """

    name: str
    path: str
    schemas: Schemas
    version: dict[str, Any]


def served(fleet: Fleet) -> list[Served]:
    """Return the models of a fleet, each under a prefix that no other has."""
    found: dict[str, Served] = {}
    for name, service in fleet.services.items():
        prefix = re.sub(r"[^A-Za-z0-9._-]", "_", name)
        while prefix in found:
            prefix += "_"
        schemas = Schemas(service.versions[0].scorer, prefix)
        alike = [each for each in service.versions if _alike(each.scorer, service.versions[0].scorer)]
        labels = LABELS if service.canary in alike else LABELS[:1]
        known = [*labels, *(each.version for each in alike)]
        version = {"name": "version", "in": "path", "required": True, "schema": {"enum": known}, "example": known[-1]}
        found[prefix] = Served(name, quote(name, safe=""), schemas, version)
    return list(found.values())


def _alike(one: Scorer, other: Scorer) -> bool:
    """Tell whether two versions take and answer the same, whatever their examples."""
    return one is other or _bare(Schemas(one, "").definitions()) == _bare(Schemas(other, "").definitions())


def _bare(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _bare(value) for key, value in schema.items() if key != "examples"}
    return [_bare(value) for value in schema] if isinstance(schema, list) else schema


def exactly_one(forms: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has exactly one of these members; others may stand beside it.

    Examples
    --------
    >>> exactly_one({"a": {}, "b": {}}, {})["oneOf"]
    [{'required': ['a']}, {'required': ['b']}]
    """
    return {
        "type": "object",
        "properties": {**forms, **beside},
        "oneOf": [{"required": [name]} for name in forms],
    }


def strict(properties: Mapping[str, Any], optional: Sequence[str] = ()) -> dict[str, Any]:
    """Return the schema of an object that has these members and no others.

    Examples
    --------
    >>> strict({"a": {"type": "string"}})["required"]
    ['a']
    """
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "required": required,
        "properties": dict(properties),
        "additionalProperties": False,
    }


def answer_schema(signature: Signature) -> dict[str, Any]:
    """Return the schema of an answer among others."""
    if signature.task == "tensor":
        return strict({"prediction": _tensor(signature)})
    if signature.task == "regression":
        return strict({"prediction": _NUMBER, "decision": _NUMBER})
    known = "scores" if signature.scores else "probabilities"
    return strict({"prediction": _label(signature), known: _by_class(signature), "decision": _decision(signature)})


def _by_class(signature: Signature) -> dict[str, Any]:
    return strict({key_of(label): _NUMBER for label in signature.classes})


def _split() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["data"],
        "properties": {
            "columns": {"type": ["array", "null"], "items": {"type": ["string", "integer"]}},
            "data": {"type": "array", "items": {"type": "array"}},
        },
        "description": "The names of the columns once, then a list of values for each row; without names the order is "
        "that of the inputs.",
    }


def _value(signature: Signature) -> dict[str, Any]:
    if signature.task == "tensor":
        return _tensor(signature)
    if signature.task == "regression":
        return _NUMBER
    size = len(signature.classes)
    numbers = {"type": "array", "minItems": size, "maxItems": size, "items": _NUMBER}
    return {"anyOf": [_label(signature), _decision(signature), numbers]}


def _label(signature: Signature) -> dict[str, Any]:
    types = sorted({_LABEL_TYPES[type(label)] for label in signature.classes})
    return {"type": types if len(types) > 1 else types[0], "enum": [*signature.classes]}


def _decision(signature: Signature) -> dict[str, Any]:
    return {"type": "boolean"} if signature.task == "binary" else _label(signature)


def _tensor(signature: Signature) -> dict[str, Any]:
    """Describe a tensor: numbers by name, or lists in lists."""
    if signature.outputs:
        return strict(dict.fromkeys(signature.outputs, _NUMBER))
    schema = _NUMBER
    for size in reversed(signature.shape):
        schema = {"type": "array", "minItems": size, "maxItems": size, "items": schema}
    return schema
