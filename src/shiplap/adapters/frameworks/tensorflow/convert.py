"""From TensorFlow's operators to ONNX: tf2onnx, and the operators that it lacks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from shiplap.adapters.frameworks.graph import OPSET
from shiplap.core.errors import RefusedError

__all__ = ["HANDLERS", "to_onnx"]

_AXIS = np.array([-1], np.int64)


def to_onnx(function: Callable[..., Any], specs: Sequence[tf.TensorSpec]) -> onnx.ModelProto:
    """Write a function of tensors as ONNX.

    Parameters
    ----------
    function : callable
        Takes a tensor for each of `specs`.
    specs : sequence of TensorSpec
        Names, types and shapes; the first axis open.

    Raises
    ------
    RefusedError
        It draws random numbers, or has an operator that ONNX cannot express.
    """
    exported: onnx.ModelProto
    traced = tf.function(function, input_signature=list(specs))
    try:
        with _quiet():
            exported, _ = tf2onnx.convert.from_function(
                traced, input_signature=list(specs), opset=OPSET, custom_op_handlers=HANDLERS
            )
    except (ValueError, TypeError, KeyError, NotImplementedError, tf.errors.OpError) as error:
        raise RefusedError(
            f"TensorFlow's graph cannot be written as ONNX: {str(error).strip().splitlines()[0]}",
            hint="let every shape but the number of rows be fixed, and use the usual layers",
        ) from error
    _embed(exported, traced.get_concrete_function(*specs))
    _require_expressible(exported)
    # tf2onnx writes where and when it ran into the model.
    exported.doc_string = exported.graph.doc_string = ""
    exported.graph.name = "model"
    return exported


def _embed(model: onnx.ModelProto, traced: Any) -> None:
    """Keep the constants that the function sees from outside, such as the means of a Normalization, in the model."""
    held = {inner.name: outer for outer, inner in traced.graph.captures}
    for port in list(model.graph.input):
        outer = held.get(port.name, held.get(f"{port.name}:0"))
        if outer is not None:
            model.graph.initializer.append(onnx.numpy_helper.from_array(outer.numpy(), port.name))
            model.graph.input.remove(port)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let tf2onnx say what fails through errors alone."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(disabled)


def _require_expressible(model: onnx.ModelProto) -> None:
    kinds = {node.op_type for graph in _graphs(model.graph) for node in graph.node if node.domain in {"", "ai.onnx"}}
    if any(kind.startswith("Random") or kind in {"Multinomial", "Bernoulli"} for kind in kinds):
        raise RefusedError(
            "the model draws random numbers when it answers",
            hint="pass training=False inside the function, so that dropout does nothing",
        )
    halves = {onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16}
    if any(held.data_type in halves for graph in _graphs(model.graph) for held in graph.initializer):
        raise RefusedError(
            "the model computes in half precision, which rounds otherwise on every processor",
            hint="rebuild it with the dtype policy float32 and load its weights",
        )
    unknown = sorted(kind for kind in kinds if not onnx.defs.has(kind))
    if unknown:
        raise RefusedError(
            f"the TensorFlow operator {unknown[0]} has no ONNX form",
            hint="put lookups first in a functional Keras model, and hash, split texts or unpickle before the model",
        )


def _graphs(graph: Any) -> Iterator[Any]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _graphs(attribute.g)


def _written(write: Callable[[Any, Any, str], str]) -> tuple[Any, list[Any]]:
    """Return a handler as tf2onnx takes it: `write` returns the tensor that takes the node's place."""

    def handle(context: Any, node: Any, name: str, arguments: Any) -> None:
        del arguments
        kept = list(node.output), context.get_dtype(node.output[0]), context.get_shape(node.output[0])
        made = write(context, node, name)
        context.remove_node(name)
        outputs, dtype, shape = kept
        context.make_node("Identity", [made], name=name, outputs=outputs, dtypes=[dtype], shapes=[shape])

    return handle, []


def _constant(context: Any, node: Any, values: Any) -> str:
    made = context.make_const(tf2onnx.utils.make_name(node.name), np.asarray(values))
    return str(made.output[0])


def _one(context: Any, node: Any) -> str:
    kind = tf2onnx.utils.map_onnx_to_numpy_type(context.get_dtype(node.input[0]))
    return _constant(context, node, np.ones((), kind))


def _op(context: Any, op: str, *inputs: str, **attributes: Any) -> str:
    return str(context.make_node(op, list(inputs), attr=attributes).output[0])


def _complement_of_erf(context: Any, node: Any, name: str) -> str:
    return _op(context, "Sub", _one(context, node), _op(context, "Erf", node.input[0]))


def _log_plus_one(context: Any, node: Any, name: str) -> str:
    """Correct what rounding ``1 + x`` loses: ``log(u) * x / (u - 1)`` is exact to a few ulp (Kahan 1984)."""
    value, one = node.input[0], _one(context, node)
    total = _op(context, "Add", value, one)
    log = _op(context, "Log", total)
    corrected = _op(context, "Mul", log, _op(context, "Div", value, _op(context, "Sub", total, one)))
    finite = _op(context, "Where", _op(context, "IsInf", total), log, corrected)
    return _op(context, "Where", _op(context, "Equal", total, one), value, finite)


def _exp_minus_one(context: Any, node: Any, name: str) -> str:
    """Correct what ``exp(x) - 1`` cancels: ``(u - 1) * x / log(u)`` is exact to a few ulp (Kahan 1984)."""
    value, one = node.input[0], _one(context, node)
    power = _op(context, "Exp", value)
    rest = _op(context, "Sub", power, one)
    corrected = _op(context, "Mul", rest, _op(context, "Div", value, _op(context, "Log", power)))
    lost = _op(context, "Equal", rest, _op(context, "Neg", one))
    limit = _op(context, "Or", lost, _op(context, "IsInf", power))
    return _op(
        context,
        "Where",
        _op(context, "Equal", power, one),
        value,
        _op(context, "Where", limit, rest, corrected),
    )


def _bucket(context: Any, node: Any, name: str) -> str:
    """Count the boundaries at or below each value; a NaN lies beyond them all, as in TensorFlow."""
    boundaries = np.array(node.get_attr("boundaries").floats, np.float32)
    value = _op(context, "Cast", node.input[0], to=onnx.TensorProto.FLOAT)
    apart = _op(context, "Unsqueeze", value, _constant(context, node, _AXIS))
    below = _op(context, "Less", apart, _constant(context, node, boundaries))
    counted = _op(context, "Cast", _op(context, "Not", below), to=onnx.TensorProto.INT32)
    return _op(context, "ReduceSum", counted, _constant(context, node, _AXIS), keepdims=0)


HANDLERS = {
    "Erfc": _written(_complement_of_erf),
    "Log1p": _written(_log_plus_one),
    "Expm1": _written(_exp_minus_one),
    "Bucketize": _written(_bucket),
}
"""Operators that tf2onnx does not know, by TensorFlow's name."""
