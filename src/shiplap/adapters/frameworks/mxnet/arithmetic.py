"""Operators number by number, sums along axes, and matrix products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce

import numpy as np
from onnx import helper

from shiplap.adapters.frameworks.mxnet.network import Network
from shiplap.adapters.frameworks.mxnet.operators import Emitter, operator
from shiplap.adapters.frameworks.mxnet.symbol import Node

_UNARY = {
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softsign": "Softsign",
    "negative": "Neg",
    "abs": "Abs",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "reciprocal": "Reciprocal",
    "floor": "Floor",
    "ceil": "Ceil",
    "sign": "Sign",
    "erf": "Erf",
    "sin": "Sin",
    "cos": "Cos",
    "tan": "Tan",
    "arcsin": "Asin",
    "arccos": "Acos",
    "arctan": "Atan",
    "sinh": "Sinh",
    "cosh": "Cosh",
    "arcsinh": "Asinh",
    "arccosh": "Acosh",
    "arctanh": "Atanh",
}
_BINARY = {
    "Add": ("elemwise_add", "_plus", "_Plus", "_add", "broadcast_add", "broadcast_plus", "_npi_add", "_grad_add"),
    "Sub": ("elemwise_sub", "_minus", "_Minus", "_sub", "broadcast_sub", "broadcast_minus", "_npi_subtract"),
    "Mul": ("elemwise_mul", "_mul", "_Mul", "broadcast_mul", "_npi_multiply"),
    "Div": ("elemwise_div", "_div", "_Div", "broadcast_div", "_npi_true_divide"),
    "Max": ("_maximum", "_Maximum", "broadcast_maximum"),
    "Min": ("_minimum", "_Minimum", "broadcast_minimum"),
    "Pow": ("_power", "_Power", "broadcast_power"),
    "Equal": ("_equal", "broadcast_equal"),
    "Greater": ("_greater", "broadcast_greater"),
    "GreaterOrEqual": ("_greater_equal", "broadcast_greater_equal"),
    "Less": ("_lesser", "broadcast_lesser"),
    "LessOrEqual": ("_lesser_equal", "broadcast_lesser_equal"),
}
# (ONNX operator, whether the number stands first)
_SCALAR = {
    **dict.fromkeys(("_plus_scalar", "_PlusScalar", "_npi_add_scalar"), ("Add", False)),
    **dict.fromkeys(("_minus_scalar", "_MinusScalar", "_npi_subtract_scalar"), ("Sub", False)),
    **dict.fromkeys(("_rminus_scalar", "_RMinusScalar", "_npi_rsubtract_scalar"), ("Sub", True)),
    **dict.fromkeys(("_mul_scalar", "_MulScalar", "_npi_multiply_scalar"), ("Mul", False)),
    **dict.fromkeys(("_div_scalar", "_DivScalar", "_npi_true_divide_scalar"), ("Div", False)),
    **dict.fromkeys(("_rdiv_scalar", "_RDivScalar", "_npi_rtrue_divide_scalar"), ("Div", True)),
    **dict.fromkeys(("_power_scalar", "_PowerScalar"), ("Pow", False)),
    **dict.fromkeys(("_rpower_scalar", "_RPowerScalar"), ("Pow", True)),
    **dict.fromkeys(("_maximum_scalar", "_MaximumScalar"), ("Max", False)),
    **dict.fromkeys(("_minimum_scalar", "_MinimumScalar"), ("Min", False)),
    "_equal_scalar": ("Equal", False),
    "_greater_scalar": ("Greater", False),
    "_greater_equal_scalar": ("GreaterOrEqual", False),
    "_lesser_scalar": ("Less", False),
    "_lesser_equal_scalar": ("LessOrEqual", False),
}
_COMPARISONS = frozenset({"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"})
_REDUCTIONS = {
    **dict.fromkeys(("sum", "sum_axis", "_np_sum"), "ReduceSum"),
    **dict.fromkeys(("mean", "_npi_mean"), "ReduceMean"),
    **dict.fromkeys(("max", "max_axis"), "ReduceMax"),
    **dict.fromkeys(("min", "min_axis"), "ReduceMin"),
    "prod": "ReduceProd",
}


def _unary(kind: str, node: Node, network: Network, inputs: Sequence[str]) -> str:
    return network.op(kind, inputs[0])


def _binary(kind: str, node: Node, network: Network, inputs: Sequence[str]) -> str:
    return _as_numbers(network, kind, network.op(kind, *inputs), inputs[0])


def _scalar(kind: str, first: bool, node: Node, network: Network, inputs: Sequence[str]) -> str:
    node.flag("is_int")
    number = network.like(inputs[0], node.number("scalar"))
    pair = (number, inputs[0]) if first else (inputs[0], number)
    return _as_numbers(network, kind, network.op(kind, *pair), inputs[0])


def _as_numbers(network: Network, kind: str, tensor: str, like: str) -> str:
    """Turn yes and no into 1 and 0, as MXNet's comparisons answer."""
    if kind not in _COMPARISONS:
        return tensor
    return network.op("Cast", tensor, to=helper.np_dtype_to_tensor_dtype(network.dtype(like)))


def _registered() -> None:
    tables: list[tuple[str, Callable[..., str]]] = [(name, partial(_unary, kind)) for name, kind in _UNARY.items()]
    tables += [(name, partial(_binary, kind)) for kind, names in _BINARY.items() for name in names]
    tables += [(name, partial(_scalar, kind, first)) for name, (kind, first) in _SCALAR.items()]
    tables += [(name, partial(_reduction, kind)) for name, kind in _REDUCTIONS.items()]
    for name, emitter in tables:
        found: Emitter = emitter
        operator(name)(found)


