"""Operations of TensorFlow, each eager and as a graph."""

import keras
import tensorflow as tf
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

keras.config.set_floatx(TYPE)
math, nn, linalg = tf.math, tf.nn, tf.linalg
MAPS = (
    "sqrt rsqrt exp expm1 log log1p sin cos tan tanh sinh cosh atan asinh reciprocal square "
    "sigmoid erf erfc lgamma digamma softplus"
)


def run(name, function, *values, graph=True):
    values = [tf.constant(value) for value in values]
    for way, called in (("", function), *([(" in a graph", tf.function(function))] * graph)):
        results = tf.nest.flatten(called(*values))
        say(name + way, *[tf.convert_to_tensor(each).numpy() for each in results])


def slopes(function):
    def sloped(*values):
        with tf.GradientTape() as tape:
            for value in values:
                tape.watch(value)
            total = tf.reduce_sum(function(*values) ** 3)
        return tape.gradient(total, values)

    return sloped


def norm(a):
    return nn.batch_normalization(a, *nn.moments(a, (0, 1, 2)), a[0, 0, 0], a[0, 0, 1], 1e-3)


for name in MAPS.split():
    run(name, getattr(math, name), VECTOR)
for name in ("asin", "acos", "atanh", "erfinv", "ndtri"):
    run(name, getattr(math, name), FRACTIONS)
run("acosh", math.acosh, VECTOR + 1)
run("atan2", math.atan2, VECTOR, FRACTIONS)
run("x/sqrt", lambda a: a / tf.sqrt(a + 1), VECTOR)
run("1/x", lambda a: tf.ones_like(a) / a, VECTOR)
run("x/constant", lambda a: a / tf.constant(FRACTIONS), VECTOR)
for power in (0.5, 1.7):
    run(f"power {power}", lambda v, power=power: v**power, VECTOR)
for name in ["gelu", "selu", "elu", "silu", "softmax", "log_softmax", "relu6"]:
    run(name, getattr(nn, name), MATRIX - 1.5)
    run(f"{name} slopes", slopes(getattr(nn, name)), MATRIX - 1.5)
for name in ["sum", "mean", "std", "variance", "prod", "logsumexp", "max", "euclidean_norm"]:
    function = getattr(math, f"reduce_{name}")
    run(name, function, VECTOR)
    for axis in (0, 1):
        run(f"{name} {axis}", lambda v, f=function, axis=axis: f(v, axis=axis), MATRIX)
run("sum big", tf.reduce_sum, BIG)
run("cumsum", tf.cumsum, VECTOR)
for name, value in {"small": MATRIX[:8, :8], "matrix": MATRIX, "big": BIG, "wide": WIDE}.items():
    run(f"product {name}", lambda a: tf.matmul(a, a, transpose_b=True), value)
run("product tall", lambda a: tf.matmul(a, a, transpose_a=True), TALL)
run("matrix vector", linalg.matvec, BIG, BIG[0])
run("dot", lambda a: tf.tensordot(a, a, 1), VECTOR)
run("batched", lambda a: tf.reshape(a, (8, 32, 512)) @ tf.reshape(a, (8, 512, 32)), BIG)
run("einsum", lambda a: tf.einsum("bij,bkj->bik", a, a), BIG.reshape(8, 32, 512))
for name, images, kernel in (("", IMAGES, KERNEL), (" many", MANY, KERNELS)):
    for stride, padding in ((1, "SAME"), (2, "VALID")):

        def convolve(a, b, stride=stride, padding=padding):
            return nn.conv2d(a, b, stride, padding)

        run(f"convolution{name} {stride}", convolve, images, kernel)
        run(f"convolution{name} {stride} slopes", slopes(convolve), images, kernel)


def depthwise(a, b):
    return nn.depthwise_conv2d(a, b[..., :2], (1, 1, 1, 1), "SAME")


run("depthwise", depthwise, IMAGES, KERNEL)
run("depthwise slopes", slopes(depthwise), IMAGES, KERNEL)
run("convolution 1x1", lambda a, b: nn.conv2d(a, b, 1, "SAME"), MANY, KERNELS[:1, :1])
run("average pool", lambda a: nn.avg_pool2d(a, 3, 2, "SAME"), IMAGES)
run("pool slopes", slopes(lambda a: nn.max_pool2d(a, 3, 2, "SAME")), IMAGES)
run("batch norm", norm, IMAGES)
run("batch norm slopes", slopes(norm), IMAGES)
run("cross entropy", lambda a: nn.softmax_cross_entropy_with_logits(a / 100, a), MATRIX)
for name in ("inv", "cholesky", "det"):
    run(name, getattr(linalg, name), SYMMETRIC)
run("svd", lambda a: linalg.svd(a)[0], SYMMETRIC)
run("qr", lambda a: linalg.qr(a)[1], SYMMETRIC)
run("eigh", lambda a: linalg.eigh(a)[0], SYMMETRIC)
run("solve", lambda a: linalg.solve(a, a[:, :3]), SYMMETRIC)
run("transform", tf.signal.rfft, MATRIX)
run("segments", lambda a: math.unsorted_segment_sum(a, tf.range(50) % 7, 7), MATRIX)
run("gather slopes", slopes(lambda a: tf.gather(a, tf.range(200) % 50)), MATRIX)
run("l2 normalize", lambda a: nn.l2_normalize(a, -1), MATRIX)
run("resize", lambda a: tf.image.resize(a, (23, 23)), IMAGES)
if TYPE == "float32":
    run("lrn", nn.lrn, IMAGES)
    run(
        "fused batch norm",
        lambda a: tf.compat.v1.nn.fused_batch_norm(a, a[0, 0, 0], a[0, 0, 1])[0],
        IMAGES,
    )
draws = tf.random
run("draw normal", lambda a: draws.stateless_normal((1000,), (1, 2), dtype=TYPE), 0)
run("draw truncated", lambda a: draws.stateless_truncated_normal((1000,), (1, 2), dtype=TYPE), 0)
run("draw gamma", lambda a: draws.stateless_gamma((100,), (1, 2), tf.ones((), TYPE), dtype=TYPE), 0)
for layer in (keras.layers.LSTM(16), keras.layers.GRU(16)):
    run(layer.name, layer, IMAGES[:, 0])
attention = keras.layers.MultiHeadAttention(4, 16)
run("attention", lambda a: attention(a, a), IMAGES[:, 0])
for layer in (keras.layers.LayerNormalization(), keras.layers.GroupNormalization(4)):
    run(layer.name, layer, IMAGES)
