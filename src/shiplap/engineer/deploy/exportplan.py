"""From a ship to the plan of a plain ONNX model: what each input is, and what its values become."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import numpy as np

from shiplap.adapters.exports import Flat, Lookup, Moment, Part, Plain, Plan, Port
from shiplap.core.encoding import Boolean, Category, Date, Number, Operation, Tensor
from shiplap.core.errors import RefusedError
from shiplap.core.ship import Ship
from shiplap.core.signature import Field
from shiplap.scoring.readers import reader_of
from shiplap.scoring.readers.number import NumberReader
from shiplap.scoring.values import UnreadableError, number_of_text

__all__ = ["plan_of"]

_GAPS = ("", "<missing>", "\x00")
_NOTES = {
    "number": "a double; NaN is missing",
    "boolean": "true or false; a row without it cannot be asked",
    "moment": "microseconds since 1970-01-01 00:00 as int64, in UTC where the value has a time zone and as written "
    "where it has none; -9223372036854775808 is missing (numpy: values.astype('datetime64[us]').astype('int64'))",
    "tensor": "doubles; NaN is missing",
}


def plan_of(ship: Ship) -> Plan:
    """Say how a ship is put together as one plain model.

    Parameters
    ----------
    ship : Ship
        The ship.

    Raises
    ------
    RefusedError
        A column is read in a way that ONNX cannot express.
    """
    fields = {field.name: field for field in ship.signature.inputs}
    operations = ship.encoding.operations
    ports = {
        name: _port(fields[name], [one for one in operations if one.column == name]) for name in ship.encoding.columns
    }
    parts = tuple(_part(ports[operation.column], operation) for operation in operations)
    signature = ship.signature
    return Plan(
        ports=tuple(ports.values()),
        parts=parts,
        policy=ship.policy,
        scores=signature.scores,
        shape=signature.shape or (signature.n_outputs,),
        facts={
            "shiplap.ship": ship.id,
            "shiplap.name": ship.manifest.name,
            "shiplap.made_by": ship.manifest.made_by,
            "shiplap.task": signature.task,
            "shiplap.classes": msgspec.json.encode(signature.classes).decode(),
            "shiplap.outputs": msgspec.json.encode(signature.outputs).decode(),
            "shiplap.inputs": msgspec.json.encode({port.name: port.note for port in ports.values()}).decode(),
        },
        text=_text(ship, tuple(ports.values())),
    )


def _port(field: Field, operations: list[Operation]) -> Port:
    kinds = {_kind(operation) for operation in operations}
    if len(kinds) > 1:
        raise RefusedError(
            f"the column '{field.name}' is read as {' and as '.join(sorted(kinds))}, and an ONNX input has one type",
            hint="serve the ship itself",
        )
    kind = kinds.pop()
    if kind == "moment":
        return Port(field.name, "moment", note=_NOTES["moment"])
    if kind == "tensor":
        return Port(field.name, "tensor", shape=field.shape, note=_NOTES["tensor"])
    if kind == "text":
        known = {category for one in operations if isinstance(one, Category) for category in one.categories}
        gap = next(text for text in (*_GAPS, "\x00" * 64) if text not in known)
        shown = "the empty text" if not gap else repr(gap)
        return Port(field.name, "text", note=f"a text, compared as it is; {shown} is missing", gap=gap)
    if field.kind == "boolean" and not field.nullable:
        return Port(field.name, "boolean", note=_NOTES["boolean"])
    note = "1 is yes, 0 is no; NaN is missing" if field.kind == "boolean" else _NOTES["number"]
    return Port(field.name, "number", note=note)


def _kind(operation: Operation) -> str:
    if isinstance(operation, Number | Boolean):
        return "number"
    if isinstance(operation, Category):
        return "text" if any(isinstance(category, str) for category in operation.categories) else "number"
    if isinstance(operation, Date):
        return "moment"
    if isinstance(operation, Tensor):
        return "tensor"
    raise _refusal(operation)


def _refusal(operation: Operation) -> RefusedError:
    what = {"Text": "cuts it into words", "Image": "opens a picture"}.get(type(operation).__name__, "reads it")
    return RefusedError(
        f"the column '{operation.column}' cannot be an ONNX input: the encoder {what}, and no operator of ONNX does "
        "that in the same way",
        hint="serve the ship itself, or export a model of numbers, categories and dates",
    )


def _part(port: Port, operation: Operation) -> Part:
    if isinstance(operation, Number):
        return Plain(port, tuple(sorted(NumberReader(operation).marked)))
    if isinstance(operation, Date):
        return Moment(port, operation.parts)
    if isinstance(operation, Tensor):
        return Flat(port, operation.width)
    if isinstance(operation, Boolean):
        return _boolean(port, operation)
    if isinstance(operation, Category):
        return _category(port, operation)
    raise _refusal(operation)


def _boolean(port: Port, operation: Boolean) -> Lookup:
    reader = reader_of(operation)
    rows: dict[float, tuple[float, ...]] = {}
    for number in (0.0, 1.0, *_numbers((*operation.true, *operation.false, *operation.missing))):
        with suppress(UnreadableError):  # a text such as 03 spells no number of its own
            rows[number] = reader.one(number)
    return Lookup(port, tuple(rows), tuple(rows.values()), reader.one(None), (float("nan"),))


def _category(port: Port, operation: Category) -> Lookup:
    """Ask the encoder what each value of the vocabulary, and each that means missing, becomes."""
    reader = reader_of(operation)
    gap, other = reader.one(None), tuple(_double(number) for number in operation.if_unseen)
    if port.type == "text":
        texts = dict.fromkeys((*map(str, operation.categories), *operation.missing, ""))
        found = {text: reader.one(text) for text in texts} | {port.gap: gap}
        return Lookup(port, tuple(found), tuple(found.values()), gap, other)
    numbers = dict.fromkeys((*map(float, operation.categories), *_numbers(operation.missing)))
    rows = {number: reader.one(number) for number in numbers}
    return Lookup(port, tuple(rows), tuple(rows.values()), gap, other)


def _numbers(texts: tuple[str, ...]) -> list[float]:
    """Return the finite numbers among texts: how the encoder takes each is asked of the encoder."""
    found = (number_of_text(text) for text in texts)
    return [float(number) for number in found if number is not None and np.isfinite(number)]


def _double(number: float | None) -> float:
    return float("nan") if number is None else float(number)


def _text(ship: Ship, ports: tuple[Port, ...]) -> str:
    lines = [
        f"{ship.manifest.name}, from the ship {ship.id[:12]} by {ship.manifest.made_by}.",
        "",
        "Inputs, a row each:",
    ]
    lines += [f"- {port.name}: {port.note}" for port in ports]
    lines += ["", "A value that the ship refuses is not refused here: a number other than 0 and 1 where yes or no is"]
    lines += ["expected counts as missing, and a date must lie in the years 1 to 9999."]
    if ship.policy.task == "binary":
        positive = ship.policy.classes[ship.policy.positive]
        lines += ["", f"decision: whether the number of '{positive}' is at or above {ship.policy.threshold!r}."]
    return "\n".join(lines)
