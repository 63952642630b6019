"""Runs of programs under a trace, and what the traces hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.interpreter import Done, python

Event = dict[str, Any]


def traced(program: Path, folder: Path, mode: str | None, *given: str, **variables: str) -> Done:
    """Run a program in its own folder with a trace in `folder`; None for a run without one."""
    if mode is not None:
        variables |= {"REPRO_REPORT": str(folder), "REPRO_TRACE": mode}
    settings: dict[str, Any] = {"REPRO_SEED": "7", "REPRO_ENTROPY": "lock", **variables}
    return python(program.name, *given, cwd=program.parent, **settings)


def lines(folder: Path) -> dict[str, list[str]]:
    """Return the lines below the header of each process's trace, by its place."""
    found = {}
    for file in folder.glob("*.trace.jsonl"):
        header, *rest = file.read_text().splitlines()
        found[str(json.loads(header)["place"])] = rest
    return found


def events(folder: Path, *kinds: str, place: str = "") -> list[Event]:
    """Return the events of some kinds of one process, of all where none is named."""
    parsed = [json.loads(line) for line in lines(folder)[place]]
    return [each for each in parsed if not kinds or each["kind"] in kinds]


def gaps(folder: Path) -> list[str]:
    """Return what the first process's report says is missing."""
    for file in folder.glob("*.trace.jsonl"):
        if json.loads(file.read_text().partition("\n")[0])["place"] == "":
            report = json.loads(Path(str(file).replace(".trace.jsonl", ".json")).read_text())
            return list(report["gaps"])
    raise AssertionError(f"no trace in {folder}")


def first_difference(one: list[Event], other: list[Event]) -> tuple[Event, Event]:
    """Return the first two events that differ."""
    return next((a, b) for a, b in zip(one, other, strict=True) if a != b)
