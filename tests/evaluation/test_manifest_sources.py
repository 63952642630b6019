"""manifest_sources.py: what a name stands for, and which lock an environment was made from."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from seedlock.errors import BadLock, BadManifest, NoEngine
from seedlock.evaluation.bill_of_materials import text_of
from seedlock.evaluation.manifest import DEB, LOCKED, PYTHON
from seedlock.evaluation.manifest_sources import of_anything, of_environment, of_file, of_locks
from tests.interpreter import REPOSITORY

LOCKS = REPOSITORY / "version-lock"
NOWHERE = {"PATH": "/none"}


def test_what_a_name_stands_for(tmp_path: Path) -> None:
    """A folder of locks, a lock, a file, else an image."""
    locks = of_locks(str(LOCKS))
    file = tmp_path / "manifest"
    file.write_text(text_of(locks))

    assert of_anything(NOWHERE, str(LOCKS)) == of_anything(NOWHERE, str(file)) == locks
    assert len(of_anything(NOWHERE, str(LOCKS / "gpu.lock")).of_system(PYTHON)) == 70
    with pytest.raises(BadManifest, match=r"none\.json: No such file"):
        of_anything(NOWHERE, "none.json")
    with pytest.raises(NoEngine):
        of_anything(NOWHERE, "none")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x1f\x8b\x08"])
def test_a_file_that_is_no_text(tmp_path: Path, content: bytes) -> None:
    """It is refused as any other that holds no manifest."""
    (tmp_path / "a").write_bytes(content)

    with pytest.raises(BadManifest, match="not JSON"):
        of_file(str(tmp_path / "a"))


@pytest.mark.parametrize("name", ["cpu.lock", "debian.lock", "images.lock"])
def test_a_folder_that_lacks_a_lock(tmp_path: Path, name: str) -> None:
    """What is not read must not look as if nothing were in it."""
    shutil.copytree(LOCKS, tmp_path / "locks")
    (tmp_path / "locks" / name).unlink()

    with pytest.raises(BadLock, match=f"{name}: No such file"):
        of_locks(str(tmp_path / "locks"))


def test_a_lock_that_is_no_text(tmp_path: Path) -> None:
    """As one that was packed."""
    shutil.copytree(LOCKS, tmp_path / "locks")
    (tmp_path / "locks" / "debian.lock").write_bytes(b"\x1f\x8b\x08")

    with pytest.raises(BadLock, match=r"debian\.lock: no text in UTF-8; allowed: "):
        of_locks(str(tmp_path / "locks"))


@pytest.mark.parametrize("name", ["debian.lock", "images.lock", "constraints.txt"])
def test_a_file_that_is_no_lock_of_python_packages(name: str) -> None:
    """Only such a lock takes the place of cpu.lock."""
    with pytest.raises(BadLock, match="allowed: a folder with"):
        of_locks(str(LOCKS / name))


def test_locks_beside_the_constraints_in_force(tmp_path: Path) -> None:
    """As in the image: their hashes are those of the packages that are installed."""
    shutil.copy(LOCKS / "constraints.txt", tmp_path)
    (tmp_path / "locks").mkdir()
    constraints = {"REPRO_LOCK_FILE": str(tmp_path / "constraints.txt")}

    without = of_environment(constraints)
    shutil.copy(LOCKS / "cpu.lock", tmp_path / "locks")
    found = of_environment(constraints)

    digest = hashlib.sha256((LOCKS / "cpu.lock").read_bytes()).hexdigest()
    assert without.locks["cpu.lock"] == found.locks["cpu.lock"] == digest
    assert not any(each.of_kind(LOCKED) or each.of_kind(DEB) for each in without.packages)
    (numpy,) = (each for each in found.of_system(PYTHON) if each.name == "numpy")
    (locked,) = (each for each in of_locks(str(LOCKS)).packages if each.name == "numpy")
    assert numpy.of_kind(LOCKED) == locked.of_kind(LOCKED)
