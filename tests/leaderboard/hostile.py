"""Archives that nobody should unpack."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from typing import Any

from seedlock.evaluation.replaying import bundle_tar, manifest
from seedlock.evaluation.replaying.manifest import Entry

TOML = b"""\
name = "evil"
command = ["python", "train.py"]
[image]
name = "conference/repro-base"
[metrics.accuracy]
direction = "max"
[metrics.loss]
direction = "min"
"""


def tar(*files: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Return a .tar.gz by the standard library, with members that may be anything."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w:gz") as packed:
        for info, content in files:
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return into.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """Return a member's header."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def listed(files: dict[str, bytes], sizes: dict[str, int] | None = None) -> bytes:
    """Return an archive of the right form, whose list is the attacker's.

    Args:
        files: content by name, without `source/`.
        sizes: what the list says of some of them.
    """
    names = {f"source/{name}": content for name, content in files.items()}
    entries = [
        Entry(name, (sizes or {}).get(name[7:], len(content)), _digest(content))
        for name, content in names.items()
    ]
    text = manifest.encoded(manifest.manifest_of(entries))
    return written({manifest.FILE: text, **names})


def written(files: dict[str, bytes], zeros: int = 0) -> bytes:
    """Return an archive with these files in order, and zeros behind the last."""
    into = io.BytesIO()
    writer = bundle_tar.Writer(into)
    for name, content in files.items():
        writer.add(Entry(name, len(content), ""), [content])
    if zeros:
        writer.add(Entry("source/zeros", zeros, ""), (bytes(1 << 20) for _ in range(zeros >> 20)))
    writer.finish()
    return into.getvalue()


def bomb(said: int, there: int) -> bytes:
    """Return a small archive that unpacks to much.

    Args:
        said: bytes that its list says of the one large file.
        there: bytes, whole MiB, that are in it, all of them zero.
    """
    entries = [
        Entry("source/submission.toml", len(TOML), _digest(TOML)),
        Entry("source/zeros", said, _digest(bytes(min(said, 1 << 20)))),
    ]
    text = manifest.encoded(manifest.manifest_of(entries))
    return written({manifest.FILE: text, "source/submission.toml": TOML}, zeros=there)


def many(count: int) -> bytes:
    """Return an archive of so many empty files."""
    return listed({"submission.toml": TOML, **{f"f{number}": b"" for number in range(count)}})


def nested(levels: int, content: bytes) -> bytes:
    """Return gzip in gzip in gzip."""
    for _ in range(levels):
        content = gzip.compress(content, mtime=0)
    return content


def edited_list(change: Any) -> bytes:
    """Return an archive whose list was changed as text."""
    files = {"submission.toml": TOML, "train.py": b"print()\n"}
    entries = [Entry(f"source/{n}", len(c), _digest(c)) for n, c in files.items()]
    text: bytes = change(manifest.encoded(manifest.manifest_of(entries)))
    return written({manifest.FILE: text, **{f"source/{n}": c for n, c in files.items()}})


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
