"""An image is published as the pages say, to a real registry, and comes back by its digest.

A small image stands for the base: what is typed depends on its name and on nothing in it.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.handbook import shell
from tests.handbook.page import Block, name_of, read
from tests.image import engine, registry
from tests.interpreter import REPOSITORY

PAGES = [REPOSITORY / "docs" / name for name in ("image.md", "guides/image-keepers.md")]

SAID = "registry.example/repro-base"
"""What the pages say for the registry of a conference, and the image there."""

ARCHIVE = "build/image/repro-base.oci.tar"
"""What `make image-release` writes."""

TEST = "tests/image/test_registry.py::test_an_image_is_published_as_the_pages_say"


@pytest.fixture(name="address", scope="module")
def address_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry."""
    if reason := registry.missing():
        pytest.skip(reason)
    with registry.running(tmp_path_factory.mktemp("registry")) as address:
        yield address


def blocks(page: Path, address: str) -> list[Block]:
    """Return the blocks of a page that this test is named by, with the registry that is there."""
    found = [block for block in read(page) if TEST in block.seen_by]
    return [
        replace(block, reason=None, commands=tuple(
            replace(each, text=each.text.replace(SAID, f"{address}/{page.stem}/repro-base"))
            for each in block.commands
        ))
        for block in found
    ]  # fmt: skip


def small_archive(archive: Path, text: str) -> str:
    """Write an OCI archive of an image with one file; return the digest of its manifest."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    content = archive.with_name("content")
    content.write_text(text)
    layer = archive.with_name("layer.tar")
    with tarfile.open(layer, "w") as tar:
        tar.add(content, "content")
    tag = "seedlock/published:small"
    with layer.open("rb") as file:
        subprocess.run([engine.client(), "import", "-", tag], stdin=file, check=True,
                       capture_output=True)  # fmt: skip
    saved = archive.with_name("saved.tar")
    try:
        engine.docker("save", f"--output={saved}", tag)
    finally:
        engine.docker("image", "rm", tag)
    archive.unlink(missing_ok=True)
    skopeo("copy", f"docker-archive:{saved}", f"oci-archive:{archive}")
    with tarfile.open(archive) as tar:
        index = tar.extractfile("index.json")
        assert index is not None
        return str(json.load(index)["manifests"][0]["digest"])


def skopeo(*words: str, home: Path | None = None) -> str:
    """Return what a command of skopeo prints, with the settings below `home`."""
    variables = {"HOME": str(home)} if home else {}
    return subprocess.run(
        ["skopeo", *words], env={**engine.environment(), **variables}, check=True,
        stdout=subprocess.PIPE, text=True,
    ).stdout.strip()  # fmt: skip


def keeper(folder: Path) -> None:
    """Make a clone with a key to sign with and a place to push to."""
    git = ["git", "-C", str(folder)]
    subprocess.run(["git", "init", "-q", "--bare", str(folder.parent / "origin.git")], check=True)
    key = folder.parent / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    settings = {
        "gpg.format": "ssh", "user.signingkey": f"{key}.pub", "user.name": "A. Keeper",
        "user.email": "keeper@example.org",
    }  # fmt: skip
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    for name, value in settings.items():
        subprocess.run([*git, "config", name, value], check=True)
    subprocess.run([*git, "remote", "add", "origin", str(folder.parent / "origin.git")], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "lock"], check=True)


@pytest.mark.recipe("cpu")
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_an_image_is_published_as_the_pages_say(
    docker: str, address: str, tmp_path: Path, page: Path
) -> None:
    """What is pulled by the digest is what was pushed, also after the tag was moved; another digest
    is refused."""
    typed = blocks(page, address)
    place = tmp_path / "page"
    place.mkdir()
    keeper(place)
    home = tmp_path / "home"
    registry.allow(home, address)
    name = f"{address}/{page.stem}/repro-base"
    digest = small_archive(place / ARCHIVE, "one")
    first = shell.run(typed, tmp_path)
    assert first is None, first.text(name_of(page))
    pushed = skopeo("inspect", "--format={{.Digest}}", f"docker://{name}:2026.11", home=home)
    other = small_archive(place / ARCHIVE, "two")
    skopeo("copy", f"oci-archive:{place / ARCHIVE}", f"docker://{name}:2026.11", home=home)
    try:
        pulled = engine.docker("pull", f"{name}@{digest}").stdout
        kept = engine.docker("image", "inspect", "--format={{.RepoDigests}}", f"{name}@{digest}")
        refused = engine.docker("pull", f"{name}@sha256:{'0' * 64}", check=False)
    finally:
        engine.docker("image", "rm", f"{name}@{digest}", check=False)

    assert typed
    assert pushed == digest != other
    assert f"Digest: {digest}" in pulled
    assert kept.stdout.strip() == f"[{name}@{digest}]"
    assert refused.returncode != 0 and "manifest unknown" in refused.stderr
    tags = subprocess.run(
        ["git", "-C", str(tmp_path / "origin.git"), "tag"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert tags.stdout.split() == (["lock-2026.11"] if "guides" in str(page) else [])
