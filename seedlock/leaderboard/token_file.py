"""The file that a token is written to: new, of its owner's only, and gone if no token came."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.errors import printable
from seedlock.evaluation.writing import settle
from seedlock.leaderboard.board_errors import BadBoard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO


@contextmanager
def new(name: str) -> Iterator[TextIO]:
    """A new file of mode 0600, made before a token is issued, so that none is lost for want of it.

    What is written is on the disk at the end, as is the file's name; after an exception the file
    is gone.

    Raises:
        BadBoard: there is a file of this name, or it can't be made.
        OSError: it can't be written, as on a full disk.
    """
    path = Path(name)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except (FileExistsError, FileNotFoundError, NotADirectoryError, PermissionError) as problem:
        raise BadBoard(
            f"the token can't be written to {printable(name, 200)}: {problem.strerror}; allowed: "
            "a new file in a folder that is there, since a token is shown once; name another"
        ) from None
    whole = False
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            yield file
            file.flush()
            os.fsync(handle)
        settle(path.absolute().parent)
        whole = True
    finally:
        if not whole:
            path.unlink(missing_ok=True)
