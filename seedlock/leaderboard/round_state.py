"""Where a round stands, in the words of the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.rounds.canonical import stamp
from seedlock.evaluation.rounds.formats import DRAW, FREEZE, REVEAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from seedlock.evaluation.rounds.ceremony import Round

OPEN, CLOSED, FROZEN, DRAWN, EVALUATING, EVALUATED, REVEALED, IS_VOID = (
    "open", "closed", "frozen", "drawn", "evaluating", "evaluated", "revealed", "void",
)  # fmt: skip


@dataclass(frozen=True)
class State:
    """Where a round stands.

    Attributes:
        word: one of the words above.
        said: a short sentence.
        ended, planned: runs that have their end, and all; both 0 before the freeze.
        submissions: how many are frozen, or None before.
    """

    word: str
    said: str
    ended: int
    planned: int
    submissions: int | None


def state(this: Round, standings: Mapping[str, Any] | None, at: datetime) -> State:
    """Return where a round stands.

    Args:
        this: the round.
        standings: its, or None where there are none yet.
        at: now; an export gives a moment of its own, so that it can be rendered anew.

    Raises:
        BadRound: a file of the round is not of its format.
    """
    rules = this.policy
    entries = [] if standings is None else standings["submissions"]
    planned = sum(each["planned"] for each in entries)
    ended = planned - sum(each["waiting"] for each in entries)
    frozen = len(this.freeze()["submissions"]) if this.has(FREEZE) else None

    def make(word: str, said: str) -> State:
        return State(word, said, ended, planned, frozen)

    if this.has(REVEAL):
        revealed = this.reveal()["revealed"]
        if revealed > stamp(rules.reveal_by):
            return make(IS_VOID, f"Void: revealed at {revealed}, too late. No result counts.")
        if ended < planned:
            return make(REVEALED, f"Revealed {revealed}; only {ended} of {planned} runs are shown.")
        return make(REVEALED, f"Revealed {revealed}.")
    if at > rules.reveal_by:
        said = f"the secret was to be revealed by {stamp(rules.reveal_by)}"
        return make(IS_VOID, f"Void: {said}. No result counts.")
    if this.has(DRAW):
        if planned and ended == planned:
            return make(EVALUATED, f"All {planned} runs have ended; not revealed yet.")
        if ended:
            return make(EVALUATING, f"Evaluating: {ended} of {planned} runs have ended.")
        return make(DRAWN, f"The seeds were drawn {this.draw()['drawn']}; no run has ended yet.")
    if this.has(FREEZE):
        due = rules.beacon_time
        wait = "the draw is next" if due is None else f"the beacon comes {stamp(due)}"
        return make(FROZEN, f"Frozen {this.freeze()['frozen']}; {wait}.")
    if at < rules.deadline:
        return make(OPEN, f"Open for submissions until {stamp(rules.deadline)}.")
    return make(CLOSED, f"Closed since {stamp(rules.deadline)}; the list is not frozen yet.")
