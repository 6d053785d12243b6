"""Make the golden answers with MXNet itself: ``python make.py`` where mxnet==1.9.1 and numpy==1.23.5 are installed.

``operators.npz.xz`` holds single operators: symbol, weights, rows and answers. The other files are whole networks as
MXNet writes them, with their rows and answers in ``NAME.npz``.
"""

import io
import json
import lzma
import struct
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet import gluon

HERE = Path(__file__).parent
S = mx.sym
X = S.Variable("x")
W, B = S.Variable("w"), S.Variable("b")
GAMMA, BETA, MEAN, VAR = (S.Variable(name) for name in ("gamma", "beta", "mean", "var"))
random = np.random.RandomState(7)


def numbers(*shape):
    """Return numbers that compress well: whole sixty-fourths."""
    return (np.round(random.normal(size=shape) * 64) / 64).astype("float32")


def positive(*shape):
    return (random.uniform(0.2, 2.0, size=shape)).astype("float32")


def whole(top, *shape):
    return random.randint(0, top, size=shape).astype("float32")


IMAGE = (2, 4, 5, 6)
NORM = {"gamma": positive(4), "beta": numbers(4), "mean": numbers(4), "var": positive(4)}
CASES = {}


def case(name, symbol, x, more=None, **weights):
    CASES[name] = (symbol, {"x": x, **(more or {})}, weights)


case("dense", S.FullyConnected(X, W, B, num_hidden=5), numbers(3, 2, 4), w=numbers(5, 8), b=numbers(5))
case("dense_no_bias", S.FullyConnected(X, W, num_hidden=5, no_bias=True), numbers(3, 8), w=numbers(5, 8))
case(
    "dense_each_step",
    S.FullyConnected(X, W, B, num_hidden=5, flatten=False),
    numbers(3, 2, 4),
    w=numbers(5, 4),
    b=numbers(5),
)
for name, shape, more in (
    ("conv", (6, 4, 3, 2), {"kernel": (3, 2)}),
    ("conv_stride_pad", (6, 4, 3, 3), {"kernel": (3, 3), "stride": (2, 2), "pad": (1, 2)}),
    ("conv_groups", (6, 2, 3, 3), {"kernel": (3, 3), "num_group": 2}),
    ("conv_dilate", (6, 4, 3, 3), {"kernel": (3, 3), "dilate": (2, 1), "pad": (1, 1)}),
):
    case(name, S.Convolution(X, W, B, num_filter=6, **more), numbers(*IMAGE), w=numbers(*shape), b=numbers(6))
case("conv_1d", S.Convolution(X, W, B, num_filter=2, kernel=(3,)), numbers(3, 4, 9), w=numbers(2, 4, 3), b=numbers(2))
case(
    "conv_3d",
    S.Convolution(X, W, num_filter=2, kernel=(2, 2, 2), no_bias=True),
    numbers(2, 3, 4, 3, 3),
    w=numbers(2, 3, 2, 2, 2),
)
case(
    "deconv",
    S.Deconvolution(X, W, num_filter=3, kernel=(3, 3), stride=(2, 2), pad=(1, 1), adj=(1, 0)),
    numbers(*IMAGE),
    w=numbers(4, 3, 3, 3),
)
case(
    "deconv_groups_bias",
    S.Deconvolution(X, W, B, num_filter=4, kernel=(2, 2), num_group=2, no_bias=False),
    numbers(*IMAGE),
    w=numbers(4, 2, 2, 2),
    b=numbers(4),
)
for name, more in (
    ("batch_norm", {}),
    ("batch_norm_gamma", {"fix_gamma": False, "eps": 1e-5}),
    ("batch_norm_last_axis", {"fix_gamma": False, "axis": 3}),
):
    rows = numbers(3, 4, 5, 4)
    case(name, S.BatchNorm(X, GAMMA, BETA, MEAN, VAR, **more), rows, **NORM)
for kind in ("relu", "sigmoid", "tanh", "softrelu", "softsign"):
    case(f"activation_{kind}", S.Activation(X, act_type=kind), 3 * numbers(3, 20))
