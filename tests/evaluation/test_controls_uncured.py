"""Every control with its cure switched off: the fault is found, and the right line is named.

Level watch locks nothing, so that a fault is there, and writes the same trace. A control prints
what it drew: here `print` writes it into the trace as well, as an author's checkpoint would.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seedlock.evaluation.advice import constant_seeds
from seedlock.evaluation.divergence import first_divergence
from seedlock.evaluation.records import Records
from seedlock.evaluation.traces import Run
from tests.controls import CONTROLS, Control, cases
from tests.interpreter import REPOSITORY, python

FOLDER = REPOSITORY / "tests" / "controls"
TRIES = 8
"""Pairs of runs until a fault that depends on scheduling must have shown."""

TRACED_PRINT = """
import builtins
import seedlock

plain = builtins.print


def traced(*values, **options):
    seedlock.checkpoint("print", " ".join(map(str, values)))
    plain(*values, **options)


builtins.print = traced
"""

VARYING = [control for control in CONTROLS if control.plain == "varies"]
DEAF = [
    control
    for control in CONTROLS
    if control.plain == "fixed"
    and not control.file.endswith("_order.py")
    and control.file not in ("torch_generator_unseeded.py", "mxnet_iterator_seed.py")
]
"""Those whose result is the same under every seed because the author wrote one."""

DRAWS = re.compile(
    r"rand|seed|reset|urandom|token|uuid|file\.name|mktemp|NamedTemporaryFile|from_non_determ"
    r"|print\((\*|\[|list|sums|model|array)|listdir|glob"
)
"""What the line that a fault is put down to must hold: the draw, the seed, or the first line that
shows what was drawn elsewhere."""


@pytest.fixture(scope="module", name="printing")
def _printing(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder for PYTHONPATH; named as libraries' folders are, so that its lines are nobody's."""
    folder = tmp_path_factory.mktemp("printing") / "site-packages"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(TRACED_PRINT)
    return str(folder)


def watched(control: Control, folder: Path, printing: str, number: int) -> Run:
    """Run a control without its cure, with a trace."""
    place = folder / f"run{number}"
    place.mkdir()
    start = control.start.values()
    python(
        str(FOLDER / control.file),
        cwd=place,
        OMP_NUM_THREADS="1",
        PYTHONPATH=os.pathsep.join([printing, *start]),
        REPRO_SEED="7",
        REPRO_LEVEL="watch",
        REPRO_TRACE="step",
        REPRO_REPORT=str(place / "reports"),
    )
    return Run(place / "reports")


@pytest.mark.parametrize("control", cases(VARYING))
def test_a_fault_is_found_with_its_line(control: Control, tmp_path: Path, printing: str) -> None:
    """Two watched runs part, and the event at which they do stands at the line that drew."""
    found = None
    for attempt in range(TRIES):
        with ThreadPoolExecutor(max_workers=2) as pool:
            one, other = pool.map(
                lambda number: watched(control, tmp_path, printing, number),
                (2 * attempt, 2 * attempt + 1),
            )
        found = first_divergence(one, other)
        if found is not None:
            break

    assert found is not None and found.at is not None
    if control.file == "subprocess_python.py":
        assert (found.place, found.at) == ("0", "<string>:1")  # the child's own program
        return
    file, _, number = found.at.rpartition(":")
    line = (FOLDER / control.file).read_text().splitlines()[int(number) - 1]
    assert Path(file).name == control.file, found
    assert DRAWS.search(line) and not line.startswith(("import", "from")), (found.at, line)
    assert found.causes


@pytest.fixture(scope="module", name="kept")
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Control], list[str]]:
    """The constant seeds that a report names, of a run for all controls that go together."""
    made: dict[tuple[str, ...], list[str]] = {}

    def kept(control: Control) -> list[str]:
        if control.together not in made:
            folder = tmp_path_factory.mktemp("kept")
            python(
                *control.command,
                cwd=folder,
                OMP_NUM_THREADS="1",
                REPRO_SEED="7",
                REPRO_USER_SEEDS="keep",
                REPRO_REPORT=str(folder / "reports"),
                **control.start,
            )
            made[control.together] = constant_seeds(Records(folder / "reports"))
        return made[control.together]

    return kept


@pytest.mark.parametrize("control", cases(DEAF))
def test_a_constant_seed_is_named(control: Control, kept: Callable[[Control], list[str]]) -> None:
    """With user seeds kept as written the program is deaf, and the report names the seed's line."""
    named = kept(control)

    assert any(f"{control.file}:" in each for each in named), named
