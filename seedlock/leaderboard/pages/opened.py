"""A round of the server's folder as its pages need it, and what tells whether they are stale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.formats import FREEZE, OPENING
from seedlock.evaluation.scores import standings
from seedlock.leaderboard.kept_rounds import STANDINGS, rounds_of, standings_of
from seedlock.leaderboard.problems import contradictory, not_found
from seedlock.leaderboard.round_state import State, state

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from pathlib import Path

    from seedlock.evaluation.rounds.policy import Policy


@dataclass(frozen=True)
class Opened:
    """A round of this server.

    Attributes:
        name: its name.
        folder: with what was published.
        policy: its rules.
        standings: its board; without submissions before the freeze.
        state: where it stands.
    """

    name: str
    folder: Path
    policy: Policy
    standings: Mapping[str, Any]
    state: State

    @property
    def this(self) -> Round:
        """The round."""
        return Round(self.folder)

    @property
    def names(self) -> dict[str, tuple[str, bool]]:
        """By a submission's digest its name, and whether it is private."""
        return {
            each["digest"]: (each["name"], each["visibility"] != "public")
            for each in self.standings["submissions"]
        }


def moment(milliseconds: int) -> datetime:
    """Return a moment of the server's clock."""
    return datetime.fromtimestamp(milliseconds // 1000, timezone.utc)


def policy_of(folder: Path) -> Policy:
    """Return the rules of a round.

    Raises:
        Problem: 404, no round was opened there.
    """
    path = folder / f"{OPENING}.json"
    try:
        return rounds_of.get(path)
    except FileNotFoundError:
        raise not_found("there is no such round") from None


def version(folder: Path, now: int) -> Hashable:
    """Return what changes whenever a page of a round could: with each file that is published, and
    when the clock passes one of its moments.

    Raises:
        Problem: 404, no round was opened there.
    """
    rules = policy_of(folder)
    at = moment(now)
    status = folder.stat()
    try:
        board = (folder / STANDINGS).stat()
        told = (board.st_ino, board.st_mtime_ns, board.st_size)
    except FileNotFoundError:
        told = (0, 0, 0)
    return (status.st_ino, status.st_mtime_ns, told, at >= rules.deadline, at > rules.reveal_by)


def load(folder: Path, now: int) -> Opened:
    """Return a round.

    Raises:
        Problem: 404, no round was opened there; 503, its files contradict one another.
    """
    rules = policy_of(folder)
    try:
        try:
            board = standings_of.get(folder / STANDINGS)
        except FileNotFoundError:
            if Round(folder).has(FREEZE):
                raise contradictory() from None
            board = standings.build(rules, ()).as_dict()
        return Opened(
            rules.name, folder, rules, board, state(Round(folder), board, moment(now))
        )  # fmt: skip
    except (BadRound, ValueError) as problem:
        raise contradictory() from problem