for kind, more in (
    ("leaky", {}),
    ("leaky", {"slope": 0.1}),
    ("elu", {"slope": 0.7}),
    ("selu", {}),
    ("gelu", {}),
    ("rrelu", {"lower_bound": 0.1, "upper_bound": 0.5}),
):
    case(f"leaky_{kind}_{len(CASES)}", S.LeakyReLU(X, act_type=kind, **more)[0], 2 * numbers(3, 4, 5))
case("prelu", S.LeakyReLU(X, S.Variable("gamma"), act_type="prelu"), numbers(*IMAGE), gamma=numbers(4))
for kind in ("max", "avg", "sum"):
    for more in (
        {"kernel": (2, 2), "stride": (2, 2)},
        {"kernel": (3, 2), "stride": (2, 2), "pad": (1, 1)},
        {"kernel": (3, 3), "stride": (2, 2), "pooling_convention": "full"},
        {"kernel": (3, 3), "stride": (3, 3), "pad": (0, 1), "pooling_convention": "full"},
    ):
        case(f"pool_{kind}_{len(CASES)}", S.Pooling(X, pool_type=kind, **more), numbers(*IMAGE))
    case(f"pool_{kind}_global", S.Pooling(X, pool_type=kind, global_pool=True, kernel=(1, 1)), numbers(*IMAGE))
for more in (
    {"kernel": (3, 3), "stride": (2, 2), "pad": (1, 1)},
    {"kernel": (3, 3), "stride": (3, 3), "pad": (0, 1), "pooling_convention": "full"},
):
    inner = S.Pooling(X, pool_type="avg", count_include_pad=False, **more)
    case(f"pool_avg_without_padding_{len(CASES)}", inner, numbers(*IMAGE))
case("pool_1d", S.Pooling(X, pool_type="max", kernel=(3,), stride=(2,)), numbers(3, 4, 9))
case("adaptive_pool", S.contrib.AdaptiveAvgPooling2D(X, output_size=(2, 3)), numbers(3, 4, 8, 6))
case("upsampling", S.UpSampling(X, scale=3, sample_type="nearest"), numbers(3, 2, 4, 3))
case("bilinear", S.contrib.BilinearResize2D(X, height=9, width=11), numbers(3, 2, 4, 5))
case("embedding", S.Embedding(X, W, input_dim=6, output_dim=3), whole(6, 3, 4), w=numbers(6, 3))
case(
    "embedding_outside",
    S.Embedding(X, W, input_dim=6, output_dim=3),
    np.array([[-3, 7.0, 2.7], [1, 0, 100]], "float32"),
    w=numbers(6, 3),
)
case("lrn", S.LRN(X, nsize=3, alpha=0.01, beta=0.6, knorm=1.5), numbers(*IMAGE))
for mode in ("instance", "channel", "spatial"):
    case(f"l2_{mode}", S.L2Normalization(X, mode=mode, eps=1e-3), numbers(*IMAGE))
