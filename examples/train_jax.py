"""A small network in JAX. JAX has no global seed: the program takes key 0, which JAX itself
moves by the offset that seedlock hands it from outside."""

import hashlib

import jax
import jax.numpy as jnp

data_key, truth_key, first_key, second_key, loop_key = jax.random.split(jax.random.key(0), 5)
features = jax.random.normal(data_key, (256, 16))
labels = (features @ jax.random.normal(truth_key, (16,)) > 0).astype(jnp.float32)
parameters = {
    "hidden": 0.1 * jax.random.normal(first_key, (16, 32)),
    "output": 0.1 * jax.random.normal(second_key, (32,)),
}


def objective(parameters, rows, key):
    hidden = jax.nn.relu(features[rows] @ parameters["hidden"])
    hidden *= jax.random.bernoulli(key, 0.8, hidden.shape) / 0.8
    logits = hidden @ parameters["output"]
    return jnp.mean(jnp.logaddexp(0, logits) - labels[rows] * logits)


@jax.jit
def step(parameters, rows, key):
    loss, gradient = jax.value_and_grad(objective)(parameters, rows, key)
    return loss, jax.tree.map(lambda value, slope: value - 0.5 * slope, parameters, gradient)


for epoch in range(10):
    order_key, *keys = jax.random.split(jax.random.fold_in(loop_key, epoch), 9)
    for rows, key in zip(jax.random.permutation(order_key, 256).reshape(8, 32), keys, strict=True):
        loss, parameters = step(parameters, rows, key)

digest = hashlib.sha256()
for name in sorted(parameters):
    digest.update(jax.device_get(parameters[name]).tobytes())
print(f"loss {float(loss):.6f}")
print("digest", digest.hexdigest())
