"""What `seedlock env` prints is enough: set by hand, without seedlock, it gives the same bits."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.absent import compiled_before, without
from tests.adapters.probe import drawn
from tests.interpreter import REPOSITORY, python, run

SEEDLOCK = str(Path(sys.executable).with_name("seedlock"))
IMPORTS = "random,numpy,torch,tensorflow,keras,mxnet,jax"
LIBRARIES = ("hash", *IMPORTS.split(","))
IMPORT_OF = {"python": "import random", "tensorflow": "import tensorflow as tf"}
"""How a stream's call names its library, where it is not `import STREAM`."""

FLAGS = {
    "numpy": "",
    "torch": """
import torch
torch.use_deterministic_algorithms(True)
torch.backends.cudnn.deterministic = True
torch.backends.cudnn.benchmark = False
torch.backends.mkldnn.deterministic = True
""",
    "keras": """
import tensorflow as tf
tf.config.experimental.enable_op_determinism()
""",
    "mxnet": "",
    "jax": "",
}
"""Level strict by hand, in the words of each framework."""

VARIABLES = {
    "OMP_DYNAMIC": "FALSE",
    "MKL_DYNAMIC": "FALSE",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "TORCHINDUCTOR_DETERMINISTIC": "1",
    "TF_CUDNN_DETERMINISTIC": "1",
    "TF_DETERMINISTIC_OPS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "XLA_FLAGS": "--xla_gpu_deterministic_ops=true --xla_gpu_autotune_level=0",
    "JAX_THREEFRY_PARTITIONABLE": "1",
    "MXNET_ENFORCE_DETERMINISM": "1",
    "MXNET_CUDNN_AUTOTUNE_DEFAULT": "0",
}

STREAMS = {
    "numpy": ("numpy",),
    "torch": ("torch",),
    "keras": ("keras", "python", "numpy", "tensorflow"),
    "mxnet": ("mxnet", "numpy"),
    "jax": (),
}
"""The streams that an example draws from, Keras's first, as `seedlock env` says."""


class ByHand:
    """What `seedlock env --seed N --json` prints, taken apart.

    Attributes:
        variables: `NAME=VALUE python ...`, as variables.
        calls: the calls, by stream.
    """

    def __init__(self, seed: int) -> None:
        printed = run([SEEDLOCK, "env", "--seed", str(seed), "--json"], check=False).out
        lines = {name: each["by_hand"] for name, each in json.loads(printed)["streams"].items()}
        starts = [line.split()[0] for line in lines.values() if line.endswith(" python ...")]
        self.variables: dict[str, Any] = dict(start.split("=") for start in starts)
        self.calls = {name: line for name, line in lines.items() if "(" in line}

    def ordered(self, *streams: str) -> list[str]:
        """The calls of some streams, Keras's first: it seeds others' generators as well."""
        return [self.calls[name] for name in sorted(streams, key=lambda name: name != "keras")]


@pytest.fixture(scope="module")
def seven() -> ByHand:
    """What is printed for seed 7."""
    return ByHand(7)


def test_there_is_a_value_for_each_library(seven: ByHand) -> None:
    """Two streams are variables, because nothing can be called before an interpreter starts and
    JAX has no generator to seed; all others are calls."""
    assert list(seven.variables) == ["PYTHONHASHSEED", "JAX_RANDOM_SEED_OFFSET"]
    assert list(seven.calls) == ["python", "numpy", "torch", "tensorflow", "keras", "mxnet"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_values_set_by_hand_give_the_locked_draws(
    library: str, locked_draws: dict[str, Any], draws_by_hand: list[dict[str, Any]]
) -> None:
    """A library draws the same bits under REPRO_SEED and under the printed values."""
    assert draws_by_hand[0][library] == locked_draws[library]


@pytest.mark.full  # tests/tracers/test_keras.py has the other backends in the gate
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_keras_on_another_backend_is_set_by_hand_too(
    backend: str, seven: ByHand, tmp_path: Path
) -> None:
    """On each backend the printed values give the locked draws, and another seed's give others."""
    eight = ByHand(8)
    imports = f"random,numpy,keras,{backend}" if backend == "torch" else "random,numpy,keras"
    streams = ("keras", "python", "numpy", *(["torch"] if backend == "torch" else []))
    sets = [{"calls": values.ordered(*streams), "key": 0} for values in (seven, eight)]

    start = {
        "KERAS_BACKEND": backend,
        **(without("sklearn") if backend == "jax" else without("jax", "sklearn")),
        **compiled_before(tmp_path / "compiled"),
    }

    (under_lock,) = drawn(imports, tmp_path, REPRO_SEED="7", **start)
    first, other = drawn(imports, tmp_path, *sets, **start, **seven.variables)

    assert first == under_lock
    assert all(one != two for one, two in zip(first["keras"], other["keras"], strict=True))


@pytest.mark.parametrize("name", list(STREAMS))
def test_training_by_hand_ends_in_the_locked_bits(
    name: str, seven: ByHand, demo: str, tmp_path: Path
) -> None:
    """An example trained with seeds and determinism flags set by hand ends in the digest that it
    has under REPRO_SEED at level strict, whose first twelve digits the demo prints."""
    program = str(REPOSITORY / "examples" / f"train_{name}.py")
    lines = [
        *(IMPORT_OF.get(stream, f"import {stream}") for stream in STREAMS[name]),
        FLAGS[name],
        *seven.ordered(*STREAMS[name]),
        f"import runpy; runpy.run_path({program!r}, run_name='__main__')",
    ]

    (row,) = (line.split() for line in demo.splitlines() if line.startswith(f"train_{name}.py"))
    start = without("jax", "sklearn") if name == "keras" else {}
    given = {**start, **VARIABLES, **seven.variables}
    hand = python("-c", "\n".join(lines), cwd=tmp_path, **given)

    assert len(row[1]) == 12
    assert hand.lines[-1].startswith(f"digest {row[1]}")
