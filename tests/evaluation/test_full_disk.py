"""A disk without room ends every command with status 74 and a line that names the file."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from seedlock.evaluation.full_disk import EXIT_DISK_FULL, naming, no_room, of_a_path, told
from seedlock.evaluation.recording.record import load
from seedlock.evaluation.writing import write_json, write_text
from tests.evaluation.data.server import Page, Server
from tests.evaluation.evaluating.made_round import POLICY
from tests.evaluation.recording.test_record import COMPLETE
from tests.interpreter import run

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")


def test_a_real_full_disk(small_disk: Path, tmp_path: Path) -> None:
    """The file is named; what was there is there, nothing half beside it but the part that is
    called so."""
    (tmp_path / "large").write_bytes(bytes(2 << 20))
    (small_disk / "small").write_text("small")
    lock = small_disk / "data.lock"
    cache = str(small_disk / "cache")
    for name, path in (("small", small_disk / "small"), ("large", tmp_path / "large")):
        run([SEEDLOCK, "data", "add", name, str(path), "--lock", str(lock)], REPRO_DATA_CACHE=cache)
    before = lock.read_bytes()

    done = run(
        [SEEDLOCK, "data", "fetch", "--lock", str(lock)], check=False, REPRO_DATA_CACHE=cache
    )

    assert done.status == 74
    assert "small: verified" in done.out
    (line,) = done.err.splitlines()
    assert line.startswith(f"seedlock: '{small_disk}/cache/partial/")
    assert line.endswith("No space left on device; make room and say it again")
    assert lock.read_bytes() == before
    assert not list((small_disk / "cache" / "partial").glob("*.new"))
    assert len(list((small_disk / "cache" / "sha256").iterdir())) == 1


def test_a_full_disk_leaves_data_lock_as_it_is(small_disk: Path) -> None:
    """The old file stays whole when the new one can't be written."""
    (small_disk / "a").write_text("a")
    lock = small_disk / "data.lock"
    run([SEEDLOCK, "data", "add", "a", str(small_disk / "a"), "--lock", str(lock)])
    before = lock.read_bytes()
    with pytest.raises(OSError, match="No space"), (small_disk / "ballast").open("wb") as ballast:
        while True:
            ballast.write(bytes(1 << 12))

    done = run(
        [SEEDLOCK, "data", "add", "b", str(small_disk / "a"), "--lock", str(lock)], check=False
    )

    assert (done.status, done.out) == (74, "")
    assert f"'{lock}' can't be written" in done.err
    assert lock.read_bytes() == before
    assert sorted(os.listdir(small_disk)) == ["a", "ballast", "data.lock"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["env"], ["data", "list"]])
def test_standard_output_on_a_full_disk(
    arguments: list[str], unbuffered: str, tmp_path: Path
) -> None:
    """What was not printed is not taken for printed."""
    (tmp_path / "data.lock").write_text("version = 1\n")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [SEEDLOCK, *arguments], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True,
            check=False, env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip

    assert done.returncode == 74
    assert done.stderr.count("\n") == 1
    assert "standard output" in done.stderr


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """A limit on the size of files is one more full disk."""
    (tmp_path / "large").write_bytes(bytes(2 << 20))
    lock = ["--lock", str(tmp_path / "data.lock")]
    run([SEEDLOCK, "data", "add", "large", str(tmp_path / "large"), *lock])

    done = subprocess.run(
        [SEEDLOCK, "data", "fetch", *lock], capture_output=True, text=True, check=False,
        env={**os.environ, "REPRO_DATA_CACHE": str(tmp_path / "cache")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)),
    )  # fmt: skip

    assert done.returncode == 74
    assert "File too large" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_record_on_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    """It says that it is incomplete, and nothing half lies beside it."""
    record = small_disk / "run.json"
    (tmp_path / "fill.py").write_text(
        f"with open({str(small_disk / 'ballast')!r}, 'wb', 0) as file:\n"
        "    try:\n        while True: file.write(bytes(512))\n    except OSError: pass\n"
    )
    words = [SEEDLOCK, "run", "--seed", "7", "--record", str(record), "--output", "made", "--"]

    done = run([*words, sys.executable, "fill.py"], cwd=tmp_path, check=False)

    assert done.status == 74, done.err
    assert f"'{record}' can't be written" in done.err
    assert load(record)["status"] == "running"
    assert sorted(os.listdir(small_disk)) == ["ballast", "run.json"]


