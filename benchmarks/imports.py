"""Measure `import X` under REPRO_SEED against the same import with the same calls by hand.

Both processes have the right PYTHONHASHSEED. The one is locked from outside at level strict; in
the other seedlock is not active, and the script sets the variables in os.environ, imports, and
makes the calls that a user would write, with the same seeds. The time inside the process around
import and calls, the wall time of the whole process, and its processor time are three figures.
Each round imports from another depth of calls, the same for all variants (see `DEPTHS`).
The exit status is 0 whatever the verdicts, 1 if something failed to run.
"""

from __future__ import annotations

import itertools
import sys
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks import pairs
    from benchmarks.pairs import Figure, Sample
else:
    import pairs
    from pairs import Figure, Sample

LIMIT = 1.01

DEPTHS = 146
"""Depths of calls that an import is made from. CPython 3.11 keeps frames in chunks of 16 KiB: a
call that crosses from one into the next maps a chunk, and its return unmaps it. Where in a chunk
an import begins decides whether `import keras` does so 7000 or 29 000 times, at 8 us each: a frame
more or less in the user's script moves the time by several per cent, with the lock or without.
So many frames of the function below fill a chunk."""

NESTED = """
import sys
def nested(depth):
    if depth: nested(depth - 1)
    else: exec(sys.argv[2], {})
nested(int(sys.argv[1]))
"""

CUDA = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", "NCCL_ALGO": "Ring"}
OMP = {"OMP_DYNAMIC": "FALSE", "MKL_DYNAMIC": "FALSE"}
XLA = {"XLA_FLAGS": "--xla_gpu_deterministic_ops=true --xla_gpu_autotune_level=0"}
TORCH = {
    "TORCHINDUCTOR_DETERMINISTIC": "1",
    "FLASH_ATTENTION_DETERMINISTIC": "1",
    "NVTE_ALLOW_NONDETERMINISTIC_ALGO": "0",
    "MAMBA_DETERMINISTIC": "1",
    "CAUSAL_CONV1D_DETERMINISTIC": "1",
    "HOROVOD_FUSION_THRESHOLD": "0",
}
TENSORFLOW = {
    "TF_CUDNN_DETERMINISTIC": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "HOROVOD_FUSION_THRESHOLD": "0",
    "TF_DETERMINISTIC_OPS": "1",
}
MXNET = {"MXNET_CUDNN_AUTOTUNE_DEFAULT": "0", "MXNET_ENFORCE_DETERMINISM": "1"}
JAX = {"JAX_RANDOM_SEED_OFFSET": "{jax}", "JAX_THREEFRY_PARTITIONABLE": "1"}

PYTHON_CALL = ("random.seed({python})",)
NUMPY_CALL = ("numpy.random.seed({numpy})",)
TORCH_CALLS = (
    "torch.manual_seed({torch})",
    "torch.backends.cudnn.deterministic = True",
    "torch.backends.cudnn.benchmark = False",
    "torch.backends.mkldnn.deterministic = True",
    "torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False",
    "torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False",
    "torch.utils.deterministic.fill_uninitialized_memory = True",
)
TENSORFLOW_CALLS = (
    "tensorflow.random.set_seed({tensorflow})",
    "tensorflow.config.experimental.enable_op_determinism()",
)


class Case(NamedTuple):
    """One comparison.

    Attributes:
        name: row of the table.
        imports: what the locked process imports.
        environment: variables that a user would set before the import.
        also: what a user would import besides, to seed it: loaded by `imports` anyway.
        calls: what a user would call after it; `{torch}` stands for PyTorch's derived seed.
    """

    name: str
    imports: str
    environment: dict[str, str]
    also: str
    calls: tuple[str, ...]


CASES = (
    Case("numpy", "numpy.random", OMP, "random", PYTHON_CALL + NUMPY_CALL),
    Case(
        "torch",
        "torch",
        OMP | CUDA | TORCH,
        "random",
        (*PYTHON_CALL, *TORCH_CALLS, "torch.set_deterministic_debug_mode('error')"),
    ),
    Case(
        "torch, by use_deterministic_algorithms",
        "torch",
        OMP | CUDA | TORCH,
        "random",
        (*PYTHON_CALL, *TORCH_CALLS, "torch.use_deterministic_algorithms(True)"),
    ),
    # TensorFlow imports Keras and, where it is installed, jax; both are locked with it.
    Case(
        "tensorflow",
        "tensorflow",
        OMP | CUDA | TENSORFLOW | XLA | JAX,
        "random, numpy",
        PYTHON_CALL + NUMPY_CALL + TENSORFLOW_CALLS,
    ),
    Case(
        "keras",
        "keras",
        OMP | CUDA | TENSORFLOW | XLA | JAX,
        "random, numpy, tensorflow",
        ("keras.utils.set_random_seed({keras})", *PYTHON_CALL, *NUMPY_CALL, *TENSORFLOW_CALLS),
    ),
    Case(
        "mxnet",
        "mxnet",
        OMP | CUDA | MXNET,
        "random, numpy",
        (*PYTHON_CALL, *NUMPY_CALL, "mxnet.random.seed({mxnet})"),
    ),
    Case(
        "jax", "jax", OMP | CUDA | XLA | JAX, "random, numpy", PYTHON_CALL + NUMPY_CALL
    ),
)  # fmt: skip

