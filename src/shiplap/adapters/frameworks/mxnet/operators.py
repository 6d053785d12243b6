"""The operators of MXNet by name, each with the function that writes it down as ONNX."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shiplap.adapters.frameworks.mxnet.network import Network
from shiplap.adapters.frameworks.mxnet.symbol import Node
from shiplap.core.errors import RefusedError, nearest

__all__ = ["Emitter", "emit", "known_operators", "operator"]

Emitter = Callable[[Node, Network, Sequence[str]], "str | list[str]"]
_EMITTERS: dict[str, Emitter] = {}
# What comes of a file whose operators have too few inputs, or attributes that contradict them.
_MISWRITTEN = (ValueError, LookupError, TypeError, ArithmeticError, RuntimeError)


def operator(*names: str) -> Callable[[Emitter], Emitter]:
    """Register the emitter of some operators: ``(node, network, inputs) -> names of its outputs``."""

    def register(emitter: Emitter) -> Emitter:
        _EMITTERS.update(dict.fromkeys(names, emitter))
        return emitter

    return register


def known_operators() -> tuple[str, ...]:
    """Return the names of all operators that can be lowered, sorted."""
    return tuple(sorted(_EMITTERS))


def emit(node: Node, network: Network, inputs: Sequence[str]) -> list[str]:
    """Write one operator down and return the names of its outputs.

    Raises
    ------
    RefusedError
        It is not known, or has an attribute that is not.
    """
    emitter = _EMITTERS.get(node.kind)
    if emitter is None:
        raise RefusedError(
            f"MXNet's operator {node.kind} ('{node.name}') has no counterpart here",
            hint=nearest(node.kind, known_operators()),
        )
    network.where = node.name
    try:
        outputs = emitter(node, network, inputs)
    except _MISWRITTEN as error:
        raise node.refuse(
            f"does not fit what it reads: {error}", hint="check that the files belong together"
        ) from error
    node.require_known()
    return [outputs] if isinstance(outputs, str) else outputs
