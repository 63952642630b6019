"""How much memory a sandbox takes, looked at from outside, where no control group counts it."""

from __future__ import annotations

import os
import re

FIELDS = re.compile(r"^(RssAnon|RssShmem|Pss_Anon|Pss_Shmem):\s+(\d+) kB$", re.MULTILINE)


def memory(pids: list[int], places: tuple[str, ...], size: int, enough: int) -> int:
    """Return the bytes that processes take together with their temporary folders.

    Files that are only mapped, as libraries are, do not count: the kernel can drop them.

    Args:
        pids: the processes.
        places: their temporary folders, as they see them.
        size: bytes that each of these may hold. A process for which one is larger stands outside.
        enough: where the sum that takes pages shared by several for each of them is smaller, it
            is returned; the exact one takes the kernel milliseconds for each process.
    """
    stored = _stored(pids, places, size)
    found = _sum(pids, "status", "RssAnon", "RssShmem", stored)
    return found if found < enough else _sum(pids, "smaps_rollup", "Pss_Anon", "Pss_Shmem", stored)


def _sum(pids: list[int], file: str, private: str, shared: str, stored: int) -> int:
    totals = {private: 0, shared: 0}
    for pid in pids:
        try:
            with open(f"/proc/{pid}/{file}") as opened:
                text = opened.read()
        except OSError:
            continue  # it has just ended
        for name, amount in FIELDS.findall(text):
            totals[name] += int(amount) * 1024
    # What is mapped of a temporary folder is among both.
    return totals[private] + max(totals[shared], stored)


def _stored(pids: list[int], places: tuple[str, ...], size: int) -> int:
    for pid in reversed(pids):
        try:
            found = [os.statvfs(f"/proc/{pid}/root{place}") for place in places]
        except OSError:
            continue
        if all(each.f_blocks * each.f_frsize <= size for each in found):
            return sum((each.f_blocks - each.f_bfree) * each.f_frsize for each in found)
    return 0