case("instance_norm", S.InstanceNorm(X, GAMMA, BETA), numbers(*IMAGE), gamma=positive(4), beta=numbers(4))
case("layer_norm", S.LayerNorm(X, GAMMA, BETA), numbers(3, 5, 4), gamma=positive(4), beta=numbers(4))
case("layer_norm_middle", S.LayerNorm(X, GAMMA, BETA, axis=1), numbers(3, 4, 5), gamma=positive(4), beta=numbers(4))
case("group_norm", S.GroupNorm(X, GAMMA, BETA, num_groups=2), numbers(*IMAGE), gamma=positive(2), beta=numbers(2))
case("softmax", S.softmax(X), numbers(3, 5, 4))
case("softmax_axis_temperature", S.softmax(X, axis=1, temperature=0.5), numbers(3, 5, 4))
case("log_softmax", S.log_softmax(X, axis=1), numbers(3, 5, 4))
case("softmin", S.softmin(X), numbers(3, 5))
case("softmax_output", S.SoftmaxOutput(X, name="softmax"), numbers(3, 5))
case("softmax_output_flat", S.SoftmaxOutput(X, name="softmax"), numbers(3, 2, 4))
case("softmax_output_multi", S.SoftmaxOutput(X, multi_output=True, name="softmax"), numbers(3, 5, 4))
case("softmax_output_shape", S.SoftmaxOutput(X, preserve_shape=True, name="softmax"), numbers(3, 5, 4))
case("softmax_channel", S.SoftmaxActivation(X, mode="channel"), numbers(*IMAGE))
case("logistic_output", S.LogisticRegressionOutput(X, name="logistic"), numbers(3, 2))
case("linear_output", S.LinearRegressionOutput(X, name="linear"), numbers(3, 2))
case("dropout", S.Dropout(X, p=0.5) * 2, numbers(3, 5))
for index, (shape, codes, backward) in enumerate(
    (
        ((3, 4, 6), (0, -1), False),
        ((3, 4, 6), (0, -3), False),
        ((3, 4, 6), (-2,), False),
        ((3, 4, 6), (0, -4, 2, -1, 0), False),
        ((3, 4, 6), (0, -4, 2, 2, -2), False),
        ((3, 4, 6), (0, 0, -4, -1, 3), False),
        ((3, 4, 6), (0, 2, 2, -1), False),
        ((3, 8, 3), (0, -1, 4), True),
        ((3, 4, 6), (0, 24), False),
    )
):
    case(f"reshape_{index}", S.Reshape(X, shape=codes, reverse=backward), numbers(*shape))
case("reshape_together", S.Reshape(S.Reshape(X, shape=(-1, 6)) * 2, shape=(-1, 4, 6)), numbers(3, 4, 6))
case("reshape_like", S.reshape_like(X, S.transpose(X, axes=(0, 2, 1))), numbers(3, 4, 5))
case("flatten", S.Flatten(X), numbers(3, 4, 5))
case("transpose", S.transpose(X, axes=(0, 2, 1)), numbers(3, 4, 5))
case("transpose_twice", S.transpose(S.transpose(X)), numbers(3, 4, 5))
case("swap", S.SwapAxis(X, dim1=1, dim2=3), numbers(*IMAGE))
case("expand_squeeze", S.squeeze(S.expand_dims(X, axis=2), axis=2), numbers(3, 4))
case("concat", S.Concat(X, X * 2, dim=2), numbers(3, 4, 5))
case("stack", S.stack(X, X * 2, axis=1), numbers(3, 4))
split = S.SliceChannel(X, num_outputs=2, axis=2, squeeze_axis=False)
case("split", split[0] * 2 + split[1], numbers(3, 4, 6))
parts = S.split(X, num_outputs=4, axis=1, squeeze_axis=True)
case("split_squeeze", parts[3] - parts[0], numbers(3, 4, 6))
case("slice", S.slice(X, begin=(None, 1, -3), end=(None, 4, None)), numbers(3, 5, 6))
case("slice_step", S.slice(X, begin=(None, 4, 0), end=(None, None, 6), step=(1, -2, 3)), numbers(3, 5, 6))
case("slice_axis", S.slice_axis(X, axis=1, begin=1, end=-1), numbers(3, 5, 6))
case("slice_axis_end", S.slice_axis(X, axis=2, begin=-2, end=None), numbers(3, 5, 6))
case("slice_like", S.slice_like(X, S.slice_axis(X, axis=2, begin=0, end=2), axes=(2,)), numbers(3, 5, 6))
for mode in ("constant", "edge", "reflect"):
    width = (0, 0, 0, 0, 1, 2, 2, 1)
    case(f"pad_{mode}", S.Pad(X, mode=mode, pad_width=width, constant_value=1.5), numbers(*IMAGE))
