"""All seven libraries in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.absent import without
from tests.adapters.probe import PRELUDE, drawn, locked
from tests.interpreter import python

if TYPE_CHECKING:
    from pathlib import Path

ONE_ORDER = "random,numpy,torch,tensorflow,keras,mxnet,jax"
ANOTHER_ORDER = "jax,mxnet,keras,torch,tensorflow,numpy,random"

BY_HAND = (
    "keras.utils.set_random_seed({})",
    "random.seed({})",
    "numpy.random.seed({})",
    "tf.random.set_seed({})",
    "torch.manual_seed({})",
    "mxnet.random.seed({})",
)
"""The libraries' own seeding functions; JAX takes the seed as its key."""

NO_OFFSET = "jax.config.update('jax_random_seed_offset', 0)"
"""Undoes what `seedlock env` says of JAX."""

LARGEST = 2**32 - 1
"""Largest seed of REPRO_STREAMS=same, beyond the signed integers of JAX and MXNet."""

NUMBERS = (7, LARGEST)

DRAWN_BY_IMPORTS = """
import random, numpy
before = random.getstate(), numpy.random.get_state()[1].tolist(), numpy.random.get_state()[2]
import jax, tensorflow
after = random.getstate(), numpy.random.get_state()[1].tolist(), numpy.random.get_state()[2]
kept = [one == two for one, two in zip(before, after)]
"""

XLA_IN_TENSORFLOW = """
import tensorflow as tf
compiled = tf.function(lambda values: values * 2 + 1, jit_compile=True)
in_tensorflow = float(compiled(tf.constant(1.0)))
"""
XLA_IN_JAX = """
import jax
in_jax = float(jax.jit(lambda value: value * 2 + 1)(1.0))
"""


def test_the_order_of_imports_does_not_change_what_is_drawn(
    locked_draws: dict[str, Any], tmp_path: Path
) -> None:
    """Each library draws the same whichever is imported first."""
    assert drawn(ANOTHER_ORDER, tmp_path, REPRO_SEED="7") == [locked_draws]


def test_imports_leave_no_trace_and_xla_takes_the_locked_flags(tmp_path: Path) -> None:
    """JAX and TensorFlow draw from NumPy and from `random` while they are being imported; a
    locked program draws the same afterwards as if it had imported neither. Their two builds of
    XLA parse one variable, and both know the flags of level strict."""
    by_itself = python("-c", PRELUDE + DRAWN_BY_IMPORTS + "print(json.dumps(kept))", cwd=tmp_path)
    both = "print(json.dumps([kept, in_tensorflow, in_jax]))"
    run = locked(DRAWN_BY_IMPORTS + XLA_IN_TENSORFLOW + XLA_IN_JAX + both, tmp_path)

    assert not all(by_itself.json())
    assert run.said == [[True] * 3, 3.0, 3.0]
    assert (
        run.library("tensorflow")["environment"]["XLA_FLAGS"]
        == run.library("jax")["environment"]["XLA_FLAGS"]
    )


@pytest.mark.parametrize("seed", [7, pytest.param(LARGEST, marks=pytest.mark.full)])
def test_same_streams_are_the_libraries_own_seeding(
    seed: int, draws_by_hand: list[dict[str, Any]], tmp_path: Path
) -> None:
    """REPRO_STREAMS=same gives what each library's own seeding function gives for that seed."""
    (draws,) = drawn(ONE_ORDER, tmp_path, REPRO_SEED=str(seed), REPRO_STREAMS="same")

    by_hand = draws_by_hand[1 + NUMBERS.index(seed)]
    assert {**draws, "hash": None} == {**by_hand, "hash": None}


def test_an_unknown_xla_flag_ends_the_process(tmp_path: Path) -> None:
    """This is why the versions are locked: an XLA that doesn't know a flag aborts, TensorFlow's as
    well as JAX's."""
    program = f"""
import os
import tensorflow, jax
child = os.fork()
if child == 0:
    {XLA_IN_TENSORFLOW.strip().replace(chr(10), "; ")}
    os._exit(0)
assert os.waitpid(child, 0)[1] != 0
{XLA_IN_JAX}
"""
    done = python(
        "-c",
        program,
        cwd=tmp_path,
        check=False,
        XLA_FLAGS="--xla_flag_that_nobody_knows=1",
        **without("sklearn"),
    )

    assert done.status != 0
    assert done.err.count("Unknown flag in XLA_FLAGS: --xla_flag_that_nobody_knows=1") == 2
