"""Measure training loops on an NVIDIA GPU at each level against the same loops unlocked.

Pairs and workers are those of training.py; these loops are large enough to keep a GPU busy, and
their data lie on it. Beside the levels: strict without `fill_uninitialized_memory`, and strict with
REPRO_TF32=off. A row is printed as soon as its loop is measured; a round takes about 20 seconds,
most of it starts of processes. Run it in conference/repro-base:gpu, or in any environment with
seedlock and PyTorch or JAX with CUDA; with other versions than the locked ones set REPRO_LOCK=warn.
The exit status is 1 if something failed to run.
"""

from __future__ import annotations

import os
import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks import levels, pairs, training
    from benchmarks.pairs import Figure
    from benchmarks.training import Loop, Switch
else:
    import levels
    import pairs
    import training
    from training import Switch

BATCH = training.BATCH
NO_FILL = "import torch; torch.utils.deterministic.fill_uninitialized_memory = False"


def main() -> int:
    """Measure and print; return the exit status."""
    parser = pairs.parser(__doc__, pairs=pairs.MIN_PAIRS)
    parser.add_argument("--only", nargs="+", choices=LOOPS, default=list(LOOPS))
    parser.add_argument("--minutes", type=float, metavar="N", help="as in levels.py")
    parser.add_argument("--worker", choices=LOOPS, help="internal: be the measured process")
    parser.add_argument("--statement", default="", help="internal: what the worker does first")
    parser.add_argument("--cores", type=int, default=0, help="internal: as in training.py")
    options = parser.parse_args()
    if options.worker:
        return training.work(LOOPS, options.worker, options.statement, options.cores)
    only = [name for name in options.only if find_spec(name.split()[0])]
    end = None if options.minutes is None else time.monotonic() + options.minutes * 60
    figures: list[Figure] = []
    names = [each.name for each in switches("torch")]
    notes = [
        f"on {device()}",
        "unlocked = 1; in brackets the 95 % interval",
        f"| loop | ms a step, unlocked | rounds | {' | '.join(names)} |",
        "|---" * (3 + len(names)) + "|",
    ]
    levels.tell(notes, options.json)
    fewest = options.pairs
    for number, name in enumerate(only):
        share = None
        if end is not None:
            share = max(0.0, end - time.monotonic()) / (len(only) - number)
        found = training.compare(
            name, switches(name), options.pairs, options.cores, share, __file__
        )
        fewest = min(fewest, found.rounds)
        throughput = found.figures[::2]
        figures += [each._replace(limit=None) for each in throughput]
        prices = {
            switch.name: levels.price(each)
            for switch, each in zip(switches(name), throughput, strict=True)
        }
        cells = [f"{found.step * 1000:.2f}", str(found.rounds)]
        cells += [prices.get(each, "-") for each in names]
        row = f"| {name} | {' | '.join(cells)} |"
        levels.tell([row], options.json)
        notes.append(row)
    pairs.finish(figures, fewest, options.json, notes if options.json else (), warm_up=0)
    return 0


def switches(name: str) -> tuple[Switch, ...]:
    """Return what a loop is measured under."""
    allowed = {
        key: os.environ[key] for key in ("REPRO_LOCK", "REPRO_LOCK_FILE") if key in os.environ
    }
    found = [levels.level(each, 0) for each in ("seed", "warn", "strict")]
    strict = found[-1].environment
    if name.startswith("torch"):
        found.append(Switch("strict, fill_uninitialized_memory off", strict, NO_FILL))
    found.append(Switch("strict, REPRO_TF32=off", strict | {"REPRO_TF32": "off"}))
    return tuple(each._replace(environment=each.environment | allowed) for each in found)


def device() -> str:
    """Return the names of GPU and driver."""
    from seedlock import machine

    return str(machine.gpu())


def torch_loop(model: Any, images: tuple[int, ...], half: bool = False) -> Callable[[int], None]:
    """Return a loop that trains a model to tell ten classes apart, by Adam.

    Args:
        model: takes a batch of `images` and returns scores, (batch, 10).
        images: shape of one.
        half: whether to compute in bfloat16 where autocast does.
    """
    import torch
    from torch import nn

    model = model.cuda()
    optimizer = torch.optim.Adam(model.parameters())
    data = torch.randn(8, BATCH, *images, device="cuda")
    labels = torch.randint(0, 10, (8, BATCH), device="cuda")

    def loop(steps: int) -> None:
        for step in range(steps):
            optimizer.zero_grad()
            with torch.autocast("cuda", torch.bfloat16, enabled=half):
                loss = nn.functional.cross_entropy(model(data[step % 8]), labels[step % 8])
            loss.backward()
            optimizer.step()
        torch.cuda.synchronize()

    return loop