case("tile", S.tile(X, reps=(1, 2, 3)), numbers(3, 2, 4))
case("repeat", S.repeat(X, repeats=2, axis=1), numbers(3, 2, 4))
case("reverse", S.reverse(X, axis=1), numbers(3, 5))
case("sequence_last", S.SequenceLast(S.transpose(X, axes=(1, 0, 2))), numbers(3, 5, 2))
case("broadcast_axis", S.broadcast_axis(S.expand_dims(X, axis=1), axis=1, size=4), numbers(3, 5))
case("broadcast_like", S.broadcast_like(S.mean(X, axis=1, keepdims=True), X), numbers(3, 5))
case("like", S.ones_like(X) - S.zeros_like(X) * X, numbers(3, 5))
case("cast", S.Cast(S.Cast(X * 3, dtype="int32"), dtype="float32"), numbers(3, 5))
case("depth_to_space", S.depth_to_space(X, block_size=2), numbers(3, 8, 2, 3))
case("space_to_depth", S.space_to_depth(X, block_size=2), numbers(3, 2, 4, 6))
case("one_hot", S.one_hot(X, depth=4, on_value=2, off_value=-1), np.array([[0, 3], [5, 1], [-1, 2]], "float32"))
for name in ("relu", "sigmoid", "softsign", "tanh", "negative", "abs", "exp", "floor", "ceil", "sign", "erf", "trunc"):
    case(f"unary_{name}", getattr(S, name)(X), 2 * numbers(3, 9))
for name in ("fix", "sin", "cos", "arctan", "sinh", "arcsinh", "square", "logical_not", "hard_sigmoid"):
    case(f"unary_{name}", getattr(S, name)(X), np.round(2 * numbers(3, 9), 1))
for name in ("log", "sqrt", "rsqrt", "reciprocal"):
    case(f"unary_{name}", getattr(S, name)(X), positive(3, 9))
case("smooth_l1", S.smooth_l1(X, scalar=2.0), numbers(3, 9))
case("clip", S.clip(X, a_min=-0.5, a_max=0.7), numbers(3, 9))
case("where", S.where(X > 0, X, X * 5), numbers(3, 9))
case("scalars", 3 - (2 / (X + 1.5) - 0.25) * 4 / 3 + 2**X + X**2, positive(3, 9))
case("bounds", S.maximum(S.minimum(X, 0.5), -0.3), numbers(3, 9))
case("comparisons", (X > 0) + (X >= 1) * 2 + (X < -1) * 4 + (X <= 2) * 8 + (X == 0) * 16, whole(5, 3, 9) - 2)
for name in ("add", "sub", "mul", "div", "maximum", "minimum", "power", "greater", "lesser", "equal"):
    case(f"broadcast_{name}", getattr(S, f"broadcast_{name}")(X, W), positive(3, 2, 4), w=positive(1, 2, 1))
case("elementwise", (X + X * X - X / (X * X + 1)) * S.add_n(X, X, X), numbers(3, 9))
for name in ("sum", "mean", "max", "min", "prod"):
    case(f"reduce_{name}", getattr(S, name)(X, axis=(1, 3)), numbers(*IMAGE))
    case(f"reduce_{name}_exclude", getattr(S, name)(X, axis=0, exclude=True, keepdims=True), 0.5 * numbers(3, 4, 5))
case("norm", S.norm(X, axis=1), numbers(3, 4, 5))
case("norm_1", S.norm(X, ord=1, axis=2, keepdims=True), numbers(3, 4, 5))
case("argmax", S.argmax(X, axis=1), numbers(3, 6))
case("argmax_channel", S.argmax_channel(X), numbers(3, 6))
case("argmin_keep", S.argmin(X, axis=1, keepdims=True), numbers(3, 6))
case("dot", S.dot(X, W), numbers(3, 4), w=numbers(4, 5))
case("dot_turned", S.dot(X, W, transpose_b=True), numbers(3, 2, 4), w=numbers(5, 4))
case("batch_dot", S.batch_dot(X, X, transpose_b=True), numbers(3, 4, 5))
case("gemm2", S.linalg.gemm2(X, X, transpose_a=True, alpha=0.5), numbers(3, 4, 5))
case("div_sqrt_dim", S.contrib.div_sqrt_dim(X), numbers(3, 4, 5))
case("two_inputs", S.Concat(X, S.Variable("z") * 2), numbers(3, 4), more={"z": numbers(3, 2)})
case("two_answers", S.Group([X * 2, S.sum(X, axis=1)]), numbers(3, 4))
for name in ("arcsin", "arccos", "arctanh"):
    case(f"unary_{name}", getattr(S, name)(X), np.round(random.uniform(-0.9, 0.9, (3, 9)), 2).astype("float32"))