def _axes(node: Node, network: Network, data: str) -> list[int]:
    n_axes = len(network.shape(data))
    given = node.sizes("axis", ())
    axes = [network.axis(data, axis) for axis in given] or list(range(n_axes))
    if node.flag("exclude"):
        axes = [axis for axis in range(n_axes) if axis not in axes]
    network.require_within_rows(data, axes)
    return axes


def _reduction(kind: str, node: Node, network: Network, inputs: Sequence[str]) -> str:
    axes = network.sizes(_axes(node, network, inputs[0]))
    return network.op(kind, inputs[0], axes, keepdims=int(node.flag("keepdims")))


@operator("norm")
def norm(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the sum of absolute values, or the root of the sum of squares."""
    kind = {1: "ReduceL1", 2: "ReduceL2"}[node.integer("ord", 2)]
    return _reduction(kind, node, network, inputs)


@operator("argmax", "argmin", "argmax_channel")
def arg_extreme(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the first place of the largest or smallest, as a float as MXNet answers it."""
    axis = 1 if node.kind == "argmax_channel" else network.axis(inputs[0], node.integer("axis"))
    network.require_within_rows(inputs[0], [axis])
    kind = "ArgMin" if node.kind == "argmin" else "ArgMax"
    place = network.op(kind, inputs[0], axis=axis, keepdims=int(node.flag("keepdims")))
    return network.op("Cast", place, to=1)


@operator("add_n", "ElementWiseSum")
def add_all(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the sum of tensors, from the first to the last."""
    return reduce(lambda total, tensor: network.op("Add", total, tensor), inputs[1:], inputs[0])


@operator("square")
def square(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the square."""
    return network.op("Mul", inputs[0], inputs[0])


@operator("rsqrt")
def reciprocal_root(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write one over the root."""
    return network.op("Reciprocal", network.op("Sqrt", inputs[0]))


@operator("trunc", "fix")
def truncated(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the whole part, toward zero."""
    positive = network.op("GreaterOrEqual", inputs[0], network.like(inputs[0], 0.0))
    return network.op("Where", positive, network.op("Floor", inputs[0]), network.op("Ceil", inputs[0]))


@operator("hard_sigmoid")
def hard_sigmoid(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write a line between 0 and 1."""
    return network.op("HardSigmoid", inputs[0], alpha=node.number("alpha", 0.2), beta=node.number("beta", 0.5))


@operator("smooth_l1")
def smooth_l1(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write half the square near zero, and a line beyond."""
    data, squared = inputs[0], node.number("scalar", 1.0) ** 2
    size = network.op("Abs", data)
    near = network.op("Mul", network.op("Mul", data, data), network.like(data, 0.5 * squared))
    far = network.op("Sub", size, network.like(data, 0.5 / squared))
    return network.op("Where", network.op("Less", size, network.like(data, 1.0 / squared)), near, far)


@operator("clip", "_npi_clip")
def clip(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the nearest number between two."""
    borders = (network.like(inputs[0], node.number(key)) for key in ("a_min", "a_max"))
    return network.op("Clip", inputs[0], *borders)


@operator("where", "_npi_where")
def where(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write one tensor where the condition is not zero, another elsewhere."""
    return network.op("Where", network.op("Cast", inputs[0], to=9), inputs[1], inputs[2])


@operator("logical_not")
def logical_not(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write 1 where a number is zero."""
    return _as_numbers(network, "Equal", network.op("Equal", inputs[0], network.like(inputs[0], 0.0)), inputs[0])


@operator("dot", "_np_dot")
def dot(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the product along the last axis of the first and the first axis of the second tensor."""
    left, right = inputs
    if node.flag("transpose_a"):
        network.require_within_rows(left, [0])
        left = network.op("Transpose", left, perm=[1, 0])
    if node.flag("transpose_b"):
        right = network.op("Transpose", right, perm=[1, 0])
    if len(network.shape(right)) > 2 or (len(network.shape(left)) > 2 and len(network.shape(right)) != 2):
        raise node.refuse(f"multiplies tensors of {len(network.shape(left))} and {len(network.shape(right))} axes")
    return network.op("MatMul", left, right)


@operator("batch_dot", "_npx_batch_dot", "_linalg_gemm2")
def batch_dot(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the product of matrix after matrix."""
    left, right = (
        _turned(network, tensor) if node.flag(key) else tensor
        for tensor, key in zip(inputs, ("transpose_a", "transpose_b"), strict=True)
    )
    product = network.op("MatMul", left, right)
    if node.kind != "_linalg_gemm2":
        return product
    if node.integer("axis", -2) != -2:
        raise node.refuse("has the matrices on other axes than the last two")
    return network.op("Mul", product, network.like(product, node.number("alpha", 1.0)))


def _turned(network: Network, tensor: str) -> str:
    order = list(range(len(network.shape(tensor))))
    return network.op("Transpose", tensor, perm=[*order[:-2], order[-1], order[-2]])


@operator("_contrib_div_sqrt_dim")
def over_root_of_width(node: Node, network: Network, inputs: Sequence[str]) -> str:
    """Write the division by the root of the last axis' length."""
    width = network.shape(inputs[0])[-1]
    return network.op("Div", inputs[0], network.like(inputs[0], np.sqrt(float(width))))


_registered()
