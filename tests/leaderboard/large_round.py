"""A round of any size in the real formats: opened, frozen, drawn, trained and revealed on paper.

`python -m tests.leaderboard.large_round FOLDER --submissions 1000 --seeds 10` writes what an
organiser publishes. The steps are the round's own; ledger and records are written by
docs/ledger.md and docs/records.md, since thousands of leases through the database take minutes.
Equal arguments give equal bytes: the secret is no secret.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from seedlock.evaluation.rounds import ledger_lines, secret_file, steps
from seedlock.evaluation.rounds.canonical import canonical
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.formats import FREEZE
from seedlock.evaluation.rounds.hidden_seeds import Secret

DEADLINE = datetime(2026, 3, 31, tzinfo=timezone.utc)
OPEN = timedelta(days=30)
"""Before the deadline; the other moments are after it."""

FROZEN, DRAWN, REVEALED = timedelta(minutes=5), timedelta(minutes=10), timedelta(days=14)

POLICY = """\
name = {name}
seeds = {seeds}
deadline = {deadline}
reveal_by = {reveal_by}
retries = 2
beacon = "none"
train = {train}
{metrics}
[limits]
memory = "8g"
processors = "2"
time = "1h"

[scores]
failed = {failed}
"""

METRICS = {"accuracy": "max", "loss": "min"}
"""Direction by name; what ends on `min` is drawn between 0 and 2, the rest between 0 and 1."""

HARDWARE = ("AMD EPYC 9654 96-Core Processor", "Intel(R) Xeon(R) Platinum 8480C")

STEPS = 6
"""Points of each curve."""

KINDS = ("tree", "wide", "deep", "sparse", "linear", "conv", "graph", "mixed")


@dataclass(frozen=True)
class Shape:
    """What a round looks like.

    Attributes:
        submissions: how many.
        seeds: how many each is trained under.
        name: of the round.
        metrics: direction by name.
        train: `organiser`, or `authors`: then the seeds are published with the draw.
        failed: how a failed seed counts, as a policy says it.
        waiting: so many of the last runs have not been started.
        revealed: whether the secret is published.
        flawless: whether no run fails.
        deadline: for handing in; the other moments lie around it.
    """

    submissions: int
    seeds: int
    name: str = "large-2026"
    metrics: tuple[tuple[str, str], ...] = tuple(METRICS.items())
    train: str = "organiser"
    failed: str = "worst"
    waiting: int = 0
    revealed: bool = True
    flawless: bool = False
    deadline: datetime = DEADLINE

    def policy(self) -> str:
        """Return the organiser's file."""
        tables = [
            f'[metrics.{json.dumps(name)}]\ndirection = "{direction}"\n'
            for name, direction in self.metrics
        ]
        return POLICY.format(
            name=json.dumps(self.name), seeds=self.seeds, train=json.dumps(self.train),
            metrics="\n" + "\n".join(tables), failed=json.dumps(self.failed),
            deadline=self.deadline.isoformat(),
            # Far away: a round that was not revealed must not become void while it is looked at.
            reveal_by=(self.deadline + timedelta(days=36500)).isoformat(),
        )  # fmt: skip


def make(
    folder: Path,
    shape: Shape,
    digests: dict[str, str] | None = None,
    visibilities: dict[str, str] | None = None,
) -> Round:
    """Write a round.

    Args:
        folder: the round's, where nothing is yet.
        shape: what it looks like.
        digests: of submissions by names, where they are to be those of real files; no others
            are in the round then.
        visibilities: of submissions by names, where not every seventh is to be private.
    """
    folder.mkdir(parents=True)
    secret = hashlib.sha256(f"no secret: {shape}".encode()).digest()
    secret_file.keep(folder, Secret(secret), None)
    policy = folder.with_name(f"{folder.name}.policy.toml")
    policy.write_text(shape.policy())
    this = steps.open_round(folder, policy, shape.deadline - OPEN)
    policy.unlink()
    steps.freeze_round(this, entries(shape, digests, visibilities), shape.deadline + FROZEN)
    steps.draw_round(this, None, shape.deadline + DRAWN)
    events = Events(this, shape.deadline + DRAWN)
    _train(this, shape, events)
    (folder / ledger_lines.NAME).write_bytes(b"".join(events.lines))
    if shape.revealed:
        head = {"events": len(events.lines), "head": events.head}
        steps.reveal_round(this, head, shape.deadline + REVEALED)
    return this