for name in ("tan", "cosh"):
    case(f"unary_{name}", getattr(S, name)(X), numbers(3, 9))
case("unary_arccosh", S.arccosh(X), 1 + positive(3, 9))
for name in ("greater_equal", "lesser_equal"):
    case(f"broadcast_{name}", getattr(S, f"broadcast_{name}")(X, W), whole(3, 3, 2, 4), w=whole(3, 1, 2, 1))
for name in (
    "elemwise_add",
    "elemwise_sub",
    "elemwise_mul",
    "elemwise_div",
    "_maximum",
    "_minimum",
    "_power",
    "_equal",
):
    case(f"pairwise_{name}", (getattr(S, name, None) or getattr(S._internal, name))(X, X * X), positive(3, 5))
for name in ("_greater", "_greater_equal", "_lesser", "_lesser_equal"):
    case(f"pairwise_{name}", getattr(S._internal, name)(X, X * X), whole(3, 3, 5))
case("take", S.take(W, X), whole(6, 3, 4), w=numbers(6, 3))
case("mae_output", S.MAERegressionOutput(X, name="mae"), numbers(3, 2))
case("svm_output", S.SVMOutput(X, name="svm"), numbers(3, 2))
case("make_loss", S.MakeLoss(X), numbers(3, 2))
case(
    "sequence_reverse", S.transpose(S.SequenceReverse(S.transpose(X, axes=(1, 0, 2))), axes=(1, 0, 2)), numbers(3, 5, 2)
)
case("ones", S.broadcast_add(X, S.ones((1, 5))), numbers(3, 5))
case("full", S.broadcast_add(X, S.full((1, 5), 2.5)), numbers(3, 5))
case("arange", S.broadcast_add(X, S.arange(1, 6)), numbers(3, 5))
case("broadcast_to", S.broadcast_to(S.expand_dims(X, axis=1), shape=(0, 4, 0)), numbers(3, 5))

