"""A submission's folder as one file: the same bytes each time, and the digest of the folder."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import pytest

from seedlock.errors import BadSubmission
from seedlock.evaluation.recording import source
from seedlock.leaderboard import archive
from tests.leaderboard.handing_in import packed, submission


def git(folder: Path, *words: str) -> None:
    """Call git in a folder, as somebody without a configuration."""
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *words], cwd=folder, env=environ, check=True, capture_output=True)


def test_the_same_bytes(tmp_path: Path) -> None:
    """Equal folders have equal archives, whenever and wherever they are packed."""
    one, other = submission(tmp_path / "a"), submission(tmp_path / "elsewhere" / "b")
    os.utime(other / "train.py", (1, 1))

    assert packed(one) == packed(other)


def test_the_digest_of_the_folder(tmp_path: Path) -> None:
    """What comes out of an archive has the digest that seedlock check prints for the folder, names
    in other letters, executables and links to files included."""
    folder = submission(tmp_path / "mine")
    deep = folder / "größe" / ("x" * 90)
    deep.mkdir(parents=True)
    (deep / "y.py").write_text("print(2)\n")
    (folder / "run.sh").write_text("exit\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "empty").write_text("")
    (folder / "link.py").symlink_to("train.py")
    raw, handed = packed(folder)
    found = archive.unpack(io.BytesIO(raw), tmp_path / "out")

    assert handed == found == archive.look(io.BytesIO(raw))
    assert handed.digest == source.look(folder).digest == source.look(tmp_path / "out").digest
    assert os.access(tmp_path / "out" / "run.sh", os.X_OK)
    assert not (tmp_path / "out" / "link.py").is_symlink()


def test_what_git_ignores_is_not_in_it(tmp_path: Path) -> None:
    """In a repository it is git that says what the source is, as in the digest."""
    folder = submission(tmp_path / "mine")
    git(folder, "init")
    (folder / ".gitignore").write_text("big.bin\n")
    (folder / "big.bin").write_bytes(b"1" * 1000)
    raw, handed = packed(folder)
    archive.unpack(io.BytesIO(raw), tmp_path / "out")

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        ".gitignore", "submission.toml", "train.py",
    ]  # fmt: skip
    assert handed.digest == source.look(tmp_path / "out").digest


def test_what_counts_with_git_only(tmp_path: Path) -> None:
    """A file that git has, and that would be in no digest without it, is refused by its name: the
    round's organisers would come to another digest."""
    folder = submission(tmp_path / "mine")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.py").write_text("1\n")
    git(folder, "init")
    with pytest.raises(BadSubmission, match="git has __pycache__/x"):
        packed(folder)


def test_links_to_folders(tmp_path: Path) -> None:
    """A link to a folder is in no digest and could not be handed in: it is refused by its name."""
    folder = submission(tmp_path / "mine")
    (folder / "lib").mkdir()
    (folder / "lib" / "a.py").write_text("1\n")
    (folder / "also").symlink_to("lib")
    with pytest.raises(BadSubmission, match="also is a link to a folder"):
        packed(folder)


def test_a_submission_that_git_ignores(tmp_path: Path) -> None:
    """A folder that a repository around it ignores has the digest of nothing: it is refused."""
    git(tmp_path, "init")
    (tmp_path / ".gitignore").write_text("mine\n")
    with pytest.raises(BadSubmission, match="git ignores it"):
        packed(submission(tmp_path / "mine"))


def test_a_file_that_changes(tmp_path: Path) -> None:
    """A file that becomes another while it is packed is noticed."""
    folder = submission(tmp_path / "mine")
    (folder / "a.bin").write_bytes(bytes(3 << 20))

    def change(done: int, _whole: int) -> None:
        if done < 2 << 20:
            (folder / "train.py").write_text("print(9)\n")

    with pytest.raises(BadSubmission, match="changed while it was read"):
        archive.pack(folder, io.BytesIO(), change)


def test_names_that_are_passed_over() -> None:
    """The rule is the one of the source's digest: caches, and environments by their pyvenv.cfg."""
    names = ["a.py", "v/pyvenv.cfg", "v/lib/x.py", "pyvenv.cfg", ".git", "b/.git/config", "v2/x"]

    assert archive.uncounted(names) == ["b/.git/config", "v/lib/x.py", "v/pyvenv.cfg"]
