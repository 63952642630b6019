"""Read an OCI archive: its digests, and what lies in its layers, file by file.

The format is that of the OCI image specification (image-layout.md, layer.md).
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType


@dataclass(frozen=True)
class Entry:
    """One member of a layer: what an equal layer has to have equal."""

    kind: str
    mode: str
    owner: str
    size: int
    time: float
    link: str
    further: str
    content: str

    def differing(self, other: Entry) -> list[str]:
        """Return `name: one -> other` for each attribute that differs."""
        return [
            f"{name}: {value} -> {getattr(other, name)}"
            for name, value in vars(self).items()
            if value != getattr(other, name)
        ]


class Archive:
    """An OCI archive with one image.

    Attributes:
        manifest_digest: what a registry and `FROM name@digest` call the image.
        config: the image's configuration.
        config_digest: digest of the configuration.
        contents: digest of each layer's tar, before it was compressed; lowest layer first.
        sizes: bytes of each layer, compressed, as a registry keeps and sends it.
    """

    def __init__(self, file: Path) -> None:
        """Open `file` and read all but the layers."""
        self._tar = tarfile.open(file)  # noqa: SIM115 -- closed by close()
        [described] = self._json("index.json")["manifests"]
        self.manifest_digest: str = described["digest"]
        manifest = self._json(blob(self.manifest_digest))
        self.config_digest: str = manifest["config"]["digest"]
        self.config = self._json(blob(self.config_digest))
        self.contents: list[str] = self.config["rootfs"]["diff_ids"]
        self.sizes: list[int] = [layer["size"] for layer in manifest["layers"]]
        self._blobs = [blob(layer["digest"]) for layer in manifest["layers"]]

    def __enter__(self) -> Archive:
        """Return the archive itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._tar.close()

    def members(self, layer: int) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
        """Yield the members of a layer in their order, each while it can be read."""
        with tarfile.open(fileobj=self._open(self._blobs[layer]), mode="r|*") as tar:
            for member in tar:
                yield tar, member

    def entries(self, layer: int) -> dict[str, Entry]:
        """Return the members of a layer by name."""
        found: dict[str, Entry] = {}
        for tar, member in self.members(layer):
            content = tar.extractfile(member) if member.isreg() else None
            found[member.name] = Entry(
                kind=member.type.decode(),
                mode=oct(member.mode),
                owner=f"{member.uid}:{member.gid} {member.uname}:{member.gname}",
                size=member.size,
                time=member.mtime,
                link=member.linkname,
                further=json.dumps(member.pax_headers, sort_keys=True),
                content=hashlib.sha256(content.read()).hexdigest() if content else "",
            )
        return found

    def extract(self, layer: int, names: set[str], folder: Path) -> None:
        """Write those regular files of a layer into a folder, under `folder/name`."""
        for tar, member in self.members(layer):
            content = tar.extractfile(member) if member.name in names else None
            if content is not None:
                target = folder / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())

    def _json(self, name: str) -> dict[str, Any]:
        return cast("dict[str, Any]", json.load(self._open(name)))

    def _open(self, name: str) -> IO[bytes]:
        content = self._tar.extractfile(name)
        if content is None:
            raise KeyError(f"{name} is no file")
        return content


def blob(digest: str) -> str:
    """Return the place of a blob in an OCI archive."""
    return "blobs/" + digest.replace(":", "/")


@dataclass(frozen=True)
class Difference:
    """A member that is not the same in two layers."""

    layer: int
    name: str
    told: str
    has_two_contents: bool

    def __str__(self) -> str:
        """Return one line for a person."""
        return f"layer {self.layer}: /{self.name}: {self.told}"


def differences(one: Archive, other: Archive) -> list[Difference]:
    """Return what differs in the layers that differ, sorted by layer and name."""
    found: list[Difference] = []
    for layer in range(max(len(one.contents), len(other.contents))):
        if one.contents[layer : layer + 1] == other.contents[layer : layer + 1]:
            continue
        left = one.entries(layer) if layer < len(one.contents) else {}
        right = other.entries(layer) if layer < len(other.contents) else {}
        before = len(found)
        for name in sorted({*left, *right}):
            if name not in left or name not in right:
                where = "first" if name in left else "second"
                found.append(Difference(layer, name, f"in the {where} alone", False))
            elif told := left[name].differing(right[name]):
                both = left[name].content != right[name].content
                found.append(Difference(layer, name, "; ".join(told), both))
        if len(found) == before:
            found.append(Difference(layer, "", "equal members in another order or form", False))
    return found


def digest(file: Path) -> str:
    """Return a file's digest as OCI writes it."""
    with file.open("rb") as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
