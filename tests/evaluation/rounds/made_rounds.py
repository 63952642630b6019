"""Whole rounds for the tests: at moments of their own, with a beacon network whose key we have.

The secret key of the network is the SHA-256 of `seedlock test network`, as an integer modulo the
curve's order; test_beacon.py signs with it and looks whether the signatures here are those.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from seedlock.evaluation.rounds import receipt, steps
from seedlock.evaluation.rounds.beacon import Network, usable
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.formats import FREEZE, OPENING
from seedlock.evaluation.rounds.verification import Seen
from tests.evaluation.recording.test_show_command import record


def moment(text: str) -> datetime:
    """Return a moment of `2026-12-01T12:00`, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


OPENED = moment("2026-11-01T00:00")
DEADLINE = moment("2026-12-01T12:00")
FROZEN = moment("2026-12-01T12:30")
DUE = moment("2026-12-01T13:00")
DRAWN = moment("2026-12-01T13:01")
REVEALED = moment("2027-01-15T00:00")
REVEAL_BY = moment("2027-03-01T12:00")
LOOKED = moment("2027-01-16T00:00")

PUBLIC_KEY = (
    "8fe64b029c843f91303a16a78a22de471b1d682e2b2dd4c0de0337ca9ed6cfebf3fe3d98b96f8d530c27306c2db6da7f"
    "043540edfdd0fa09b046080d75f3c43aa6af357c32b81e42fa3f6acb286153b9bf263074520ce744f530887b8235ae9d"
)
NETWORK = Network("tests", PUBLIC_KEY, 1796100030, 30)
NUMBER = 1000
SIGNATURES = {
    999: "a064afcfe0c154f39f8aa238c4630f000b218c4e5660e8a19e6b5f6cdf750abf"
    "7d71981db66a373d8e8ffa2f7307c74b",
    1000: "8234eafc68063c99a6969d5ee321f8dcd1bfb6ab2abc0d2dc39105cf27c6f665"
    "e334163e291b0a3ed0786813fa22f650",
    1001: "b61cf5b7646f41cc895ffb8f76143d431034e5ba7d513a046a0bed84318aada0"
    "2e24b1dfabd26ae826b4fb36dc070e05",
}

POLICY = f"""\
name = "made-2026"
seeds = 3
deadline = 2026-12-01T12:00:00Z
reveal_by = 2027-03-01T12:00:00Z
retries = 2

[beacon]
network = "tests"
round = {NUMBER}
public_key = "{PUBLIC_KEY}"
genesis = {NETWORK.genesis}
period = 30

[image]
name = "conference/repro-base"
lock = "sha256:{"7" * 64}"

[data]
digits = "sha256:{"8" * 64}"

[metrics.accuracy]
direction = "max"

[limits]
memory = "4g"
"""

NO_BEACON = 'beacon = "none"\n' + POLICY[: POLICY.index("[beacon]")] + POLICY[POLICY.index("[im") :]


def entry(name: str, visibility: str = "public") -> dict[str, str]:
    """Return a submission as a freeze has it."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return {"name": name, "digest": f"sha256:{digest}", "visibility": visibility}


ENTRIES = [entry("ours"), entry("theirs", "private")]


def opened(folder: Path, policy: str = POLICY, passphrase: str | None = None) -> Round:
    """Open a round; the policy lies beside its folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.with_name(f"{folder.name}.toml")
    path.write_text(policy)
    return steps.open_round(folder, path, OPENED, passphrase)


def drawn(
    folder: Path,
    policy: str = POLICY,
    entries: list[dict[str, str]] = ENTRIES,
    passphrase: str | None = None,
) -> Round:
    """Open, freeze and draw a round."""
    this = opened(folder, policy, passphrase)
    steps.freeze_round(this, entries, FROZEN)
    value = SIGNATURES[NUMBER] if this.policy.network else None
    steps.draw_round(this, value, DRAWN, passphrase)
    return this


def revealed(folder: Path, policy: str = POLICY) -> tuple[Round, Seen]:
    """Carry a round out to its end; return it and all that somebody could have noted."""
    this = drawn(folder, policy)
    seeds = this.seeds()
    ledger = Ledger(this)
    for each in ENTRIES:
        for index in range(len(seeds)):
            if (each["name"], index) == ("ours", 1):
                ledger.attempt(each, index, 1, "infrastructure", following=2)
                ledger.attempt(each, index, 2, "done", runs=(folder, seeds[index]))
            else:
                ledger.attempt(each, index, 1, "done", runs=(folder, seeds[index]))
    ledger.write(folder)
    noted = (9, ledger.events[8]["hash"])
    head = {"events": len(ledger.events), "head": ledger.events[-1]["hash"]}
    steps.reveal_round(this, head, REVEALED)
    return this, seen_of(this, [noted])