def entries(
    shape: Shape,
    digests: dict[str, str] | None = None,
    visibilities: dict[str, str] | None = None,
) -> list[dict[str, str]]:
    """Return the submissions; for the arguments see `make`."""
    names = list(digests or [_name(number) for number in range(shape.submissions)])
    return [
        {
            "name": name,
            "digest": (digests or {}).get(name) or f"sha256:{_hex(shape.name, name)}",
            "visibility": (visibilities or {}).get(
                name, "private" if number % 7 == 3 else "public"
            ),
        }
        for number, name in enumerate(names)
    ]


class Events:
    """The lines of an exported ledger, by docs/ledger.md."""

    def __init__(self, this: Round, at: datetime) -> None:
        self.name = this.policy.name
        self.lines: list[bytes] = []
        self.head = ledger_lines.START
        self.at = at
        self.add(
            "entered",
            {"format": ledger_lines.FORMAT, "version": ledger_lines.VERSION,
             "policy": this.policy.digest, "freeze": this.digest(FREEZE)[7:],
             "retries": this.policy.retries},
        )  # fmt: skip

    def add(
        self, kind: str, content: dict[str, Any], submission: str | None = None,
        seed_index: int | None = None, attempt: int | None = None,
    ) -> int:  # fmt: skip
        """Append an event; return its sequence number."""
        event = {
            "sequence": len(self.lines) + 1, "time": self.at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "round": self.name, "submission": submission, "seed_index": seed_index,
            "attempt": attempt, "kind": kind, "content": content, "previous": self.head,
            "worker": None if attempt is None else "node0",
        }  # fmt: skip
        self.head = event["hash"] = hashlib.sha256(canonical(event)).hexdigest()
        self.lines.append(canonical(event) + b"\n")
        return len(self.lines)


def _train(this: Round, shape: Shape, events: Events) -> None:
    frozen, seeds = this.freeze()["submissions"], this.seeds()
    for entry in frozen:
        added = {"name": entry["name"], "visibility": entry["visibility"], "seeds": shape.seeds}
        events.add("added", added, entry["digest"])
    runs = [(entry, index) for index in range(shape.seeds) for entry in frozen]
    places = {entry["digest"]: place for place, entry in enumerate(frozen)}
    for number, (entry, index) in enumerate(runs):
        if number >= len(runs) - shape.waiting:
            return
        chance = random.Random(f"{shape.name} {entry['name']} {index}")
        outcomes = ["done"]
        if not shape.flawless and chance.random() < 0.03:
            outcomes = ["infrastructure", "done"]
        elif not shape.flawless and chance.random() < 0.03:
            outcomes = [chance.choice(["author-failure", "limit"])]
        for attempt, outcome in enumerate(outcomes, 1):
            _attempt(this, shape, events, places, entry, (index, seeds[index]), attempt, outcome)


