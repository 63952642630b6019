"""Programs of authors, unmodified: the same bits under one seed, others under another.

Each program of tests/programs is written as one finds them in public repositories, knows nothing
of seedlock, and ends with one line `result <digest>` of what it trained.
"""

from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.absent import compiled_before, without
from tests.interpreter import REPOSITORY, python

FOLDER = REPOSITORY / "tests" / "programs"


class Program(NamedTuple):
    """What is known of a program.

    Attributes:
        plain: without seedlock two runs differ ("varies"), or are equal and so deaf to any
            outside seed ("fixed"); measured.
        launcher: arguments of Python before the file. Its exit status is not looked at: gloo's
            threads may abort a rank that has ended (github.com/pytorch/pytorch/pull/179291).
    """

    plain: str
    launcher: tuple[str, ...] = ()


PROGRAMS = {
    "char_lm_torch": Program("fixed"),
    "ddp_gloo": Program(
        "varies", ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    ),
    "diffusion_torch": Program("fixed"),
    "evolution_pool": Program("varies"),
    "flax_nnx": Program("varies"),
    "gluon_mnist": Program("fixed"),
    "graph_net": Program("varies"),
    "jax_mlp": Program("fixed"),
    "keras_vae": Program("fixed"),
    "lightning_classifier": Program("fixed"),
    "q_learning_taxi": Program("varies"),
    "reinforce_cartpole": Program("fixed"),
    "sklearn_forest": Program("varies"),
    "tf_data_loop": Program("varies"),
    "tuner_processes": Program("varies"),
}

OF_TENSORFLOW = ("keras_vae", "tf_data_loop")
OF_JAX = ("flax_nnx", "jax_mlp")

CONTROLS = [
    pytest.param(name, marks=pytest.mark.full) if name in (
        "char_lm_torch", "ddp_gloo", "diffusion_torch", "flax_nnx", "graph_net", "jax_mlp",
        "keras_vae", "lightning_classifier", "reinforce_cartpole", "sklearn_forest",
        "tf_data_loop",
    ) else name
    for name in PROGRAMS
]  # fmt: skip
"""Some that vary and some that are deaf are in the gate's part; test_controls.py has plain programs
in every framework."""

LOCKED = [
    pytest.param(name, marks=pytest.mark.full) if name in (
        "char_lm_torch", "ddp_gloo", "diffusion_torch", "jax_mlp", "keras_vae",
        "lightning_classifier", "reinforce_cartpole",
    ) else name
    for name in PROGRAMS
]  # fmt: skip
"""JAX has flax_nnx in the gate's part, and PyTorch graph_net; eight programs are in it. That a job
of torchrun repeats is shown in adapters/test_torch_workers.py too, and a Keras model by the demo's
five programs (test_examples.py)."""


def digests(name: str, folder: Path, seeds: list[str | None]) -> list[str]:
    """Run a program once per seed (None: plain), two at a time, and return their digests.

    With one OpenMP thread each, since threads of two programs that wait for each other's
    processors by spinning take ten times as long. TensorFlow finds JAX and scikit-learn, which
    double its start, in the first run only: that they are there may not change a bit either. JAX
    compiles for the first two runs, and the third takes over what it can.
    """

    def digest(number: int) -> str:
        place = folder / f"run{number}"
        place.mkdir(exist_ok=True)
        seed = seeds[number]
        variables: dict[str, Any] = {"OMP_NUM_THREADS": "1"}
        if seed is not None:
            variables["REPRO_SEED"] = seed
        if name in OF_TENSORFLOW and (number or seed is None):
            variables |= without("jax", "sklearn")
        if name in OF_JAX and number != 1:
            variables |= compiled_before(folder / "compiled")
        launcher, file = PROGRAMS[name].launcher, str(FOLDER / f"{name}.py")
        done = python(*launcher, file, cwd=place, check=not launcher, **variables)
        results = [line for line in done.lines if line.startswith("result ")]
        assert results == done.lines[-1:] != [], done.out + done.err
        return results[0].removeprefix("result ")

    with ThreadPoolExecutor(max_workers=2) as runs:
        return list(runs.map(digest, range(len(seeds))))


def test_the_table_has_every_program() -> None:
    """No program stands beside the table, and none has heard of seedlock."""
    files = {path.stem: path.read_text() for path in FOLDER.glob("*.py")}

    assert files.keys() == PROGRAMS.keys()
    for name, text in files.items():
        assert "seedlock" not in text and "REPRO_" not in text, name
        documentation = ast.get_docstring(ast.parse(text))
        assert documentation is not None and "\nLike " in documentation, name


@pytest.mark.parametrize("name", CONTROLS)
def test_the_program_needs_a_lock(name: str, tmp_path: Path) -> None:
    """Positive control: plain, a program varies from run to run or is deaf to any seed."""
    found = digests(name, tmp_path, [None, None])
    while PROGRAMS[name].plain == "varies" and len(set(found)) == 1 and len(found) < 8:
        found += digests(name, tmp_path, [None])

    assert (len(set(found)) > 1) == (PROGRAMS[name].plain == "varies")


@pytest.mark.parametrize("name", LOCKED)
def test_the_outside_seed_decides_the_bits(name: str, tmp_path: Path) -> None:
    """Two runs under one seed are equal in bits, and a run under another seed is not."""
    first, again, other = digests(name, tmp_path, ["7", "7", "8"])

    assert first == again
    assert first != other
