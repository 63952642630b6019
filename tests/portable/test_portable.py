"""`make test-portable`: one small model per framework, the same bits on each machine.

Not in `make test`: an emulated run takes 20 to 60 times as long as a native one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from seedlock.evaluation.divergence import Divergence, first_divergence
from seedlock.evaluation.traces import Run
from tests.interpreter import REPOSITORY
from tests.portable.machines import MACHINES, PROCESSORS, Traced, traced

TYPES = ("float32", "float64")

LEFT = {
    "operations_torch.py": set(),
    "operations_jax.py": {"product float16"},
    "operations_tensorflow.py": {
        "fused batch norm",
        "fused batch norm in a graph",
        "lrn",
        "lrn in a graph",
    },
    "operations_mxnet.py": set(),
}
"""Operations that are known to give other bits on other processors, by program."""

PAGE = (REPOSITORY / "docs" / "determinism.md").read_text()
"""Has the names of all operations that are compared: other ones are a gap in the report."""

PROGRAMS = ("train_numpy.py", "train_torch.py", "train_jax.py", "train_keras.py", "train_mxnet.py")


@pytest.fixture(name="native", scope="module")
def _native(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Traced]:
    """Runs of this machine itself, one per program and type."""

    @cache
    def run(program: str, element_type: str) -> Traced:
        folder = tmp_path_factory.mktemp("native")
        return traced("native", folder, program, element_type, REPRO_LEVEL="portable")

    return run


def divergence(one: Traced, other: Traced) -> Divergence | None:
    """Return the first event in which two runs differ."""
    first, second = Run(one.folder), Run(other.folder)
    assert first.events and first.troubles() == second.troubles() == []
    return first_divergence(first, second)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("element_type", TYPES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_same_bits_as_natively(
    program: str,
    element_type: str,
    machine: str,
    native: Callable[[str, str], Traced],
    tmp_path: Path,
) -> None:
    """At level portable each result of the trace is the native one's."""
    other = traced(machine, tmp_path, program, element_type, REPRO_LEVEL="portable")
    parted = divergence(native(program, element_type), other)

    assert parted is None, parted.as_dict()
    assert other.out == native(program, element_type).out


@pytest.mark.parametrize("machine", PROCESSORS)
@pytest.mark.parametrize("element_type", TYPES)
@pytest.mark.parametrize("program", LEFT)
def test_operations_give_the_same_bits(
    program: str,
    element_type: str,
    machine: str,
    native: Callable[[str, str], Traced],
    tmp_path: Path,
) -> None:
    """Each operation alone; those that do not are known, and are gaps in the report."""
    other = traced(machine, tmp_path, program, element_type, REPRO_LEVEL="portable")
    here, there = (
        dict(line.split("\t") for line in run.out.splitlines())
        for run in (native(program, element_type), other)
    )
    differing = {name for name in here | there if here.get(name) != there.get(name)}

    assert differing <= LEFT[program]
    assert [name for name in here if f"`{name.removesuffix(' in a graph')}`" not in PAGE] == []


@pytest.mark.parametrize("machine", ["one processor", "Haswell"])
def test_level_strict_gives_other_bits(machine: str, tmp_path: Path) -> None:
    """The control: without level portable the trace tells the machines apart."""
    runs = [
        traced(each, tmp_path / each, "train_numpy.py", "float64", REPRO_LEVEL="strict")
        for each in ("native", machine)
    ]

    assert divergence(*runs) is not None
