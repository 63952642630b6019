"""Write a result so that a reader sees the old file or the new one, never half."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING, Any

from seedlock import reporting
from seedlock.errors import printable
from seedlock.evaluation import full_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO


def write_json(path: str, content: dict[str, Any]) -> None:
    """Write `content` as JSON.

    Raises:
        OSError: the file can't be written.
    """
    try:
        with full_disk.naming(path):
            reporting.write(path, content)
    except OSError:
        if os.path.exists(f"{path}.tmp"):
            os.unlink(f"{path}.tmp")
        raise


def write_text(path: str, text: str) -> None:
    """Write `text` as UTF-8; what can't be encoded, as half a character of a broken file name,
    comes as a question mark.

    Raises:
        OSError: the file can't be written.
    """
    write_bytes(path, text.encode(errors="replace"))


def why_not_written(path: str, text: str) -> str | None:
    """Write `text` as `write_text` does; return None, or for people why it could not be.

    For what a person named: a folder that is not there is no fault of the program.
    """
    return why_not(path, lambda: write_text(path, text))


def why_not(path: str, write: Callable[[], object]) -> str | None:
    """Write what a person named; return None, or for people why it could not be.

    Args:
        path: what was named, a file or a folder.
        write: writes it, and raises OSError where that can't be.
    """
    try:
        write()
    except OSError as problem:
        return f"'{printable(path, 300)}' can't be written: {problem.strerror or problem}"
    return None


def settle(folder: Path) -> None:
    """Have a folder's names survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: str, content: bytes) -> None:
    """Write `content` as it is.

    Raises:
        OSError: the file can't be written.
    """
    with whole_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def whole_file(path: str) -> Iterator[BinaryIO]:
    """Give a file that takes the place of `path` when the block ends, and is gone if it fails.

    Raises:
        OSError: it can't be written.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with full_disk.naming(path), open(temporary, "wb") as file:
            if os.path.exists(path):
                shutil.copymode(path, temporary)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
