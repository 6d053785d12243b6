"""Each primitive of JAX that is written as ONNX gives the numbers that JAX gives, for any number of rows."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from shiplap.adapters.frameworks.jax.trace import to_onnx
from shiplap.adapters.frameworks.neural import require_runnable
from shiplap.core.errors import RefusedError

X = np.random.default_rng(0).normal(size=(5, 6, 4)).astype("float32")
X[0, 0] = [0.0, 1.0, -1.0, 0.5]
EYES = np.array([0, 2])


def convolved(x: Any, **how: Any) -> Any:
    kernel = jnp.arange(3 * how.pop("taken", 4) * 8, dtype=x.dtype).reshape(3, -1, 8) / 10
    return jax.lax.conv_general_dilated(x, kernel, dimension_numbers=("NHC", "HIO", "NHC"), **how)


def repeated(x: Any) -> Any:
    return jax.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * 1.5 + c[0]), (0, x))[1]


def switched(x: Any) -> Any:
    branches = [lambda a: a + 1, lambda a: a * 2, lambda a: a - 5]
    return jax.lax.fori_loop(0, 3, lambda step, a: jax.lax.switch(step, branches, a), x)


FUNCTIONS = {
    "arithmetic": lambda x: (-x, jnp.abs(x), x % 0.7, jnp.sign(x), jnp.maximum(x, 0.2), x**2, x**5, x**-2, x**0),
    "powers": lambda x: (jnp.power(jnp.abs(x), 0.3), jnp.cbrt(x), jnp.exp2(x), jnp.sqrt(x * x), jax.lax.rsqrt(x * x)),
    "exponentials": lambda x: (jnp.exp(x), jnp.log(x), jnp.log1p(x * 1e-6), jnp.expm1(x * 1e-6), jnp.expm1(x * 100)),
    "at the limits": lambda x: (jnp.log1p(x * 3e38), jnp.expm1(x * -1e9), jnp.log1p(x), jnp.isfinite(jnp.log(x))),
    "trigonometry": lambda x: (jnp.sin(x), jnp.cos(x), jnp.arctan(x), jnp.sinh(x), jnp.tanh(x), jnp.arcsinh(x)),
    "rounding": lambda x: (jnp.round(x * 2), jnp.floor(x), jnp.ceil(x), jax.lax.round(x * 2), jnp.clip(x, -0.5, 0.5)),
    "whole numbers": lambda x: ((x * 1e10).astype(jnp.int32), (x / 0).astype(jnp.int32), x.astype(jnp.bool_)),
    "logic": lambda x: ((x > 0) | (x < -1), ~(x > 0) & (x != 1), (x > 0).any(-1), (x > 0).all(1)),
    "activations": lambda x: [f(x) for f in (jax.nn.gelu, jax.nn.silu, jax.nn.selu, jax.nn.mish, jax.nn.softplus)],
    "more activations": lambda x: [f(x) for f in (jax.nn.elu, jax.nn.celu, jax.nn.hard_swish, jax.nn.log_softmax)],
    "error function": lambda x: (jax.nn.gelu(x, approximate=False), jax.scipy.special.erfc(x)),
    "choices": lambda x: (jnp.where(x > 0, x, -x), jnp.select([x > 1, x > 0], [x, 2 * x], 0.0)),
    "cases by number": lambda x: jax.lax.select_n((x > 0).astype(jnp.int32) + (x > 1), x, 2 * x, 3 * x),
    "parts": lambda x: (x[:, -1], x[:, 1:3], x[..., 0], x[:, 0, 2], x[:, ::2], x[:, ::-1], jnp.split(x, 2, -1)),
    "parts that are looked up": lambda x: (jnp.take(x, EYES, axis=1), x[:, EYES], jnp.take(x, np.array([7]), axis=2)),
    "parts by their own numbers": lambda x: jnp.take_along_axis(x, jnp.argmax(x, 1, keepdims=True), axis=1),
    "a part that moves": lambda x: jax.lax.dynamic_slice_in_dim(x, jnp.int32(x.shape[1] - 1), 3, axis=1),
    "embedding": lambda x: jnp.take(jnp.eye(4), (x * 3).astype(jnp.int32), axis=0),
    "shapes": lambda x: (x.reshape(x.shape[0], -1), x.swapaxes(1, 2), jnp.stack([x, x], 1), jnp.tile(x, (1, 2, 1))),
    "more shapes": lambda x: (jnp.repeat(x, 2, 1), jnp.roll(x, 1, 1), jnp.pad(x, ((0, 0), (2, 1), (0, 0))), x[:, None]),
    "rows folded into another axis": lambda x: (x.reshape(-1, 4) @ jnp.ones((4, 2))).reshape(x.shape[0], -1),
    "constants": lambda x: (jnp.zeros((x.shape[0], 3)), x * jnp.arange(4), jnp.tril(jnp.ones((6, 6))) @ x),
    "sums": lambda x: (x.mean(1), x.std(-1), x.prod(1), jax.nn.logsumexp(x, -1), jnp.linalg.norm(x, axis=-1)),
    "running": lambda x: (jnp.cumsum(x, 1), jnp.cumprod(x, 1), jax.lax.cummax(x, 1, reverse=True)),
    "order": lambda x: (jnp.sort(x, -1), jnp.argsort(x, 1), jax.lax.top_k(x, 2), jnp.median(x, 1), jnp.argmin(x, 2)),
    "one-hot": lambda x: jax.nn.one_hot(jnp.argmax(x, -1), 4),
    "products": lambda x: (x @ jnp.ones((4, 2)), jnp.einsum("bij,bkj->bik", x, x)),
    "products over two axes": lambda x: jnp.einsum("bij,ijk->bk", x, jnp.arange(72.0).reshape(6, 4, 3)),
    "attention": lambda x: jax.nn.dot_product_attention(x[:, :, None], x[:, :, None], x[:, :, None], is_causal=True),
    "pooling": lambda x: (nnx.max_pool(x, (2,), (2,)), nnx.avg_pool(x, (3,), (2,), "SAME"), nnx.min_pool(x, (2,))),
    "convolution with gaps": lambda x: convolved(x, window_strides=(1,), padding="SAME", rhs_dilation=(2,)),
    "grouped convolution": lambda x: convolved(x, taken=1, window_strides=(2,), padding="SAME", feature_group_count=4),
    "transposed convolution": lambda x: convolved(x, window_strides=(1,), padding=((2, 1),), lhs_dilation=(2,)),
    "mapped over the rows": jax.vmap(lambda row: jnp.tanh(row @ row.T).sum()),
    "checkpointed": jax.checkpoint(lambda x: jnp.tanh(x) * 2),
    "a loop over steps": lambda x: jax.lax.scan(lambda c, row: (c + row, c * row), x[:, 0], x.swapaxes(0, 1))[0],
    "a loop of a fixed number": lambda x: jax.lax.fori_loop(0, 3, lambda step, c: c * 1.1 + x[:, step], x[:, 0]),
    "a loop until": repeated,
    "a branch": lambda x: jax.lax.cond(True, lambda: x + 1, lambda: x - 1),
    "branches by number": switched,
}  # fmt: skip


def answers(function: Any, rows: np.ndarray) -> list[np.ndarray]:
    return [np.asarray(part) for part in jax.tree.leaves(jax.jit(function)(rows))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_onnx_gives_the_numbers_that_jax_gives(name: str) -> None:
    function = FUNCTIONS[name]
    session = require_runnable(to_onnx(function, {"x": X}))
    expected = answers(function, X)
    for count in (5, 1):
        found = session.run(None, {"x": X[:count]})
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.dtype == theirs.dtype
            assert ours.shape == (count, *theirs.shape[1:])
            assert np.allclose(ours, theirs[:count], rtol=3e-6, atol=3e-6, equal_nan=True)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: jnp.lexsort((x[:, 0], x[:, 1])), "sorts by several keys|axis of the rows|one answer a row"),
        (lambda x: x.at[:, 0].set(1.0), "'scatter'"),
        (lambda x: jax.lax.reduce_precision(x, 8, 7), "shorter float"),
        (lambda x: x[jnp.array([0, 1])], "one answer a row"),
        (lambda x: x[:2], "one answer a row"),
        (lambda x: convolved(x, window_strides=(1,), padding=((-1, 0),)), "leaves out the border"),
        (lambda x: jax.lax.pad(x, 0.0, ((0, 0, 0), (0, 0, 1), (0, 0, 0))), "pads between"),
        (lambda x: x[:, jnp.array([0, 1]), jnp.array([1, 2])], "several axes at once"),
    ],
)
def test_what_onnx_cannot_express_is_refused(function: Any, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        to_onnx(function, {"x": X})