# Other names under which the same operators stand in files: each is asked of MXNet too.
ALIASES = {
    "Activation": ("_npx_activation",),
    "BatchNorm": (
        "BatchNorm_v1",
        "_npx_batch_norm",
    ),
    "Cast": ("cast",),
    "Concat": ("concat",),
    "Convolution": (
        "Convolution_v1",
        "_npx_convolution",
    ),
    "Deconvolution": ("_npx_deconvolution",),
    "Dropout": (
        "BlockGrad",
        "_copy",
        "_npx_dropout",
        "identity",
        "make_loss",
        "stop_gradient",
    ),
    "Embedding": ("_npx_embedding",),
    "Flatten": (
        "_npx_batch_flatten",
        "flatten",
    ),
    "FullyConnected": ("_npx_fully_connected",),
    "LayerNorm": ("_npx_layer_norm",),
    "LeakyReLU": ("_npx_leaky_relu",),
    "Pad": ("pad",),
    "Pooling": (
        "Pooling_v1",
        "_npx_pooling",
    ),
    "RNN": ("_npx_rnn",),
    "Reshape": ("reshape",),
    "SliceChannel": ("split",),
    "SoftmaxOutput": ("Softmax",),
    "SwapAxis": ("swapaxes",),
    "_div_scalar": (
        "_DivScalar",
        "_npi_true_divide_scalar",
    ),
    "batch_dot": ("_npx_batch_dot",),
    "_maximum": ("_Maximum",),
    "_maximum_scalar": ("_MaximumScalar",),
    "_minimum": ("_Minimum",),
    "_minimum_scalar": ("_MinimumScalar",),
    "_minus_scalar": (
        "_MinusScalar",
        "_npi_subtract_scalar",
    ),
    "_mul_scalar": (
        "_MulScalar",
        "_npi_multiply_scalar",
    ),
    "_plus_scalar": (
        "_PlusScalar",
        "_npi_add_scalar",
    ),
    "_power": ("_Power",),
    "_power_scalar": ("_PowerScalar",),
    "_rdiv_scalar": (
        "_RDivScalar",
        "_npi_rtrue_divide_scalar",
    ),
    "_rminus_scalar": (
        "_RMinusScalar",
        "_npi_rsubtract_scalar",
    ),
    "_rpower_scalar": ("_RPowerScalar",),
    "add_n": ("ElementWiseSum",),
    "broadcast_add": (
        "_npi_add",
        "broadcast_plus",
    ),
    "broadcast_axis": ("broadcast_axes",),
    "broadcast_div": ("_npi_true_divide",),
    "broadcast_mul": ("_npi_multiply",),
    "broadcast_sub": (
        "_npi_subtract",
        "broadcast_minus",
    ),
    "clip": ("_npi_clip",),
    "dot": ("_np_dot",),
    "elemwise_add": (
        "_Plus",
        "_add",
        "_grad_add",
        "_plus",
    ),
    "elemwise_div": (
        "_Div",
        "_div",
    ),
    "elemwise_mul": (
        "_Mul",
        "_mul",
    ),
    "elemwise_sub": (
        "_Minus",
        "_minus",
        "_sub",
    ),
    "log_softmax": ("_npx_log_softmax",),
    "max": ("max_axis",),
    "mean": ("_npi_mean",),
    "min": ("min_axis",),
    "reverse": ("flip",),
    "slice": (
        "_npx_slice",
        "crop",
    ),
    "softmax": ("_npx_softmax",),
    "squeeze": ("_np_squeeze",),
    "stack": ("_npi_stack",),
    "sum": (
        "_np_sum",
        "sum_axis",
    ),
    "transpose": ("_np_transpose",),
    "where": ("_npi_where",),
}
for mode, gates in (("lstm", 4), ("gru", 3), ("rnn_tanh", 1), ("rnn_relu", 1)):
    for ways in (1, 2):
        count = sum(ways * gates * 4 * (width + 4 + 2) for width in (3, 4 * ways))
        states = [S.zeros(shape=(2 * ways, 2, 4)) for _ in range(1 + (mode == "lstm"))]
        layer = S.RNN(
            S.transpose(X, axes=(1, 0, 2)),
            W,
            *states,
            state_size=4,
            num_layers=2,
            mode=mode,
            bidirectional=ways == 2,
            state_outputs=True,
        )
        answer = S.Group([S.transpose(layer[0], axes=(1, 0, 2)), S.transpose(layer[1], axes=(1, 0, 2))])
        case(f"{mode}_{ways}", answer, numbers(2, 5, 3), w=0.4 * numbers(count))


def answered(symbol, given):
    """Return what MXNet answers."""
    labels = [name for name in symbol.list_arguments() if name.endswith("_label")]
    shapes = {name: array.shape for name, array in given.items()}
    if labels:
        known = dict(zip(symbol.list_arguments(), symbol.infer_shape_partial(**shapes)[0], strict=True))
        given = {**given, **{name: np.zeros(known[name], "float32") for name in labels}}
    arrays = {name: mx.nd.array(array, dtype=array.dtype) for name, array in given.items()}
    names = symbol.list_arguments()
    bound = symbol.bind(
        mx.cpu(),
        {name: arrays[name] for name in names},
        aux_states={name: arrays[name] for name in symbol.list_auxiliary_states()},
        grad_req="null",
    )
    return [output.asnumpy() for output in bound.forward(is_train=False)]


def aliases():
    """Return for each other name of an operator a case with whose answer MXNet answers under that name."""
    found = {}
    for known, others in ALIASES.items():
        with_it = [name for name, (symbol, *_) in CASES.items() if f'"op": "{known}"' in symbol.tojson()]
        for other in others:
            name = with_it[0]
            symbol, rows, weights = CASES[name]
            renamed = mx.sym.load_json(symbol.tojson().replace(f'"op": "{known}"', f'"op": "{other}"'))
            given = {**rows, **weights}
            for one, another in zip(answered(symbol, given), answered(renamed, given), strict=True):
                np.testing.assert_allclose(one, another, rtol=1e-6, atol=1e-6)
            found[other] = [known, name]
    return found


