"""Digests of files and folders: what anybody can compute, and what is refused."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from seedlock.evaluation.file_digests import NotDigestible, digest_of, size_of

BY_COREUTILS = r"find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
"""As docs/records.md has it."""


def made(folder: Path) -> Path:
    """Make a folder with names whose order depends on how one sorts."""
    for name, text in {
        "b.txt": "b", "a/z.txt": "z", "a.txt": "a", "B.txt": "B", "a/é.txt": "e", "a-b": "",
        "a b": " ",
    }.items():  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_file_has_the_digest_that_everybody_knows(tmp_path: Path) -> None:
    """SHA-256 of its bytes, whatever its size, and each byte is announced."""
    path = tmp_path / "data"
    path.write_bytes(os.urandom(3 << 20))
    seen: list[int] = []

    found = digest_of(path, seen.append)

    assert found.digest == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.size == sum(seen) == size_of(path) == 3 << 20
    assert found.kind == "file"


def test_coreutils_find_the_same_folder(tmp_path: Path) -> None:
    """The command in docs/records.md prints the digest."""
    folder = made(tmp_path / "data")
    printed = subprocess.run(
        BY_COREUTILS, shell=True, cwd=folder, capture_output=True, text=True, check=True
    ).stdout.split()[0]

    found = digest_of(folder)

    assert found.digest == f"sha256:{printed}"
    assert found.kind == "folder"
    assert found.size == size_of(folder) == 6
    document = (Path(__file__).parents[2] / "docs" / "records.md").read_text()
    assert BY_COREUTILS in document


@pytest.mark.parametrize("change", ["content", "name", "added", "moved"])
def test_each_change_changes_the_folder(tmp_path: Path, change: str) -> None:
    """A byte, a name, one file more, one file elsewhere."""
    folder = made(tmp_path / "data")
    before = digest_of(folder).digest

    if change == "content":
        (folder / "a.txt").write_text("A")
    elif change == "name":
        (folder / "a.txt").rename(folder / "c.txt")
    elif change == "added":
        (folder / "new").touch()
    else:
        (folder / "a.txt").rename(folder / "a" / "a.txt")

    assert digest_of(folder).digest != before


def test_what_does_not_count(tmp_path: Path) -> None:
    """Times, modes, empty folders; a link to a file within counts as that file."""
    folder = made(tmp_path / "data")
    before = digest_of(folder).digest

    os.utime(folder / "a.txt", (0, 0))
    (folder / "a.txt").chmod(0o700)
    (folder / "empty").mkdir()
    (folder / "b.txt").unlink()
    (folder / "other").write_text("b")
    (folder / "b.txt").symlink_to("other")
    (folder / "other").rename(folder / "a" / "other")
    (folder / "b.txt").unlink()
    (folder / "b.txt").symlink_to("a/other")

    found = digest_of(folder)
    (folder / "b.txt").unlink()
    (folder / "a" / "other").rename(folder / "b.txt")

    assert digest_of(folder).digest == before
    assert found.files["b.txt"] == found.files["a/other"]


@pytest.mark.parametrize("name", ["two\nlines", "back\\slash", os.fsdecode(b"latin-\xe9")])
def test_names_that_sha256sum_writes_differently_are_refused(tmp_path: Path, name: str) -> None:
    """They would be ambiguous in the listing."""
    (tmp_path / name).touch()

    with pytest.raises(NotDigestible, match="rename it"):
        digest_of(tmp_path)


@pytest.mark.parametrize("target", ["../outside", "/etc/hostname", "folder"])
def test_links_that_lead_out_are_refused(tmp_path: Path, target: str) -> None:
    """What they lead to is not part of the folder; a linked folder could be read twice."""
    (tmp_path / "outside").touch()
    folder = tmp_path / "data"
    (folder / "folder").mkdir(parents=True)
    (folder / "link").symlink_to(target)

    with pytest.raises(NotDigestible, match="link"):
        digest_of(folder)


def test_a_device_is_refused(tmp_path: Path) -> None:
    """Reading a pipe would wait for ever."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(NotDigestible, match="neither"):
        digest_of(tmp_path)