def torch_convolutions(by_hand: bool) -> Callable[[int], None]:
    """Twelve convolutions with batch normalisation, 64 to 256 channels, from 64 by 64 pixels."""
    import torch
    from torch import nn

    if by_hand:
        torch.manual_seed(7)
    layers: list[Any] = []
    before = 3
    for channels in (64, 128, 256):
        for number in range(4):
            stride = 2 if number == 0 else 1
            layers += [
                nn.Conv2d(before, channels, 3, stride, 1), nn.BatchNorm2d(channels), nn.ReLU(),
            ]  # fmt: skip
            before = channels
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(256, 10)]
    return torch_loop(nn.Sequential(*layers), (3, 64, 64))


def torch_attention(by_hand: bool) -> Callable[[int], None]:
    """A transformer of four layers, 256 tokens of 512, in bfloat16."""
    import torch
    from torch import nn

    if by_hand:
        torch.manual_seed(7)
    layer = nn.TransformerEncoderLayer(512, 8, 2048, dropout=0.1, batch_first=True)
    model = nn.Sequential(nn.TransformerEncoder(layer, 4), nn.Flatten(), nn.Linear(256 * 512, 10))
    return torch_loop(model, (256, 512), half=True)


def torch_graph(by_hand: bool) -> Callable[[int], None]:
    """Messages along 200,000 edges of a graph of 20,000 nodes: gathered and added up three times,
    with atomic additions forwards and backwards where they are allowed."""
    import torch
    from torch import nn

    if by_hand:
        torch.manual_seed(7)
    nodes, edges, width = 20_000, 200_000, 64
    source, target = torch.randint(0, nodes, (2, edges), device="cuda")
    features = torch.randn(nodes, width, device="cuda")
    labels = torch.randint(0, 10, (nodes,), device="cuda")
    steps_of = nn.ModuleList([nn.Linear(width, width) for _ in range(3)]).cuda()
    last = nn.Linear(width, 10).cuda()
    optimizer = torch.optim.Adam([*steps_of.parameters(), *last.parameters()])

    def loop(steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            found = features
            for each in steps_of:
                sent = each(found).index_select(0, source)
                found = torch.zeros_like(found).index_add(0, target, sent).relu() / 10
            nn.functional.cross_entropy(last(found), labels).backward()
            optimizer.step()
        torch.cuda.synchronize()

    return loop


def jax_convolutions(by_hand: bool) -> Callable[[int], None]:
    """Six convolutions under jit, 64 to 256 channels, from 64 by 64 pixels."""
    # Several processes share the GPU's memory, of which each would take three quarters.
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    import jax
    import jax.numpy as jnp

    del by_hand  # JAX has no global seed
    keys = jax.random.split(jax.random.key(0), 16)
    parameters: list[Any] = []
    before = 3
    for number, channels in enumerate((64, 64, 128, 128, 256, 256)):
        scale = (9 * before) ** -0.5
        parameters.append(scale * jax.random.normal(keys[number], (3, 3, before, channels)))
        before = channels
    parameters.append(0.06 * jax.random.normal(keys[6], (before, 10)))
    images = jax.random.normal(keys[7], (BATCH, 64, 64, 3))
    labels = jax.random.randint(keys[8], (BATCH,), 0, 10)

    def objective(parameters: list[Any]) -> Any:
        found = images
        for number, kernel in enumerate(parameters[:-1]):
            stride = 1 + number % 2
            found = jax.nn.relu(
                jax.lax.conv_general_dilated(
                    found, kernel, (stride, stride), "SAME",
                    dimension_numbers=("NHWC", "HWIO", "NHWC"),
                )
            )  # fmt: skip
        scores = jax.nn.log_softmax(found.mean((1, 2)) @ parameters[-1])
        return -scores[jnp.arange(BATCH), labels].mean()

    def updated(parameters: list[Any]) -> list[Any]:
        slopes = jax.grad(objective)(parameters)
        return [value - 0.1 * slope for value, slope in zip(parameters, slopes, strict=True)]

    step = jax.jit(updated)

    def loop(steps: int) -> None:
        nonlocal parameters
        for _ in range(steps):
            parameters = step(parameters)
        jax.block_until_ready(parameters)

    return loop


LOOPS: Mapping[str, Loop] = {
    "torch convolutions": torch_convolutions,
    "torch attention": torch_attention,
    "torch graph": torch_graph,
    "jax convolutions": jax_convolutions,
}
"""By name, the first word of which is the library."""


if __name__ == "__main__":
    sys.exit(pairs.guarded(main))
