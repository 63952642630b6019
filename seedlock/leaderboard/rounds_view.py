"""What the list of rounds and the list of images show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedlock.evaluation.rounds.canonical import stamp

if TYPE_CHECKING:
    from seedlock.evaluation.rounds.policy import Policy
    from seedlock.leaderboard.links import Links
    from seedlock.leaderboard.round_state import State


@dataclass(frozen=True)
class RoundEntry:
    """A round in the list; without a state it can't be read, and `problem` says why."""

    name: str
    link: str | None
    ceremony: str | None
    state: State | None
    deadline: str
    seeds: int
    metrics: tuple[str, ...]
    problem: str


@dataclass(frozen=True)
class ImageEntry:
    """A published version of an image."""

    name: str
    version: str
    digest: str
    lock: str
    manifest: str
    published: str


@dataclass(frozen=True)
class RoundsView:
    """The list of rounds, the one with the last deadline first."""

    rounds: tuple[RoundEntry, ...]


@dataclass(frozen=True)
class ImagesView:
    """The list of images, the last published first."""

    images: tuple[ImageEntry, ...]


def entry(policy: Policy, state: State, links: Links) -> RoundEntry:
    """Return a round as the list shows it."""
    return RoundEntry(
        policy.name, links.board(policy.name), links.ceremony(policy.name), state,
        stamp(policy.deadline), policy.seeds, tuple(each.name for each in policy.metrics), "",
    )  # fmt: skip


def unreadable(name: str, problem: str) -> RoundEntry:
    """Return a round whose files can't be read."""
    return RoundEntry(name, None, None, None, "", 0, (), problem)


def rounds(entries: list[RoundEntry]) -> RoundsView:
    """Return the list in its order."""
    by_name = sorted(entries, key=lambda each: each.name)
    return RoundsView(tuple(sorted(by_name, key=lambda each: each.deadline, reverse=True)))
