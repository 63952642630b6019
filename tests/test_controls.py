"""Positive controls: each known fault is there without seedlock, and cured or reported with it."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.controls import CONTROLS, Control, cases
from tests.interpreter import REPOSITORY, python, reports

FOLDER = REPOSITORY / "tests" / "controls"
CURED = [control for control in CONTROLS if control.cured == "yes"]
LOCKED = [control for control in CONTROLS if control.locked]
REPORTED = [control for control in CONTROLS if control.cured == "reported"]
TRIES = 8
"""Plain runs until a fault that depends on scheduling must have shown: one worker of a pool may
take all tasks, and then none repeats another's numbers."""

DISORDERED = [control for control in CONTROLS if control.file.endswith("_order.py")]
SORTED = [control for control in CONTROLS if control.cured == "sorted"]


def run(
    control: Control, folder: Path, seeds: list[str | None], **more: str
) -> list[list[str]]:  # fmt: skip
    """Run a control and those that go with it once per seed (None: plain), two at a time, and
    return the lines of each run."""

    def lines(number: int) -> list[str]:
        seed, place = seeds[number], folder / f"run{number}"
        place.mkdir(exist_ok=True)
        # One OpenMP thread: two programs at a time would else wait for each other by spinning.
        variables = {"OMP_NUM_THREADS": "1", **control.start, **more} | (
            {} if seed is None else {"REPRO_SEED": seed}
        )
        if "REPRO_ENTROPY" in variables:
            # A name that two runs derive is taken for the one that comes second, while both run.
            variables["TMPDIR"] = str(place)
        found = python(*control.command, cwd=place, check=True, **variables).lines
        assert len(found) == len(control.together)
        return found

    with ThreadPoolExecutor(max_workers=2) as runs:
        return list(runs.map(lines, range(len(seeds))))


def draws(
    control: Control, folder: Path, seeds: list[str | None], **more: str
) -> list[str]:  # fmt: skip
    """Return what a control printed in a run per seed."""
    number = control.together.index(control.file)
    return [lines[number] for lines in run(control, folder, seeds, **more)]


Shared = Callable[[Control, list[str | None], int], list[str]]


@pytest.fixture(scope="module", name="shared")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """`draws`, from one run for all controls that go together; a run of its own per number."""
    made: dict[Any, list[list[str]]] = {}

    def shared(control: Control, seeds: list[str | None], attempt: int) -> list[str]:
        key = control.together, *seeds, attempt
        if key not in made:
            made[key] = run(control, tmp_path_factory.mktemp("runs"), seeds)
        return [lines[control.together.index(control.file)] for lines in made[key]]

    return shared


def all_differ(line: str) -> bool:
    """Tell whether no two of the draws of a line are equal."""
    return len(set(line.split())) == len(line.split()) > 1


def shows(control: Control, found: list[str]) -> bool:
    """Tell whether plain runs show the fault that the table says."""
    if (len(set(found)) > 1) != (control.plain == "varies"):
        return False
    if control.siblings == "equal":
        return not all(map(all_differ, found))
    return not control.siblings or all(map(all_differ, found))


def is_named(control: Control, found: list[dict[str, Any]]) -> bool:
    """Tell whether a report names a line of the control where it speaks of what it can't cure."""
    places = json.dumps(
        [report.get(key) for report in found for key in ("entropy", "user_seeds", "gaps")]
    )
    return f"{control.file}:" in places


def test_the_table_has_every_control() -> None:
    """No control stands beside the table, and the table says of each what its file says."""
    files = {path.name: path.read_text() for path in FOLDER.glob("[a-z]*.py")}

    assert files.keys() == {control.file for control in CONTROLS}
    for control in CONTROLS:
        assert ast.get_docstring(ast.parse(files[control.file])) == control.fault
        assert "seedlock" not in files[control.file] and "REPRO_" not in files[control.file]


@pytest.mark.parametrize("control", cases(CONTROLS))
def test_the_fault_is_there(control: Control, shared: Shared) -> None:
    """Plain, the draws vary from run to run, or are the same whatever happens outside."""
    found = shared(control, [None, None], 0)
    while len(found) < TRIES and not shows(control, found):
        found += shared(control, [None, None], len(found))

    assert shows(control, found), found


@pytest.mark.parametrize("control", cases(DISORDERED))
def test_the_file_system_has_an_order_of_its_own(control: Control, tmp_path: Path) -> None:
    """The fault of these is an order that is nobody's, though one machine repeats it."""
    (line,) = draws(control, tmp_path, [None])

    assert len(line.split()) == 2
    assert all(order != "".join(sorted(order)) for order in line.split())


@pytest.mark.parametrize("control", cases(SORTED))
def test_folders_are_listed_in_order_at_level_strict(control: Control, tmp_path: Path) -> None:
    """Sorted by name at level strict; as they come, and counted with the line, below."""
    strict, warn = (
        draws(control, tmp_path, ["7"], REPRO_LEVEL=level, REPRO_REPORT=str(tmp_path / level))[0]
        for level in ("strict", "warn")
    )

    assert all(order == "".join(sorted(order)) for order in strict.split())
    assert any(order != "".join(sorted(order)) for order in warn.split())
    assert is_named(control, reports(tmp_path / "strict"))
    assert is_named(control, reports(tmp_path / "warn"))


def test_addresses_do_not_vary_or_the_report_says_so(tmp_path: Path) -> None:
    """The order of a set of plain objects repeats, or is a gap where the kernel refuses."""
    (control,) = (control for control in CONTROLS if control.cured == "addresses")

    first, again = draws(control, tmp_path, ["7", "7"], REPRO_REPORT=str(tmp_path / "reports"))

    gaps = [" ".join(report["gaps"]) for report in reports(tmp_path / "reports")]
    assert first == again or all("order of sets of plain objects" in each for each in gaps)


@pytest.mark.parametrize("control", cases(LOCKED))
def test_the_system_is_derived_on_demand(control: Control, tmp_path: Path) -> None:
    """With REPRO_ENTROPY=lock what draws from the system repeats, and hears the seed."""
    first, again, other = draws(control, tmp_path, ["7", "7", "8"], REPRO_ENTROPY="lock")

    assert first == again
    assert first != other


@pytest.mark.parametrize("control", cases(CURED))
def test_the_fault_is_cured(control: Control, shared: Shared) -> None:
    """Under one seed two runs draw the same, under another they draw others; siblings differ."""
    first, again, other = shared(control, ["7", "7", "8"], 0)

    assert first == again
    assert first != other
    assert not control.siblings or all_differ(first)


@pytest.mark.parametrize("control", cases(REPORTED))
def test_what_is_not_cured_is_reported(control: Control, tmp_path: Path) -> None:
    """The report names the file and line where a draw was made that no seed decides."""
    python(str(FOLDER / control.file), cwd=tmp_path, REPRO_SEED="7", REPRO_REPORT=str(tmp_path))

    assert is_named(control, reports(tmp_path))
