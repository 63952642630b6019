"""Exported RO-Crates against their profile, by the validator that its community keeps.

roc-validator (github.com/crs4/rocrate-validator) has the rules of Process Run Crate 0.5 and of
RO-Crate 1.1 below it, as SHACL shapes and programs. It runs in an environment of its own, by
`version-lock/crate.lock`.
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.recording import ro_crate
from tests.evaluation.recording.test_record import COMPLETE

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / "build" / "crate" / "bin" / "python"
VALIDATOR = Path(__file__).with_name("validate_crate.py")
PROFILE = "process-run-crate"

OUTPUTS = {"sub/model.bin": b"weights", "a name, 50 %/größe#1.csv": b"1,2\n", "plain": b""}

UNKNOWN_TO_A_RECORD = {
    "The Application SHOULD have a url",
    "The SoftwareApplication id SHOULD be an absolute URI",
    "The Action SHOULD have an agent that is a Person or Organization",
    "The Root Data Entity SHOULD have a link to a Contextual Entity representing the `author` of "
    "the RO-Crate",
    "The `publisher` property of a `Root Data Entity` SHOULD be an `Organization`",
}
"""Recommendations that stay open: who made a run, and where its program is published."""

Graph = dict[str, dict[str, Any]]
Fault = Callable[[Path, Graph], object]

FAULTS: dict[str, tuple[Fault, str]] = {
    "no date": (lambda _, graph: graph["./"].pop("datePublished"), "datePublished"),
    "no profile": (lambda _, graph: graph["./"].pop("conformsTo"), "versioned permalink of the pr"),
    "an action without instrument": (
        lambda _, graph: graph["#run"].pop("instrument"), "MUST have an instrument property",
    ),
    "an instrument that is no program": (
        lambda _, graph: graph["#program"].update({"@type": "Person"}),
        "MUST have an instrument property",
    ),
    "a file that is not there": (lambda crate, _: (crate / "record.json").unlink(), "record.json"),
    "a word that nobody has defined": (
        lambda _, graph: graph["#seed"].update(loudness=11), '"loudness"',
    ),
}  # fmt: skip
"""What is wrong with a crate, and what the validator has to say then."""


def record(**changes: Any) -> dict[str, Any]:
    """Return a record of a run with data, source, and outputs of which one is gone."""
    digest = "sha256:" + "1" * 64
    outputs = [{"path": path, "sha256": digest, "size": len(raw)} for path, raw in OUTPUTS.items()]
    return {
        **copy.deepcopy(COMPLETE),
        "data": [{
            "name": "digits", "sha256": digest, "size": 5, "kind": "file",
            "licence": "CC0-1.0", "verified_before": True, "verified_after": True,
        }],
        "source": {"revision": None, "digest": digest, "dirty": [], "files": 1, "changed": []},
        "outputs": [*outputs, {"path": "gone.bin", "sha256": digest, "size": 9}],
        **changes,
    }  # fmt: skip


def crate(folder: Path, content: dict[str, Any]) -> Path:
    """Write a record, what its run left, and the crate of both; return the crate's folder."""
    for path, raw in OUTPUTS.items():
        place = folder / content["artifacts"] / "run" / "output" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(raw)
    (folder / "run.json").write_text(json.dumps(content))
    ro_crate.write(content, folder / "run.json", folder / "crate")
    return folder / "crate"


def spoil(folder: Path, to: Path, fault: Fault) -> Path:
    """Copy a crate and plant a fault in it."""
    shutil.copytree(folder, to)
    path = to / ro_crate.METADATA
    content = json.loads(path.read_text())
    fault(to, {each["@id"]: each for each in content["@graph"]})
    path.write_text(json.dumps(content))
    return to


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, set[str]]]:
    """What the validator finds in each crate, by severity: of one process, since its start takes
    most of the time."""
    assert PYTHON.exists(), "build/crate is not there; say make venv"
    folder = tmp_path_factory.mktemp("crates")
    failed = {"class": "metrics", "exit_status": 1, "reasons": ["x is nan"], "notes": []}
    image = {"name": "mine", "id": "sha256:" + "2" * 64, "network": False, "mounts": []}
    crates = {
        "done": crate(folder / "done", record()),
        "failed in an image": crate(
            folder / "failed", record(outcome=failed, image=image, source=None, data=[])
        ),
    }
    for number, (name, (fault, _)) in enumerate(FAULTS.items()):
        crates[name] = spoil(crates["done"], folder / str(number), fault)
    command = list(map(str, (PYTHON, VALIDATOR, PROFILE, *crates.values())))
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert done.returncode == 0, done.stderr
    points = zip(crates, json.loads(done.stdout), strict=True)
    return {
        name: {
            severity: {each["said"] for each in failing if each["severity"] == severity}
            for severity in ("REQUIRED", "RECOMMENDED")
        }
        for name, failing in points
    }


@pytest.mark.parametrize("name", ["done", "failed in an image"])
def test_each_required_point_holds(found: dict[str, dict[str, set[str]]], name: str) -> None:
    """And of the recommended ones all that a record knows anything of."""
    assert found[name] == {"REQUIRED": set(), "RECOMMENDED": UNKNOWN_TO_A_RECORD}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(found: dict[str, dict[str, set[str]]], name: str) -> None:
    """So the validator would see one in an export."""
    assert any(FAULTS[name][1] in said for said in found[name]["REQUIRED"]), found[name]