def operators():
    """Write every single operator down, in one file that compresses them together."""
    kept = {}
    kept["aliases"] = np.frombuffer(json.dumps(aliases()).encode(), "uint8")
    for name, (symbol, rows, weights) in CASES.items():
        kept[f"{name}|symbol"] = np.frombuffer(symbol.tojson().encode(), "uint8")
        kept.update({f"{name}|in|{key}": value for key, value in rows.items()})
        kept.update({f"{name}|param|{key}": value for key, value in weights.items()})
        for place, output in enumerate(answered(symbol, {**rows, **weights})):
            kept[f"{name}|out|{place}"] = output
    buffer = io.BytesIO()
    np.savez(buffer, **kept)
    (HERE / "operators.npz.xz").write_bytes(lzma.compress(buffer.getvalue()))


def gluon_files(name, network, rows):
    """Write a Gluon network as ``export`` does, and what it answers."""
    network.initialize(mx.init.Xavier())
    network.hybridize()
    network(mx.nd.array(rows))
    with mx.autograd.record():  # move the kept means and variances away from 0 and 1
        network(mx.nd.array(rows * 3 + 1))
    network.export(str(HERE / name))
    out = network(mx.nd.array(rows)).asnumpy()
    np.savez_compressed(HERE / f"{name}.npz", data=rows, out=out)


class Residual(gluon.nn.HybridBlock):
    """Two convolutions and a short cut."""

    def __init__(self, channels):
        super().__init__()
        self.body = gluon.nn.HybridSequential()
        self.body.add(
            gluon.nn.Conv2D(channels, 3, padding=1, use_bias=False),
            gluon.nn.BatchNorm(),
            gluon.nn.Activation("relu"),
            gluon.nn.Conv2D(channels, 3, padding=1, use_bias=False, groups=2),
            gluon.nn.BatchNorm(),
        )

    def hybrid_forward(self, F, x):
        return F.relu(self.body(x) + x)


class Attention(gluon.nn.HybridBlock):
    """Words, attention among them, their mean."""

    def __init__(self, size):
        super().__init__()
        self.words = gluon.nn.Embedding(20, size)
        self.query, self.key, self.value = (gluon.nn.Dense(size, flatten=False) for _ in range(3))
        self.norm = gluon.nn.LayerNorm()
        self.last = gluon.nn.Dense(3)

    def hybrid_forward(self, F, x):
        words = self.words(x)
        scores = F.softmax(F.batch_dot(self.query(words), self.key(words), transpose_b=True) / 2.0, axis=-1)
        found = self.norm(words + F.batch_dot(scores, self.value(words)))
        return F.softmax(self.last(F.mean(found, axis=1)))


def gluon_networks():
    """Write networks as Gluon exports them."""
    mx.random.seed(3)
    image = gluon.nn.HybridSequential()
    image.add(
        gluon.nn.Conv2D(4, 3, strides=2),
        gluon.nn.BatchNorm(),
        gluon.nn.LeakyReLU(0.1),
        Residual(4),
        gluon.nn.MaxPool2D(2, ceil_mode=True),
        gluon.nn.GlobalAvgPool2D(),
        gluon.nn.Dropout(0.3),
        gluon.nn.Dense(3),
    )
    gluon_files("image", image, numbers(5, 3, 12, 11))
    steps = gluon.nn.HybridSequential()
    steps.add(gluon.rnn.LSTM(4, num_layers=2, layout="NTC", bidirectional=True), gluon.nn.Dense(2))
    gluon_files("lstm", steps, numbers(5, 6, 3))
    gated = gluon.nn.HybridSequential()
    gated.add(gluon.rnn.GRU(5, layout="NTC"), gluon.nn.GELU(), gluon.nn.Dense(1))
    gluon_files("gru", gated, numbers(5, 4, 3))
    gluon_files("attention", Attention(4), whole(20, 5, 7))


