"""A lock is not released without what well-known models come to under it (docs/reference.md)."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedlock.evaluation.reference import models_file, staged, stored
from seedlock.evaluation.reference.surroundings import LOCKS

if TYPE_CHECKING:
    from .conftest import Run

MODEL = "numpy-digits"
"""One that takes seconds."""

LONGEST = 60.0
"""Seconds of a run on two processors: whoever renews a lock waits for 150 runs."""

LARGEST = 3 << 20
"""Bytes of all that is stored, which every clone of the repository has."""


@pytest.fixture(scope="module", name="folder")
def folder_fixture() -> Path:
    return Path(__file__).resolve().parents[2] / "version-lock" / "reference"


@pytest.fixture(scope="module", name="content")
def content_fixture(folder: Path) -> dict[str, Any]:
    path = folder / "cpu" / stored.NAME
    assert path.exists(), "there are no reference runs of this lock; say make reference"
    return stored.read(path.parent)


def test_the_reference_is_that_of_the_locks(content: dict[str, Any], lock: Path) -> None:
    digests = {
        name: f"sha256:{hashlib.sha256((lock / name).read_bytes()).hexdigest()}" for name in LOCKS
    }
    assert content["lock"] == digests, "the locks changed since; say make reference-check"


def test_each_model_has_each_seed(content: dict[str, Any], folder: Path) -> None:
    models = models_file.read(folder)
    assert set(content["models"]) == {each.name for each in models.models}
    assert (content["seeds"], content["level"]) == (models.seeds, models.level)
    for model in models.models:
        of = content["models"][model.name]
        runs = of["runs"]
        assert of["program"] == staged.program_digest(models, model), model.name
        assert [each["seed"] for each in runs] == list(range(1, models.seeds + 1)), model.name
        assert {each["outcome"] for each in runs} == {"done"}, model.name
        assert all(each["trace"] and each["trace"]["results"] for each in runs), model.name


def test_each_model_trains_in_a_minute(content: dict[str, Any]) -> None:
    took = {
        f"{name}, seed {run['seed']}": run["wall_s"]
        for name, model in content["models"].items()
        for run in model["runs"]
    }
    assert {run: seconds for run, seconds in took.items() if seconds > LONGEST} == {}


def test_traces_are_there_and_small(content: dict[str, Any], folder: Path) -> None:
    for model in content["models"].values():
        for mode in ("step_trace", "op_trace"):
            stored.trace(folder / "cpu", model[mode])
    assert sum(each.stat().st_size for each in (folder / "cpu").rglob("*")) < LARGEST


def test_a_model_has_its_stored_bits_here(
    content: dict[str, Any], folder: Path, python: Run, tmp_path: Path
) -> None:
    done = python(
        "-m", "seedlock", "reference", "check", folder, "--models", MODEL, "--seeds", "1",
        "--work", tmp_path, "--json",
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    result = json.loads(done.stdout)
    verdict, changes = result["models"][MODEL]["verdict"], result["changes"]
    if verdict != "EQUAL BITS":
        another = changes["processor"] or changes["instruction_sets"]
        told = f"{MODEL}: {verdict}; processor: {another}; {result['models'][MODEL]['first']}"
        assert another, told
        warnings.warn(told, stacklevel=1)
