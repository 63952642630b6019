"""The files of a round: written once, never over another, and read with distrust."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound, printable
from seedlock.evaluation import full_disk
from seedlock.evaluation.rounds.canonical import strict_object
from seedlock.evaluation.writing import settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 64 << 20
"""Bytes of a file that is read at all; a million submissions are about as many."""

TEMPORARY = ".tmp"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other steps away from a round's folder.

    Raises:
        BadRound: another step is going on, or the folder is not there.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as problem:
        raise BadRound(
            f"{printable(str(folder), 200)} is no folder: {problem.strerror}; allowed: a round's; "
            "mend the path"
        ) from problem
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise BadRound(
                f"another step goes on in {printable(str(folder), 200)}; allowed: one at a time; "
                "wait for its end"
            ) from problem
        yield
    finally:
        os.close(handle)


def put(path: Path, content: dict[str, Any], mode: int = 0o644) -> None:
    """Write a new file, whole or not at all; call it within `alone`.

    Args:
        path: where nothing is yet.
        content: JSON-ready.
        mode: of the file from its first byte on, less what the user's mask takes away.

    Raises:
        BadRound: something is there.
        OSError: it can't be written.
    """
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    put_bytes(path, f"{text}\n".encode(), mode)


def put_bytes(path: Path, raw: bytes, mode: int = 0o644, *, over: bool = False) -> None:
    """Write a file as `put` does.

    Args:
        path: where.
        raw: its bytes.
        mode: of the file.
        over: replace what is there.

    Raises:
        BadRound: something is there and may not be replaced.
        OSError: it can't be written.
    """
    if os.path.lexists(path) and not over:
        raise BadRound(
            f"{printable(str(path), 200)} is there already; allowed: each step once; nothing of a "
            "round is ever overwritten"
        )
    temporary = path.with_name(f".{path.name}{TEMPORARY}")
    temporary.unlink(missing_ok=True)  # of a step that was killed
    with full_disk.naming(path):
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            os.rename(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    settle(path.parent)


def raw_of(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        BadRound: it is not there, no plain file, too large, or can't be read.
    """
    shown = printable(str(path), 200)
    try:
        if not path.is_file():
            raise BadRound(f"{shown} is not there; allowed: a plain file; mend the path")
        if path.stat().st_size > LARGEST:
            raise BadRound(f"{shown} is larger than {LARGEST >> 20} MiB; allowed: a round's file")
        return path.read_bytes()
    except OSError as problem:
        raise BadRound(
            f"{shown} can't be read: {os.strerror(problem.errno or 5)}; allowed: a file that this "
            "user can read"
        ) from problem


def content_of(path: Path, raw: bytes) -> dict[str, Any]:
    """Return the JSON object in a file's bytes.

    Raises:
        BadRound: it is none.
    """
    try:
        return strict_object(raw)
    except ValueError as problem:
        raise BadRound(
            f"{printable(str(path), 200)} is no JSON object: {printable(str(problem), 80)}; "
            "allowed: the file as seedlock round wrote it; get it again"
        ) from problem
