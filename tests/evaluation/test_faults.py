"""Faults planted in the middle of a training in each framework: found at their step and line, with
a guess that fits.

The programs lie in faults/, and have not heard of seedlock.
"""

from __future__ import annotations

import ast
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.divergence import first_divergence
from seedlock.evaluation.traces import Run
from tests.absent import compiled_before, without
from tests.interpreter import REPOSITORY, python

FOLDER = REPOSITORY / "tests" / "evaluation" / "faults"
FRAMEWORKS = ("torch", "keras", "tensorflow", "mxnet", "jax")
FAULTS = {
    "race": "a sum was taken in another order: a race between threads",
    "augmentation": r"(os\.urandom|SystemRandom|gauss)\S* draws from the system at .*:{fault}$"
    r"|system entropy is given as seed at .*:{fault}$",
    "clock": "a clock, a process id or system entropy is given as seed at .*:{fault}$",
    "set": "a set is iterated at .*:({fault}|{uses})",
}
"""What the likeliest guess must say, with the number of the fault's line and of the one that uses
its value."""

WATCHED = (("keras", "set"), ("tensorflow", "set"), ("mxnet", "set"))
"""Sets of text: their order is locked at every level but watch."""

FULL = (
    ("keras", "clock"), ("keras", "race"), ("keras", "set"), ("tensorflow", "augmentation"),
    ("tensorflow", "clock"), ("tensorflow", "set"), ("mxnet", "augmentation"), ("mxnet", "clock"),
    ("mxnet", "race"), ("jax", "race"), ("jax", "set"),
)  # fmt: skip
"""Left to `make test-full`: those that are traced and guessed about like one that the gate has. It
has every framework, and every fault in two of them at least."""

CASES = [
    pytest.param(framework, fault, marks=pytest.mark.full if (framework, fault) in FULL else ())
    for framework in FRAMEWORKS
    for fault in FAULTS
]

STEP = 37
WINDOW = {"REPRO_TRACE": "op", "REPRO_TRACE_STEPS": f"{STEP}:{STEP + 1}"}
TRIES = 8
"""Pairs of runs until a fault must have shown: threads may finish in the same order twice."""

Start = dict[str, dict[str, str]]


@pytest.fixture(scope="module", name="start")
def _start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Variables by framework: without them most of the time of these tests is that of starts."""
    alone = without("jax", "sklearn")
    kept = compiled_before(tmp_path_factory.mktemp("compiled"))
    return {"keras": alone, "tensorflow": alone, "jax": kept}


def run(framework: str, fault: str, folder: Path, variables: dict[str, str]) -> str:
    """Run a training in a folder of its own; return the digest of its parameters."""
    folder.mkdir()
    program = str(FOLDER / f"{framework}_training.py")
    given: dict[str, Any] = {"OMP_NUM_THREADS": "1", "REPRO_SEED": "7", **variables}
    return python(program, fault, cwd=folder, **given).lines[-1]


def pair(
    framework: str, fault: str, folder: Path, variables: dict[str, str]
) -> tuple[tuple[Run, Run], list[str]]:
    """Run a training twice, side by side, with a trace of the step of the fault."""
    folder.mkdir()

    def traced(name: str) -> str:
        report = str(folder / name / "reports")
        given = {**variables, **WINDOW, "REPRO_REPORT": report}
        return run(framework, fault, folder / name, given)

    names = ("one", "other")
    with ThreadPoolExecutor(max_workers=2) as runs:
        digests = list(runs.map(traced, names))
    return (Run(folder / names[0]), Run(folder / names[1])), digests


@pytest.fixture(scope="module", name="plain")
def _plain(tmp_path_factory: pytest.TempPathFactory, start: Start) -> dict[str, str]:
    """The digest of each training's parameters without a fault and without a trace."""
    folder = tmp_path_factory.mktemp("plain")
    with ThreadPoolExecutor(max_workers=2) as runs:
        digests = runs.map(
            lambda name: run(name, "none", folder / name, start.get(name, {})), FRAMEWORKS
        )
        return dict(zip(FRAMEWORKS, digests, strict=True))


def lines_of(framework: str, fault: str) -> dict[str, int]:
    """Return the number of the line that has a fault, and of the one that uses its value first:
    the same where that is no other."""
    found = {}
    for number, line in enumerate(
        (FOLDER / f"{framework}_training.py").read_text().splitlines(), start=1
    ):
        marked = re.search(r"# (fault|uses): (\w+)$", line)
        if marked is not None and marked[2] == fault:
            assert marked[1] not in found
            found[marked[1]] = number
    return {"uses": found["fault"], **found}


def test_every_program_is_an_authors() -> None:
    """None has heard of seedlock, each is told of above and has all faults."""
    files = {path.stem.removesuffix("_training"): path for path in FOLDER.glob("*.py")}

    assert files.keys() == {*FRAMEWORKS}
    for name, path in files.items():
        text = path.read_text()
        assert "seedlock" not in text and "REPRO_" not in text, name
        assert ast.get_docstring(ast.parse(text)), name
        for fault in FAULTS:
            assert lines_of(name, fault), (name, fault)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_training_without_a_fault_is_repeatable(
    framework: str, tmp_path: Path, plain: dict[str, str], start: Start
) -> None:
    """Not one event differs, and the parameters are those of a run without a trace."""
    (one, other), digests = pair(framework, "none", tmp_path / "traced", start.get(framework, {}))

    assert first_divergence(one, other) is None
    assert digests == 2 * [plain[framework]]
    assert one.troubles() == other.troubles() == []
    assert one.steps > STEP
    assert one.events == other.events


@pytest.mark.parametrize(("framework", "fault"), CASES)
def test_a_fault_is_found(framework: str, fault: str, tmp_path: Path, start: Start) -> None:
    """At its step, at its line, and the likeliest guess names it."""
    level = {"REPRO_LEVEL": "watch"} if (framework, fault) in WATCHED else {}
    variables = {**start.get(framework, {}), **level}
    found = None
    for attempt in range(TRIES):
        runs, digests = pair(framework, fault, tmp_path / str(attempt), variables)
        found = first_divergence(*runs)
        if found is not None:
            break
        assert digests[0] == digests[1]

    lines = lines_of(framework, fault)
    assert found is not None and found.at is not None
    file, _, line = found.at.rpartition(":")
    assert Path(file).name == f"{framework}_training.py"
    assert (found.step, int(line)) in [(STEP, each) for each in lines.values()], found
    assert found.causes and re.search(FAULTS[fault].format(**lines), found.causes[0].text), (
        found.causes
    )