QUANTITIES = {"inside": LIMIT, "whole process": LIMIT, "processor": None}
"""What is measured, and its limit: processor time is there because noise moves it less."""


def main() -> int:
    """Measure and print; return the exit status."""
    parser = pairs.parser(__doc__, pairs=40)
    parser.add_argument("--only", nargs="+", choices=pairs.FRAMEWORKS, default=pairs.FRAMEWORKS)
    options = parser.parse_args()
    figures: list[Figure] = []
    for name in options.only:
        figures += compare(name, options.pairs)
    pairs.finish(figures, options.pairs, options.json)
    return 0


def compare(name: str, rounds: int) -> list[Figure]:
    """Return the figures of one framework; all its variants take turns."""
    cases = [case for case in CASES if case.name.split(",")[0] == name]
    check(cases)
    scripts = {case.name: by_hand(case) for case in cases}
    free, locked = pairs.free_environment(), pairs.locked_environment()
    variants = {
        "locked": partial(once, from_outside(cases[0]), locked, depths()),
        **{key: partial(once, script, free, depths()) for key, script in scripts.items()},
    }
    measured = pairs.interleave(variants, rounds, name)
    return [
        pairs.figure(
            f"{case.name}: {quantity}",
            measured[case.name][quantity],
            measured["locked"][quantity],
            limit,
        )
        for case in cases
        for quantity, limit in QUANTITIES.items()
    ]


def from_outside(case: Case) -> str:
    """Return the script of the locked process."""
    return timed([f"import {case.imports}"])


def by_hand(case: Case) -> str:
    """Return the script that does by hand what the lock does."""
    from seedlock.derivation import STREAMS, stream_seed

    seeds = {name: stream_seed(int(pairs.SEED), name) for name in STREAMS if "." not in name}
    environment = {key: value.format(**seeds) for key, value in case.environment.items()}
    calls = [call.format(**seeds) for call in case.calls]
    return timed(
        [
            "import os",
            f"os.environ.update({environment!r})",
            f"import {case.imports}, {case.also}",
            *calls,
        ]
    )


def timed(lines: list[str]) -> str:
    """Return a script that prints how many seconds the lines took."""
    first = ["import time", "start = time.perf_counter()"]
    return "\n".join([*first, *lines, "print(time.perf_counter() - start)"])


def depths() -> Iterator[int]:
    """Yield a depth for each round, spread evenly however many rounds there are."""
    return (number * 91 % DEPTHS for number in itertools.count())  # about the golden ratio


def once(script: str, environment: dict[str, str], depths: Iterator[int]) -> Sample:
    """Run a script at the next depth and return its quantities."""
    argv = [sys.executable, "-c", NESTED, str(next(depths)), script]
    ended = pairs.launch(argv, environment)
    return {
        "inside": float(ended.output.split()[-1]),
        "whole process": ended.wall,
        "processor": ended.cpu,
    }


def check(cases: list[Case]) -> None:
    """Make sure that the first case does by hand what the lock does, variables and draws.

    Raises:
        Failed: it does not; the benchmark has to follow the adapters.
    """
    draw = {
        "numpy": "numpy.random.random()",
        "torch": "torch.rand(1), torch.get_deterministic_debug_mode()",
        "tensorflow": "tensorflow.random.uniform(())",
        "keras": "__import__('tensorflow').random.uniform(())",
        "mxnet": "mxnet.nd.random.uniform()",
        "jax": "jax.random.uniform(jax.random.key(0))",
    }[cases[0].name]
    # Not the draws of `random` and NumPy after `import tensorflow`, which draws from both itself:
    # the lock seeds them before it, a user who follows the documentation after it.
    show = (
        "import os",
        f"names = {('OMP_', 'MKL_', 'CUBLAS_', 'NCCL_', 'TF_', 'XLA_', 'JAX_', 'MXNET_', 'TORCH')}",
        "print({k: v for k, v in sorted(os.environ.items()) if k.startswith(names)})",
        f"print({draw})",
    )
    shown = []
    for script, environment in (
        (from_outside(cases[0]), pairs.locked_environment()),
        (by_hand(cases[0]), pairs.free_environment()),
    ):
        text = "\n".join([script, *show])
        output = pairs.launch([sys.executable, "-c", text], environment).output
        shown.append(output.split("\n", 1)[1])
    if shown[0] != shown[1]:
        raise pairs.Failed(
            f"{cases[0].name}: locked and by hand differ\nlocked:\n{shown[0]}by hand:\n{shown[1]}"
        )


if __name__ == "__main__":
    sys.exit(pairs.guarded(main))
