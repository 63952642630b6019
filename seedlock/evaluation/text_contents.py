"""Text by line: result files as CSV and logs, and what a run printed."""

from __future__ import annotations

import csv
import itertools
from typing import IO, TYPE_CHECKING

from seedlock.evaluation.findings import ADVISORY, DIFFERENCE, TIME_STAMP, Finding, shown
from seedlock.evaluation.json_contents import compare_json
from seedlock.evaluation.time_stamps import masked, names_time, same_but_for_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SEPARATORS = {".csv": ",", ".tsv": "\t"}
PRINTED = 5
"""How many lines of what was printed are listed."""

LINE = 1 << 20
"""Bytes of the longest line that is looked at in one piece."""


def compare_lines(file: str, suffix: str, first: IO[bytes], second: IO[bytes]) -> Iterator[Finding]:
    """Compare two texts line by line.

    Args:
        file: for the findings.
        suffix: `.csv` and `.tsv` are compared by column, `.jsonl` as one document per line.
        first, second: streams at their beginnings.
    """
    header: list[str] = []
    pairs = itertools.zip_longest(_lines(first), _lines(second))
    for number, (one, other) in enumerate(pairs, 1):
        if number == 1 and suffix in SEPARATORS and one is not None and one == other:
            header = _row(one, SEPARATORS[suffix])
        if one == other:
            continue
        where = f"line {number}"
        if one is None or other is None:
            yield Finding(file, where, DIFFERENCE, _shown(one), _shown(other))
            return
        if header:
            yield from _columns(file, where, header, one, other, SEPARATORS[suffix])
        elif suffix == ".jsonl" and _json(one) and _json(other):
            for each in _json_line(file, one, other):
                yield each.inside(where)
        else:
            yield _line(file, where, one, other)


def compare_printed(
    first: Path, second: Path, folders: tuple[Iterable[str], Iterable[str]]
) -> tuple[list[Finding], int]:
    """Compare what two runs printed, leaving aside times and the runs' own folders.

    Args:
        first, second: files with what was printed.
        folders: paths of each run's own folders, which may be in what it prints.

    Returns:
        At most `PRINTED` advisory findings, and how many lines differ in times or folders only.
    """
    found: list[Finding] = []
    recognised = 0
    with first.open("rb") as a, second.open("rb") as b:
        for number, pair in enumerate(itertools.zip_longest(_lines(a), _lines(b)), 1):
            one, other = pair
            if one == other:
                continue
            if one is not None and other is not None:
                cleaned = [
                    masked(_final(_without(text, own)))
                    for text, own in zip((one, other), folders, strict=True)
                ]
                if cleaned[0] == cleaned[1]:
                    recognised += 1
                    continue
            found.append(Finding("stdout", f"line {number}", ADVISORY, _shown(one), _shown(other)))
            if len(found) == PRINTED:
                break
    return found, recognised


def _columns(
    file: str, where: str, header: list[str], one: str, other: str, separator: str
) -> Iterator[Finding]:
    rows = [_row(text, separator) for text in (one, other)]
    if any(len(row) != len(header) for row in rows) or rows[0] == rows[1]:
        yield _line(file, where, one, other)
        return
    for name, a, b in zip(header, *rows, strict=True):
        if a != b:
            timed = same_but_for_time(a, b) or (names_time(name) and _number(a) and _number(b))
            kind = TIME_STAMP if timed else DIFFERENCE
            metric = kind == DIFFERENCE and _number(a) and _number(b)
            yield Finding(file, f"{where}, {name}", kind, _shown(a), _shown(b), metric=metric)


def _row(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=separator), [])
    except csv.Error:  # as of a field above 128 KiB: the line is compared as it is
        return []


def _line(file: str, where: str, one: str, other: str) -> Finding:
    kind = TIME_STAMP if same_but_for_time(one, other) else DIFFERENCE
    return Finding(file, where, kind, _shown(one), _shown(other))


def _json(text: str) -> bool:
    return text.lstrip().startswith(("{", "["))


def _json_line(file: str, one: str, other: str) -> Iterator[Finding]:
    try:
        yield from compare_json(file, one.encode(), other.encode())
    except ValueError:
        yield _line(file, "", one, other)


def _lines(stream: IO[bytes]) -> Iterator[str]:
    while line := stream.readline(LINE):
        # Two lines have the same text only if they have the same bytes, which need not be UTF-8.
        yield line.decode("utf-8", "surrogateescape")


def _shown(text: str | None) -> str:
    if text is None:
        return "absent"
    raw = text.rstrip("\r\n").encode("utf-8", "surrogateescape")
    return shown(raw.decode("utf-8", "backslashreplace"))


def _final(text: str) -> str:
    """Return what a terminal would show of a line that a progress bar wrote over."""
    return text.rstrip("\r\n").rpartition("\r")[2]


def _without(text: str, folders: Iterable[str]) -> str:
    for folder in sorted(folders, key=len, reverse=True):
        text = text.replace(folder, "{run}")
    return text


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
