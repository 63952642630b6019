"""Does a round prove what it promises? From its published files alone, without a network.

What files can't show is when they were published. So digests that somebody noted in time are part
of the proof, and where none is given, the finding says what rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadBeacon, BadPolicy, BadRound, printable
from seedlock.evaluation.rounds import (
    beacon,
    ceremony,
    checked_part,
    formats,
    merkle,
    policy_file,
    receipt,
    shown_runs,
)
from seedlock.evaluation.rounds.canonical import moment, stamp
from seedlock.evaluation.rounds.claims import IF, OPEN, PROVEN, VOID, WRONG, Finding
from seedlock.evaluation.rounds.formats import DRAW, FREEZE, OPENING, REVEAL
from seedlock.evaluation.rounds.hidden_seeds import Secret, derive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True)
class Seen:
    """What somebody noted in time.

    Attributes:
        digests: of `opening` and `freeze`, those of them that were noted.
        heads: sequence numbers and hashes of the ledger.
        keys: public keys of beacon networks that are trusted beside drand's quicknet.
        receipts: contents.
    """

    digests: Mapping[str, str] = field(default_factory=dict)
    heads: Sequence[tuple[int, str]] = ()
    keys: frozenset[str] = frozenset()
    receipts: Sequence[dict[str, Any]] = ()


def verify(folder: Path, at: datetime, seen: Seen) -> list[Finding]:
    """Return what was found about a round.

    Args:
        folder: with what was published.
        at: now, against which the date of the void rule is held.
        seen: what was noted in time.

    Raises:
        BadRound: there is no opening, or it can't be read.
    """
    this = _Verification(folder, at, seen)
    this.look()
    return this.found


class _Verification:
    def __init__(self, folder: Path, at: datetime, seen: Seen) -> None:
        self.folder, self.at, self.seen = folder, at, seen
        self.round = ceremony.Round(folder)
        self.found: list[Finding] = []
        self.opening = self.round.opening()
        self.policy = self.round.policy
        self.digests = {OPENING: self.round.digest(OPENING)}

    def look(self) -> None:
        self._policy()
        frozen = self._step(FREEZE, "submissions", OPENING, self._freeze)
        for given in self.seen.receipts if frozen else ():
            self.found += receipt.check(given, self.round)
        drawn = frozen and self._step(DRAW, "beacon", FREEZE, lambda each: self._draw(each, frozen))
        revealed = drawn and self._step(REVEAL, "reveal", DRAW, self._reveal)
        if frozen and revealed and drawn:
            self._seeds(frozen, drawn, revealed)
        elif self.at > self.policy.reveal_by:
            said = f"was to be revealed by {stamp(self.policy.reveal_by)}; it is {stamp(self.at)}"
            self._say("reveal", VOID, f"the secret {said}: no result of this round counts")
        if frozen:
            self._runs(frozen, drawn, revealed)
        if drawn and self.policy.published:
            self.found += checked_part.findings(self.round, revealed)

    def _say(self, about: str, state: str, said: str) -> None:
        self.found.append(Finding(about, state, said))

    def _noted(self, about: str, step: str, rests: str) -> None:
        noted, given = self.seen.digests.get(step), [each[step] for each in self.seen.receipts]
        for digest in [noted, *given] if noted else given:
            if digest != self.digests[step]:
                said = f"{step}.json is not the file that was noted: {digest[:19]}…"
                self._say(about, WRONG, f"{said}; this one is {self.digests[step][:19]}…")
                return
        if noted or (given and step == FREEZE):
            self._say(about, PROVEN, f"{step}.json is the one that was noted")
        else:
            self._say(about, IF, f"{rests} (--seen {step}=sha256:…)")

    def _step(
        self, step: str, about: str, before: str, look: Callable[[dict[str, Any]], None]
    ) -> dict[str, Any] | None:
        """Return the content of a step's file if it is there and belongs to the one before."""
        if not self.round.has(step):
            self._say(about, OPEN, f"{step}.json is not there")
            return None
        try:
            content, self.digests[step] = formats.read(self.folder, step)
        except BadRound as problem:
            self._say(about, WRONG, str(problem))
            return None
        if content[before] != self.digests[before]:
            said = f"{step}.json was written for another {before}.json: one of them was changed"
            self._say(about, WRONG, said)
        if content["round"] != self.policy.name:
            self._say(about, WRONG, f"{step}.json is of another round")
        look(content)
        return content

    def _policy(self) -> None:
        rules, opened = self.policy, moment(self.opening["opened"])
        path = self.folder / policy_file.NAME
        if self.opening["policy_digest"] != rules.digest:
            self._say("policy", WRONG, "opening.json has another policy than its digest says")
        if path.exists():
            try:
                given = policy_file.read(path).as_dict()
                differ = _differing(given, rules.as_dict())
                if differ:
                    said = f"{policy_file.NAME} and opening.json differ in {', '.join(differ)}"
                    self._say("policy", WRONG, f"{said}: the policy was changed")
            except BadPolicy as problem:
                self._say("policy", WRONG, str(problem))
        if opened >= rules.deadline:
            self._say("policy", WRONG, "the round was opened after its deadline")
        rests = (
            "that the policy is the one of the opening rests on a digest noted before the deadline"
        )
        self._noted("policy", OPENING, rests)

    def _freeze(self, frozen: dict[str, Any]) -> None:
        rules, at = self.policy, moment(frozen["frozen"])
        entries = frozen["submissions"]
        leaves = [formats.leaf(each) for each in entries]
        count = f"{len(entries)} submissions"
        if merkle.root(leaves).hex() != frozen["root"]:
            said = "one was added, dropped or changed after the freeze"
            self._say("submissions", WRONG, f"the root is not that of the {count}: {said}")
        elif any(len({each[key] for each in entries}) < len(entries) for key in ("name", "digest")):
            self._say("submissions", WRONG, "a name or a digest stands twice in freeze.json")
        elif leaves != sorted(leaves):
            self._say(
                "submissions", WRONG, "freeze.json is not in its order, which decides the root"
            )
        else:
            self._say("submissions", PROVEN, f"the root is that of the {count} in freeze.json")
        for each in entries:
            name = rules.published_name(each["name"], each["digest"], each["visibility"])
            if name != each["name"]:
                said = f"{printable(each['name'])} is private, and the policy promised a pseudonym"
                self._say("submissions", WRONG, said)
        if (at < rules.deadline) != frozen["early"] or at < moment(self.opening["opened"]):
            self._say("submissions", WRONG, "the time of the freeze can't be")
        elif frozen["early"]:
            said = f"{stamp(at)}, before the deadline: who came later is not in it"
            self._say("submissions", IF, f"the list was frozen early, at {said}")
        if rules.beacon_time is not None and at >= rules.beacon_time:
            said = "the seeds could be chosen by what is in the list"
            self._say("submissions", WRONG, f"frozen after the beacon's time: {said}")
        rests = (
            "that the list was frozen before the draw rests on a digest or receipt noted by then"
        )
        self._noted("submissions", FREEZE, rests)

    def _draw(self, drawn: dict[str, Any], frozen: dict[str, Any]) -> None:
        rules, given = self.policy, drawn["beacon"]
        if moment(drawn["drawn"]) < moment(frozen["frozen"]):
            self._say("beacon", WRONG, "drawn before the freeze")
        if rules.published != (drawn["seeds"] is not None):
            self._say("seeds", WRONG, "seeds are published, or hidden, against the policy")
        if (rules.network is None) != (given is None):
            self._say("beacon", WRONG, "the draw has a beacon and the policy none, or the reverse")
        elif rules.network is None or rules.beacon_round is None or rules.beacon_time is None:
            said = "nobody but the organiser took part in the draw, who could try out lists"
            self._say("beacon", IF, f"the policy declares no beacon: {said} before the freeze")
        elif rules.beacon_time <= rules.deadline:
            self._say("beacon", WRONG, "the beacon's round comes before the deadline")
        elif moment(drawn["drawn"]) < rules.beacon_time:
            self._say("beacon", WRONG, "drawn before the beacon's time: somebody knew it")
        elif (given["network"], given["round"]) != (rules.network.name, rules.beacon_round):
            said = f"{given['round']} of {given['network']}"
            self._say("beacon", WRONG, f"the draw used round {said}, not the declared one")
        else:
            self._beacon(rules.network, given)

    def _beacon(self, network: beacon.Network, given: dict[str, Any]) -> None:
        try:
            beacon.verified(network, given["round"], given["signature"], given["randomness"])
        except BadBeacon as problem:
            self._say("beacon", WRONG, str(problem))
            return
        due = beacon.due(network, given["round"])
        self._say("beacon", PROVEN, f"signed: {due}, after the deadline")
        if network != beacon.QUICKNET and network.public_key not in self.seen.keys:
            said = f"{network.name} with this key is no network that seedlock knows, and whoever"
            self._say("beacon", IF, f"{said} has the key could choose (--network KEY to trust it)")

    def _reveal(self, revealed: dict[str, Any]) -> None:
        at = moment(revealed["revealed"])
        if at > self.policy.reveal_by:
            said = f"{stamp(at)}, later than {stamp(self.policy.reveal_by)}"
            self._say("reveal", VOID, f"revealed at {said}: no result of this round counts")
        else:
            self._say("reveal", PROVEN, f"revealed in time, at {stamp(at)}")

    def _seeds(
        self, frozen: dict[str, Any], drawn: dict[str, Any], revealed: dict[str, Any]
    ) -> None:
        secret, rules = Secret(bytes.fromhex(revealed["secret"])), self.policy
        if secret.commitment(rules.canonical) != self.opening["commitment"]:
            said = "another secret or another policy than the round was opened with"
            self._say("seeds", WRONG, f"the commitment does not fit: {said}")
        given = drawn["beacon"]
        randomness = None if given is None else bytes.fromhex(given["randomness"])
        seeds = derive(secret, randomness, bytes.fromhex(frozen["root"]), rules.seeds)
        texts = [str(each) for each in seeds]
        if len(revealed["seeds"]) != rules.seeds:
            said = f"{len(revealed['seeds'])} seeds are revealed, the policy says {rules.seeds}"
            self._say("seeds", WRONG, f"{said}: their number was changed")
        elif revealed["seeds"] != texts:
            said = "the revealed seeds are not those that follow from secret, beacon and root"
            self._say("seeds", WRONG, said)
        elif drawn["seeds"] not in (None, texts):
            self._say("seeds", WRONG, "the published seeds are not those that were drawn")
        elif secret.seeds_commitment(seeds) != drawn["seeds_commitment"]:
            self._say("seeds", WRONG, "draw.json commits to other seeds")
        else:
            said = "different ones, follow from secret, beacon and root, and from nothing else"
            self._say("seeds", PROVEN, f"{rules.seeds} seeds, {said}")

    def _runs(
        self, frozen: dict[str, Any], drawn: dict[str, Any] | None, revealed: dict[str, Any] | None
    ) -> None:
        digest = self.digests[FREEZE]
        course, found = shown_runs.ledger(
            self.folder, self.policy, frozen, digest, revealed, self.seen.heads
        )
        self.found += found
        kept = course is not None or not self.policy.published
        if kept and revealed is not None and revealed["ledger"] is None:
            self._say("ledger", IF, "reveal.json names no head: what is hidden rests on noted ones")
        if course is None:
            return
        names = {each["digest"]: each["name"] for each in frozen["submissions"]}
        self.found += shown_runs.attempts(course, names)
        texts = revealed["seeds"] if revealed else drawn["seeds"] if drawn else None
        seeds = None if texts is None else [int(each) for each in texts]
        if seeds is None or len(seeds) == self.policy.seeds:
            self.found += shown_runs.records(self.folder, course, self.policy, seeds)


def _differing(one: Any, other: Any, where: str = "") -> list[str]:
    """Return the names of what differs between two policies."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return [] if one == other else [where]
    return [
        name
        for key in sorted(one.keys() | other.keys())
        for name in _differing(one.get(key), other.get(key), f"{where}.{key}" if where else key)
    ]
