"""The lines of a file, once or as they come, also where it is rotated or emptied meanwhile."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from seedlock.errors import printable
from seedlock.evaluation.watch.log_lines import LONGEST, BadLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

EVERY = 0.5
"""Seconds between looks at a file that is followed."""


def once(file: BinaryIO) -> Iterator[bytes]:
    """Yield a file's lines, the last one also without an end."""
    held = b""
    while chunk := file.readline(LONGEST + 2):
        held += chunk
        if chunk.endswith(b"\n"):
            yield held
            held = b""
        elif len(held) > LONGEST:
            held = held[: LONGEST + 1]
    if held:
        yield held


def opened(path: Path) -> BinaryIO:
    """Return a log, open for reading.

    Raises:
        BadLog: it can't be read.
    """
    shown = printable(str(path), 200)
    try:
        if path.is_dir():
            raise BadLog(f"{shown} is a folder; allowed: a file, or - for standard input")
        return path.open("rb")
    except (OSError, ValueError) as problem:
        said = getattr(problem, "strerror", None) or "no name of a file"
        raise BadLog(
            f"{shown} can't be read: {said}; allowed: a log of JSON lines or CSV; mend the path"
        ) from problem


def followed(path: Path, wait: Callable[[float], None] = time.sleep) -> Iterator[bytes | None]:
    """Yield a file's lines as they come, for ever; None whenever there is no further one yet.

    A line counts when it has its end. A file that takes this one's place, as when logs are
    rotated, is read from its beginning once this one is read to its end; so is this one where it
    was cut off. What is cut off and written again, longer than before, between two looks can't be
    told from what was added.

    Args:
        path: of the file; it may be away for a while once it was there.
        wait: called with the seconds to wait for.

    Raises:
        BadLog: it can't be read.
    """
    file, held = opened(path), b""
    try:
        while True:
            chunk = file.readline(LONGEST + 2)
            held = (held + chunk)[: LONGEST + 2]
            if chunk.endswith(b"\n"):
                yield held
                held = b""
            elif not chunk:
                turned = _turned(path, file)
                if turned is None:
                    yield None
                    wait(EVERY)
                    continue
                if held:  # nobody will write its end any more
                    yield held
                    held = b""
                if turned is not file:
                    file.close()
                    file = turned
    finally:
        file.close()


def _turned(path: Path, file: BinaryIO) -> BinaryIO | None:
    """Return the file to go on with, at its beginning; None where the open one still is it, or has
    more to be read."""
    try:
        there = path.stat()
    except OSError:
        there = None
    # Only now: what was written here until another took its place is in this size.
    here = os.fstat(file.fileno())
    if here.st_size < file.tell():
        file.seek(0)
        return file
    if (there is not None and os.path.samestat(there, here)) or here.st_size > file.tell():
        return None
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None
    except OSError:
        return opened(path)
