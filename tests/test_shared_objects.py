"""shared_objects.py: loaded files, and variables in them by name."""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path

from seedlock.shared_objects import loaded, variables


def test_a_variable_of_the_c_library_is_found() -> None:
    """At the address that the loader knows, with its size."""
    known = ctypes.addressof(ctypes.c_void_p.in_dll(ctypes.CDLL(None), "stdout"))
    (path,) = loaded("libc.so.6")

    assert variables(path, b"stdout") == [(known, 8)]


def test_what_is_missing_is_not_made_up() -> None:
    """One missing name of several leaves nothing."""
    (path,) = loaded("libc.so.6")

    assert variables(path, b"stdout", b"no_such_variable_in_it") == []


def test_a_file_of_another_kind_has_no_variables(tmp_path: Path) -> None:
    """A mapped text is not read as a library."""
    path = tmp_path / "notes.so.txt"
    path.write_text("not a library\n" * 1000)

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ):
        assert loaded("notes.so") == [str(path)]
        assert variables(str(path), b"stdout") == []
