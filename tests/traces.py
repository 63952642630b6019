"""Read traces for the tests, line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Event = dict[str, Any]


def trace_files(folder: Path) -> list[Path]:
    """Return the traces in a folder, the oldest first."""
    return sorted(folder.glob("*.trace.jsonl"), key=lambda path: path.name.split("-")[1])


def lines(file: Path) -> list[Event]:
    """Return a trace's lines, header and end too."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def by_place(folder: Path) -> dict[str, list[Event]]:
    """Return the events of each place in the family that has any."""
    found: dict[str, list[Event]] = {}
    for file in trace_files(folder):
        header, *events = lines(file)
        place = header["place"]
        for event in events:
            if event["kind"] == "place":
                place = event["text"]
            elif event["kind"] != "end":
                found.setdefault(place, []).append(event)
    return found


def events(folder: Path, *kinds: str) -> list[Event]:
    """Return the first process's events, of some kinds or all."""
    return [each for each in by_place(folder).get("", []) if not kinds or each["kind"] in kinds]
