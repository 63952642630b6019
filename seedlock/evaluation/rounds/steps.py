"""The four steps of a round: open, freeze, draw, reveal. Each writes one file, once.

A step that was killed is taken again: what it left is a temporary file, or a secret that nothing
was published about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock import __version__
from seedlock.errors import BadRound, printable
from seedlock.evaluation.rounds import (
    beacon,
    checked_part,
    formats,
    merkle,
    policy_file,
    secret_file,
)
from seedlock.evaluation.rounds.canonical import sha256, stamp
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.formats import DRAW, FREEZE, OPENING, REVEAL
from seedlock.evaluation.rounds.hidden_seeds import draw
from seedlock.evaluation.rounds.round_files import alone, put, put_bytes, raw_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from seedlock.evaluation.rounds.policy import Policy


def open_round(folder: Path, policy: Path, at: datetime, passphrase: str | None = None) -> Round:
    """Draw a secret and publish what binds it and the policy.

    Args:
        folder: of the round; made if it is not there.
        policy: file of the policy, which is copied.
        at: now.
        passphrase: what the secret is kept under, or None.

    Raises:
        BadPolicy: the policy says what is not allowed.
        BadRound: the round was opened, or its deadline or its beacon is over.
        BadPassphrase: a secret of an opening that was killed is under another one.
    """
    raw = raw_of(policy)
    rules = policy_file.parse(policy, raw)
    if rules.deadline <= at:
        raise _too_late("the deadline", rules.deadline, at, "a later one in the policy")
    folder.mkdir(parents=True, exist_ok=True)
    this = Round(folder)
    with alone(folder):
        if this.has(OPENING):
            raise BadRound(
                f"{printable(str(folder), 200)} was opened already; allowed: each step once; "
                "take a new folder for a new round"
            )
        if not secret_file.place(folder).exists():
            secret_file.keep(folder, draw(), passphrase)
        elif passphrase is not None and not secret_file.is_sealed(folder):
            raise BadRound(
                f"{printable(str(secret_file.place(folder)), 200)} was left without a passphrase "
                "by an opening that was killed; allowed: to go on as it was begun; leave the "
                "passphrase out, or take a new folder"
            )
        secret = secret_file.load(folder, passphrase)
        copy = folder / policy_file.NAME
        if not (copy.exists() and copy.read_bytes() == raw):
            put_bytes(copy, raw, over=True)
        content = formats.described(
            OPENING, seedlock=__version__, policy=rules.as_dict(), policy_digest=rules.digest,
            commitment=secret.commitment(rules.canonical), opened=stamp(at),
        )  # fmt: skip
        put(formats.file_of(folder, OPENING), content)
    return this


def freeze_round(
    this: Round, submissions: Sequence[dict[str, str]], at: datetime, early: bool = False
) -> dict[str, Any]:
    """Publish the list of submissions; return the freeze.

    Args:
        this: the round.
        submissions: name, digest and visibility of each.
        at: now.
        early: freeze before the deadline, which the file says.

    Raises:
        BadRound: it is too early or too late, was frozen, or the list is empty or has a name or a
            content twice.
    """
    rules = this.policy
    if at < rules.deadline and not early:
        raise BadRound(
            f"the deadline is {stamp(rules.deadline)} and it is {stamp(at)}; allowed: to freeze "
            "when it is over; wait, or say --early, which the file will say too"
        )
    due = rules.beacon_time
    if due is not None and at >= due:
        # Whoever knows the beacon could add submissions until the seeds please.
        raise _too_late(f"beacon {_due(rules)}", due, at, "a new round with a later beacon")
    entries = sorted((dict(each) for each in submissions), key=formats.leaf)
    _refuse_unclear(entries)
    with alone(this.folder):
        content = formats.described(
            FREEZE, round=rules.name, opening=this.digest(OPENING), submissions=entries,
            root=merkle.root([formats.leaf(each) for each in entries]).hex(), frozen=stamp(at),
            early=at < rules.deadline,
        )  # fmt: skip
        put(formats.file_of(this.folder, FREEZE), content)
    return this.freeze()


def draw_round(
    this: Round, value: str | None, at: datetime, passphrase: str | None = None
) -> dict[str, Any]:
    """Derive the seeds and publish what binds them; return the draw.

    Args:
        this: the round.
        value: of the beacon, or None where the policy declares none.
        at: now.
        passphrase: the secret's, or None.

    Raises:
        BadBeacon: the value is not that of the declared round.
        BadRound: nothing was frozen, the beacon's time has not come, or it was drawn already.
        BadPassphrase: the passphrase is missing or another one.
    """
    rules = this.policy
    frozen = this.digest(FREEZE)
    this.freeze()
    found = _beacon(rules, value, at)
    with alone(this.folder):
        path = formats.file_of(this.folder, DRAW)
        if path.exists():
            put(path, {})  # says that it is there
        secret = this.secret(passphrase)
        seeds = this.derived(secret, found)
        content = formats.described(
            DRAW, round=rules.name, freeze=frozen, beacon=found,
            seeds_commitment=secret.seeds_commitment(seeds),
            seeds=[str(seed) for seed in seeds] if rules.published else None, drawn=stamp(at),
        )  # fmt: skip
        put(path, content)
    return this.draw()


def reveal_round(
    this: Round, head: dict[str, Any] | None, at: datetime, passphrase: str | None = None
) -> dict[str, Any]:
    """Publish the secret and the seeds; return the reveal.

    Args:
        this: the round.
        head: number of events of the ledger and the last one's hash, or None without one.
        at: now.
        passphrase: the secret's, or None.

    Raises:
        BadRound: nothing was drawn, it was revealed already, or the result of a spot check is none.
        BadPassphrase: the passphrase is missing or another one.
    """
    drawn = this.digest(DRAW)
    with alone(this.folder):
        path = formats.file_of(this.folder, REVEAL)
        if path.exists():
            put(path, {})
        secret = this.secret(passphrase)
        seeds = this.seeds(passphrase)
        content = formats.described(
            REVEAL, round=this.policy.name, draw=drawn, secret=secret.exposed().hex(),
            seeds=[str(seed) for seed in seeds], ledger=head, revealed=stamp(at),
        )  # fmt: skip
        if this.policy.published:
            content[formats.CHECKS] = [sha256(raw_of(each)) for each in checked_part.all_of(this)]
        put(path, content)
    return this.reveal()


def _beacon(rules: Policy, value: str | None, at: datetime) -> dict[str, Any] | None:
    if rules.network is None or rules.beacon_round is None:
        if value is not None:
            raise BadRound(
                "a beacon is given and the policy declares none; allowed: what was fixed before "
                "the deadline; leave --beacon out"
            )
        return None
    due = rules.network.time_of(rules.beacon_round)
    if value is None:
        raise BadRound(
            f"no beacon is given; allowed: {_due(rules)}, which the policy declares; say "
            "--beacon VALUE"
        )
    if at < due:
        raise BadRound(
            f"it is {stamp(at)}; allowed: to draw after {_due(rules)}; wait, or set the clock"
        )
    return beacon.read(value, rules.network, rules.beacon_round).as_dict()


def _refuse_unclear(entries: Sequence[dict[str, str]]) -> None:
    if not entries:
        raise BadRound("no submission is there to freeze; allowed: one or more; mend the folder")
    for key in ("name", "digest"):
        seen: dict[str, str] = {}
        for entry in entries:
            # Names become folders, which some systems tell apart by more than capitals.
            value = entry[key].casefold()
            if value in seen:
                raise BadRound(
                    f"submissions {seen[value]} and {entry['name']} have one {key}; allowed: "
                    "each once; take one of them out"
                )
            seen[value] = entry["name"]


def _due(rules: Policy) -> str:
    assert rules.network is not None and rules.beacon_round is not None
    return beacon.due(rules.network, rules.beacon_round)


def _too_late(what: str, moment: datetime, at: datetime, cure: str) -> BadRound:
    return BadRound(
        f"{what} is over since {stamp(moment)} and it is {stamp(at)}; allowed: to take this step "
        f"before it; {cure}, or set the clock"
    )
