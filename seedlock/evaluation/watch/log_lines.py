"""Lines of a deployed model's log as values: JSON lines or CSV.

Nothing that a log says raises: a line without a number is a line with a problem, which is named.
Only a log that can't hold the metric at all is refused.
"""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from typing import Any

from seedlock.errors import SeedlockError, printable

JSON_LINES, CSV = "jsonl", "csv"
FORMATS = (JSON_LINES, CSV)

LONGEST = 1 << 20
"""Bytes of a line that is read at all."""

SEPARATORS = (",", ";", "\t")

NOTHING = ("", "null", "none", "na", "n/a")
"""What stands in a CSV where there is no value, whatever the case."""


class BadLog(SeedlockError):
    """A deployed model's log is missing, or has nothing that could be watched."""

    slug = "bad-log"


@dataclass(frozen=True)
class Line:
    """What a line says of the metric.

    Attributes:
        number: of the line, from 1.
        time: what the field of the time says, as text; None without one.
        value: a finite number; None where there is none.
        problem: why there is none, or None.
    """

    number: int
    time: str | None
    value: float | None
    problem: str | None = None


class Lines:
    """A log's lines in their order.

    Args:
        field: of the metric: a name, or names with dots for what lies deeper in JSON.
        time_field: of the time; None without one.
        form: one of `FORMATS`; None finds out by the first line.
    """

    def __init__(self, field: str, time_field: str | None = None, form: str | None = None) -> None:
        self.field, self.time_field, self.form = field, time_field, form
        self.number = 0
        self._header: list[str] = []
        self._separator = ","

    def add(self, raw: bytes) -> Line | None:
        """Take the next line; return what it says, or None where it says nothing of the metric.

        An empty line, a CSV's header, also one that comes again in a rotated file, and a line
        `{"name": ..., "value": ...}` of another metric, as seedlock.log_metric writes them, say
        nothing.

        Raises:
            BadLog: a CSV's header lacks a field.
        """
        self.number += 1
        if len(raw) > LONGEST:
            return self._without(f"is longer than {LONGEST >> 20} MiB")
        text = raw.decode("utf-8", "replace").strip("\r\n\ufeff")
        if not text.strip():
            return None
        if self.form is None:
            self.form = JSON_LINES if text.lstrip().startswith(("{", "[")) else CSV
        return self._of_json(text) if self.form == JSON_LINES else self._of_csv(text)

    def _of_json(self, text: str) -> Line | None:
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            return self._without("is no JSON")
        if not isinstance(content, dict):
            return self._without("is no JSON object")
        time = None if self.time_field is None else _found(content, self.time_field)
        shown = None if time is None else printable(str(time), 60)
        if "value" in content and "name" in content and self.field not in content:
            if content["name"] != self.field:
                return None
            return self._valued(content["value"], shown)
        return self._valued(_found(content, self.field), shown)

    def _of_csv(self, text: str) -> Line | None:
        if not self._header:
            self._header = self._columns(text)
            return None
        cells = self._cells(text)
        if cells == self._header:
            return None
        if len(cells) != len(self._header):
            return self._without(f"has {len(cells)} fields, the header {len(self._header)}")
        row = dict(zip(self._header, cells, strict=True))
        time = None if self.time_field is None else printable(row[self.time_field], 60)
        cell = row[self.field].strip()
        if cell.lower() in NOTHING:
            return self._valued(None, time)
        try:
            return self._valued(float(cell), time)
        except ValueError:
            return self._valued(cell, time)

    def _columns(self, text: str) -> list[str]:
        wanted = {self.field} | ({self.time_field} if self.time_field else set())
        for self._separator in SEPARATORS:
            header = self._cells(text)
            if wanted <= set(header) and len(set(header)) == len(header):
                return header
        self._separator = ","
        lacks = ", ".join(sorted(wanted - set(self._cells(text)))) or "a name for each column"
        raise BadLog(
            f"the log's first line, '{printable(text, 120)}', lacks {printable(lacks, 120)}; "
            "allowed: JSON lines, or CSV whose first line names its columns; say --metric "
            "NAME=COLUMN or --time-field COLUMN"
        )

    def _cells(self, text: str) -> list[str]:
        try:
            return [each.strip() for each in next(csv.reader([text], delimiter=self._separator))]
        except (csv.Error, StopIteration):
            return []

    def _valued(self, value: Any, time: str | None) -> Line:
        if value is None:
            return Line(self.number, time, None, "has no value")
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                return Line(self.number, time, None, f"says '{printable(value)}', no number")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return Line(self.number, time, None, "says what is no number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            return Line(self.number, time, None, "says NaN" if number != number else "is infinite")
        return Line(self.number, time, number)

    def _without(self, problem: str) -> Line:
        return Line(self.number, None, None, problem)


def _found(content: dict[str, Any], field: str) -> Any:
    if field in content:
        return content[field]
    inner: Any = content
    for name in field.split("."):
        inner = inner.get(name) if isinstance(inner, dict) else None
    return inner