def seen_of(this: Round, heads: list[tuple[int, str]]) -> Seen:
    """Return what an author could have noted about a round."""
    digests = {step: this.digest(step) for step in (OPENING, FREEZE)}
    return Seen(digests, heads, frozenset({PUBLIC_KEY}), [receipt.make(this, "ours")])


class Ledger:
    """An exported ledger, written by docs/ledger.md."""

    def __init__(self, this: Round, entries: list[dict[str, str]] = ENTRIES) -> None:
        self.name = this.policy.name
        self.events: list[dict[str, Any]] = []
        digest = this.digest(FREEZE).removeprefix("sha256:")
        first = {"format": "seedlock-ledger", "version": 1, "policy": this.policy.digest}
        self.add("entered", {**first, "freeze": digest, "retries": this.policy.retries})
        for each in entries:
            seeds = {"seeds": this.policy.seeds, "visibility": each["visibility"]}
            self.add("added", {"name": each["name"], **seeds}, each["digest"])

    def add(
        self, kind: str, content: dict[str, Any], submission: str | None = None,
        index: int | None = None, attempt: int | None = None,
    ) -> int:  # fmt: skip
        """Append an event; return its sequence number."""
        number = len(self.events) + 1
        self.events.append({
            "sequence": number, "time": f"2026-12-02T00:00:{number % 60:02d}.000Z",
            "round": self.name, "submission": submission, "seed_index": index,
            "attempt": attempt, "kind": kind, "worker": None if index is None else "w",
            "content": content,
        })  # fmt: skip
        chain(self.events)
        return number

    def attempt(
        self, of: dict[str, str], index: int, number: int, outcome: str, *,
        following: int | None = None, runs: tuple[Path, int] | None = None,
    ) -> None:  # fmt: skip
        """Lease, start and end an attempt, with a record below a folder."""
        about = (of["digest"], index, number)
        token = self.add("leased", {"until": "2026-12-02T01:00:00.000Z"}, *about)
        self.add("running", {"token": token, "where": "1234"}, *about)
        path = sha256 = None
        if runs is not None:
            path = f"runs/{of['name']}/{index}-{number}.json"
            raw = json.dumps(run_record(of, runs[1], outcome)).encode()
            (runs[0] / path).parent.mkdir(parents=True, exist_ok=True)
            (runs[0] / path).write_bytes(raw)
            sha256 = hashlib.sha256(raw).hexdigest()
        self.add(
            "ended",
            {"token": token, "class": outcome, "state": outcome, "reasons": [], "record": path,
             "record_sha256": sha256, "usage": None, "next": following},
            *about,
        )  # fmt: skip

    def write(self, folder: Path) -> None:
        """Export it into a round's folder."""
        write_events(folder, self.events)


def run_record(of: dict[str, str], seed: int, outcome: str) -> dict[str, Any]:
    """Return the record of a run."""
    return record(
        submission=of, seed=seed, level="strict",
        outcome={"class": outcome, "exit_status": 0, "reasons": [], "notes": []},
        metrics={"declared": [{"name": "accuracy", "direction": "max", "unit": ""}],
                 "final": {"accuracy": 0.5}, "series": {"accuracy": []}},
        data=[],
    )  # fmt: skip


def canonical(content: Any) -> bytes:
    """Return canonical JSON, by docs/ledger.md."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def chain(events: list[dict[str, Any]]) -> None:
    """Number events and bind each to the one before."""
    previous = "0" * 64
    for number, event in enumerate(events, 1):
        event.pop("hash", None)
        event.update(sequence=number, previous=previous)
        previous = event["hash"] = hashlib.sha256(canonical(event)).hexdigest()


def read_events(folder: Path) -> list[dict[str, Any]]:
    """Return the events of a round's exported ledger."""
    lines = (folder / "ledger.jsonl").read_bytes().splitlines()
    return [json.loads(line) for line in lines]


def write_events(folder: Path, events: list[dict[str, Any]]) -> None:
    """Write an exported ledger."""
    lines = b"".join(canonical(event) + b"\n" for event in events)
    (folder / "ledger.jsonl").write_bytes(lines)


def usable_network() -> None:
    """Have the network's key looked at now: it is asked about in a process once."""
    assert usable(NETWORK)


def forms_of(secret: bytes) -> list[bytes]:
    """Return how a secret, or the half of it, could stand in a file or a line."""
    return [
        secret, secret[:16], repr(secret)[2:-1].encode(), secret.hex()[:32].encode(),
        secret.hex()[:32].upper().encode(), base64.b64encode(secret)[:20],
        base64.urlsafe_b64encode(secret)[:20], str(int.from_bytes(secret, "big")).encode(),
    ]  # fmt: skip
