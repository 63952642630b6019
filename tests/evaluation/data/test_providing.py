"""What a run is given, and whether it was left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seedlock.errors import BadDataLock, DataMismatch
from seedlock.evaluation.data.caching import Cache
from seedlock.evaluation.data.data_lock import DataSet, add, declared
from seedlock.evaluation.data.fetching import fetch, take
from seedlock.evaluation.data.providing import Provided, provide, verify_again


@pytest.fixture(name="lock")
def _lock(tmp_path: Path, cache: Cache) -> Path:
    """A lock with a fetched file, a fetched folder and a mounted folder."""
    (tmp_path / "images" / "deep").mkdir(parents=True)
    (tmp_path / "images" / "deep" / "1").write_text("1")
    (tmp_path / "digits").write_text("digits")
    path = tmp_path / "data.lock"
    for name, source in (
        ("digits", "file:digits"), ("images.d", "file:images"), ("mounted", "mount:images"),
    ):  # fmt: skip
        found = take(source, None, tmp_path, cache)
        add(path, DataSet(name, found.digest[7:], found.kind, found.size, "unknown", source))
    for data in declared(path):
        fetch(data, cache)
    return path


def test_a_folder_with_an_entry_per_set(lock: Path, cache: Cache, tmp_path: Path) -> None:
    """Each under its name, verified before and after."""
    provided = provide(lock, tmp_path / "data", cache)

    assert sorted(os.listdir(tmp_path / "data")) == ["digits", "images.d", "mounted"]
    assert (tmp_path / "data" / "digits").read_text() == "digits"
    assert (tmp_path / "data" / "images.d" / "deep" / "1").read_text() == "1"
    assert [state["verified"] for state in provided.before] == [True] * 3
    assert verify_again(provided) == provided.before


def test_nothing_else_lies_in_the_folder(lock: Path, cache: Cache, tmp_path: Path) -> None:
    """It would be data that nobody declared."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "other").touch()

    with pytest.raises(OSError, match="not empty"):
        provide(lock, tmp_path / "data", cache)

    assert os.listdir(tmp_path / "data") == ["other"]


def test_mounts_for_a_container(lock: Path, cache: Cache, tmp_path: Path) -> None:
    """The real paths here, and /data/NAME there."""
    provided = provide(lock, None, cache)

    assert [mount.there for mount in provided.mounts()] == [
        "/data/digits", "/data/images.d", "/data/mounted",
    ]  # fmt: skip
    assert [mount.here.exists() for mount in provided.mounts()] == [True] * 3
    assert provided.mounts()[2].here == tmp_path / "images"
    assert verify_again(provided) == provided.before


def _change(provided: Provided, what: str, folder: Path) -> None:
    digits, images = provided.places["digits"], provided.places["images.d"]
    digits.chmod(0o644)
    images.chmod(0o755)
    if what == "content":
        digits.write_text("Digits")
    elif what == "new file":
        (images / "cache.bin").touch()
    elif what == "link":
        (folder / "digits").unlink()
        (folder / "digits").symlink_to("/etc/hostname")
    elif what == "copy":
        (folder / "digits").unlink()
        (folder / "digits").write_text("digits")
    else:
        (folder / "mounted").unlink()


@pytest.mark.parametrize("what", ["content", "new file", "link", "copy", "removed"])
def test_what_a_run_changed_is_found(lock: Path, cache: Cache, tmp_path: Path, what: str) -> None:
    """The content, a file more, and a link that is not the one of before."""
    provided = provide(lock, tmp_path / "data", cache)
    _change(provided, what, tmp_path / "data")

    problems = [state["problem"] for state in verify_again(provided) if not state["verified"]]

    assert len(problems) == 1
    assert problems[0]


def test_nothing_is_given_before_all_is_verified(lock: Path, cache: Cache, tmp_path: Path) -> None:
    """A set that is missing or changed stops all, named."""
    (tmp_path / "images" / "deep" / "1").write_text("2")

    with pytest.raises(DataMismatch, match="mounted: expected sha256:"):
        provide(lock, tmp_path / "data", cache)
    with pytest.raises(DataMismatch, match=r"digits: not there; .*images.d: not there"):
        provide(lock, tmp_path / "data", Cache(tmp_path / "empty"))
    with pytest.raises(BadDataLock):
        provide(tmp_path / "none.lock", tmp_path / "data", cache)

    assert not (tmp_path / "data").exists()
