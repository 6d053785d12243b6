"""Small networks of Flax NNX, and functions with parameters."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen, nnx


class Perceptron(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first, self.last = nnx.Linear(4, 8, rngs=rngs), nnx.Linear(8, 3, rngs=rngs)
        self.norm, self.drop = nnx.BatchNorm(8, rngs=rngs), nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return nnx.softmax(self.last(self.drop(nnx.relu(self.norm(self.first(x))))))


class Convolutions(nnx.Module):
    """Convolutions with padding, strides and groups, a transposed one, and both kinds of pooling."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Conv(2, 8, (3, 3), padding="SAME", rngs=rngs)
        self.grouped = nnx.Conv(8, 6, (3, 3), strides=2, feature_group_count=2, rngs=rngs)
        self.wider = nnx.ConvTranspose(6, 6, (3, 3), strides=2, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.last = nnx.Linear(24, 3, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = nnx.max_pool(nnx.relu(self.norm(self.first(x))), (2, 2), strides=(2, 2))
        x = self.wider(self.grouped(x))
        x = nnx.avg_pool(x, (2, 2), strides=(2, 2), padding="SAME", count_include_pad=False)
        return self.last(x.reshape(x.shape[0], -1))


class Attention(nnx.Module):
    """A transformer encoder of one block over embedded tokens, padding masked out."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.embed = nnx.Embed(20, 8, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(2, 8, decode=False, rngs=rngs)
        self.norm, self.again = nnx.LayerNorm(8, rngs=rngs), nnx.LayerNorm(8, rngs=rngs)
        self.wide, self.narrow = nnx.Linear(8, 16, rngs=rngs), nnx.Linear(16, 8, rngs=rngs)
        self.last = nnx.Linear(8, 3, rngs=rngs)

    def __call__(self, tokens: Any) -> Any:
        x = self.embed(tokens) + jnp.arange(tokens.shape[1])[None, :, None] / 10
        x = self.norm(x + self.attention(x, mask=nnx.make_attention_mask(tokens > 0, tokens > 0)))
        x = self.again(x + self.narrow(nnx.gelu(self.wide(x))))
        return self.last(x.mean(axis=1))


class Recurrent(nnx.Module):
    """An LSTM, and a GRU that reads its states backwards."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.there = nnx.RNN(nnx.LSTMCell(3, 8, rngs=rngs))
        self.back = nnx.RNN(nnx.GRUCell(8, 4, rngs=rngs), reverse=True, keep_order=True)
        self.last = nnx.Linear(4, 1, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.last(self.back(self.there(x))[:, -1])


class Tabular(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.shops, self.last = nnx.Embed(5, 3, rngs=rngs), nnx.Linear(5, 1, rngs=rngs)

    def __call__(self, shop: Any, numbers: Any) -> Any:
        return nnx.sigmoid(self.last(jnp.concatenate([self.shops(shop), numbers], axis=-1)))


class Linen(linen.Module):
    @linen.compact
    def __call__(self, x: Any) -> Any:
        return linen.Dense(3)(linen.BatchNorm(use_running_average=True)(linen.relu(linen.Dense(8)(x))))


def linen_function() -> Any:
    model = Linen()
    return partial(model.apply, model.init(jax.random.key(0), jnp.ones((1, 4))))


def affine(parameters: Any, x: Any) -> Any:
    return jnp.tanh(x @ parameters["w"] + parameters["b"])


def affine_function(dtype: Any = np.float32) -> Any:
    random = np.random.default_rng(1)
    return partial(affine, {"w": jnp.asarray(random.normal(size=(4, 1)), dtype), "b": jnp.ones(1, dtype)})
