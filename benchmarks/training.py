"""Measure training loops under REPRO_SEED against the same loops with seeds set by hand.

A pair is two fresh processes with one loop: the one is locked from outside at level strict, the
other seeds by hand and sets no determinism flag. Both are built, traced and warm before anything
is timed; then they take turns, a slice of the loop each, and the one that waits is stopped. Fresh
ones, because two equal processes can differ by a fifth for as long as they live: where their memory
lies is luck. Where the throughput is below the limit, or with --switches all, each of the
framework's switches also runs alone, which names the price of each. The exit status is 0 whatever
the verdicts, 1 if something failed to run.
"""

from __future__ import annotations

import itertools
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks import pairs
    from benchmarks.pairs import Failed, Figure

    Loop = Callable[[bool], Callable[[int], None]]
else:
    import pairs
    from pairs import Failed, Figure

LIMIT = 0.97
BATCH = 64
SLICE_SECONDS = 0.25
SLICES = 4
FEWEST = 3
"""Rounds that are measured however long they take."""

FRAMEWORKS = ("numpy", "torch", "keras", "mxnet", "jax")


class Switch(NamedTuple):
    """One of the switches that level strict sets: variables before, or a statement after import."""

    name: str
    environment: dict[str, str]
    statement: str = ""


XLA_FLAGS = "--xla_gpu_deterministic_ops=true --xla_gpu_autotune_level=0"
OMP = Switch(
    "OMP_DYNAMIC=FALSE, MKL_DYNAMIC=FALSE", {"OMP_DYNAMIC": "FALSE", "MKL_DYNAMIC": "FALSE"}
)
XLA = Switch("XLA_FLAGS (deterministic ops, no autotuning)", {"XLA_FLAGS": XLA_FLAGS})
SWITCHES: dict[str, tuple[Switch, ...]] = {
    "numpy": (OMP,),
    "torch": (
        Switch(
            "set_deterministic_debug_mode('error')",
            {},
            "import torch; torch.set_deterministic_debug_mode('error');"
            "torch.utils.deterministic.fill_uninitialized_memory = False",
        ),
        Switch(
            "the same with fill_uninitialized_memory",
            {},
            "import torch; torch.set_deterministic_debug_mode('error');"
            "torch.utils.deterministic.fill_uninitialized_memory = True",
        ),
        Switch(
            "backends.mkldnn.deterministic",
            {},
            "import torch; torch.backends.mkldnn.deterministic = True",
        ),
        OMP,
    ),
    "keras": (
        Switch("TF_ENABLE_ONEDNN_OPTS=0", {"TF_ENABLE_ONEDNN_OPTS": "0"}),
        Switch(
            "enable_op_determinism()",
            {},
            "import tensorflow; tensorflow.config.experimental.enable_op_determinism()",
        ),
        XLA,
        OMP,
    ),
    "mxnet": (
        Switch("MXNET_ENFORCE_DETERMINISM=1", {"MXNET_ENFORCE_DETERMINISM": "1"}),
        OMP,
    ),
    "jax": (XLA, Switch("JAX_THREEFRY_PARTITIONABLE=1", {"JAX_THREEFRY_PARTITIONABLE": "1"}), OMP),
}
"""What can change speed on a CPU, each alone; the variables for CUDA alone are left out."""


