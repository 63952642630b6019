"""What seedlock makes of a record, known by making it anew."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from seedlock.evaluation.file_digests import digest_of
from seedlock.evaluation.recording import in_toto, ro_crate
from seedlock.evaluation.recording.show_page import page
from seedlock.evaluation.replaying.shown_anew import shown
from seedlock.evaluation.writing import write_json, write_text
from tests.evaluation.recording.test_record import COMPLETE

NAMES = ["a.html", "statement.json", "crate/record.json", "crate/ro-crate-metadata.json",
         "crate/output/w.bin", "crate/output/more.bin", "train.py"]  # fmt: skip


def folder_with_all(folder: Path, **changes: Any) -> tuple[Path, dict[str, Any]]:
    """Write a record, what shows it, and two files more; return the record's file and content."""
    output = folder / "run" / "run" / "output"
    output.mkdir(parents=True)
    (output / "w.bin").write_bytes(b"1234")
    of = {"path": "w.bin", "sha256": digest_of(output / "w.bin").digest, "size": 4}
    content = {**copy.deepcopy(COMPLETE), "artifacts": "run", "outputs": [of], **changes}
    file = folder / "run.json"
    write_json(str(file), content)
    content = json.loads(file.read_text())
    write_text(str(folder / "a.html"), page(content))
    statement = in_toto.statement(content, file.name, digest_of(file).digest)
    write_json(str(folder / "statement.json"), statement)
    ro_crate.write(content, file, folder / "crate")
    (folder / "crate" / "output" / "more.bin").write_bytes(b"5")
    (folder / "train.py").touch()
    return file, content


def test_what_is_made_of_a_record_is_known(tmp_path: Path) -> None:
    """Each file of it, and no other; without its record none of it."""
    file, content = folder_with_all(tmp_path)
    both = {file: content, tmp_path / "crate" / "record.json": content}

    assert {*NAMES} - {*shown(NAMES, tmp_path, both)} == {
        "crate/record.json", "crate/output/more.bin", "train.py",
    }  # fmt: skip
    assert [*shown(NAMES, tmp_path, {})] == []


def test_what_only_claims_it_is_not(tmp_path: Path) -> None:
    """One byte more, less or other, of the file or of its record; an output that leads out."""
    file, content = folder_with_all(tmp_path)
    both = {file: content, tmp_path / "crate" / "record.json": content}
    for name in ("a.html", "statement.json", "crate/ro-crate-metadata.json", "crate/output/w.bin"):
        path = tmp_path / name
        kept = path.read_bytes()
        for other in (kept + b" ", kept[:-1], kept[:-2] + b"#" + kept[-1:]):
            path.write_bytes(other)
            assert name not in [*shown(NAMES, tmp_path, both)], other
        path.write_bytes(kept)
    changed = {**content, "seed": content["seed"] + 1}
    assert [*shown(NAMES, tmp_path, dict.fromkeys(both, changed))] == []

    way_out = {**content["outputs"][0], "path": "../../train.py"}
    of = {**content, "outputs": [way_out | {"sha256": digest_of(tmp_path / "train.py").digest}]}
    crate = tmp_path / "crate"
    (crate / "ro-crate-metadata.json").write_bytes(ro_crate.metadata(of, crate))
    found = [*shown(NAMES, tmp_path, {crate / "record.json": of})]
    assert "train.py" not in found and not [each for each in found if ".." in each]


def test_a_record_of_which_nothing_can_be_made_is_passed_over(tmp_path: Path) -> None:
    """A stranger's record may say odd things that its schema allows."""
    file, content = folder_with_all(tmp_path)
    odd = {**content, "usage": {}, "metrics": {"series": {"a": [[10**400, 1.0]]}}}

    assert [*shown(NAMES, tmp_path, {file: odd, tmp_path / "crate" / "record.json": odd})] == []
