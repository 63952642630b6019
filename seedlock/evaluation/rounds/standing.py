"""Where a round stands, and what its organiser does next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation.rounds import beacon, checked_part, lots
from seedlock.evaluation.rounds.canonical import stamp
from seedlock.evaluation.rounds.formats import DRAW, FREEZE, OPENING, REVEAL, STEPS
from seedlock.evaluation.rounds.ledger_lines import NAME as LEDGER

if TYPE_CHECKING:
    from datetime import datetime

    from seedlock.evaluation.rounds.ceremony import Round
    from seedlock.evaluation.rounds.policy import Policy

TO_A_SERVER = "to a server: seedlock board publish"

TIMES = {OPENING: "opened", FREEZE: "frozen", DRAW: "drawn", REVEAL: "revealed"}


def look(this: Round, at: datetime) -> dict[str, Any]:
    """Return a round's standing, JSON-ready; the seeds and the secret are never in it.

    Args:
        this: the round.
        at: now.

    Raises:
        BadRound: it was not opened, or a file is not of its format.
    """
    rules = this.policy
    steps = {
        step: {"at": content[TIMES[step]], "digest": this.digest(step)}
        for step in STEPS
        if this.has(step)
        for content in (getattr(this, step)(),)
    }
    frozen = this.freeze() if FREEZE in steps else None
    return {
        "round": rules.name,
        "policy": rules.as_dict(),
        "policy_digest": rules.digest,
        "steps": steps,
        "submissions": None if frozen is None else len(frozen["submissions"]),
        "next": _next(this, rules, at),
    }


def _next(this: Round, rules: Policy, at: datetime) -> str:
    if this.has(REVEAL):
        return f"nothing: {_publish(REVEAL)}; anybody can say seedlock round verify"
    if at > rules.reveal_by:
        return f"nothing: the secret was to be revealed by {stamp(rules.reveal_by)}; it is void"
    due = rules.beacon_time
    if this.has(DRAW):
        run = "let the authors train" if rules.published else "seedlock evaluate"
        if lots.fraction(rules.spot_checks) is not None and not checked_part.all_of(this):
            run += f"; seedlock spot-check, {rules.spot_checks} of the records"
        reveal = f"seedlock round reveal by {stamp(rules.reveal_by)}"
        if (this.folder / LEDGER).exists():
            return f"seedlock ledger export; publish {LEDGER} ({TO_A_SERVER}); {reveal}"
        return f"{_publish(DRAW)}; {run}; then seedlock ledger export, and {reveal}"
    if this.has(FREEZE):
        if due is None or rules.network is None or rules.beacon_round is None:
            return f"{_publish(FREEZE)} and give receipts; then seedlock round draw"
        said = beacon.due(rules.network, rules.beacon_round)
        if at < due:
            return f"{_publish(FREEZE)} and give receipts before {said}; then draw with it"
        return f"seedlock round draw --beacon VALUE, of {said}"
    if at < rules.deadline:
        return f"{_publish(OPENING)}; seedlock round freeze after {stamp(rules.deadline)}"
    if due is not None and at >= due:
        return "nothing: the beacon came before the freeze; open a new round with a later beacon"
    before = "" if due is None else f" before {stamp(due)}, when the beacon comes"
    return f"seedlock round freeze{before} (of a server's uploads: seedlock board fetch first)"


def _publish(step: str) -> str:
    return f"publish {step}.json ({TO_A_SERVER})"


def lines(found: dict[str, Any]) -> str:
    """Return a standing for people."""
    rules = found["policy"]
    of = rules["beacon"]
    told = [
        f"{found['round']}: {rules['seeds']} seeds, deadline {rules['deadline']}, to be revealed "
        f"by {rules['reveal_by']}, beacon "
        + ("none" if of is None else f"{of['name']} round {of['round']}"),
        f"policy    {found['policy_digest']}",
    ]
    for step in STEPS:
        done = found["steps"].get(step)
        said = f"{done['at']}  {done['digest']}" if done else "not yet"
        told.append(f"{step:<9} {said}")
    if found["submissions"] is not None:
        told.append(f"{found['submissions']} submissions")
    return "\n".join([*told, f"next: {found['next']}"])