@pytest.mark.parametrize("words", [["show", "--html"], ["export", "--in-toto"],
                                   ["export", "--ro-crate"]])  # fmt: skip
def test_what_is_made_of_a_record_on_a_full_disk(
    words: list[str], small_disk: Path, tmp_path: Path
) -> None:
    """Status 74 and one line; no half page or statement is left."""
    (tmp_path / "run.json").write_text(json.dumps(COMPLETE))
    with (small_disk / "ballast").open("wb", 0) as ballast, pytest.raises(OSError, match="No spa"):
        while True:
            ballast.write(bytes(1 << 12))
    command, option = words

    done = run(
        [SEEDLOCK, command, "run.json", option, str(small_disk / "made")], cwd=tmp_path, check=False
    )

    assert done.status == 74, done.err
    assert done.err.count("\n") == 1 and "No space left on device" in done.err
    assert not (small_disk / "made").is_file()


def test_an_error_gets_its_file() -> None:
    """The system names no file in errors of writing; what has a name keeps it."""
    with pytest.raises(OSError, match="'/x/y'") as problem, naming("/x/y"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert no_room(problem.value)
    assert told(problem.value).startswith("seedlock: '/x/y' can't be written: No space")
    with pytest.raises(OSError, match="'/z'") as other, naming("/x/y"):
        raise OSError(errno.EACCES, "Permission denied", "/z")
    assert not no_room(other.value) and of_a_path(other.value)
    assert told(other.value).startswith("seedlock: '/z' can't be used: Permission denied; allowed")
    assert not of_a_path(OSError(errno.EACCES, "Permission denied"))


@pytest.mark.parametrize(
    "words",
    [
        ("sign", "--new-key", "no/key.pem"),
        ("round", "open", "--policy", "policy.toml", "policy.toml"),
        ("round", "open", "--policy", "policy.toml", "/proc/round"),
    ],
)
def test_a_path_that_is_none_ends_a_command_with_a_line(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    """And not with a traceback, whose status 1 would be a verdict."""
    (tmp_path / "policy.toml").write_text(POLICY.format(seeds=2, retries=0))

    done = run([SEEDLOCK, *words], cwd=tmp_path, check=False)

    assert (done.status, done.out) == (EXIT_DISK_FULL, "")
    assert done.err.count("\n") == 1 and "can't be used" in done.err


@pytest.mark.parametrize("write", [write_text, write_json])
def test_results_name_their_file(write: object, small_disk: Path) -> None:
    """Whatever writes a result."""
    content = "x" * (2 << 20) if write is write_text else {"x": "x" * (2 << 20)}

    with pytest.raises(OSError, match="No space") as problem:
        write(str(small_disk / "result"), content)  # type: ignore[operator]

    assert str(small_disk / "result") in told(problem.value)
    assert not (small_disk / "result").exists()


@pytest.mark.parametrize("name", ["a.bin", "a.zip"])
def test_what_does_not_fit_is_refused_before_the_disk_is_full(
    small_disk: Path, tmp_path: Path, name: str
) -> None:
    """A download that announces more than is free, and an archive that becomes more: the line says
    how much is needed, and the disk is as empty as it was."""
    with zipfile.ZipFile(tmp_path / "zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", bytes(2 << 20))
    body = bytes(2 << 20) if name == "a.bin" else (tmp_path / "zip").read_bytes()
    kind = "file" if name == "a.bin" else "folder"
    server = Server()
    try:
        server.pages[f"/{name}"] = Page(body)
        words = ["add", "a", server.url(f"/{name}"), "--kind", kind, "--licence", "CC0-1.0"]
        lock = str(tmp_path / "data.lock")
        run([SEEDLOCK, "data", *words, "--lock", lock], REPRO_DATA_CACHE=str(tmp_path / "cache"))
        free = os.statvfs(small_disk).f_bfree

        done = run(
            [SEEDLOCK, "data", "fetch", "--lock", lock], check=False,
            REPRO_DATA_CACHE=str(small_disk / "cache"),
        )  # fmt: skip
    finally:
        server.close()

    assert done.status == 74
    assert "2097152 bytes are needed and " in done.err and "make room" in done.err
    assert free - os.statvfs(small_disk).f_bfree < 20
