"""`seedlock export`: what others read of a record.

The profile's own validator looks at crates in test_ro_crate_profile.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.file_digests import digest_of
from seedlock.evaluation.recording import in_toto
from tests.evaluation.recording.test_record import BEGUN, COMPLETE
from tests.interpreter import Done, run

OUTPUT = b"weights"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A record with one output that is still there and one that is gone."""
    there = tmp_path / "run" / "run" / "output" / "sub"
    there.mkdir(parents=True)
    (there / "model.bin").write_bytes(OUTPUT)
    content = {
        **COMPLETE,
        "seed": 2**64 - 1,
        "data": [{
            "name": "digits", "sha256": "sha256:" + "1" * 64, "size": 5, "kind": "file",
            "licence": "CC0-1.0", "verified_before": True, "verified_after": True,
        }],
        "source": {"revision": "a" * 40, "digest": "sha256:" + "2" * 64, "dirty": [], "files": 1,
                   "changed": []},
        "outputs": [
            {"path": "sub/model.bin", "sha256": digest_of(there / "model.bin").digest, "size": 7},
            {"path": "gone.bin", "sha256": "sha256:" + "3" * 64, "size": 9},
        ],
    }  # fmt: skip
    path = tmp_path / "run.json"
    path.write_text(json.dumps(content))
    return path


def export(path: Path, *options: str) -> Done:
    """Run the command."""
    return run([sys.executable, "-m", "seedlock", "export", str(path), *options], check=False)


def test_the_statement(record: Path, tmp_path: Path) -> None:
    """Each result and the record are subjects; what went in are parameters and dependencies."""
    done = export(record, "--in-toto", str(tmp_path / "statement.json"))

    assert done.status == 0, done.err
    found = json.loads((tmp_path / "statement.json").read_text())
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    assert found["predicateType"] == "https://slsa.dev/provenance/v1"
    subjects = {each["name"]: each["digest"]["sha256"] for each in found["subject"]}
    assert subjects["run.json"] == digest_of(record).digest.removeprefix("sha256:")
    assert subjects["gone.bin"] == "3" * 64
    build = found["predicate"]["buildDefinition"]
    assert build["externalParameters"]["seed"] == str(2**64 - 1)
    dependencies = {each["name"]: each["digest"] for each in build["resolvedDependencies"]}
    assert dependencies["source"] == {"sha256": "2" * 64, "gitCommit": "a" * 40}
    assert dependencies["digits"] == {"sha256": "1" * 64}
    assert found["predicate"]["runDetails"]["metadata"]["startedOn"].startswith("2026-11-22T12")


def test_a_dirty_tree_is_no_commit(record: Path) -> None:
    """Who reads the statement must not think that the commit is what ran."""
    content = json.loads(record.read_text())
    content["source"]["dirty"] = [{"file": "train.py", "sha256": None}]

    found = in_toto.statement(content, "run.json", "sha256:" + "0" * 64)

    dependencies = found["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert "gitCommit" not in dependencies[0]["digest"]


def test_the_crate(record: Path, tmp_path: Path) -> None:
    """The profile's musts: an action with an instrument, objects and results that are there."""
    done = export(record, "--ro-crate", str(tmp_path / "crate"))

    assert done.status == 0, done.err
    graph: dict[str, dict[str, Any]] = {
        each["@id"]: each
        for each in json.loads((tmp_path / "crate" / "ro-crate-metadata.json").read_text())[
            "@graph"
        ]
    }
    root = graph["./"]
    assert root["conformsTo"]["@id"] == "https://w3id.org/ro/wfrun/process/0.5"
    for key in ("name", "description", "datePublished", "license"):
        assert root[key]
    assert graph["ro-crate-metadata.json"]["about"]["@id"] == "./"
    action = graph[root["mentions"]["@id"]]
    assert action["@type"] == "CreateAction"
    assert action["actionStatus"].endswith("CompletedActionStatus")
    assert graph[action["instrument"]["@id"]]["@type"] == "SoftwareApplication"
    for each in [*action["object"], *action["result"]]:
        assert each["@id"] in graph
    assert graph["#seed"]["value"] == str(2**64 - 1)
    assert (tmp_path / "crate" / "output" / "sub" / "model.bin").read_bytes() == OUTPUT
    assert (tmp_path / "crate" / "record.json").read_bytes() == record.read_bytes()
    parts = {each["@id"] for each in root["hasPart"]}
    assert all((tmp_path / "crate" / part).is_file() for part in parts)
    assert graph["#output/gone.bin"]["sha256"] == "3" * 64


def test_a_library_reads_the_crate(record: Path, tmp_path: Path) -> None:
    """As others would."""
    from rocrate.rocrate import ROCrate

    export(record, "--ro-crate", str(tmp_path / "crate"))

    crate = ROCrate(tmp_path / "crate")
    assert crate.get("#run").get("result")[0].id == "record.json"


def test_a_failed_run_is_a_failed_action(record: Path, tmp_path: Path) -> None:
    """With its reasons."""
    content = json.loads(record.read_text())
    content["outcome"] = {
        "class": "metrics",
        "exit_status": 0,
        "reasons": ["x is nan"],
        "notes": [],
    }
    record.write_text(json.dumps(content))

    export(record, "--ro-crate", str(tmp_path / "crate"))

    text = (tmp_path / "crate" / "ro-crate-metadata.json").read_text()
    assert "FailedActionStatus" in text and "x is nan" in text


def test_what_is_refused(record: Path, tmp_path: Path) -> None:
    """Nothing asked for, a folder that holds something, an incomplete record."""
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine").touch()
    assert export(record).status == 2
    assert export(record, "--ro-crate", str(full)).status == 2
    assert [each.name for each in full.iterdir()] == ["mine"]

    record.write_text(json.dumps({"format": "seedlock-record", "version": 1, "status": "running",
                                  **BEGUN}))  # fmt: skip
    assert export(record, "--in-toto", str(tmp_path / "s.json")).status == 4
    assert not (tmp_path / "s.json").exists()


@pytest.mark.parametrize("option", ["--in-toto", "--ro-crate"])
def test_what_cant_be_written(record: Path, option: str) -> None:
    """Where a file stands in a folder's place: one line that says why."""
    done = export(record, option, f"{record}/none/made")

    assert done.status == 74
    assert done.err == (
        f"seedlock export: '{record}/none/made' can't be written: Not a directory\n"
    )
