"""What a measurement was made with, by which one that was ended is gone on with or not."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from seedlock.errors import Drift
from seedlock.evaluation.reference import measuring, surroundings
from seedlock.evaluation.reference.reference_errors import BadReference
from seedlock.evaluation.reference.surroundings import Surroundings, terms
from tests.evaluation.reference.made_reference import HURT, SOUND, make
from tests.evaluation.reference.released import locks

SOME = Surroundings({"cpu.lock": "sha256:1"}, "3.11.2", {"numpy": "2.2.6"}, "code")


def test_what_is_there(tmp_path: Path) -> None:
    """Of all packages those that a lock names, as the interpreter would import them."""
    made = make(tmp_path, 1)

    found = surroundings.look(tmp_path / SOUND, {**os.environ, **made.variables(SOUND)})

    names = ["numpy", "plaindata", "plainopt", "tinydata", "tinyopt"]
    assert sorted(found.packages) == names
    assert found.packages["tinyopt"] == "1.0.0"
    assert found.python.startswith("3.")
    with pytest.raises(BadReference, match="say --locks FOLDER"):
        surroundings.look(made.reference, os.environ)


def test_a_package_that_is_not_the_locks_is_refused(tmp_path: Path) -> None:
    """A patch release of a framework in the place of the locked one, on either side: a measurement
    would name locks that it was not made with. Nothing is trained."""
    variables = locks(tmp_path / "locks", "keras==3.15.1", "keras==3.15.0")
    told = "keras is 3.15.1 and cpu.lock names 3.15.0; .* or say --locks FOLDER"

    with pytest.raises(Drift, match=told):
        surroundings.look(tmp_path / "locks", {**os.environ, **variables})
    made = make(tmp_path, 1, ("plain-line",))
    done = made.reference_run("measure", SOUND, "--locks", str(tmp_path / HURT), check=False)
    assert done.status == 78
    assert "tinydata is 1.0.0 and cpu.lock names 1.0.1" in done.err
    assert not (made.reference / "cpu").exists()


def test_whatever_changes_bits_changes_the_terms() -> None:
    """Another package, lock, interpreter, seedlock, level, number of seeds or program is another
    measurement."""
    changed = [
        dataclasses.replace(SOME, lock={"cpu.lock": "sha256:2"}),
        dataclasses.replace(SOME, python="3.11.3"),
        dataclasses.replace(SOME, packages={"numpy": "2.2.7"}),
        dataclasses.replace(SOME, code="another"),
    ]
    programs = {"a": "sha256:1"}
    found = {terms(each, "portable", 3, programs).digest for each in (SOME, *changed)}
    found.add(terms(SOME, "strict", 3, programs).digest)
    found.add(terms(SOME, "portable", 4, programs).digest)
    found.add(terms(SOME, "portable", 3, {"a": "sha256:2"}).digest)

    assert len(found) == 8
    assert terms(SOME, "portable", 3, programs).digest in found


def test_another_measurement_begins_anew(tmp_path: Path) -> None:
    """What was under way under other terms goes, and that is said; under these it stays."""
    told: list[str] = []
    one = measuring._folder(tmp_path, "sha256:" + "1" * 64, told.append)
    (one / "ledger.db").write_bytes(b"")

    assert measuring._folder(tmp_path, "sha256:" + "1" * 64, told.append) == one
    assert told == ["going on with what is there"]
    other = measuring._folder(tmp_path, "sha256:" + "2" * 64, told.append)
    assert other != one and not one.exists()
    assert "was of other programs, packages or seeds" in told[1]