def _attempt(
    this: Round, shape: Shape, events: Events, places: dict[str, int], entry: dict[str, str],
    seed: tuple[int, int], attempt: int, outcome: str,
) -> None:  # fmt: skip
    about = (entry["digest"], seed[0], attempt)
    token = events.add("leased", {"until": "2099-01-01T00:00:00.000Z"}, *about)
    events.add("running", {"token": token, "where": "1234"}, *about)
    started, seconds = events.at, 20 + _number(entry["name"], seed[0], "seconds") * 60
    events.at += timedelta(seconds=1)
    path = sha256 = None
    if outcome != "infrastructure":
        content = _record(this, shape, places, entry, seed, attempt, outcome, started, seconds)
        raw = json.dumps(content, separators=(",", ":")).encode()
        path, sha256 = f"runs/{entry['name']}/{seed[0]}-{attempt}.json", _sha256(raw)
        (this.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (this.folder / path).write_bytes(raw)
    events.add(
        "ended",
        {"token": token, "class": outcome, "state": outcome, "reasons": _reasons(outcome),
         "record": path, "record_sha256": sha256, "usage": {"wall_s": repr(round(seconds, 3))},
         "next": attempt + 1 if outcome == "infrastructure" else None},
        *about,
    )  # fmt: skip


def _record(
    this: Round, shape: Shape, places: dict[str, int], entry: dict[str, str],
    seed: tuple[int, int], attempt: int, outcome: str, started: datetime, seconds: float,
) -> dict[str, Any]:  # fmt: skip
    final, series = {}, {}
    if outcome == "done":
        for name, direction in shape.metrics:
            value = _value(entry["name"], places[entry["digest"]], len(places), seed[0], direction)
            final[name] = value
            slope = 0.1 if direction == "min" else -0.1
            series[name] = [
                [step * 100, round(value + (STEPS - step) * slope, 4)]
                for step in range(1, STEPS + 1)
            ]
    ended = started + timedelta(seconds=seconds)
    processor = HARDWARE[places[entry["digest"]] % 11 == 5]
    return {
        "format": "seedlock-record", "version": 1, "status": "complete", "seedlock": "0.1.0",
        "submission": entry, "command": ["python", "train.py"], "seed": seed[1],
        "round": {"name": shape.name, "policy": this.policy.digest, "seed_index": seed[0],
                  "attempt": attempt},
        "scheme": "seedlock/1", "level": this.policy.level, "settings": {}, "image": None,
        "source": None, "environment": {}, "limits": None, "guarantees": None, "lock": None,
        "data": [], "processes": [], "outputs": [], "trace": None, "artifacts": None,
        "reads": {"files": [], "more": 0, "complete": True, "by": "seedlock"},
        "host": {
            "cpu": {"machine": "x86_64", "model": processor, "instruction_sets": ["avx2", "fma"]},
            "threads": {"processors": 16, "usable": 2}, "gpu": {"devices": [], "reason": "none"},
            "memory_bytes": 64 << 30, "engine": None, "kernel": "6.1.0", "python": "3.11.2",
        },
        "outcome": {"class": outcome, "exit_status": 0 if outcome == "done" else 1,
                    "reasons": _reasons(outcome), "notes": []},
        "metrics": {
            "declared": [
                {"name": name, "direction": direction, "unit": ""}
                for name, direction in shape.metrics
            ],
            "final": final, "series": series,
        },
        "usage": {"started": _moment(started), "finished": _moment(ended),
                  "wall_s": round(seconds, 3), "by": "wait4", "user_s": round(seconds, 3),
                  "system_s": 0.1, "peak_memory_bytes": 1 << 30, "energy_j": None},
    }  # fmt: skip


def _value(name: str, place: int, places: int, index: int, direction: str) -> float:
    """Return what a submission reaches under a seed: its own level, less noise, plus the seed's."""
    level = 0.6 + 0.35 * _number(name, place) * (1 - 0.3 * place / places)
    noise = 0.02 * (_number(name, index, direction) - 0.5) + 0.01 * (_number("seed", index) - 0.5)
    return round(level + noise if direction == "max" else 2 * (1 - level) - noise, 6)


def _reasons(outcome: str) -> list[str]:
    said = {"author-failure": "the program ended with status 1", "limit": "time: 1 h",
            "infrastructure": "the engine was gone"}  # fmt: skip
    return [said[outcome]] if outcome in said else []


def _name(number: int) -> str:
    return f"{KINDS[number % len(KINDS)]}-{number // len(KINDS) + 1}"


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _number(*about: object) -> float:
    """Return a number from 0 to 1 that follows from what it is about."""
    return int(_hex(*about)[:12], 16) / 16**12


def _hex(*about: object) -> str:
    return _sha256(repr(about).encode())


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def main() -> int:
    """Write a round and say where."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--name", default="large-2026")
    parser.add_argument("--waiting", type=int, default=0, help="runs that have not been started")
    options = parser.parse_args()
    shape = Shape(
        options.submissions, options.seeds, options.name, waiting=options.waiting,
        revealed=not options.waiting,
    )  # fmt: skip
    make(options.folder, shape)
    sys.stdout.write(f"{options.folder}: {shape.submissions} submissions x {shape.seeds} seeds\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
