"""Write a result so that a reader sees the old file or the new one, never half."""

from __future__ import annotations

import os
import shutil
from typing import Any

from seedlock import reporting
from seedlock.evaluation import full_disk


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


def write_bytes(path: str, content: bytes) -> None:
    """Write `content` as it is.

    Raises:
        OSError: the file can't be written.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with full_disk.naming(path), open(temporary, "wb") as file:
            if os.path.exists(path):
                shutil.copymode(path, temporary)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
