"""Files that were handed in: whole at their place, or not there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from seedlock.leaderboard.store import Store, TooLarge


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    for name in ("files", "tmp"):
        (tmp_path / name).mkdir()
    return Store(tmp_path)


def test_a_file_has_the_name_of_its_bytes(store: Store) -> None:
    """What is kept lies below its SHA-256; twice the same is once."""
    for _ in range(2):
        with store.upload(10) as upload:
            upload.write(b"one")
            upload.write(b"two")
            sha256 = upload.keep()

    assert sha256 == hashlib.sha256(b"onetwo").hexdigest()
    assert store.place(sha256).read_bytes() == b"onetwo"
    assert len([path for path in store.files.rglob("*") if path.is_file()]) == 1
    assert not list(store.temporary.iterdir())


def test_what_was_not_kept_is_gone(store: Store) -> None:
    """An upload that ends early, by an error or without one, leaves nothing."""
    with store.upload(10) as upload:
        upload.write(b"one")
    with pytest.raises(ZeroDivisionError), store.upload(10) as upload:
        upload.write(b"one")
        raise ZeroDivisionError
    with store.workplace() as folder:
        folder.mkdir()
        (folder / "x").write_text("1")

    assert not list(store.temporary.iterdir())
    assert not list(store.files.iterdir())


def test_too_large(store: Store) -> None:
    """The bound holds to the byte, whatever was announced."""
    with pytest.raises(TooLarge), store.upload(5) as upload:
        upload.write(b"12345")
        upload.write(b"6")


def test_no_place_but_by_a_digest(store: Store) -> None:
    """No text leads out of the folder."""
    for text in ("", "../x", "0" * 63, "0" * 64 + "\n", "A" * 64):
        with pytest.raises(ValueError, match=r".*"):
            store.place(text)


def test_nothing_is_replaced(store: Store, tmp_path: Path) -> None:
    """A move that may not replace leaves what is there."""
    (tmp_path / "there").write_bytes(b"old")
    with pytest.raises(FileExistsError), store.upload(5) as upload:
        upload.write(b"new")
        upload.move(tmp_path / "there", over=False)

    assert (tmp_path / "there").read_bytes() == b"old"
    assert not list(store.temporary.iterdir())


def test_it_is_on_the_disk_before_it_has_its_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes are synced, then the file gets its name, then the folder is synced."""
    done: list[str] = []
    sync, rename = os.fsync, os.rename

    def syncing(handle: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        sync(handle)

    def renaming(one: Path, other: Path) -> None:
        done.append("rename")
        rename(one, other)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "rename", renaming)
    with store.upload(10) as upload:
        upload.write(b"one")
        upload.keep()

    assert done == ["file", "rename", "folder", "folder"]
