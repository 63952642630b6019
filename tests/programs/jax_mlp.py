"""A multilayer perceptron in plain JAX.

Like the "training a simple neural network" notebooks: random.key(0), weights in a list of pairs,
grad and jit, data order from NumPy's RandomState(0).
"""

import hashlib

import jax
import jax.numpy as jnp
import numpy.random as npr
from jax import grad, jit, random
from jax.scipy.special import logsumexp

layer_sizes = [64, 32, 10]
step_size = 0.05
num_epochs = 4
batch_size = 64


def init_network_params(sizes, key):
    keys = random.split(key, len(sizes))
    return [
        (0.1 * random.normal(k, (m, n)), jnp.zeros(n))
        for m, n, k in zip(sizes[:-1], sizes[1:], keys[:-1], strict=True)
    ]


def make_data(key, n=1024):
    centers_key, labels_key, noise_key = random.split(key, 3)
    centers = random.normal(centers_key, (10, 64))
    labels = random.randint(labels_key, (n,), 0, 10)
    return centers[labels] + 0.8 * random.normal(noise_key, (n, 64)), jax.nn.one_hot(labels, 10)


def predict(params, images):
    for w, b in params[:-1]:
        images = jnp.tanh(images @ w + b)
    w, b = params[-1]
    logits = images @ w + b
    return logits - logsumexp(logits, axis=1, keepdims=True)


def loss(params, batch):
    images, targets = batch
    return -jnp.mean(jnp.sum(predict(params, images) * targets, axis=1))


@jit
def update(params, batch):
    grads = grad(loss)(params, batch)
    return [
        (w - step_size * dw, b - step_size * db)
        for (w, b), (dw, db) in zip(params, grads, strict=True)
    ]


key = random.key(0)
data_key, params_key = random.split(key)
images, targets = make_data(data_key)
params = init_network_params(layer_sizes, params_key)
rng = npr.RandomState(0)
for _epoch in range(num_epochs):
    perm = rng.permutation(len(images))
    for i in range(0, len(images), batch_size):
        rows = perm[i : i + batch_size]
        params = update(params, (images[rows], targets[rows]))

print(f"loss {loss(params, (images, targets)):.4f}")
digest = hashlib.sha256()
for w, b in params:
    digest.update(jax.device_get(w).tobytes() + jax.device_get(b).tobytes())
print("result", digest.hexdigest())
