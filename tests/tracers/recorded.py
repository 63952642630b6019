"""A program's run under a trace, for the tests of tracers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.interpreter import run


class Recorded:
    """What a run left.

    Attributes:
        lines: the trace's lines below the header, but what libraries draw from the system: names
            of temporary files (TensorFlow's AutoGraph), of registries (torch).
        events: the same, read.
        said: the last line of standard output, read as JSON.
    """

    def __init__(self, program: Path, folder: Path, **variables: str) -> None:
        folder.mkdir()
        given = {"REPRO_SEED": "7", "REPRO_REPORT": str(folder), **variables}
        done = run(
            [sys.executable, str(program)], cwd=program.parent, check=True, stdin=None, **given
        )
        self.said: Any = done.json()
        found = sorted(folder.glob("*.trace.jsonl"), key=lambda path: path.stat().st_size)
        lines = found[-1].read_text().splitlines()[1:] if found else []
        self.lines = [each for each in lines if '"entropy"' not in each or '"os.urandom"' in each]
        self.events: list[dict[str, Any]] = [json.loads(line) for line in self.lines]

    def of(self, kind: str, op: str | None = None) -> list[dict[str, Any]]:
        """Return the events of one kind, and of one operation."""
        return [each for each in self.events if each["kind"] == kind and op in (None, each["op"])]

    def against(self, other: Recorded) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the first events in which two runs differ."""
        at = next(
            at for at, (mine, its) in enumerate(zip(self.lines, other.lines, strict=False))
            if mine != its
        )  # fmt: skip
        return self.events[at], other.events[at]


def line_of(program: str, text: str) -> int:
    """Return the number of the line of a program that holds a text, from 1."""
    return next(at for at, line in enumerate(program.splitlines(), 1) if text in line)
