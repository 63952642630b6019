"""What the image is made of is pinned: by digest, by hash, and in one place only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.image import engine

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILES = [engine.CPU.dockerfile, engine.GPU.dockerfile]


def entries(name: str) -> list[str]:
    """Return the lines of a file in version-lock/, without comments."""
    lines = (engine.ROOT / "version-lock" / name).read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("line", entries("images.lock"))
def test_image_has_a_digest(line: str) -> None:
    """Each line of images.lock is a name and a reference with a tag and a digest."""
    assert re.fullmatch(r"[\w-]+ [\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", line)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_dockerfile_starts_from_the_locked_base(name: str) -> None:
    """The Dockerfile's default base is the line of images.lock."""
    assert f"ARG BASE_IMAGE={engine.locked_base()}\n" in (engine.ROOT / name).read_text()


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


@pytest.mark.recipe("cpu")  # the same step, and a folder of CUDA's wheels is 5 GB
@pytest.mark.parametrize(
    ("name", "pin", "told"),
    [
        pytest.param(
            "debian.lock", r"\w{64}(?=  tini_)", "computed checksum did NOT match", id="Debian"
        ),
        pytest.param(
            "cpu.lock", r"(?<=^    --hash=sha256:)\w{64}", "DO NOT MATCH THE HASHES", id="wheels"
        ),
    ],
)
def test_other_bytes_than_the_locks_end_the_build(
    context: Path, capfd: pytest.CaptureFixture[str], name: str, pin: str, told: str
) -> None:
    """A package whose hash is not the lock's is named, and nothing is built of it."""
    lock = context / "version-lock" / name
    right = lock.read_text()
    lock.write_text(re.sub(pin, "0" * 64, right, flags=re.MULTILINE))
    try:
        with pytest.raises(engine.EngineError):
            engine.build("--progress=plain", tag=f"{engine.IMAGE}:refused", context=context)
    finally:
        lock.write_text(right)

    assert told in capfd.readouterr().err
    assert not engine.exists(f"{engine.IMAGE}:refused")


@pytest.mark.parametrize("name", DOCKERFILES)
def test_start_of_the_image_needs_no_frontend_download(name: str) -> None:
    """No syntax line: it would fetch a frontend by a tag, before the build and outside any lock."""
    text = (engine.ROOT / name).read_text()

    assert not re.search(r"^#\s*syntax\s*=", text, re.MULTILINE)