def module_network():
    """Write a network as the Module interface checkpoints it."""
    hidden = S.Activation(S.FullyConnected(S.Variable("data"), num_hidden=6, name="fc1"), act_type="tanh")
    hidden = S.BatchNorm(hidden, fix_gamma=True, name="bn")
    symbol = S.SoftmaxOutput(S.FullyConnected(hidden, num_hidden=3, name="fc2"), name="softmax")
    rows = numbers(40, 4)
    labels = (rows[:, 0] > 0).astype("float32") + (rows[:, 1] > 0.5)
    module = mx.mod.Module(symbol)
    batches = mx.io.NDArrayIter(rows, labels, batch_size=10)
    module.fit(batches, num_epoch=3, optimizer_params={"learning_rate": 0.3})
    module.save_checkpoint(str(HERE / "module"), 3)
    out = module.predict(mx.io.NDArrayIter(rows[:10], None, batch_size=10)).asnumpy()
    np.savez_compressed(HERE / "module.npz", data=rows[:10], out=out)


def old_files():
    """Write the same network by hand as versions 0.5 and 0.8 did, and let MXNet answer for each."""
    weights = {
        "arg:fc_weight": numbers(4, 3),
        "arg:fc_bias": numbers(4),
        "arg:bn_gamma": positive(4),
        "arg:bn_beta": numbers(4),
        "aux:bn_moving_mean": numbers(4),
        "aux:bn_moving_var": positive(4),
    }
    nodes = [
        {"op": "null", "param": {}, "name": "data", "inputs": [], "backward_source_id": -1},
        {
            "op": "null",
            "param": {},
            "name": "fc_weight",
            "inputs": [],
            "backward_source_id": -1,
            "attr": {"lr_mult": "2"},
        },
        {"op": "null", "param": {}, "name": "fc_bias", "inputs": [], "backward_source_id": -1},
        {
            "op": "FullyConnected",
            "param": {"no_bias": "False", "num_hidden": "4"},
            "name": "fc",
            "inputs": [[0, 0], [1, 0], [2, 0]],
            "backward_source_id": -1,
        },
        {"op": "null", "param": {}, "name": "bn_gamma", "inputs": [], "backward_source_id": -1},
        {"op": "null", "param": {}, "name": "bn_beta", "inputs": [], "backward_source_id": -1},
        {
            "op": "BatchNorm",
            "param": {"eps": "0.001", "fix_gamma": "False", "momentum": "0.9", "use_global_stats": "False"},
            "name": "bn",
            "inputs": [[3, 0], [4, 0], [5, 0]],
            "backward_source_id": -1,
        },
        {"op": "null", "param": {}, "name": "softmax_label", "inputs": [], "backward_source_id": -1},
        {
            "op": "SoftmaxOutput",
            "param": {"grad_scale": "1", "multi_output": "False"},
            "name": "softmax",
            "inputs": [[6, 0], [7, 0]],
            "backward_source_id": -1,
        },
    ]
    written = {"nodes": nodes, "arg_nodes": [0, 1, 2, 4, 5, 7], "heads": [[8, 0]]}
    rows = numbers(5, 3)
    for name, magic in (("version05", None), ("version08", 0xF993FAC8)):
        (HERE / f"{name}-symbol.json").write_text(json.dumps(written, indent=1))
        content = struct.pack("<QQQ", 0x112, 0, len(weights))
        for array in weights.values():
            if magic is None:
                content += struct.pack(f"<I{array.ndim}I", array.ndim, *array.shape)
            else:
                content += struct.pack(f"<II{array.ndim}q", magic, array.ndim, *array.shape)
            content += struct.pack("<iii", 1, 0, 0) + array.tobytes()
        content += struct.pack("<Q", len(weights))
        for key in weights:
            content += struct.pack("<Q", len(key)) + key.encode()
        (HERE / f"{name}-0000.params").write_bytes(content)
        symbol, arguments, kept = mx.model.load_checkpoint(str(HERE / name), 0)
        given = {"data": rows, **{key: value.asnumpy() for key, value in {**arguments, **kept}.items()}}
        np.savez_compressed(HERE / f"{name}.npz", data=rows, out=answered(symbol, given)[0])


def arrays():
    """Write one array of each type."""
    kinds = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64")
    held = {f"arg:{kind}": mx.nd.array(np.arange(6).reshape(2, 3), dtype=kind) for kind in kinds}
    mx.nd.save(str(HERE / "types.params"), held)


if __name__ == "__main__":
    operators()
    gluon_networks()
    module_network()
    old_files()
    arrays()
