"""What the adapters' tests run: a program per library, unlocked and at each level."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.absent import without
from tests.interpreter import python, reports

LEVELS = ("seed", "warn", "strict")

DRAW_ALL = Path(__file__).parent / "draw_all.py"
IN_COPIES = Path(__file__).parent / "in_copies.py"

PRELUDE = """
import ctypes, json, os, sys
library = ctypes.CDLL(None)
library.getenv.restype = ctypes.c_char_p

def in_c(*names):
    "Values of environment variables as the C half of a library reads them."
    values = {name: library.getenv(name.encode()) for name in names}
    return {name: value and value.decode() for name, value in values.items()}

def digest(array):
    "A digest of the bits of what NumPy can read."
    import hashlib, numpy
    return hashlib.sha256(numpy.ascontiguousarray(array).tobytes()).hexdigest()[:16]

def outcome(step):
    "What became of a call: 'done' or the name of what it raised, and what it warned of."
    import warnings
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            step()
            ended = "done"
        except Exception as problem:
            ended = type(problem).__name__
    return [ended, *sorted({each.category.__name__ for each in caught})]
"""


class Run:
    """What a program said, and its report.

    Attributes:
        said: the JSON value of the last line of its output.
        errors: its standard error.
        report: its finished report; empty when it ran unlocked.
    """

    def __init__(self, said: Any, errors: str, report: dict[str, Any]) -> None:
        self.said = said
        self.errors = errors
        self.report = report

    def library(self, name: str) -> Any:
        """The report's part on one library."""
        return self.report["libraries"][name]


def unlocked(program: str, folder: Path, **variables: Any) -> Run:
    """Run a program without REPRO_SEED."""
    done = python("-c", PRELUDE + program, cwd=folder, **variables)
    return Run(done.json(), done.err, {})


def locked(program: str, folder: Path, *, seed: int = 7, **variables: Any) -> Run:
    """Run a program under a seed, at level strict unless `variables` say otherwise."""
    place = folder / f"reports-{len(list(folder.iterdir()))}"
    done = python(
        "-c",
        PRELUDE + program,
        cwd=folder,
        REPRO_SEED=str(seed),
        REPRO_REPORT=str(place),
        **variables,
    )
    (report,) = reports(place)
    assert report["status"] == "finished"
    return Run(done.json(), done.err, report)


def every_level(program: str, given: dict[str, Any], folder: Path) -> dict[str, Run]:
    """Run a program unlocked, at each level under seed 7, and once more as `other`.

    `other` is level strict under seed 8 with REPRO_TF32=off, and UNDO is set: the program undoes
    what it can of the lock when it has said what is in force.

    Args:
        program: prints a JSON object with at least `draws`.
        given: the user's own variables in a run, by its name.
        folder: working directory.
    """
    runs = {"unlocked": unlocked(program, folder, **given.get("unlocked", {}))}
    for level in LEVELS:
        runs[level] = locked(program, folder, REPRO_LEVEL=level, **given.get(level, {}))
    runs["other"] = locked(
        program, folder, seed=8, REPRO_TF32="off", UNDO="1", **given.get("other", {})
    )
    return runs


def same_draws(runs: dict[str, Run]) -> bool:
    """Tell whether the three runs under seed 7 drew the same, whatever the level."""
    return all(runs[level].said["draws"] == runs["strict"].said["draws"] for level in LEVELS)


def deaf(runs: dict[str, Run]) -> list[str]:
    """Return the names of the draws that came out the same under another seed."""
    first, other = runs["strict"].said["draws"], runs["other"].said["draws"]
    assert list(first) == list(other)
    return [name for name in first if first[name] == other[name]]


def drawn(imports: str, folder: Path, *sets: dict[str, Any], **variables: Any) -> Any:
    """Run draw_all.py, without scikit-learn by default, and return what each set drew."""
    arguments = [json.dumps(sets)] if sets else []
    given = {**without("sklearn"), **variables}
    return python(str(DRAW_ALL), imports, *arguments, cwd=folder, **given).json()


def in_copies(
    imports: str, programs: Mapping[str, str], folder: Path, **variables: Any
) -> dict[str, Any]:
    """Run programs in copies of one process, which in_copies.py tells of, unlocked or locked.

    Args:
        imports: what is imported before, names with commas.
        programs: each prints JSON in its last line; by name.
        folder: working directory, where nothing else is.
        variables: environment variables of the process.

    Returns:
        What each program said.
    """
    files = {name: folder / f"program{number}.py" for number, name in enumerate(programs)}
    for name, file in files.items():
        file.write_text(PRELUDE + programs[name])
    python(str(IN_COPIES), imports, *map(str, files.values()), cwd=folder, **variables)
    return {
        name: json.loads(Path(f"{file}.out").read_text().splitlines()[-1])
        for name, file in files.items()
    }
