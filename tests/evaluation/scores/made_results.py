"""Rounds with results of one's choice, as their folders have them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from seedlock.evaluation.rounds import steps
from seedlock.evaluation.rounds.ceremony import Round
from tests.evaluation.recording.test_show_command import record
from tests.evaluation.rounds import made_rounds
from tests.evaluation.rounds.made_rounds import NO_BEACON, REVEALED, Ledger

HOST = {
    "cpu": {"model": "Tested  Processor 9000"}, "threads": {"processors": 8, "usable": 2},
    "gpu": {"devices": []},
}  # fmt: skip

AUTHORS = NO_BEACON.replace("retries = 2", 'train = "authors"\nspot_checks = 0.5\nretries = 2')

DECLARED = {"name": "accuracy", "direction": "max", "unit": ""}

End = float | str | None
"""A value; a class of an end; or None for a run that waits."""


def content(
    of: dict[str, str],
    index: int,
    attempt: int,
    seed: int,
    end: float | str,
    /,
    **changes: Any,
) -> dict[str, Any]:
    """Return a run's record."""
    kind = "done" if isinstance(end, float) else end
    final = {"accuracy": end, "other": 3.0} if isinstance(end, float) else {}
    whole: dict[str, Any] = {
        "submission": of, "seed": seed, "level": "strict", "host": HOST,
        "round": {"name": "made-2026", "policy": f"sha256:{'0' * 64}",
                  "seed_index": index, "attempt": attempt},
        "outcome": {"class": kind, "exit_status": 0, "reasons": [f"because {kind}"], "notes": []},
        "metrics": {"declared": [DECLARED], "final": final, "series": {"accuracy": []}},
        "usage": {**record()["usage"], "wall_s": 10.0 + index},
    }  # fmt: skip
    return record(**{**whole, **changes})


def put(folder: Path, name: str, what: dict[str, Any]) -> str:
    """Write a record; return its SHA-256."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = json.dumps(what).encode()
    path.write_bytes(raw)
    return hashlib.sha256(raw).hexdigest()


def finish(
    ledger: Ledger, this: Round, of: dict[str, str], index: int, end: End, attempt: int = 1,
    following: int | None = None, **changes: Any,
) -> None:  # fmt: skip
    """Lease, start and end an attempt with its record; None leaves it running."""
    about = (of["digest"], index, attempt)
    token = ledger.add("leased", {"until": "2026-12-02T01:00:00.000Z"}, *about)
    ledger.add("running", {"token": token, "where": "1"}, *about)
    if end is None:
        return
    kind = "done" if isinstance(end, float) else end
    path = f"runs/{of['name']}/{index}-{attempt}.json"
    what = content(of, index, attempt, this.seeds()[index], end, **changes)
    digest = put(this.folder, path, what)
    state = "author-failure" if kind in ("metrics", "not-locked", "changed") else kind
    ledger.add(
        "ended",
        {"token": token, "class": kind, "state": state, "reasons": [f"because {kind}"],
         "record": path, "record_sha256": digest, "usage": None, "next": following},
        *about,
    )  # fmt: skip


def made(
    folder: Path, ends: dict[str, tuple[str, list[End]]], policy: str = NO_BEACON, *,
    reveal: bool = False,
) -> Round:  # fmt: skip
    """Return a round whose runs ended so, by submission: visibility and ends by seed index."""
    entries = [made_rounds.entry(name, visibility) for name, (visibility, _) in ends.items()]
    count = len(next(iter(ends.values()))[1])
    this = made_rounds.drawn(folder, policy.replace("seeds = 3", f"seeds = {count}"), entries)
    ledger = Ledger(this, entries)
    for entry in entries:
        for index, end in enumerate(ends[entry["name"]][1]):
            finish(ledger, this, entry, index, end)
    ledger.write(folder)
    if reveal:
        steps.reveal_round(
            this, {"events": len(ledger.events), "head": ledger.events[-1]["hash"]}, REVEALED
        )
    return this
