"""Train a small net in torch, tensorflow, mxnet and jax within one process.

    python version-lock/checks/combo.py [ORDER] [--steps N]

ORDER is the order of import, by default torch,tensorflow,mxnet,jax. Each framework trains twice
from the same seed; the one line printed has a hash of its trained weights, '=' if both trainings
ended in the same bits, and the seconds its import took. The exit status is 0 if all bits were
equal and every loss fell.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import importlib
import os
import resource
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Trained(NamedTuple):
    weights: str
    losses: list[float]


def digest(arrays: Iterable[Any]) -> str:
    np: Any = importlib.import_module("numpy")
    content = b"".join(np.ascontiguousarray(np.array(array)).tobytes() for array in arrays)
    return hashlib.sha256(content).hexdigest()[:12]


def data() -> tuple[Any, Any]:
    """Return 64 images, channels last, and their labels, which a linear rule gives."""
    np: Any = importlib.import_module("numpy")
    generator = np.random.RandomState(0)
    images = generator.randn(64, 8, 8, 3).astype("float32")
    rule = generator.randn(192).astype("float32")
    return images, (images.reshape(64, -1) @ rule > 0).astype("int64")


def train_torch(steps: int) -> Trained:
    torch: Any = importlib.import_module("torch")
    images, labels = data()
    torch.manual_seed(0)
    torch.use_deterministic_algorithms(True)
    nn = torch.nn
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(512, 32),
        nn.ReLU(),
        nn.Linear(32, 2),
    )
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    inputs = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    targets = torch.from_numpy(labels)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return Trained(digest(weight.detach().numpy() for weight in net.parameters()), losses)


def train_tensorflow(steps: int) -> Trained:
    tf: Any = importlib.import_module("tensorflow")
    images, labels = data()
    tf.keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()
    layers = tf.keras.layers
    net = tf.keras.Sequential(
        [
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(2),
        ]
    )
    net.build((None, 8, 8, 3))
    optimizer = tf.keras.optimizers.Adam(1e-3)
    cross_entropy = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = cross_entropy(labels, net(images, training=True))
        gradients = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
        return loss

    compiled = tf.function(step)
    losses = [float(compiled()) for _ in range(steps)]
    return Trained(digest(weight.numpy() for weight in net.trainable_variables), losses)


def train_mxnet(steps: int) -> Trained:
    mx: Any = importlib.import_module("mxnet")
    np: Any = importlib.import_module("numpy")
    images, labels = data()
    mx.random.seed(0)
    # mxnet's initializers draw from NumPy's global generator as well.
    np.random.seed(0)
    nn = mx.gluon.nn
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(8, 3, padding=1, activation="relu"),
        nn.Flatten(),
        nn.Dense(32, activation="relu"),
        nn.Dense(2),
    )
    net.initialize(mx.init.Xavier())
    net.hybridize()
    trainer = mx.gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 1e-3})
    cross_entropy = mx.gluon.loss.SoftmaxCrossEntropyLoss()
    inputs, targets = mx.nd.array(images.transpose(0, 3, 1, 2)), mx.nd.array(labels)
    losses = []
    for _ in range(steps):
        with mx.autograd.record():
            loss = cross_entropy(net(inputs), targets).mean()
        loss.backward()
        trainer.step(1)
        losses.append(float(loss.asscalar()))
    return Trained(digest(p.data().asnumpy() for p in net.collect_params().values()), losses)


def train_jax(steps: int) -> Trained:
    jax: Any = importlib.import_module("jax")
    jnp: Any = importlib.import_module("jax.numpy")
    images, labels = data()
    keys = jax.random.split(jax.random.key(0), 3)
    weights = [
        jax.random.normal(keys[0], (3, 3, 3, 8)) * 0.1,
        jax.random.normal(keys[1], (512, 32)) * 0.05,
        jax.random.normal(keys[2], (32, 2)) * 0.1,
    ]

    def cross_entropy(weights: Any, inputs: Any, targets: Any) -> Any:
        layout = ("NHWC", "HWIO", "NHWC")
        hidden = jax.lax.conv_general_dilated(
            inputs, weights[0], (1, 1), "SAME", dimension_numbers=layout
        )
        hidden = jax.nn.relu(hidden).reshape(inputs.shape[0], -1)
        outputs = jax.nn.log_softmax(jax.nn.relu(hidden @ weights[1]) @ weights[2])
        return -jnp.mean(jnp.take_along_axis(outputs, targets[:, None], 1))

    step = jax.jit(jax.value_and_grad(cross_entropy))
    losses = []
    for _ in range(steps):
        loss, gradients = step(weights, images, labels.astype("int32"))
        weights = [w - 0.1 * g for w, g in zip(weights, gradients, strict=True)]
        losses.append(float(loss))
    return Trained(digest(weights), losses)


TRAIN: dict[str, Callable[[int], Trained]] = {
    "torch": train_torch,
    "tensorflow": train_tensorflow,
    "mxnet": train_mxnet,
    "jax": train_jax,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("order", nargs="?", default=",".join(TRAIN))
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    order = options.order.split(",")
    if unknown := sorted(set(order) - set(TRAIN)):
        parser.error(f"ORDER names {', '.join(unknown)}; allowed: {', '.join(TRAIN)}")

    # A crash in one framework's C code says which one; the reason this check exists.
    faulthandler.enable()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    seconds = {}
    for name in order:
        started = time.perf_counter()
        importlib.import_module(name)
        seconds[name] = time.perf_counter() - started

    rounds = [{name: TRAIN[name](options.steps) for name in order} for _ in range(2)]
    good, parts = True, []
    for name in order:
        first, second = (trained[name] for trained in rounds)
        equal, learned = first == second, first.losses[-1] < first.losses[0]
        good = good and equal and learned
        verdict = ("=" if equal else f"!={second.weights}") + ("" if learned else " (loss rose)")
        parts.append(f"{name} {first.weights}{verdict} import {seconds[name]:.1f} s")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{'ok' if good else 'BAD'}: {'; '.join(parts)}; {memory} MB")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
