"""places.py, variables.py, folder_size.py, signs.py: the small parts of a seal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from seedlock.errors import NotSealed
from seedlock.evaluation.sealing import folder_size, places, signs
from seedlock.evaluation.sealing.variables import listed


def test_an_environment_and_what_it_was_made_from() -> None:
    """This one's folder, and the one that its settings name as home."""
    found = places.interpreters(["/bin/true"], "")

    assert Path(sys.prefix) in found
    base = Path(sys.base_prefix)
    assert base in found or base.is_relative_to("/usr")


def test_a_command_in_an_environment_of_its_own(tmp_path: Path) -> None:
    """It is found on PATH here and by the same name inside."""
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/pyvenv.cfg").write_text(f"home = {tmp_path}/python/bin\nversion = 3\n")
    program = tmp_path / "venv/bin/train"
    program.touch(0o755)
    path = f"{program.parent}:/usr/bin"

    folders = places.interpreters(["train"], path)

    assert {tmp_path / "venv", tmp_path / "python"} <= set(folders)
    assert places.search_path(folders, ["train"], path).startswith(f"{program.parent}:")
    assert tmp_path / "venv" not in places.interpreters(["cat"], path)


def test_an_interpreter_around_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would show the home folder to the run."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib/python3.11").mkdir(parents=True)
    (tmp_path / "bin/python").touch(0o755)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))

    with pytest.raises(NotSealed, match=r"holds the home folder; allowed: .*#not-sealed"):
        places.interpreters(["python"], str(tmp_path / "bin"))


def test_folders_above_mounted_ones() -> None:
    """Outermost first; none inside another mounted one, and none that are there anyway."""
    given = ["/usr", "/home/me/venv", "/home/me/venv/data", "/tmp/w/x", "/output"]

    assert places.parents(given) == ["/home", "/home/me", "/tmp/w"]


def test_listed_variables_only() -> None:
    """Secrets are left out whatever they begin with, and home is another one."""
    given = {
        "REPRO_SEED": "7", "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "2", "LANG": "C.UTF-8",
        "_SEEDLOCK_HASH_SEED": "x", "_SEEDLOCK_VERIFY": "/here", "HOME": "/home/me", "EDITOR": "vi",
        "AWS_ACCESS_KEY_ID": "1", "TORCH_HUB_TOKEN": "1", "MXNET_password": "1",
        "LD_PRELOAD": "/x", "PYTHONPATH": "/x", "PATH": "/x",
    }  # fmt: skip

    assert listed(given) == {
        "REPRO_SEED": "7", "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "2", "LANG": "C.UTF-8",
        "_SEEDLOCK_HASH_SEED": "x", "HOME": "/tmp/home", "TMPDIR": "/tmp", "USER": "sealed",
        "LOGNAME": "sealed",
    }  # fmt: skip


def test_what_a_folder_takes(tmp_path: Path) -> None:
    """Sparse files count with their size, empty ones with an entry, links with themselves."""
    assert folder_size.size_of(tmp_path) == 0
    os.truncate(os.open(tmp_path / "sparse", os.O_CREAT | os.O_WRONLY), 1 << 30)
    (tmp_path / "below").mkdir()
    for number in range(10):
        (tmp_path / "below" / str(number)).touch()
    (tmp_path / "link").symlink_to("/usr")

    taken = folder_size.size_of(tmp_path) - (1 << 30)

    assert 12 * folder_size.ENTRY <= taken < 1 << 16
    assert folder_size.size_of(tmp_path / "none") == 0


@pytest.mark.parametrize("length", [200, 251])
def test_what_lies_too_deep_to_be_counted(length: int, tmp_path: Path) -> None:
    """It is no reason to count less: a program that goes down step by step can write there."""
    at = os.open(tmp_path, os.O_RDONLY)
    path = len(os.fsencode(tmp_path))
    while path < 4096:
        os.mkdir("d" * length, dir_fd=at)
        below = os.open("d" * length, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at, path = below, path + length + 1
        number = os.open("f" * length, os.O_CREAT | os.O_WRONLY, dir_fd=at)
        os.truncate(number, 1 << 30)
        os.close(number)
    os.close(at)

    with pytest.raises(OSError, match="too long"):
        folder_size.size_of(tmp_path)


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ("RuntimeError: can't start new thread", "processes"),
        ("BlockingIOError: [Errno 11] Resource temporarily unavailable", "processes"),
        ("OSError: [Errno 28] No space left on device: '/tmp/x'", "disk"),
        ("RuntimeError: can't start new thread\nOSError: [Errno 27] File too large\nbye", "disk"),
    ],
)
def test_last_lines_that_name_a_limit(said: str, limit: str) -> None:
    """The last one that does counts, and is quoted."""
    told = signs.told(said)

    assert told is not None and told[0] == limit
    assert signs.told("ValueError: bad\nMemoryError\n") is None
