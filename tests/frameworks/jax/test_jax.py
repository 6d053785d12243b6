"""Functions and modules of JAX become ship files that answer as they do, or are refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import jax_nets as nets
import numpy as np
import orbax.checkpoint
import pandas as pd
import pytest
from flax import nnx

import shiplap
from shiplap.adapters.frameworks.files import read_model
from shiplap.adapters.frameworks.jax.framework import JAX
from shiplap.core.errors import InputError, RefusedError, TableError
from shiplap.core.ship import Ship
from shiplap.scoring import Scorer

RANDOM = np.random.default_rng(0)


def reals(*shape: int, dtype: str = "float32") -> np.ndarray:
    return RANDOM.normal(size=(40, *shape)).astype(dtype)


def indices(n: int, *shape: int) -> np.ndarray:
    return RANDOM.integers(0, n, size=(40, *shape))


def pack(model: Any, X: Any, folder: Path, **asked: Any) -> Ship:
    return shiplap.pack(model, X, path=folder / "net.ship", framework="jax", **asked)


PROVEN = {
    "Flax NNX: MLP with BatchNorm and Dropout": (nets.Perceptron, reals(4), {"classes": ("a", "b", "c")}),
    "Flax NNX: CNN": (nets.Convolutions, reals(8, 8, 2), {"classes": ("x", "y", "z")}),
    "Flax NNX: transformer encoder": (nets.Attention, indices(20, 6), {"classes": ("a", "b", "c")}),
    "Flax NNX: LSTM and GRU": (nets.Recurrent, reals(5, 3), {}),
    "Flax NNX: embedding and numbers": (
        nets.Tabular,
        {"shop": indices(5), "numbers": reals(2)},
        {"classes": ("no", "yes")},
    ),
    "Flax Linen: partial(module.apply, variables)": (lambda rngs: nets.linen_function(), reals(4), {}),
    "function with parameters": (lambda rngs: nets.affine_function(), reals(4), {}),
    "compiled function": (lambda rngs: jax.jit(nets.affine_function()), reals(4), {}),
    "function of several outputs": (lambda rngs: lambda x: {"sum": x.sum(axis=1), "rows": x * 2}, reals(4), {}),
}


@pytest.mark.parametrize("name", PROVEN)
def test_a_network_becomes_a_ship_that_answers_as_it_does(name: str, tmp_path: Path, covered: Any) -> None:
    build, X, asked = PROVEN[name]
    ship = pack(build(nnx.Rngs(0)), X, tmp_path, **asked)
    certificate = ship.certificate
    assert certificate.flips == 0
    assert certificate.rows > 500
    assert certificate.largest_difference < 1e-4
    covered("jax", name, "proven", difference=certificate.largest_difference)


def test_the_framework_is_found_by_the_class(tmp_path: Path) -> None:
    for model in (nets.Perceptron(nnx.Rngs(0)), jax.jit(nets.affine_function())):
        assert shiplap.pack(model, reals(4), path=tmp_path / "net.ship").certificate.flips == 0


def test_answers_are_those_of_evaluation_mode_and_the_module_stays_as_it_is(tmp_path: Path) -> None:
    model = nets.Perceptron(nnx.Rngs(0))
    model.train()
    X = reals(4)
    ship = pack(model, X, tmp_path)
    assert not model.drop.deterministic
    assert not model.norm.use_running_average
    model.eval()
    assert np.allclose(Scorer(ship).outputs({"x": list(X)}), model(X), atol=1e-6)


def test_a_frame_is_the_features_of_the_only_input(tmp_path: Path) -> None:
    model = nets.Perceptron(nnx.Rngs(0))
    frame = pd.DataFrame(reals(4), columns=["a", "b", "c", "d"])
    ship = pack(model, frame, tmp_path, classes=("x", "y", "z"))
    assert ship.manifest.signature.names == ("a", "b", "c", "d")
    model.eval()
    expected = model(frame.iloc[:1].to_numpy())[0]
    assert Scorer(ship).predict_row(frame.iloc[0].to_dict()).prediction == ("x", "y", "z")[int(expected.argmax())]


def test_columns_are_the_parameters_of_a_function_by_name(tmp_path: Path) -> None:
    frame = pd.DataFrame(reals(2), columns=["width", "height"])
    ship = pack(lambda width, height: width * height + height, frame, tmp_path)
    assert Scorer(ship).predict_row({"height": 2.0, "width": 3.0}).prediction == 8.0


def test_preprocessing_as_a_function_is_shipped_too(tmp_path: Path, covered: Any) -> None:
    pixels = RANDOM.integers(0, 256, (40, 4)).astype("uint8")
    ship = pack(nets.affine_function(), pixels, tmp_path, preprocess=lambda x: x.astype(jnp.float32) / 255 - 0.5)
    expected = nets.affine_function()(pixels.astype("float32") / 255 - 0.5)
    assert np.allclose(Scorer(ship).outputs({"x": list(pixels)}), expected, atol=1e-6)
    covered("jax", "preprocessing as a function", "proven", difference=ship.certificate.largest_difference)


def test_double_precision_is_kept_where_jax_is_told_to(tmp_path: Path, covered: Any) -> None:
    with jax.enable_x64(True):
        ship = pack(nets.affine_function(np.float64), reals(4, dtype="float64"), tmp_path)
    assert ship.certificate.dtype == "float64"
    assert ship.certificate.largest_difference < 1e-14
    covered("jax", "float64 (jax_enable_x64)", "proven", difference=ship.certificate.largest_difference)


def test_packing_again_after_more_training_ships_the_new_numbers(tmp_path: Path) -> None:
    model, X = nets.Perceptron(nnx.Rngs(0)), reals(4)
    first = Scorer(pack(model, X, tmp_path)).outputs({"x": list(X)})
    model.last.bias[...] = jnp.array([3.0, 0.0, 0.0])
    again = Scorer(pack(model, X, tmp_path)).outputs({"x": list(X)})
    assert (again[:, 0] > first[:, 0]).all()


REFUSED = {
    "a branch on a value": (lambda x: x if x.sum() > 0 else -x, "cannot trace", "jnp.where"),
    "random numbers": (lambda x: x + jax.random.normal(jax.random.key(0), x.shape), "random numbers", "eval"),
    "statistics of the batch": (lambda x: x - x.mean(axis=0), "depends on", "eval"),
    "a maximum over the rows": (lambda x: x / x.max(axis=0), "depends on the rows beside it", "eval"),
    "half precision": (lambda x: x.astype(jnp.bfloat16) * 2, "bfloat16", "float32"),
    "one answer for all rows": (lambda x: jnp.ones(3), "not with one answer a row", "first axis"),
    "a primitive without a form": (lambda x: jnp.linalg.inv(x[:, :, None] * x[:, None]), "no ONNX form", "before"),
    "numbered rows": (lambda x: x * jnp.arange(x.shape[0])[:, None], "", "place"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_lowered_is_refused_with_a_reason(name: str, tmp_path: Path, covered: Any) -> None:
    function, reason, hint = REFUSED[name]
    with pytest.raises(RefusedError) as refusal:
        pack(function, reals(4), tmp_path)
    assert reason in refusal.value.message
    assert hint in refusal.value.hint
    covered("jax", name, "refused", reason=refusal.value.message)


def test_what_the_runtime_lacks_is_named(tmp_path: Path) -> None:
    def convolved(x: Any) -> Any:
        shape = ("NHC", "HIO", "NHC")
        return jax.lax.conv_general_dilated(x, jnp.ones((2, 2, 3)), (1,), "SAME", dimension_numbers=shape)

    with jax.enable_x64(True), pytest.raises(RefusedError, match=r"Conv\(11\)"):
        pack(convolved, reals(5, 2, dtype="float64"), tmp_path)


def test_a_checkpoint_is_told_from_a_model(tmp_path: Path) -> None:
    checkpointer = orbax.checkpoint.StandardCheckpointer()
    checkpointer.save(tmp_path / "state", {"w": jnp.ones(3)})
    checkpointer.wait_until_finished()
    checkpointer.close()
    with pytest.raises(InputError, match="Orbax checkpoint, which holds arrays and no model"):
        read_model(tmp_path / "state")


def test_a_linen_module_needs_its_variables(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="unbound"):
        pack(nets.Linen(), reals(4), tmp_path)


def test_rows_of_another_kind_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"holds (object|<U)"):
        pack(nets.affine_function(), {"x": np.array(["a", "b"])}, tmp_path)
    with pytest.raises(TableError, match="the function takes shop, numbers"):
        pack(nets.Tabular(nnx.Rngs(0)), {"shop": indices(5), "number": reals(2)}, tmp_path)
    with pytest.raises(RefusedError, match="cannot be called"):
        JAX.sample(reals(4), {"w": 1})
