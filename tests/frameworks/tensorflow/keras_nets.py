"""Small networks of Keras, of each way to build one."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def perceptron() -> Any:
    parts = [layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(3, "softmax")]
    return keras.Sequential([keras.Input((4,)), *parts])


def convolutions() -> Any:
    return keras.Sequential(
        [
            keras.Input((9, 9, 2)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2, padding="same"),
            layers.SeparableConv2D(4, 3, padding="same"),
            layers.Conv2DTranspose(4, 3, strides=2, padding="same"),
            layers.AveragePooling2D(2, padding="same"),
            layers.Conv2D(4, 3, strides=2, padding="same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ]
    )


def recurrent() -> Any:
    parts = [layers.Bidirectional(layers.LSTM(6, return_sequences=True)), layers.GRU(5), layers.Dense(1)]
    return keras.Sequential([keras.Input((5, 3)), *parts])


def masked() -> Any:
    """An LSTM that skips padded tokens."""
    return keras.Sequential(
        [keras.Input((6,), dtype="int32"), layers.Embedding(20, 4, mask_zero=True), layers.LSTM(4), layers.Dense(1)]
    )


def attention() -> Any:
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    x = layers.Embedding(20, 8)(tokens)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True))
    x = layers.LayerNormalization()(x + layers.Dense(8)(layers.Dense(16, "gelu")(x)))
    return keras.Model(tokens, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = layers.Dense(8, "elu"), layers.Dense(2, "softmax")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.last(self.first(x))


def subclassed() -> Any:
    model = Subclassed()
    model(np.zeros((2, 4), "float32"))
    return model


def several() -> Any:
    x = keras.Input((4,))
    return keras.Model(x, {"sum": layers.Dense(1)(x), "rows": layers.Dense(2, "softplus")(x)})


def double() -> Any:
    return keras.Sequential([keras.Input((4,), dtype="float64"), layers.Dense(3, "tanh", dtype="float64")])


def tabular(mask: str | None = None, mode: str = "int") -> Any:
    """Texts and codes into lookups, an age into normalization and bins, a shop into an embedding."""
    age, city = keras.Input((1,), name="age"), keras.Input((1,), name="city", dtype="string")
    code, shop = keras.Input((1,), name="code", dtype="int32"), keras.Input((), name="shop", dtype="int32")
    normal = layers.Normalization()
    normal.adapt(np.array([[20.0], [40.0], [70.0]]))
    bins = layers.Discretization(bin_boundaries=[18.0, 65.0], output_mode="one_hot")
    cities = layers.StringLookup(vocabulary=["Bergen", "Hamburg"], mask_token=mask, output_mode=mode)(city)
    codes = layers.IntegerLookup(vocabulary=[7, 11], output_mode="one_hot")(code)
    known = layers.Flatten()(layers.Embedding(5, 3)(cities)) if mode == "int" else cities
    x = layers.Concatenate()([normal(age), bins(age), known, codes, layers.Embedding(5, 2)(shop)])
    inputs = {"age": age, "city": city, "code": code, "shop": shop}
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(layers.Dense(6, "relu")(x)))


class Module(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weights = tf.Variable(np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2))

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])
    def __call__(self, x: Any) -> Any:
        return tf.nn.softmax(x @ self.weights)
