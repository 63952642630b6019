"""The source of a run: revision, dirty files, digest, and what changed meanwhile."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from seedlock.errors import SourceTooLarge
from seedlock.evaluation.file_digests import digest_of
from seedlock.evaluation.recording import source


def git(folder: Path, *words: str) -> str:
    """Run git there, as nobody in particular."""
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a commit, and an ignored file."""
    folder = tmp_path / "program"
    (folder / "sub").mkdir(parents=True)
    (folder / "train.py").write_text("print(1)\n")
    (folder / "sub" / "model é.py").write_text("print(2)\n")
    (folder / ".gitignore").write_text("*.bin\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    (folder / "weights.bin").write_bytes(b"0")
    return folder


def test_a_clean_repository(repository: Path) -> None:
    """The revision, and a digest that the folder without git's own would have."""
    found = source.look(repository)

    assert found.revision == git(repository, "rev-parse", "HEAD")
    assert found.dirty == ()
    assert set(found.files) == {"train.py", "sub/model é.py", ".gitignore"}
    export = repository.parent / "export"
    export.mkdir()
    subprocess.run(f"git archive HEAD | tar -x -C {export}", shell=True, cwd=repository, check=True)
    assert digest_of(export).digest == found.digest


def test_dirty_files_are_named(repository: Path) -> None:
    """Changed, new, gone; not what git ignores."""
    (repository / "train.py").write_text("print(3)\n")
    (repository / "new.py").touch()
    (repository / "sub" / "model é.py").unlink()
    (repository / "more.bin").touch()

    found = source.look(repository)

    assert found.dirty == ("new.py", "sub/model é.py", "train.py")
    dirty = {each["file"]: each["sha256"] for each in found.as_dict()["dirty"]}
    assert dirty["sub/model é.py"] is None
    assert dirty["train.py"] == digest_of(repository / "train.py").digest


def test_a_folder_within_a_repository(repository: Path) -> None:
    """Its own files only, by their names there."""
    (repository / "sub" / "new.py").touch()
    (repository / "train.py").write_text("outside")

    found = source.look(repository / "sub")

    assert set(found.files) == {"model é.py", "new.py"}
    assert found.dirty == ("new.py",)


def test_changes_between_two_looks(repository: Path) -> None:
    """An edited file, a parameter file rewritten, one more, one less."""
    before = source.look(repository)
    (repository / "train.py").write_text("print(4)\n")
    (repository / "params.json").write_text("{}")
    (repository / ".gitignore").unlink()

    later = source.look(repository)

    assert before.changes(later) == [".gitignore", "params.json", "train.py", "weights.bin"]
    assert before.changes(before) == []
    assert before.digest != later.digest


def test_what_the_run_writes_is_no_source(repository: Path) -> None:
    """Its own folder and record do not count."""
    before = source.look(repository, [repository / "run", repository / "run.json"])
    (repository / "run").mkdir()
    (repository / "run" / "model.pt").touch()
    (repository / "run.json").touch()

    assert (
        before.changes(source.look(repository, [repository / "run", repository / "run.json"])) == []
    )


def test_a_folder_without_git(tmp_path: Path) -> None:
    """All files but caches and environments; no revision, nothing is dirty."""
    (tmp_path / "train.py").touch()
    for name in ("__pycache__/train.pyc", "env/pyvenv.cfg", "env/lib.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    found = source.look(tmp_path)

    assert found.revision is None
    assert set(found.files) == {"train.py"}
    assert found.dirty == ()


def test_a_home_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git nobody knows what of it is source."""
    monkeypatch.setattr(source, "MOST_FILES", 3)
    for number in range(4):
        (tmp_path / str(number)).touch()

    with pytest.raises(SourceTooLarge, match="holds 4 files"):
        source.look(tmp_path)


def test_a_repositorys_programs_are_not_run(repository: Path) -> None:
    """A file-system monitor that a repository names is somebody's program."""
    git(repository, "config", "core.fsmonitor", "touch ../ran; false")

    source.look(repository)

    assert not (repository.parent / "ran").exists()
