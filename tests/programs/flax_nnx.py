"""A small network in Flax NNX with optax.

Like the "MNIST tutorial" of Flax: nnx.Rngs(0) for parameters and dropout, nnx.jit train step, and
random crops of the pictures from an unseeded NumPy generator.
"""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx


class CNN(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.conv = nnx.Conv(1, 8, kernel_size=(3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.dropout = nnx.Dropout(rate=0.1, rngs=rngs)
        self.linear = nnx.Linear(8 * 4 * 4, 4, rngs=rngs)

    def __call__(self, x):
        x = nnx.avg_pool(nnx.relu(self.norm(self.conv(x))), (2, 2), strides=(2, 2))
        return self.linear(self.dropout(x.reshape(x.shape[0], -1)))


def loss_fn(model, images, labels):
    logits = model(images)
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


@nnx.jit
def train_step(model, optimizer, images, labels):
    loss, grads = nnx.value_and_grad(loss_fn)(model, images, labels)
    optimizer.update(model, grads)
    return loss


def make_dataset(n=256):
    """Bright quadrants in a 10x10 picture."""
    grid = np.arange(n)
    labels = grid % 4
    images = np.sin(grid[:, None, None] * np.arange(100).reshape(10, 10) % 7).astype(np.float32)
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 2)
        image[5 * row : 5 * row + 5, 5 * column : 5 * column + 5] += 1.5
    return images[..., None], labels


rng = np.random.default_rng()
images, labels = make_dataset()
model = CNN(rngs=nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adamw(1e-3), wrt=nnx.Param)
for _epoch in range(3):
    order = rng.permutation(len(images))
    for rows in order.reshape(-1, 32):
        top, left = rng.integers(0, 3, size=2)
        batch = images[rows, top : top + 8, left : left + 8]
        loss = train_step(model, optimizer, jnp.asarray(batch), jnp.asarray(labels[rows]))

print(f"loss {float(loss):.4f}")
digest = hashlib.sha256()
for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)):
    digest.update(np.asarray(leaf).tobytes())
print("result", digest.hexdigest())
