"""One digest over all that a run's traces call results."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from seedlock.evaluation import traces
from seedlock.evaluation.comparison import RESULTS
from seedlock.evaluation.file_digests import PREFIX
from seedlock.evaluation.processes import TRACE, parse, unreadable

if TYPE_CHECKING:
    from pathlib import Path

NO_RESULT = ("at",)
"""Keys of an event that say where it came from, not what came out."""

MODES = ("step", "op")

BLOCK = 1 << 20


def digest_of_traces(reports: Path) -> dict[str, Any] | None:
    """Return `mode`, `algorithm`, `steps`, `results` (their number) and `digest` of a run's traces.

    The digest is SHA-256 over the results of all places in the places' order, each with its kind,
    step, operation and digest. Where it came from, and what is no result (draws from the system,
    folders), does not count: replays stand elsewhere. Equal digests mean equal results; what
    differs where they are not, only the traces tell.

    Args:
        reports: folder with the traces.

    Returns:
        None where there are none.

    Raises:
        BadTrace: one can't be read.
    """
    if not any(reports.glob(f"*{TRACE}")):
        return None
    run = traces.Run(reports)
    whole = hashlib.sha256()
    results = 0
    for place in sorted(run.streams, key=lambda place: place.order):
        stream = run.streams[place]
        results += _results(stream, whole)
    first = run.processes[0]
    mode, algorithm = first.header.get("mode"), first.header.get("algorithm")
    if mode not in MODES or not isinstance(algorithm, (str, type(None))):
        raise unreadable(first.trace, "a header that is not seedlock's")
    return {
        "mode": mode,
        "algorithm": algorithm,
        "steps": run.steps,
        "results": results,
        "digest": PREFIX + whole.hexdigest(),
    }


def _results(stream: traces.Stream, whole: Any) -> int:
    count, offset, rest = 0, 0, b""
    where = f"{stream.place.name}\n".encode()
    while data := stream.read(offset, BLOCK):
        offset += len(data)
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            event = parse(line, stream.process.trace)
            if event.get("kind") in RESULTS:
                kept = {key: value for key, value in event.items() if key not in NO_RESULT}
                text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
                whole.update(where if not count else b"")
                whole.update(text.encode() + b"\n")
                count += 1
    return count
