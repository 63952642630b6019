"""Run a program under a trace, for the tests of tracers: what it left, and where runs differ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.interpreter import Done, python
from tests.traces import Event, lines, trace_files


class Recorded:
    """What a run left.

    Attributes:
        done: the process.
        folder: where its report and trace are.
        places: the lines below the header of each process's trace, as they stand, by its place.
        lines: those of the first process; none where there is no trace.
        header: its first line.
        events: its lines, read, but the last one.
        end: the last one, which counts them.
        gaps: of its report.
    """

    def __init__(self, done: Done, folder: Path) -> None:
        self.done = done
        self.folder = folder
        self.header: Event = {}
        self.places: dict[str, list[str]] = {}
        self.gaps: list[str] = []
        for file in trace_files(folder):
            header, *_ = lines(file)
            self.places[header["place"]] = file.read_text().splitlines()[1:]
            if header["place"] == "":
                self.header = header
                report = file.with_name(file.name.replace(".trace.jsonl", ".json"))
                self.gaps = json.loads(report.read_text())["gaps"]
        self.lines = self.places.get("", [])
        self.events = self._events("")
        self.end = self.events.pop() if self.events else {}
        assert self.end.get("kind") in ("end", None)

    @property
    def said(self) -> Any:
        """The last line of standard output, read as JSON."""
        return self.done.json()

    @property
    def results(self) -> list[Event]:
        """The first process's events, but draws from the system."""
        return [each for each in self.events if each["kind"] != "entropy"]

    @property
    def comparable(self) -> list[str]:
        """The first process's lines, but what libraries draw from the system for themselves:
        names of temporary files (TensorFlow's AutoGraph), of registries (torch)."""
        return [each for each in self.lines if '"entropy"' not in each or '"os.urandom"' in each]

    def of(self, *kinds: str, op: str | None = None, place: str = "") -> list[Event]:
        """Return the events of some kinds, and of one operation, in one process."""
        found = self._events(place) if place else self.events
        return [each for each in found if each["kind"] in kinds and op in (None, each["op"])]

    def _events(self, place: str) -> list[Event]:
        return [json.loads(line) for line in self.places.get(place, [])]


def record(
    program: Path, folder: Path, mode: str | None, *given: str, **variables: str
) -> Recorded:
    """Run a program under seed 7, with what it draws from the system locked, in its own folder.

    Args:
        program: the program; its folder is better not the one above `folder`, since importing
            libraries lists it.
        folder: for the report and the trace.
        mode: `step` or `op`; None for a run without a trace.
        given: its arguments.
        variables: environment variables besides.
    """
    settings: dict[str, Any] = {"REPRO_SEED": "7", "REPRO_ENTROPY": "lock", **variables}
    if mode is not None:
        settings |= {"REPRO_REPORT": str(folder), "REPRO_TRACE": mode}
    return Recorded(python(program.name, *given, cwd=program.parent, **settings), folder)


def first_difference(
    one: Sequence[Event | str], other: Sequence[Event | str]
) -> tuple[Event, Event]:
    """Return the first two events that differ, out of two lists of events or of lines."""
    pair = next((a, b) for a, b in zip(one, other, strict=True) if a != b)
    first, second = (json.loads(each) if isinstance(each, str) else each for each in pair)
    return first, second


def line_of(text: str, program: str, name: str) -> str:
    """Return `name:line` of the first line of a program that holds a text."""
    line = next(at for at, line in enumerate(program.splitlines(), 1) if text in line)
    return f"{name}:{line}"
