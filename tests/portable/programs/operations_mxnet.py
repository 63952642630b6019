"""Operations of MXNet."""

import mxnet as mx
import numpy as np
from mxnet import autograd, nd
from results import (
    BIG,
    FRACTIONS,
    IMAGES,
    KERNEL,
    KERNELS,
    MANY,
    MATRIX,
    SYMMETRIC,
    TALL,
    TYPE,
    VECTOR,
    WIDE,
    say,
)  # fmt: skip

IMAGES, MANY = (np.ascontiguousarray(each.transpose(0, 3, 1, 2)) for each in (IMAGES, MANY))
KERNEL, KERNELS = (np.ascontiguousarray(each.transpose(3, 2, 0, 1)) for each in (KERNEL, KERNELS))
ONES = np.full(8, 1.1, TYPE)
MAPS = (
    "sqrt rsqrt cbrt rcbrt exp expm1 log log1p log2 log10 sin cos tan tanh sinh cosh arctan "
    "arcsinh reciprocal square sigmoid erf gamma gammaln softsign relu"
)


def run(name, function, *values):
    results = function(*[nd.array(value, dtype=TYPE) for value in values])
    results = results if isinstance(results, (list, tuple)) else [results]
    say(name, *[each.asnumpy() for each in results])


def slopes(function):
    def sloped(*values):
        for value in values:
            value.attach_grad()
        with autograd.record():
            total = (function(*values) ** 3).sum()
        total.backward()
        return [value.grad for value in values]

    return sloped


def convolve(a, b, stride=1, groups=1):
    return nd.Convolution(
        a, b, no_bias=True, kernel=(3, 3), num_filter=b.shape[0], stride=(stride, stride),
        num_group=groups,
    )  # fmt: skip


def norm(a, scale, shift):
    zeros = nd.zeros(8, dtype=TYPE)
    return nd.BatchNorm(a, scale, shift, zeros, zeros + 1, fix_gamma=False)


for name in MAPS.split():
    run(name, getattr(nd, name), VECTOR)
for name in ("arcsin", "arccos", "arctanh", "erfinv"):
    run(name, getattr(nd, name), FRACTIONS)
run("power", lambda v: v**1.7, VECTOR)
run("division", lambda a, b: a / (b + 1), VECTOR, FRACTIONS)
for name in ("softmax", "log_softmax"):
    run(name, getattr(nd, name), MATRIX)
    run(f"{name} slopes", slopes(getattr(nd, name)), MATRIX)
for kind in ("elu", "selu", "gelu", "leaky"):
    run(kind, lambda a, kind=kind: nd.LeakyReLU(a, act_type=kind), MATRIX - 1.5)
for name in ["sum", "mean", "prod", "norm", "max"]:
    function = getattr(nd, name)
    run(name, function, VECTOR)
    for axis in (0, 1):
        run(f"{name} {axis}", lambda v, f=function, axis=axis: f(v, axis=axis), MATRIX)
run("sum big", nd.sum, BIG)
run("cumsum", nd.cumsum, VECTOR)
for name, value in {
    "small": MATRIX[:8, :8], "matrix": MATRIX, "big": BIG, "wide": WIDE, "tall": TALL,
}.items():  # fmt: skip
    run(f"product {name}", lambda a: nd.dot(a, a.T), value)
    run(
        f"dense {name}",
        lambda a: nd.FullyConnected(a, a, no_bias=True, num_hidden=a.shape[0]),
        value,
    )
run("matrix vector", lambda a: nd.dot(a, a[0]), BIG)
run("dot", lambda a: nd.dot(a, a), VECTOR)
run("batched", lambda a: nd.batch_dot(a.reshape((8, 32, 512)), a.reshape((8, 512, 32))), BIG)
for name, images, kernel in (("", IMAGES, KERNEL), (" many", MANY, KERNELS)):
    for stride in (1, 2):
        function = lambda a, b, stride=stride: convolve(a, b, stride)  # noqa: E731
        run(f"convolution{name} {stride}", function, images, kernel)
        run(f"convolution{name} {stride} slopes", slopes(function), images, kernel)
run("depthwise", lambda a, b: convolve(a, b, groups=8), IMAGES, KERNEL[:8, :1])
run(
    "deconvolution",
    lambda a, b: nd.Deconvolution(a, b, no_bias=True, kernel=(3, 3), num_filter=8),
    IMAGES, KERNEL[:8],
)  # fmt: skip
for kind in ("avg", "max"):
    function = lambda a, kind=kind: nd.Pooling(  # noqa: E731
        a, kernel=(3, 3), stride=(2, 2), pool_type=kind
    )
    run(f"{kind} pool", function, IMAGES)
    run(f"{kind} pool slopes", slopes(function), IMAGES)
with autograd.train_mode():
    run("batch norm", norm, IMAGES, ONES, ONES)
run("batch norm slopes", slopes(norm), IMAGES, ONES, ONES)
run("layer norm", nd.LayerNorm, MATRIX, MATRIX[0], MATRIX[1])
run("layer norm slopes", slopes(nd.LayerNorm), MATRIX, MATRIX[0], MATRIX[1])
run("l2 normalization", nd.L2Normalization, MATRIX)
for name in ("potrf", "det", "inverse", "syrk", "gelqf", "syevd"):
    run(name, getattr(nd.linalg, name), SYMMETRIC)
run("take slopes", slopes(lambda a: nd.take(a, nd.array(np.arange(200) % 50))), MATRIX)
for name in ("normal", "exponential", "uniform"):
    run(
        f"draw {name}",
        lambda a, name=name: getattr(nd.random, name)(shape=1000, dtype=TYPE),
        MATRIX,
    )
run("draw gamma", lambda a: nd.random.gamma(2, 1, shape=1000, dtype=TYPE), MATRIX)
for cell in (mx.gluon.rnn.LSTM(16), mx.gluon.rnn.GRU(16)):
    cell.initialize(mx.init.Xavier())
    cell.cast(TYPE)
    run(type(cell).__name__, cell, IMAGES.reshape(32, 16, 16))
adam, weights = mx.optimizer.Adam(), nd.array(MATRIX, dtype=TYPE)
adam.update(0, weights, weights - 1, adam.create_state(0, weights))
run("Adam", lambda a: weights, MATRIX)
