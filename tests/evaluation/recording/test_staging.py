"""staging.py and reads.py: files that no digest covers, in a sealed run and in another."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from seedlock.evaluation.file_digests import NotDigestible, digest_of
from seedlock.evaluation.recording import source, staging
from seedlock.evaluation.recording.record import load
from tests.evaluation.recording.test_source import git
from tests.interpreter import Done, run

TRAIN = """\
import numpy, part, seedlock
bias = float(open("weights.bin").read())
seedlock.log_metric("loss", numpy.random.rand() + bias)
"""


@pytest.fixture(name="repository")
def repository_fixture(tmp_path: Path) -> Path:
    """A repository whose program reads an ignored file; with links, and a repository within."""
    folder = tmp_path / "program"
    (folder / "sub").mkdir(parents=True)
    (folder / "within").mkdir()
    for each in (tmp_path, folder):
        each.chmod(0o755)
    (folder / "train.py").write_text(TRAIN)
    (folder / "part.py").touch()
    (folder / "sub" / "run.sh").touch()
    (folder / "sub" / "run.sh").chmod(0o750)
    (folder / "file").symlink_to("sub/run.sh")
    (folder / "folder").symlink_to("sub")
    (folder / "out").symlink_to("/usr")
    (folder / ".gitignore").write_text("*.bin\n__pycache__\n/r\n/r.json\n")
    git(folder, "init", "-q")
    git(folder / "within", "init", "-q")
    (folder / "within" / "code.py").touch()
    git(folder, "add", ".gitignore", "train.py", "part.py", "sub", "file", "folder", "out")
    git(folder, "commit", "-qm", "first")
    (folder / "weights.bin").write_text("0.5")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "part.cpython-311.pyc").touch()
    return folder


def recorded(folder: Path, *options: str) -> Done:
    """Record a run."""
    words = ("run", "--seed", "7", "--record", "r.json", "--metric", "loss:min", *options, "--")
    return run(
        [sys.executable, "-m", "seedlock", *words, sys.executable, "train.py"],
        cwd=folder, check=False,
    )  # fmt: skip


def test_what_is_in_no_digest_is_counted(repository: Path) -> None:
    """Not caches, which are made from what is in it."""
    found = source.look(repository)

    assert found.ignored == ("out", "weights.bin", "within/")
    assert found.links == ("folder",)
    assert set(found.files) == {".gitignore", "train.py", "part.py", "sub/run.sh", "file"}


def test_a_copy_has_the_files_of_the_digest_and_no_others(repository: Path) -> None:
    """Byte for byte, executable where they were, readable for every user."""
    found = source.look(repository)
    copy = repository.parent / "copy"
    before = os.umask(0o077)
    try:
        with staging.staged(found, copy):
            names = {path.relative_to(copy).as_posix() for path in copy.rglob("*")}
            assert names == {*found.files, "sub", "folder"}
            assert os.readlink(copy / "folder") == "sub"
            (copy / "folder").unlink()  # which counts for nothing
            assert digest_of(copy).digest == found.digest
            modes = {name: (copy / name).stat().st_mode & 0o777 for name in (".", "sub", *names)
                     if name != "folder"}  # fmt: skip
    finally:
        os.umask(before)

    assert {modes.pop(name) for name in (".", "sub", "sub/run.sh", "file")} == {0o755}
    assert set(modes.values()) == {0o644}
    assert not copy.exists()


def test_a_file_that_changes_meanwhile_is_not_taken(repository: Path) -> None:
    """The digest is of what the run sees."""
    found = source.look(repository)
    (repository / "part.py").write_text("other")

    with pytest.raises(NotDigestible, match=r"part\.py was changed"):
        staging.stage(found, repository.parent / "copy")


def test_without_git_a_link_to_a_folder_is_kept(tmp_path: Path) -> None:
    """As in a repository."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "folder").symlink_to("sub")

    assert source.look(tmp_path).links == ("folder",)


def test_an_ignored_file_that_a_run_reads_is_named(repository: Path) -> None:
    """Compiled copies of the source aside."""
    assert recorded(repository).status == 0
    record = load(repository / "r.json")

    assert record["source"]["ignored"]["read"] == ["weights.bin"]
    assert any("weights.bin" in each for each in record["outcome"]["notes"])
    shown = run([sys.executable, "-m", "seedlock", "show", str(repository / "r.json")])
    assert "in no digest: weights.bin" in shown.out


def test_a_sealed_run_sees_no_ignored_file(bwrap: str, repository: Path) -> None:
    """It fails, and the record says what was not there; in the repository nothing is left."""
    sealed = ("--sealed", "--accept", "memory", "--accept", "processors")
    recorded(repository, *sealed)
    record = load(repository / "r.json")

    assert record["outcome"]["class"] == "author-failure"
    (note,) = record["outcome"]["notes"]
    assert "did not see what git ignores" in note and "weights.bin" in note
    assert not (repository / "r" / staging.NAME).exists()