def main() -> int:
    """Measure and print; return the exit status."""
    parser = pairs.parser(__doc__, pairs=pairs.MIN_PAIRS)
    parser.add_argument("--only", nargs="+", choices=FRAMEWORKS, default=FRAMEWORKS)
    parser.add_argument(
        "--switches",
        choices=("below", "all", "none"),
        default="below",
        help="measure each switch alone: where the limit is missed, for all, or not at all",
    )
    parser.add_argument(
        "--cores",
        type=int,
        default=0,
        metavar="N",
        help="let the loops have N cores; 1 on a machine that is not ours alone (default: all)",
    )
    parser.add_argument("--worker", choices=FRAMEWORKS, help="internal: be the measured process")
    parser.add_argument("--statement", default="", help="internal: what the worker does first")
    options = parser.parse_args()
    if options.worker:
        return work(LOOPS, options.worker, options.statement, options.cores)
    figures: list[Figure] = []
    notes: list[str] = []
    prices: list[tuple[str, str, float, float]] = []
    for name in options.only:
        locked = Switch("level strict", {**pairs.locked_environment()})
        chosen = (locked, *SWITCHES[name]) if options.switches == "all" else (locked,)
        found, step, _ = compare(name, chosen, options.pairs, options.cores)
        figures += found[:2]
        notes.append(f"{name}: {step * 1000:.1f} ms per step of {BATCH} samples, unlocked")
        if options.switches == "below" and found[0].ratio.median < LIMIT:
            chosen = SWITCHES[name]
            more = compare(name, chosen, options.pairs, options.cores).figures
            found += more
            chosen = (locked, *chosen)
        figures += [each._replace(limit=None) for each in found[2:]]
        if len(chosen) > 1:
            prices += [
                (name, switch.name, wall.ratio.median, processor.ratio.median)
                for switch, wall, processor in zip(chosen, found[::2], found[1::2], strict=True)
            ]
    if prices:
        notes += [
            "",
            "unlocked = 1",
            "| framework | switch | throughput | per processor second |",
            "|---|---|---|---|",
        ]
        notes += [
            f"| {name} | {switch} | {wall:.2f} | {processor:.2f} |"
            for name, switch, wall, processor in prices
        ]
    cores = options.cores or len(os.sched_getaffinity(0))
    notes.append(f"the loops had {cores} core{'s' if cores > 1 else ''}")
    pairs.finish(figures, options.pairs, options.json, notes, warm_up=0)
    return 0


class Compared(NamedTuple):
    """What came of a loop: two figures for each switch, by wall and by processor time, the seconds
    per step without any switch, and how many rounds were measured."""

    figures: list[Figure]
    step: float
    rounds: int


def compare(
    name: str,
    switches: tuple[Switch, ...],
    rounds: int,
    cores: int,
    seconds: float | None = None,
    script: str = __file__,
) -> Compared:
    """Measure a loop under each of the switches, against the same loop without any.

    Args:
        name: of the loop.
        switches: what to measure.
        rounds: how many fresh processes of each.
        cores: how many the loops may use; 0 for all.
        seconds: begin no round that would not be over by then, after the first `FEWEST`.
        script: has the loop, and the options --worker, --statement and --cores.
    """
    began = time.monotonic()
    free = pairs.free_environment()
    every = (Switch("unlocked", {}), *switches)
    measured: dict[str, dict[str, list[float]]] = {
        switch.name: {"throughput": [], "per processor second": []} for switch in every
    }
    steps = 0
    for number in range(rounds):
        if seconds is not None and number >= FEWEST:
            spent = time.monotonic() - began
            if spent + spent / number > seconds:
                break
        pairs.progress(f"{name}: pair {number + 1} of {rounds}", number + 1 == rounds)
        first = number % len(every)
        order = every[first:] + every[:first]
        with ExitStack() as stack:
            workers = {
                switch.name: stack.enter_context(
                    Worker(
                        name,
                        switch._replace(environment=free | switch.environment),
                        cores,
                        script,
                    )
                )
                for switch in order
            }
            for worker in workers.values():
                worker.get_ready()
            if not steps:  # all do as many as the first unlocked one does in a slice
                wall, _ = workers["unlocked"].run(5)
                steps = max(1, round(SLICE_SECONDS * 5 / wall))
            times: dict[str, list[tuple[float, float]]] = {}
            for _ in range(SLICES):
                for key, worker in workers.items():
                    times.setdefault(key, []).append(worker.run(steps))
        samples = steps * SLICES * BATCH
        for key, slices in times.items():
            walls, processors = zip(*slices, strict=True)
            measured[key]["throughput"].append(samples / sum(walls))
            measured[key]["per processor second"].append(samples / sum(processors))
    figures = []
    for switch in switches:
        for quantity, limit in (("throughput", LIMIT), ("per processor second", None)):
            figures.append(
                pairs.figure(
                    f"{name}: {switch.name}, {quantity}",
                    measured["unlocked"][quantity],
                    measured[switch.name][quantity],
                    limit,
                    at_least=True,
                    scale=1,
                    unit="samples/s",
                )
            )
    done = measured["unlocked"]["throughput"]
    return Compared(figures, BATCH / statistics.median(done), len(done))


