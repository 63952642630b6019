"""A revealed round with a private submission, and its export, for the tests."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedlock.evaluation.file_digests import digest_of, listing
from seedlock.evaluation.rounds import steps
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.leaderboard import export_layout, export_sums, exporting
from tests.evaluation.rounds import made_rounds
from tests.evaluation.rounds.made_rounds import Ledger, drawn, entry, moment

AT = moment("2027-01-16T00:00")

OURS, SECOND, HIDDEN = entry("ours"), entry("second"), entry("hidden", "private")
ENTRIES = [OURS, SECOND, HIDDEN]

UNSPOKEN = "unspoken"
"""Stands wherever a private submission's record can say something of its author's."""


def record(of: dict[str, str], seed: int, index: int, outcome: str = "done") -> dict[str, Any]:
    """Return the record of a run; a private one's is full of what nobody else may read."""
    content = made_rounds.run_record(of, seed, outcome)
    value = round(0.5 + 0.05 * ENTRIES.index(of) + 0.01 * index, 4)
    final = {"accuracy": value} if outcome == "done" else {}
    content["metrics"].update(final=final, series={"accuracy": []})
    if of["visibility"] == "private":
        content["command"] = ["python", f"{UNSPOKEN}.py", f"--{UNSPOKEN}"]
        content["environment"] = {**content["environment"], "NOTE": UNSPOKEN}
        content["outcome"]["reasons"] = [f"{UNSPOKEN}.py changed while the run was going on"]
        content["outcome"]["notes"] = [f"it read {UNSPOKEN}.txt"]
        content["metrics"]["series"][UNSPOKEN] = [{"step": 1, "value": 0.5}]
    return content


def made(
    folder: Path, revealed: bool = True, reasons: str = "",
    entries: Sequence[dict[str, str]] = ENTRIES,
) -> Round:  # fmt: skip
    """Make a round: two public submissions and a private one, of which one seed failed.

    Args:
        folder: for the round.
        revealed: whether the secret is published.
        reasons: what the ledger says of that failure.
        entries: other submissions.
    """
    this = drawn(folder, entries=sorted(entries, key=lambda each: each["digest"]))
    ledger = Ledger(this, list(entries))
    for of in entries:
        for index, seed in enumerate(this.seeds()):
            failed = of is HIDDEN and index == 2
            outcome = "author-failure" if failed else "done"
            _attempt(ledger, folder, of, index, record(of, seed, index, outcome), reasons)
    ledger.write(folder)
    if revealed:
        head = {"events": len(ledger.events), "head": ledger.events[-1]["hash"]}
        steps.reveal_round(this, head, made_rounds.REVEALED)
    return this


def _attempt(
    ledger: Ledger, folder: Path, of: dict[str, str], index: int, content: dict[str, Any],
    reasons: str,
) -> None:  # fmt: skip
    about = (of["digest"], index, 1)
    token = ledger.add("leased", {"until": "2026-12-02T01:00:00.000Z"}, *about)
    ledger.add("running", {"token": token, "where": "1234"}, *about)
    path = f"runs/{of['name']}/{index}-1.json"
    raw = json.dumps(content).encode()
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(raw)
    outcome = content["outcome"]["class"]
    ledger.add(
        "ended",
        {"token": token, "class": outcome, "state": outcome,
         "reasons": [reasons] if reasons and outcome != "done" else [], "record": path,
         "record_sha256": hashlib.sha256(raw).hexdigest(), "usage": None, "next": None},
        *about,
    )  # fmt: skip


def export(folder: Path, target: Path, records: bool = True) -> Path:
    """Export a round; return the export's folder."""
    exporting.export(folder, target, AT, records)
    return target


def rewrite_sums(folder: Path) -> None:
    """Make SHA256SUMS fit what is there now, as somebody would who changed something."""
    (folder / export_layout.SUMS).unlink(missing_ok=True)
    names, _ = export_sums.names(folder)
    lines = listing((name, digest_of(folder / name).digest) for name in names)
    (folder / export_layout.SUMS).write_bytes(lines)


def copied(folder: Path, target: Path) -> Path:
    """Return a copy of an export, to be tampered with."""
    return Path(shutil.copytree(folder, target))
