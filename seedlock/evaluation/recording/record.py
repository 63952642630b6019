"""The record: one JSON file that describes a run completely (docs/records.md)."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRecord, printable
from seedlock.evaluation.json_schema import jsonschema
from seedlock.evaluation.writing import write_json
from seedlock.reporting import ENVIRONMENT, SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "seedlock-record"
VERSION = 1
"""History: 1, the first."""

RUNNING, COMPLETE = "running", "complete"

DONE = "done"
AUTHOR = "author-failure"
METRICS = "metrics"
NOT_LOCKED = "not-locked"
CHANGED = "changed"
LIMIT = "limit"
INFRASTRUCTURE = "infrastructure"
INTERRUPTED = "interrupted"

JUDGED = (DONE, METRICS, AUTHOR)
"""Classes of runs that came to an end of their own, which a replay must come to as well."""

EXIT_STATUSES = {
    DONE: 0, METRICS: 65, CHANGED: 66, NOT_LOCKED: 70, INFRASTRUCTURE: 75, LIMIT: 124,
    INTERRUPTED: 130,
}  # fmt: skip
"""What a command that made one run ends with; a failure of the author's program with its own.
65 is EX_DATAERR, 66 EX_NOINPUT, 70 EX_SOFTWARE and 75 EX_TEMPFAIL of sysexits.h, 124 what
timeout(1) says."""

SCHEMA_FILE = Path(__file__).with_name("record-1.schema.json")

LARGEST = 512 << 20
"""Bytes of a record that is read at all."""

GZIP = b"\x1f\x8b"
"""Begins a bundle, whose record somebody may want to look at."""


class Record:
    """A record on its way: written when its run starts, and again when it has ended.

    Args:
        path: the file. One that is there is replaced only if it is a record.
        content: what is known before the run.

    Raises:
        BadRecord: another file stands there.
        OSError: it can't be written.
    """

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self.path = path
        self.content = {"format": FORMAT, "version": VERSION, "status": RUNNING, **content}
        if path.exists():
            load(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(str(path), self.content)

    def complete(self, content: Mapping[str, Any]) -> None:
        """Write what is known after the run.

        Raises:
            OSError: it can't be written; the file still says `running`.
        """
        self.content = {**self.content, **content, "status": COMPLETE}
        write_json(str(self.path), self.content)


def load(path: Path) -> dict[str, Any]:
    """Return a record's content, which may say `running`.

    Raises:
        BadRecord: it is not there, can't be read, or is no record of a version that this seedlock
            knows.
    """
    shown = printable(str(path), 200)
    try:
        if path.stat().st_size > LARGEST:
            raise BadRecord(f"{shown} is larger than {LARGEST >> 20} MiB; allowed: a record")
        raw = path.read_bytes()
    except OSError as problem:
        raise BadRecord(
            f"{shown} can't be read: {os.strerror(problem.errno or errno.EIO)}; allowed: a record "
            "that seedlock run --record wrote; mend the path"
        ) from problem
    return parse(shown, raw)


def parse(shown: str, raw: bytes) -> dict[str, Any]:
    """Return the content of a record's bytes.

    Args:
        shown: its name for errors.
        raw: the file's content.

    Raises:
        BadRecord: as `load`.
    """
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as problem:
        packed = "; a bundle's: tar -xOf BUNDLE record.json" if raw.startswith(GZIP) else ""
        raise BadRecord(
            f"{shown} is not JSON; allowed: a record that seedlock run --record wrote{packed}"
        ) from problem
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BadRecord(
            f"{shown} is no record of a run; allowed: a file that seedlock run --record wrote"
        )
    if content.get("version") != VERSION:
        raise BadRecord(
            f"{shown} has version {printable(str(content.get('version')))}; allowed: {VERSION}; "
            "read it with the seedlock that wrote it"
        )
    _validate(shown, content)
    return content


def kept_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a record may hold."""
    return {
        name: value for name, value in sorted(environ.items())
        if name.startswith(ENVIRONMENT) and not any(word in name for word in SECRET)
    }  # fmt: skip


def moment(seconds: float) -> str:
    """Return a time as RFC 3339 has it, in UTC, to the millisecond.

    Args:
        seconds: since the epoch.
    """
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"


def _validate(shown: str, content: dict[str, Any]) -> None:
    library = jsonschema()
    schema = json.loads(SCHEMA_FILE.read_text())
    try:
        problem = next(library.Draft202012Validator(schema).iter_errors(content), None)
    except RecursionError:
        problem = library.ValidationError("it is nested too deep")
    if problem is not None:
        where = "/".join(str(each) for each in problem.absolute_path) or "the whole"
        raise BadRecord(
            f"{shown} does not fit its schema: {printable(where, 80)}: "
            f"{printable(problem.message, 160)}; allowed: what seedlock run --record writes"
        )
