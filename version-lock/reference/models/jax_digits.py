"""Digits in JAX with optax: a small convolutional network after LeNet-5. Seeds nothing."""

import jax
import jax.numpy as jnp
import optax
from tasks import digits

import seedlock

glorot = jax.nn.initializers.glorot_uniform()
data = digits.load()
images, labels = jnp.asarray(data.images[..., None]), jnp.asarray(data.labels)
test_images, test_labels = jnp.asarray(data.test_images[..., None]), jnp.asarray(data.test_labels)
STEPS = len(images) // digits.BATCH
SHAPES = {"first": (3, 3, 1, 16), "second": (3, 3, 16, 32), "dense": (128, 64), "output": (64, 10)}


def start(key):
    keys = jax.random.split(key, len(SHAPES))
    weights = {name: glorot(each, SHAPES[name]) for name, each in zip(SHAPES, keys, strict=True)}
    return weights | {f"{name} bias": jnp.zeros(SHAPES[name][-1]) for name in SHAPES}


def convolve(weights, name, images):
    found = jax.lax.conv_general_dilated(
        images, weights[name], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return jax.nn.relu(found + weights[f"{name} bias"])


def forward(weights, images, key=None):
    hidden = convolve(weights, "second", convolve(weights, "first", images))
    hidden = jax.lax.reduce_window(
        hidden, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"
    )
    hidden = hidden.reshape(len(images), -1) @ weights["dense"] + weights["dense bias"]
    hidden = jax.nn.relu(hidden)
    if key is not None:
        kept = 1 - digits.DROPPED
        hidden = jnp.where(jax.random.bernoulli(key, kept, hidden.shape), hidden / kept, 0)
    return hidden @ weights["output"] + weights["output bias"]


optimizer = optax.adam(lambda step: digits.FIRST_RATE * (1 - step // STEPS / digits.EPOCHS))


@jax.jit
def train(weights, state, rows, key):
    def objective(weights):
        logits = forward(weights, images[rows], key)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels[rows]).mean()

    loss, slopes = jax.value_and_grad(objective)(weights)
    changes, state = optimizer.update(slopes, state)
    return optax.apply_updates(weights, changes), state, loss


@jax.jit
def test(weights):
    return (forward(weights, test_images).argmax(1) == test_labels).mean()


start_key, loop_key = jax.random.split(jax.random.key(0))
weights = start(start_key)
state = optimizer.init(weights)
for epoch in range(1, digits.EPOCHS + 1):
    order_key, drop_key = jax.random.split(jax.random.fold_in(loop_key, epoch))
    order = jax.random.permutation(order_key, len(images)).reshape(STEPS, digits.BATCH)
    for rows, key in zip(order, jax.random.split(drop_key, STEPS), strict=True):
        weights, state, loss = train(weights, state, rows, key)
    accuracy = float(test(weights))
    seedlock.log_metric("accuracy_by_epoch", accuracy, step=epoch)
seedlock.log_metric("accuracy", accuracy)
print(f"accuracy {accuracy:.4f}")
