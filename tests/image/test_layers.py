"""What `make image-check` compares by: a difference of any kind between two archives is found."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.image import layers

if TYPE_CHECKING:
    from pathlib import Path

Member = tuple[str, bytes, dict[str, object]]
PLAIN: tuple[Member, ...] = (
    ("etc/one", b"1", {}),
    ("etc/two", b"2", {}),
    ("etc/link", b"", {"type": tarfile.SYMTYPE, "linkname": "one"}),
)


def pack(members: tuple[Member, ...]) -> bytes:
    """Return a tar of those members."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content, attributes in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def archive(file: Path, *contents: tuple[Member, ...]) -> layers.Archive:
    """Write an OCI archive of those layers, each with those members, and open it."""
    blobs: dict[str, bytes] = {}

    def add(content: bytes) -> dict[str, str | int]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        blobs[layers.blob(digest)] = content
        return {"digest": digest, "size": len(content)}

    plain = [pack(members) for members in contents]
    diff_ids = [f"sha256:{hashlib.sha256(content).hexdigest()}" for content in plain]
    config = add(json.dumps({"rootfs": {"diff_ids": diff_ids}}).encode())
    manifest = {
        "config": config,
        "layers": [add(gzip.compress(content, mtime=0)) for content in plain],
    }
    index = {"manifests": [add(json.dumps(manifest).encode())]}
    blobs["index.json"] = json.dumps(index).encode()
    file.write_bytes(pack(tuple((name, content, {}) for name, content in blobs.items())))
    return layers.Archive(file)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        pytest.param(PLAIN[:2], ["layer 1: /etc/link: in the first alone"], id="missing"),
        pytest.param(
            (*PLAIN, ("etc/new", b"", {})), ["layer 1: /etc/new: in the second alone"], id="new"
        ),
        pytest.param(
            (PLAIN[0], ("etc/two", b"2", {"mtime": 5}), PLAIN[2]),
            ["layer 1: /etc/two: time: 0 -> 5"],
            id="time",
        ),
        pytest.param(
            (PLAIN[0], ("etc/two", b"2", {"mode": 0o600}), PLAIN[2]),
            ["layer 1: /etc/two: mode: 0o644 -> 0o600"],
            id="mode",
        ),
        pytest.param(
            (PLAIN[0], ("etc/two", b"2", {"gid": 42}), PLAIN[2]),
            ["layer 1: /etc/two: owner: 0:0 : -> 0:42 :"],
            id="owner",
        ),
        pytest.param(
            (*PLAIN[:2], ("etc/link", b"", {"type": tarfile.SYMTYPE, "linkname": "two"})),
            ["layer 1: /etc/link: link: one -> two"],
            id="link",
        ),
        pytest.param(
            (PLAIN[1], PLAIN[0], PLAIN[2]),
            ["layer 1: /: equal members in another order or form"],
            id="order",
        ),
    ],
)
def test_each_difference_is_told(
    tmp_path: Path, changed: tuple[Member, ...], told: list[str]
) -> None:
    """A member that came, went, moved or changed is named with what changed."""
    with (
        archive(tmp_path / "one", PLAIN, PLAIN) as one,
        archive(tmp_path / "other", PLAIN, changed) as other,
    ):
        assert one.contents[0] == other.contents[0]
        assert [str(difference) for difference in layers.differences(one, other)] == told


def test_other_contents_are_told_and_extracted(tmp_path: Path) -> None:
    """A file with other bytes of equal length is found, and both forms can be looked at."""
    changed = (("etc/one", b"x", {}), *PLAIN[1:])
    with archive(tmp_path / "one", PLAIN) as one, archive(tmp_path / "other", changed) as other:
        [difference] = layers.differences(one, other)
        for name, image in (("a", one), ("b", other)):
            image.extract(difference.layer, {difference.name}, tmp_path / name)

    assert difference.has_two_contents and "content: " in difference.told
    assert [(tmp_path / name / "etc/one").read_bytes() for name in "ab"] == [b"1", b"x"]


def test_further_layer_is_told(tmp_path: Path) -> None:
    """A layer that only one image has counts with all that is in it."""
    with (
        archive(tmp_path / "one", PLAIN) as one,
        archive(tmp_path / "other", PLAIN, PLAIN) as other,
    ):
        assert len(layers.differences(one, other)) == len(PLAIN)


def test_equal_archives_have_no_difference(tmp_path: Path) -> None:
    """Two archives of equal layers are equal in every digest."""
    with archive(tmp_path / "one", PLAIN) as one, archive(tmp_path / "other", PLAIN) as other:
        assert layers.differences(one, other) == []
        assert one.manifest_digest == other.manifest_digest
        assert one.config_digest == other.config_digest
        assert one.sizes == [len(gzip.compress(pack(PLAIN), mtime=0))]
