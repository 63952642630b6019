"""Dense layers, a convolution, batch norm, attention, dropout and Adam in JAX."""

import sys

import jax
import jax.numpy as jnp

import seedlock

TYPE = sys.argv[1] if len(sys.argv) > 1 else "float32"
jax.config.update("jax_enable_x64", TYPE == "float64")
WIDTH = 64


def normal(key, *shape):
    return jax.random.normal(key, shape, TYPE) / shape[0] ** 0.5


def forward(weights, key, images):
    hidden = jax.lax.conv_general_dilated(
        images, weights["kernel"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    hidden = (hidden - hidden.mean((0, 1, 2))) / jnp.sqrt(hidden.var((0, 1, 2)) + 1e-5)
    hidden = jnp.tanh(hidden).reshape(len(images), -1, WIDTH)
    hidden = jax.nn.gelu(hidden @ weights["dense"])
    hidden = jnp.where(jax.random.bernoulli(key, 0.8, hidden.shape), hidden / 0.8, 0)
    query, keys, values = (hidden @ weights[name] for name in ("query", "key", "value"))
    scores = jax.nn.softmax(query @ keys.transpose(0, 2, 1) / WIDTH**0.5)
    return (scores @ values).mean(1) @ weights["out"]


@jax.jit
def train(weights, first, second, step, key, images, labels):
    def loss_of(weights):
        odds = jax.nn.log_softmax(forward(weights, key, images))
        return -odds[jnp.arange(len(labels)), labels].mean()

    loss, slopes = jax.value_and_grad(loss_of)(weights)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, slopes)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, slopes)
    rate = 0.01 * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    weights = jax.tree.map(
        lambda w, m, v: (w - rate * m / (jnp.sqrt(v) + 1e-8)).astype(TYPE), weights, first, second
    )
    return weights, first, second, loss


keys = jax.random.split(jax.random.key(0), 8)
weights = {
    "kernel": normal(keys[0], 3, 3, 3, 16), "dense": normal(keys[1], WIDTH, WIDTH),
    "query": normal(keys[2], WIDTH, WIDTH), "key": normal(keys[3], WIDTH, WIDTH),
    "value": normal(keys[4], WIDTH, WIDTH), "out": normal(keys[5], WIDTH, 10),
}  # fmt: skip
seedlock.checkpoint("initial values", weights)
first = second = jax.tree.map(jnp.zeros_like, weights)
for step in range(1, 4):
    key = jax.random.fold_in(keys[6], step)
    images, labels = normal(key, 8, 8, 8, 3), jax.random.randint(key, (8,), 0, 10)
    seedlock.checkpoint("logits", forward(weights, key, images))
    weights, first, second, loss = train(weights, first, second, step, key, images, labels)
    seedlock.checkpoint("loss", loss)
    seedlock.checkpoint("weights", weights)
print(float(loss))
