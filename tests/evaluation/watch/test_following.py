"""A log that grows, is rotated, cut off, and gone for a while; nothing waits for a clock."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path, PosixPath

import pytest

from seedlock.evaluation.watch.following import followed, once
from seedlock.evaluation.watch.log_lines import LONGEST, BadLog


class Over(Exception):
    """The steps have been taken."""


def lines_of(path: Path, steps: list[Callable[[], object]]) -> list[bytes]:
    """Return the lines of a file that is followed, while a step is taken whenever it waits."""
    remaining = iter(steps)

    def wait(_: float) -> None:
        step = next(remaining, None)
        if step is None:
            raise Over
        step()

    found = []
    with pytest.raises(Over):
        for each in followed(path, wait):
            if each is not None:
                found.append(each)
    return found


def test_what_is_added_comes_when_its_line_has_an_end(tmp_path: Path) -> None:
    """Half a line waits for its other half."""
    path = tmp_path / "log"
    path.write_bytes(b"1\n2")
    file = path.open("ab", buffering=0)

    found = lines_of(path, [lambda: file.write(b"3\n4"), lambda: None, lambda: file.write(b"\n")])

    assert found == [b"1\n", b"23\n", b"4\n"]
    file.close()


def test_a_rotated_log_goes_on_in_the_new_file(tmp_path: Path) -> None:
    """The old one is read to its end first; while there is no new one, it is waited for."""
    path = tmp_path / "log"
    path.write_bytes(b"1\n")

    def rotate() -> None:
        path.rename(tmp_path / "log.1")
        with (tmp_path / "log.1").open("ab") as old:
            old.write(b"2\nhalf")

    found = lines_of(path, [rotate, lambda: path.write_bytes(b"3\n"), lambda: None])

    assert found == [b"1\n", b"2\n", b"half", b"3\n"]


def test_what_was_written_until_the_rotation_is_read(tmp_path: Path) -> None:
    """Also what came between the last look at the old file and the look at its name."""
    planned: list[Callable[[], object]] = []

    class Busy(PosixPath):
        """A file that something becomes of just before somebody looks which one it is."""

        def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
            """Do what is planned, and look."""
            if planned:
                planned.pop()()
            return super().stat(follow_symlinks=follow_symlinks)

    plain = tmp_path / "log"
    plain.write_bytes(b"1\n")

    def rotate() -> None:
        with plain.open("ab") as file:
            file.write(b"2\n")
        plain.rename(tmp_path / "log.1")
        plain.write_bytes(b"3\n")

    found = lines_of(Busy(plain), [lambda: planned.append(rotate), lambda: None, lambda: None])

    assert found == [b"1\n", b"2\n", b"3\n"]


def test_a_log_that_is_cut_off_is_read_from_its_beginning(tmp_path: Path) -> None:
    """As by logrotate's copytruncate."""
    path = tmp_path / "log"
    path.write_bytes(b"1\n22\n")

    found = lines_of(path, [lambda: path.write_bytes(b"3\n"), lambda: None])

    assert found == [b"1\n", b"22\n", b"3\n"]


@pytest.mark.parametrize("name", ["none", ".", "a\0b"])
def test_a_log_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    """In one line."""
    with pytest.raises(BadLog, match="allowed: "):
        next(followed(tmp_path / name))


def test_a_line_without_an_end_takes_no_memory_of_its_size() -> None:
    """Of a file of one line, a little more than the longest line is kept."""
    found = list(once(io.BytesIO(b"x" * (3 * LONGEST) + b"\n2")))

    assert len(found) == 2 and found[1] == b"2"
    assert LONGEST < len(found[0]) < 2 * LONGEST + 4
