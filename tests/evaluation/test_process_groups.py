"""Who belongs to a process, looked at again and again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from seedlock.evaluation.process_groups import Family

PROGRAM = """
import os, subprocess, sys, time
for line in sys.stdin:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                             stdin=subprocess.PIPE)
    print(child.pid, flush=True)
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that start a child, which waits, for each line that they read."""
    found = [
        subprocess.Popen(
            [sys.executable, "-S", "-c", PROGRAM], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    yield found
    for each in found:
        each.communicate()


def child_of(process: subprocess.Popen[str]) -> int:
    """Let it start one; return its process id."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def test_children_that_come_later_belong_to_it(started: list[subprocess.Popen[str]]) -> None:
    """And those of a stranger, which is not looked at again, do not."""
    leader, stranger = started
    family = Family(leader.pid)
    assert family.living() == [leader.pid]

    own = [child_of(leader), child_of(leader)]
    others = child_of(stranger)
    assert family.living() == sorted([leader.pid, *own])

    assert others not in Family(leader.pid).living()
    own.append(child_of(leader))
    assert family.living() == sorted([leader.pid, *own])


def test_what_has_ended_is_no_part_of_it(started: list[subprocess.Popen[str]]) -> None:
    """Whether somebody has waited for it or not."""
    leader, _ = started
    family = Family(leader.pid)
    child_of(leader)
    assert len(family.living()) == 2

    leader.kill()
    leader.wait()

    assert leader.pid not in family.living()
