"""Traces made by hand, as docs/trace.md says a traced process writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Event = dict[str, Any]


def line(event: Event) -> bytes:
    """Return one event as a trace has it."""
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def step(number: int, digest: str = "00", **others: Any) -> Event:
    """Return an optimizer step."""
    return {
        "kind": "step",
        "step": number,
        "op": "SGD.step",
        "at": "train.py:20",
        "digest": digest * (32 // len(digest)),
        "what": "float32[2,3]",
        **others,
    }


def op(number: int, name: str = "aten.mul.Tensor", digest: str = "00", **others: Any) -> Event:
    """Return an operation's result."""
    return {**step(number, digest, **others), "kind": "op", "op": name}


def event(kind: str, **others: Any) -> Event:
    """Return an event of another kind, at step 0 unless `others` say more."""
    return {"kind": kind, "step": 0, **others}


def child(place: str, number: int = 0) -> Event:
    """Return the start of a child."""
    return event("child", op="subprocess.Popen", at="train.py:5", text=place, step=number)


def write_process(
    folder: Path,
    events: list[Event],
    *,
    place: str = "",
    pid: int = 100,
    start: int = 0x18EA53E7B1258E00,
    ended: bool = True,
    cut: bytes = b"",
    report: Event | None = None,
    values: bytes | None = None,
    **header: Any,
) -> Path:
    """Write a process's trace and report and return the trace's path.

    Args:
        folder: of the run; made if need be.
        events: its lines; those of kind `place` change the place.
        place: first place.
        pid, start: name its files.
        ended: whether to write the last line.
        cut: bytes to write behind all lines, as of a line that was cut off.
        report: what the report holds beside the bare necessities.
        values: bytes of kept results.
        header: keys of the header to set otherwise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{pid}-{start + pid:x}"
    head = {
        "kind": "trace", "schema": 1, "mode": "op", "algorithm": "xxh3", "steps": None,
        "place": place, "cwd": str(folder), "seed": 7, **header,
    }  # fmt: skip
    trace = folder / f"{name}.trace.jsonl"
    with trace.open("wb") as file:
        file.write(line(head))
        file.writelines(map(line, events))
        if ended:
            file.write(line({"kind": "end", "events": len(events), "left_out": 0}))
        file.write(cut)
    content = {"schema": 2, "process": {"pid": pid, "lineage": place}, **(report or {})}
    (folder / f"{name}.json").write_text(json.dumps(content))
    if values is not None:
        (folder / f"{name}.values").write_bytes(values)
    return trace


def write_run(folder: Path, **places: list[Event]) -> Path:
    """Write a run with one process for each place: `first`, and `p0` for `0`, `p0_1` for `0/1`."""
    for number, (name, events) in enumerate(places.items()):
        place = "" if name == "first" else name[1:].replace("_", "/")
        write_process(folder, events, place=place, pid=100 + number)
    return folder
