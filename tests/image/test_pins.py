"""What the image is made of is pinned: by digest, by hash, and in one place only."""

from __future__ import annotations

import re

import pytest

from tests.image import engine

DOCKERFILE = (engine.ROOT / "Dockerfile").read_text()


def entries(name: str) -> list[str]:
    """Return the lines of a file in version-lock/, without comments."""
    lines = (engine.ROOT / "version-lock" / name).read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("line", entries("images.lock"))
def test_image_has_a_digest(line: str) -> None:
    """Each line of images.lock is a name and a reference with a tag and a digest."""
    assert re.fullmatch(r"[\w-]+ [\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", line)


def test_dockerfile_starts_from_the_locked_base() -> None:
    """The Dockerfile's default base is the line of images.lock."""
    assert f"ARG BASE_IMAGE={engine.locked_base()}\n" in DOCKERFILE


def test_debian_package_has_a_hash() -> None:
    """Each line of debian.lock is a SHA-256 and a file, sorted by file, each package once."""
    lines = entries("debian.lock")
    names = [
        re.sub(r"^[0-9a-f]{64}  ([a-z0-9.+-]+)_[^_]+_(amd64|all)\.deb$", r"\1", line)
        for line in lines
    ]
    assert all(" " not in name for name in names)
    files = [line[66:] for line in lines]
    assert files == sorted({*files}) and len({*names}) == len(names)


def test_debian_lock_is_what_the_base_resolves_to(docker: str) -> None:
    """debian-lock.sh, run in the base, gives the committed lock again, byte for byte."""
    mount = f"--volume={engine.ROOT}/version-lock:/lock:ro"
    made = engine.docker("run", "--rm", mount, engine.base(), "sh", "/lock/debian-lock.sh").stdout

    assert made == (engine.ROOT / "version-lock" / "debian.lock").read_text()


def test_start_of_the_image_needs_no_frontend_download() -> None:
    """No syntax line: it would fetch a frontend by a tag, before the build and outside any lock."""
    assert not re.search(r"^#\s*syntax\s*=", DOCKERFILE, re.MULTILINE)
