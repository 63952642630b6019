"""Limits that leave no mark in the kernel's books once the run is over, told by its last lines.

A process that may not have another one, or no more space, is told so by the kernel and goes on;
which limit it was is then only in what it says before it gives up. Memory is not among them: what
takes too much is ended, and an allocation that is refused was too large for the whole machine.
"""

from __future__ import annotations

SIGNS = (
    ("processes", (
        "can't start new thread",
        "Resource temporarily unavailable",  # EAGAIN of fork(2) and clone(2), with an errno or not
        "failed to create thread",
        "pthread_create failed",
    )),
    ("disk", (
        "No space left on device",  # ENOSPC, of /tmp and /dev/shm
        "File too large",  # EFBIG, of RLIMIT_FSIZE
    )),
)  # fmt: skip
"""For each limit, pieces of the messages of the C library and of Python."""


def told(said: str) -> tuple[str, str] | None:
    """Return the limit that a failed run speaks of, and a note that quotes it; None for none.

    Args:
        said: the end of its standard error. The last line that speaks of a limit counts.
    """
    for line in reversed(said.splitlines()):
        for limit, pieces in SIGNS:
            if any(piece in line for piece in pieces):
                return limit, f"its last lines say so: {line.strip()[:120]}"
    return None
