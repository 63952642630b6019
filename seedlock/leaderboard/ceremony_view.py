"""What the page of a round's ceremony shows: each step, what it binds, and how to check it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound
from seedlock.evaluation import number_text
from seedlock.evaluation.rounds import ledger_lines
from seedlock.evaluation.rounds.canonical import stamp
from seedlock.evaluation.rounds.claims import verdict
from seedlock.evaluation.rounds.formats import DRAW, FREEZE, OPENING, REVEAL
from seedlock.evaluation.rounds.policy_file import NAME as POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seedlock.evaluation.rounds.ceremony import Round
    from seedlock.evaluation.rounds.claims import Finding
    from seedlock.leaderboard.links import Links
    from seedlock.leaderboard.round_state import State

WORDS = {"proven": "shown", "wrong": "wrong", "void": "void", "not yet": "not yet", "if": "only if"}
"""Of a finding, for people."""


@dataclass(frozen=True)
class Step:
    """One step of a round.

    Attributes:
        name: for people.
        about: what it does, in a sentence.
        at: when it was taken; empty before.
        file, link: its document and where it is.
        digest: of the document.
        facts: name and value of what it holds; those with True are hashes or code.
        due: when it is to come, before it was taken.
    """

    name: str
    about: str
    at: str
    file: str
    link: str | None
    digest: str
    facts: tuple[tuple[str, str, bool], ...]
    due: str


@dataclass(frozen=True)
class Checked:
    """What a verification came to: its verdict, and state, subject and sentence of findings."""

    word: str
    meaning: str
    findings: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class CeremonyView:
    """The page of a ceremony.

    Attributes:
        steps: in their order.
        policy: name and value of what was fixed.
        policy_digest: of all of it.
        files: names and addresses of the published documents.
        fetch: a command that gets them, or empty.
        command: that verifies them.
        verify: where a request to do so is sent, or None.
        checked: what it came to, or None where nobody asked.
    """

    round: str
    state: State
    steps: tuple[Step, ...]
    policy: tuple[tuple[str, str], ...]
    policy_digest: str
    files: tuple[tuple[str, str | None], ...]
    fetch: str
    command: str
    verify: str | None
    checked: Checked | None
    seeds: tuple[str, ...]


def ceremony(
    this: Round, state: State, links: Links, checked: Checked | None = None, origin: str = ""
) -> CeremonyView:
    """Return what is shown of a round's ceremony.

    Args:
        this: the round.
        state: where it stands.
        links: where pages lie.
        checked: what a verification came to.
        origin: of the server, as `https://board.example.org`; empty in an export.

    Raises:
        BadRound: there is no opening. Other documents that do not fit are shown as such.
    """
    name = this.policy.name
    present = [
        file
        for file in (POLICY, *(f"{each}.json" for each in (OPENING, FREEZE, DRAW, REVEAL)),
                     ledger_lines.NAME)
        if (this.folder / file).is_file()
    ]  # fmt: skip
    files = tuple((file, links.file(name, file)) for file in present)
    fetch = ""
    if origin:
        several = f"{{{','.join(present)}}}" if len(present) > 1 else present[0]
        fetch = f'curl --remote-name "{origin}{links.file(name, "")}{several}"'
    return CeremonyView(
        round=name,
        state=state,
        steps=tuple(_careful(step, make, this, links) for step, make in _STEPS.items()),
        policy=_policy(this),
        policy_digest=this.policy.digest,
        files=files,
        fetch=fetch,
        command="seedlock round verify .",
        verify=links.verify(name),
        checked=checked,
        seeds=_seeds(this),
    )  # fmt: skip


def checked(findings: Sequence[Finding]) -> Checked:
    """Return findings as the page shows them, the gravest first."""
    word, _, meaning = verdict(findings)
    order = ("wrong", "void", "not yet", "if", "proven")
    ordered = sorted(findings, key=lambda each: order.index(each.state))
    return Checked(
        word, meaning,
        tuple((WORDS[each.state], each.about, each.said) for each in ordered),
    )  # fmt: skip


def _careful(
    step: str, make: Callable[[Round, Links], Step], this: Round, links: Links
) -> Step:  # fmt: skip
    """Return a step; one whose document does not fit says so and shows nothing of it."""
    try:
        return make(this, links)
    except BadRound:
        file = f"{step}.json"
        said = "This document does not fit the others: it, or one before it, was changed."
        name = {FREEZE: "Freeze", DRAW: "Draw", REVEAL: "Reveal"}.get(step, "Open")
        return Step(name, said, "", file, links.file(this.policy.name, file), "", (), "not valid")


def _seeds(this: Round) -> tuple[str, ...]:
    try:
        if this.has(REVEAL):
            return tuple(this.reveal()["seeds"])
        return tuple(this.draw()["seeds"] or ()) if this.has(DRAW) else ()
    except BadRound:
        return ()


def _step(
    this: Round, links: Links, step: str, name: str, about: str, at: str,
    facts: tuple[tuple[str, str, bool], ...], due: str,
) -> Step:  # fmt: skip
    there = this.has(step)
    file = f"{step}.json"
    return Step(
        name, about, at, file, links.file(this.policy.name, file) if there else None,
        this.digest(step) if there else "", facts, "" if there else due,
    )  # fmt: skip


def _opened(this: Round, links: Links) -> Step:
    opening = this.opening()
    return _step(
        this, links, OPENING, "Open",
        "The organisers fix the policy, draw a secret and publish a commitment to both.",
        opening["opened"],
        (("Commitment", opening["commitment"], True), ("Policy", opening["policy_digest"], True)),
        "",
    )  # fmt: skip


def _frozen(this: Round, links: Links) -> Step:
    rules, facts, at = this.policy, [], ""
    if this.has(FREEZE):
        frozen = this.freeze()
        at = frozen["frozen"]
        facts = [("Submissions", str(len(frozen["submissions"])), False),
                 ("Root", frozen["root"], True)]  # fmt: skip
        if frozen["early"]:
            facts.append(
                ("Early", "frozen before the deadline: who came later is not in it", False)
            )
    return _step(
        this, links, FREEZE, "Freeze",
        "After the deadline the list of submissions is published under one hash, its root.",
        at, tuple(facts), f"after {stamp(rules.deadline)}",
    )  # fmt: skip


def _drawn(this: Round, links: Links) -> Step:
    rules, at = this.policy, ""
    facts: list[tuple[str, str, bool]] = []
    due = "after the freeze"
    if rules.beacon_time is not None and rules.network is not None:
        due = f"at {stamp(rules.beacon_time)}, when the beacon comes"
        facts = [("Beacon", f"{rules.network.name}, round {rules.beacon_round}", False),
                 ("Comes", stamp(rules.beacon_time), False),
                 ("Its key", rules.network.public_key, True)]  # fmt: skip
    else:
        said = "none: nobody but the organisers took part in the draw"
        facts = [("Beacon", said, False)]
    if this.has(DRAW):
        drawn = this.draw()
        at = drawn["drawn"]
        if drawn["beacon"] is not None:
            facts += [("Signature", drawn["beacon"]["signature"], True),
                      ("Randomness", drawn["beacon"]["randomness"], True)]  # fmt: skip
        facts.append(("Commitment to the seeds", drawn["seeds_commitment"], True))
    about = "The seeds follow from secret and root."
    if rules.network is not None:
        about = (
            "A public beacon speaks, which nobody could know before. The seeds follow from secret, "
            "beacon and root."
        )
    return _step(this, links, DRAW, "Draw", about, at, tuple(facts), due)


def _revealed(this: Round, links: Links) -> Step:
    facts: tuple[tuple[str, str, bool], ...] = ()
    at = ""
    if this.has(REVEAL):
        revealed = this.reveal()
        at = revealed["revealed"]
        head = revealed["ledger"]
        ledger = "not named" if head is None else f"{head['events']}:{head['head']}"
        facts = (("Secret", revealed["secret"], True), ("Head of the ledger", ledger, True))
    return _step(
        this, links, REVEAL, "Reveal",
        "The secret is published: everybody can now compute the seeds, and hold it against the "
        "commitment.",
        at, facts, f"by {stamp(this.policy.reveal_by)}, or the round is void",
    )  # fmt: skip


_STEPS: dict[str, Callable[[Round, Links], Step]] = {
    OPENING: _opened, FREEZE: _frozen, DRAW: _drawn, REVEAL: _revealed,
}  # fmt: skip


def _policy(this: Round) -> tuple[tuple[str, str], ...]:
    content: dict[str, Any] = this.policy.as_dict()
    image = content["image"]
    metrics = "; ".join(
        f"{name}, {'higher' if each['direction'] == 'max' else 'lower'} is better"
        for name, each in content["metrics"].items()
    )
    return (
        ("Seeds", str(content["seeds"])),
        ("Deadline", content["deadline"]),
        ("Void unless revealed by", content["reveal_by"]),
        ("Who trains", content["train"]),
        ("Metrics", metrics),
        ("A failed seed counts", "as the worst value" if this.policy.failed == "worst"
         else "for itself, in no mean"),
        ("Level", content["level"]),
        ("New attempts after failures of the machine", str(content["retries"])),
        ("Image", "any" if image is None else " ".join(
            str(each) for each in (image["name"], image.get("lock")) if each)),
        ("Data", "; ".join(f"{name} {digest}" for name, digest in content["data"].items())
         or "none declared"),
        ("Limits of a run", _limits(content["limits"])),
    )  # fmt: skip


def _limits(limits: dict[str, Any]) -> str:
    told = [f"{name} {number_text.size(limits[name])}" for name in ("memory", "disk")
            if limits[name] is not None]  # fmt: skip
    told += [f"{limits[name]} {name}" for name in ("processors", "processes")
             if limits[name] is not None]  # fmt: skip
    return "; ".join([*told, f"time {number_text.duration(float(limits['seconds']))}"])
