"""Run a program with a trace and read what it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.interpreter import Done, python


class Traced:
    """One run with a trace.

    Attributes:
        done: what the process left behind.
        header: the first line of the first process's trace.
        lines: the lines below it, as they stand.
        events: the same, read, without the last one, which counts them.
        gaps: of the report.
    """

    def __init__(self, done: Done, folder: Path) -> None:
        self.done = done
        for path in folder.glob("*.trace.jsonl"):
            first, *lines = path.read_text().splitlines()
            header = json.loads(first)
            if header["place"] == "":
                self.header = header
                self.lines = lines
                report = path.with_name(path.name.replace(".trace.jsonl", ".json"))
        self.events: list[dict[str, Any]] = [json.loads(line) for line in self.lines]
        self.end = self.events.pop()
        assert self.end["kind"] == "end"
        self.gaps: list[str] = json.loads(report.read_text())["gaps"]

    def kind(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the events of these kinds."""
        return [event for event in self.events if event["kind"] in kinds]


def traced(program: str, folder: Path, name: str, mode: str, **variables: str) -> Traced:
    """Run a program that lies in a folder, and return what it traced.

    Args:
        program: its file name.
        folder: where it lies and runs.
        name: of the folder for this run's report.
        mode: `step` or `op`.
        variables: environment variables besides.
    """
    report = folder.with_name(f"{folder.name}-{name}")  # an import lists the program's folder
    given: dict[str, Any] = {"REPRO_SEED": "7", "REPRO_ENTROPY": "lock", **variables}
    done = python(program, cwd=folder, REPRO_REPORT=str(report), REPRO_TRACE=mode, **given)
    return Traced(done, report)


def first_difference(one: Traced, other: Traced) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the first events in which two runs differ, other than draws from the system."""
    pairs = zip(
        *([event for event in run.events if event["kind"] != "entropy"] for run in (one, other)),
        strict=False,
    )
    return next((left, right) for left, right in pairs if left != right)


def line_of(text: str, program: Path) -> str:
    """Return `file:line` of the first line of a program that holds a text."""
    lines = program.read_text().splitlines()
    return f"{program.name}:{1 + next(at for at, line in enumerate(lines) if text in line)}"
