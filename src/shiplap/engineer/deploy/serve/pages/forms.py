"""What the page asks for: the inputs of every version that is served, and how each is filled in."""

from __future__ import annotations

from typing import Any

from shiplap.core.encoding import Boolean, Category, Date, Image, Number, Operation, Tensor, Text
from shiplap.core.policy import Policy
from shiplap.core.signature import Field, Signature
from shiplap.engineer.deploy.serve.examples import example_row
from shiplap.engineer.deploy.serve.models.fleet import Fleet, Service
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.openapi import key_of

__all__ = ["forms"]

_WIDGETS: dict[type[Operation], str] = {
    Number: "number",
    Boolean: "boolean",
    Category: "category",
    Date: "date",
    Image: "image",
    Tensor: "tensor",
    Text: "text",
}
_MOST = 200  # suggestions of a category


def forms(fleet: Fleet) -> list[dict[str, Any]]:
    """Return the models, each with its versions and their fields."""
    return [
        {"name": service.name, "versions": [_version(service, each) for each in service.versions]}
        for service in fleet.services.values()
    ]


def _version(service: Service, hosted: Hosted) -> dict[str, Any]:
    signature, policy = hosted.scorer.signature, hosted.scorer.ship.policy
    usual = hosted is service.versions[0] and service.canary is None
    title = hosted.version
    if hosted is service.canary:
        title += f" (canary, {service.percent:g} %)"
    elif hosted is service.versions[0]:
        title += " (stable)"
    example = example_row(signature)
    return {
        "model": service.name,
        "version": hosted.version,
        "title": title,
        "usual": usual,
        "about": _about(signature),
        **_decided(policy),
        "fields": [_field(hosted, field, example[field.name]) for field in signature.inputs],
    }


def _about(signature: Signature) -> str:
    n_inputs = len(signature.inputs)
    answer = {"regression": "a number", "tensor": "numbers"}.get(signature.task)
    taken = f"{n_inputs} {'input' if n_inputs == 1 else 'inputs'}"
    return f"Takes {taken}, answers {answer or f'one of {len(signature.classes)} classes'}."


def _decided(policy: Policy) -> dict[str, Any]:
    known = policy.task == "binary" and policy.positive >= 0
    return {
        "decision": policy.decision,
        "threshold": policy.threshold if known else None,
        "positive": key_of(policy.classes[policy.positive]) if known else None,
    }


def _field(hosted: Hosted, field: Field, example: Any) -> dict[str, Any]:
    operations = [each for each in hosted.scorer.ship.encoding.operations if each.column == field.name]
    first = operations[0] if operations else None
    # Without an example the column may be private: then nothing is told of its values.
    known = first.categories[:_MOST] if isinstance(first, Category) and field.example is not None else ()
    return {
        "name": field.name,
        "widget": _widget(first),
        "words": _words(field, first),
        "example": example,
        "suggestions": list(known),
    }


def _words(field: Field, operation: Operation | None) -> str:
    """Say what to fill in, where the field does not show it."""
    if isinstance(operation, Date) and operation.format:
        return f"A date of the form {operation.format}"
    if isinstance(operation, Tensor):
        return f"Numbers of the shape {' × '.join(map(str, field.shape))}, as lists in lists"
    return "A PNG or JPEG file" if isinstance(operation, Image) else ""


def _widget(operation: Operation | None) -> str:
    return _WIDGETS[type(operation)] if operation else "text"
