"""A stored measurement: `reference.json`, and the traces beside it (docs/reference.md)."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.errors import printable
from seedlock.evaluation.json_schema import jsonschema
from seedlock.evaluation.recording.record import DONE
from seedlock.evaluation.reference.reference_errors import BadReference
from seedlock.evaluation.rounds.canonical import strict
from seedlock.evaluation.writing import write_bytes, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "reference.json"
TRACES = "traces"

FORMAT = "seedlock-reference"
VERSION = 1
"""History: 1, the first."""

SCHEMA_FILE = Path(__file__).with_name("reference-1.schema.json")

LARGEST = 64 << 20
"""Bytes of a file that is read at all."""

CURE = "take it from the repository again, or say make reference"


def write(folder: Path, content: Mapping[str, Any], traces: Mapping[str, bytes]) -> None:
    """Store a measurement: the traces, then the file that names their digests.

    A reader in between sees the old file, and traces that are not its own (`trace`).

    Args:
        folder: made where it is not there.
        content: of the file, without `format` and `version`.
        traces: the files' bytes by their names below the folder.

    Raises:
        OSError: a file can't be written.
    """
    (folder / TRACES).mkdir(parents=True, exist_ok=True)
    for name, raw in traces.items():
        write_bytes(str(folder / name), raw)
    write_json(str(folder / NAME), {"format": FORMAT, "version": VERSION, **content})
    for path in (folder / TRACES).glob("*.gz"):
        if f"{TRACES}/{path.name}" not in traces:
            path.unlink()  # of a model that is no more


def read(folder: Path) -> dict[str, Any]:
    """Return a stored measurement's content.

    Raises:
        BadReference: it is not there, can't be read, or is none that this seedlock knows.
    """
    path = folder / NAME
    shown = printable(str(path), 200)
    try:
        if path.stat().st_size > LARGEST:
            raise BadReference(f"{shown} is larger than {LARGEST >> 20} MiB; {CURE}")
        content = strict(path.read_bytes())
    except OSError as problem:
        raise BadReference(
            f"{shown} can't be read: {os.strerror(problem.errno or 5)}; allowed: a folder that "
            "seedlock reference measure wrote; say make reference, or mend the path"
        ) from problem
    except ValueError as problem:
        raise BadReference(
            f"{shown} is not JSON: {printable(str(problem), 80)}; allowed: what seedlock reference "
            f"measure wrote; {CURE}"
        ) from problem
    _check(shown, content)
    return dict(content)


def trace(folder: Path, kept: Mapping[str, Any]) -> bytes:
    """Return the bytes of a packed trace.

    Args:
        folder: the measurement's.
        kept: what its file says of the trace.

    Raises:
        BadReference: it is not there, or another one.
    """
    path = folder / str(kept["file"])
    shown = printable(str(path), 200)
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise BadReference(
            f"{shown} can't be read: {os.strerror(problem.errno or 5)}; allowed: the file that "
            f"{NAME} names; {CURE}"
        ) from problem
    found = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    if found != kept["sha256"]:
        raise BadReference(
            f"{shown} is {found}; allowed: what {NAME} names, {kept['sha256']}; {CURE}"
        )
    return raw


def value(given: float | str | None) -> float | None:
    """Return a number of a measurement; None for one that is not finite or not there."""
    return None if given is None or isinstance(given, str) else float(given)


def values(model: Mapping[str, Any]) -> dict[int, float]:
    """Return the final values of a model that count, by seed.

    A run that did not end well has none, whatever it logged; nor has one whose value is not finite.
    """
    return {
        run["seed"]: found for run in model["runs"]
        if run["outcome"] == DONE and (found := value(run["metric"])) is not None
    }  # fmt: skip


def epochs(model: Mapping[str, Any]) -> list[float]:
    """Return after how many epochs the runs that have a value came to the target, if they did."""
    counting = values(model)
    return [
        run["converged"] for run in model["runs"]
        if run["seed"] in counting and run["converged"] is not None
    ]  # fmt: skip


def _check(shown: str, content: Any) -> None:
    version = content.get("version") if isinstance(content, dict) else None
    if not isinstance(content, dict) or content.get("format") != FORMAT or version != VERSION:
        raise BadReference(
            f"{shown} is no measurement of reference runs in version {VERSION}; allowed: what "
            f"seedlock reference measure wrote; {CURE}"
        )
    schema = json.loads(SCHEMA_FILE.read_text())
    problem = next(jsonschema().Draft202012Validator(schema).iter_errors(content), None)
    if problem is not None:
        where = "/".join(str(each) for each in problem.absolute_path) or "the whole"
        raise BadReference(
            f"{shown} does not fit its schema: {printable(where, 80)}: "
            f"{printable(problem.message, 120)}; allowed: what seedlock reference measure wrote; "
            f"{CURE}"
        )
    for name, model in content["models"].items():
        seeds = [each["seed"] for each in model["runs"]]
        if seeds != list(range(1, content["seeds"] + 1)):
            raise BadReference(
                f"{shown} has seeds {printable(str(seeds), 80)} of {printable(name, 80)}; allowed: "
                f"each of 1 to {content['seeds']} once, in order; {CURE}"
            )
