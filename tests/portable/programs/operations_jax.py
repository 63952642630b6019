"""Operations of JAX, each compiled alone."""

import jax
import jax.numpy as jnp
import numpy as np
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

jax.config.update("jax_enable_x64", TYPE == "float64")
lax, nn, linalg, draw = jax.lax, jax.nn, jnp.linalg, jax.random
MAPS = (
    "sqrt exp exp2 expm1 log log1p log2 log10 sin cos tan tanh sinh cosh arctan arcsinh cbrt "
    "reciprocal square floor"
)


def run(name, function, *values):
    say(name, *jax.tree.leaves(jax.jit(function)(*values)))


def convolve(images, kernel, stride=1, groups=1):
    return lax.conv_general_dilated(
        images, kernel, (stride, stride), "SAME", feature_group_count=groups,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )  # fmt: skip


def norm(a):
    return (a - a.mean((0, 1, 2))) / jnp.sqrt(a.var((0, 1, 2)) + 1e-5)


def slopes(function, count):
    return jax.grad(lambda *values: (function(*values) ** 3).sum(), tuple(range(count)))


for name in MAPS.split():
    run(name, getattr(jnp, name), VECTOR)
for name in ("arcsin", "arccos", "arctanh"):
    run(name, getattr(jnp, name), FRACTIONS)
for name in ["erf", "erfc", "lgamma", "digamma", "erf_inv", "logistic", "bessel_i0e"]:
    run(name, getattr(lax, name), FRACTIONS)
run("arccosh", jnp.arccosh, VECTOR + 1)
run("arctan2", jnp.arctan2, VECTOR, FRACTIONS)
run("rsqrt", lax.rsqrt, VECTOR)
run("1/sqrt", lambda v: 1 / jnp.sqrt(v), VECTOR)
run("x/sqrt", lambda v: v / jnp.sqrt(v + 1), VECTOR)
for power in (0.5, -0.5, 1.7):
    run(f"power {power}", lambda v, power=power: v**power, VECTOR)
run("division", lambda a, b: a / (b + 1), VECTOR, FRACTIONS)
run("chain", lambda a, b: (a * b + b * b - a * a) * (a + b * a), VECTOR, FRACTIONS)
for name in [
    "gelu",
    "silu",
    "softplus",
    "elu",
    "selu",
    "mish",
    "sigmoid",
    "softmax",
    "log_softmax",
    "logsumexp",
]:
    run(name, getattr(nn, name), MATRIX - 1.5)
for name in ["sum", "mean", "std", "var", "prod", "cumsum", "max"]:
    function = getattr(jnp, name)
    run(name, function, VECTOR - 1)
    for axis in (0, 1):
        run(f"{name} {axis}", lambda v, f=function, axis=axis: f(v, axis=axis), MATRIX - 1)
run("sum big", jnp.sum, BIG)
run("norm", linalg.norm, BIG)
for name, value in {"small": MATRIX[:8, :8], "matrix": MATRIX, "big": BIG, "wide": WIDE}.items():
    run(f"product {name}", lambda a: a @ a.T, value)
run("product tall", lambda a: a.T @ a, TALL)
run("product precise", lambda a: jnp.dot(a, a.T, precision="highest"), BIG)
for half in ("bfloat16", "float16"):
    run(f"product {half}", lambda a, t=half: (a.astype(t) @ a.T.astype(t)).astype(TYPE), BIG)
run("matrix vector", lambda a: a @ a[0], BIG)
run("dot", lambda a: jnp.dot(a, a), VECTOR)
run("batched", lambda a: a.reshape(8, 32, 512) @ a.reshape(8, 512, 32), BIG)
run("einsum", lambda a: jnp.einsum("bij,bkj->bik", a, a), BIG.reshape(8, 32, 512))
for name, images, kernel in (("", IMAGES, KERNEL), (" many", MANY, KERNELS)):
    run(f"convolution{name}", convolve, images, kernel)
    run(f"convolution{name} slopes", slopes(convolve, 2), images, kernel)
    run(f"convolution{name} stride", lambda a, b: convolve(a, b, 2), images, kernel)
run("depthwise", lambda a, b: convolve(a, b[:, :, :1], groups=8), IMAGES, KERNEL)
run("batch norm", norm, IMAGES)
run("batch norm slopes", slopes(norm, 1), IMAGES)
run("attention", lambda a: nn.dot_product_attention(a, a, a), IMAGES)
for name in ("inv", "cholesky", "det", "eigh"):
    run(name, getattr(linalg, name), SYMMETRIC)
run("svd", lambda a: linalg.svd(a)[1], SYMMETRIC)
run("qr", lambda a: linalg.qr(a)[1], SYMMETRIC)
run("solve", lambda a: linalg.solve(a, a[:, :3]), SYMMETRIC)
run("transform", jnp.fft.rfft, MATRIX)
rows = np.arange(50) % 7
run("scatter", lambda a: jnp.zeros((8, 100), TYPE).at[rows].add(a)[:7], MATRIX)
run("scan", lambda a: lax.scan(lambda c, x: (jnp.tanh(c * 0.3 + x),) * 2, a[:, 0], a.T), MATRIX)
run("complex", lambda a: jnp.exp(a + 1j * a) @ (a.T - 1j * a.T), MATRIX)
key = draw.key(1)
for name in ["normal", "uniform", "exponential", "gumbel", "laplace", "cauchy", "logistic"]:
    run(f"draw {name}", lambda k, name=name: getattr(draw, name)(k, (1000,), TYPE), key)
run("draw gamma", lambda k: draw.gamma(k, 2.0, (100,), TYPE), key)
run("draw poisson", lambda k: draw.poisson(k, 3.0, (100,)), key)
run("draw truncated", lambda k: draw.truncated_normal(k, -1.0, 1.0, (1000,), TYPE), key)