class Worker:
    """A process with a warm training loop, stopped but for the slices that it is asked for."""

    def __init__(self, name: str, switch: Switch, cores: int, script: str) -> None:
        self._name = name
        self._script = script
        self._cores = str(cores)
        self._switch = switch

    def __enter__(self) -> Worker:
        name, statement = self._name, self._switch.statement
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [
                sys.executable,
                self._script,
                "--worker",
                name,
                "--statement",
                statement,
                "--cores",
                self._cores,
            ],
            env=self._switch.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        return self

    def get_ready(self) -> None:
        """Wait until the loop is warm, and stop the process.

        Raises:
            Failed: the process has ended.
        """
        self._answer()
        self._process.send_signal(signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def run(self, steps: int) -> tuple[float, float]:
        """Run some steps of the loop; return wall and processor seconds.

        Raises:
            Failed: the process has ended.
        """
        self._process.send_signal(signal.SIGCONT)
        assert self._process.stdin is not None
        try:
            print(steps, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            pass  # _answer says why
        wall, processor = map(float, self._answer().split())
        self._process.send_signal(signal.SIGSTOP)
        return wall, processor

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            self._errors.seek(0)
            tail = self._errors.read().decode(errors="replace")[-2000:]
            raise Failed(f"{self._name}, {self._switch.name}: exit status {status}\n{tail}")
        return line


def work(loops: Mapping[str, Loop], name: str, statement: str, cores: int) -> int:
    """Be a worker: build the loop, warm it up, then run slices as stdin asks for them."""
    if cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a framework that prints does not disturb the answers
    exec(statement, {})  # noqa: S102 - one of SWITCHES
    seeded = "REPRO_SEED" not in os.environ
    loop = loops[name](seeded)
    loop(20)
    print("ready", file=channel, flush=True)
    for line in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        loop(int(line))
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        print(wall, processor, file=channel, flush=True)
    return 0


def numpy_loop(by_hand: bool) -> Callable[[int], None]:
    """An MLP with dropout, written out: 256-512-512-10."""
    import numpy as np

    if by_hand:
        np.random.seed(7)
    sizes = (256, 512, 512, 10)
    weights = [np.random.randn(a, b).astype("f") * a**-0.5 for a, b in itertools.pairwise(sizes)]
    images = np.random.randn(4096, sizes[0]).astype("f")
    labels = np.eye(10, dtype="f")[np.random.randint(0, 10, 4096)]

    def loop(steps: int) -> None:
        for _ in range(steps):
            rows = np.random.permutation(4096)[:BATCH]
            values = [images[rows]]
            for number, weight in enumerate(weights):
                value = values[-1] @ weight
                if number < 2:
                    value = np.maximum(value, 0) * (np.random.random(value.shape) < 0.8)
                values.append(value.astype("f"))
            odds = np.exp(values[-1] - values[-1].max(1, keepdims=True))
            slope = (odds / odds.sum(1, keepdims=True) - labels[rows]) / BATCH
            for number in (2, 1, 0):
                step = values[number].T @ slope
                slope = (slope @ weights[number].T) * (values[number] > 0)
                weights[number] -= np.float32(0.1) * step

    return loop


def torch_loop(by_hand: bool) -> Callable[[int], None]:
    """A convolutional network with batch normalisation and dropout, fed by a shuffling loader."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    if by_hand:
        torch.manual_seed(7)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.2), nn.Linear(32 * 25, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters())
    lossy = nn.CrossEntropyLoss()
    data = TensorDataset(torch.randn(4096, 1, 28, 28), torch.randint(0, 10, (4096,)))
    batches = endless(lambda: DataLoader(data, batch_size=BATCH, shuffle=True))

    def loop(steps: int) -> None:
        for _ in range(steps):
            images, labels = next(batches)
            optimizer.zero_grad()
            lossy(model(images), labels).backward()
            optimizer.step()

    return loop


def keras_loop(by_hand: bool) -> Callable[[int], None]:
    """The same network in Keras on TensorFlow, trained by fit()."""
    import keras
    from keras import layers

    if by_hand:
        keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            layers.Conv2D(16, 3), layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(),
            layers.Flatten(), layers.Dropout(0.2), layers.Dense(10),
        ]
    )  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, jit_compile=False)
    images = keras.ops.convert_to_numpy(keras.random.normal((4096, 28, 28, 1)))
    labels = keras.ops.convert_to_numpy(keras.random.randint((4096,), 0, 10))

    def loop(steps: int) -> None:
        count = steps * BATCH
        repeats = -(-count // len(images))
        if repeats == 1:
            model.fit(images[:count], labels[:count], batch_size=BATCH, verbose=0)
        else:
            model.fit(images, labels, batch_size=BATCH, verbose=0, epochs=repeats)

    return loop


def mxnet_loop(by_hand: bool) -> Callable[[int], None]:
    """The same network in Gluon, hybridised, fed by a shuffling loader."""
    import mxnet as mx
    import numpy as np
    from mxnet import autograd, gluon
    from mxnet.gluon import nn

    if by_hand:
        mx.random.seed(7)
        np.random.seed(7)
    model = nn.HybridSequential()
    model.add(
        nn.Conv2D(16, 3), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D(2),
        nn.Conv2D(32, 3, activation="relu"), nn.MaxPool2D(2),
        nn.Flatten(), nn.Dropout(0.2), nn.Dense(10),
    )  # fmt: skip
    model.initialize(mx.init.Xavier())
    model.hybridize()
    trainer = gluon.Trainer(model.collect_params(), "adam")
    lossy = gluon.loss.SoftmaxCrossEntropyLoss()
    images = mx.nd.random.normal(shape=(4096, 1, 28, 28))
    labels = mx.nd.random.randint(0, 10, shape=(4096,)).astype("float32")
    data = gluon.data.ArrayDataset(images, labels)
    batches = endless(lambda: gluon.data.DataLoader(data, batch_size=BATCH, shuffle=True))

    def loop(steps: int) -> None:
        for _ in range(steps):
            images, labels = next(batches)
            with autograd.record():
                loss = lossy(model(images), labels)
            loss.backward()
            trainer.step(BATCH)
        mx.nd.waitall()

    return loop


def jax_loop(by_hand: bool) -> Callable[[int], None]:
    """A convolutional network with dropout, the step compiled by XLA."""
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(jax.random.key(7 if by_hand else 0), 6)
    parameters = {
        "first": 0.2 * jax.random.normal(keys[0], (16, 1, 3, 3)),
        "second": 0.1 * jax.random.normal(keys[1], (32, 16, 3, 3)),
        "dense": 0.03 * jax.random.normal(keys[2], (32 * 49, 10)),
    }
    images = jax.random.normal(keys[3], (4096, 1, 28, 28))
    labels = jax.random.randint(keys[4], (4096,), 0, 10)

    def forward(parameters: Any, rows: Any, key: Any) -> Any:
        value = images[rows]
        for name in ("first", "second"):
            value = jax.lax.conv(value, parameters[name], (2, 2), "SAME")
            value = jax.nn.relu(value)
        value = value.reshape(BATCH, -1)
        value *= jax.random.bernoulli(key, 0.8, value.shape) / 0.8
        odds = jax.nn.log_softmax(value @ parameters["dense"])
        return -jnp.mean(odds[jnp.arange(BATCH), labels[rows]])

    def update(parameters: Any, key: Any) -> Any:
        order, drop = jax.random.split(key)
        rows = jax.random.randint(order, (BATCH,), 0, 4096)
        slope = jax.grad(forward)(parameters, rows, drop)
        return jax.tree.map(lambda value, one: value - 0.1 * one, parameters, slope)

    step = jax.jit(update)
    count = itertools.count()

    def loop(steps: int) -> None:
        nonlocal parameters
        for _ in range(steps):
            parameters = step(parameters, jax.random.fold_in(keys[5], next(count)))
        jax.block_until_ready(parameters)

    return loop


def endless(loader: Callable[[], Any]) -> Any:
    """Yield the batches of one epoch after the other."""
    while True:
        yield from loader()


LOOPS: Mapping[str, Loop] = {
    "numpy": numpy_loop,
    "torch": torch_loop,
    "keras": keras_loop,
    "mxnet": mxnet_loop,
    "jax": jax_loop,
}


if __name__ == "__main__":
    sys.exit(pairs.guarded(main))
