"""Which files this process opened for reading (REPRO_READS=list).

By Python's audit event `open` (PEP 578), so that it sees what Python opens: `open`, `os.open`,
pathlib, `numpy.load`. What a library opens in C does not come by here: TensorFlow's and MXNet's
own readers, HDF5, shared objects. The record says so.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST = 10_000
"""Files that a report names at most."""

_SYSTEM = ("/proc/", "/sys/", "/dev/")
_OWN = tuple(
    {
        os.path.realpath(folder) + os.sep
        for folder in (sys.prefix, sys.base_prefix, os.path.dirname(os.__file__))
        if folder != os.sep
    }
) + tuple({sys.prefix + os.sep, sys.base_prefix + os.sep})

_read: dict[str, None] = {}
_written: set[str] = set()
_state = {"more": 0, "watching": 0}


def watch() -> None:
    """Begin to note reads in this process; a forked child begins anew."""
    if not _state["watching"]:
        _state["watching"] = 1
        sys.addaudithook(_hook())
        os.register_at_fork(after_in_child=_forget)


def listed() -> dict[str, object]:
    """Return the absolute paths that were opened for reading, in the order of their names, but
    for those that this process had written itself; and how many more there were (`more`)."""
    return {"files": sorted(_read), "more": _state["more"]}


def _hook() -> Callable[[str, tuple[Any, ...]], None]:
    # All that it needs is in its closure: a module's names are gone when an interpreter ends,
    # and an exception in an audit hook would refuse the call.
    access, create = os.O_WRONLY | os.O_RDWR, os.O_CREAT
    anew, write_only = os.O_TRUNC | os.O_EXCL, os.O_WRONLY
    absolute, decode, exists, isfile = os.path.abspath, os.fsdecode, os.path.exists, os.path.isfile
    read, written, state, passed_over, most = _read, _written, _state, (*_SYSTEM, *_OWN), MOST

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open":
            return
        path, _, flags = arguments
        if isinstance(path, int):
            return  # a descriptor: whoever opened it was heard
        try:
            name = absolute(decode(path))
        except (TypeError, ValueError, OSError):
            return  # the call is refused, or the working folder is gone
        if name.startswith(passed_over) or name in read or name in written:
            return
        if flags & (access | create) and (flags & anew or not exists(name)):
            written.add(name)
        elif not flags & write_only and isfile(name):  # no folder, and it is there
            if len(read) < most:
                read[name] = None
            else:
                state["more"] += 1

    return heard


def _forget() -> None:
    _read.clear()
    _written.clear()
    _state["more"] = 0
