"""What goes wrong between this machine and a leaderboard's server."""

from __future__ import annotations

from seedlock.errors import SeedlockError


class BadBoard(SeedlockError):
    """The address of a leaderboard's server, or the token for it, can't be used."""

    slug = "bad-board"


class BoardUnavailable(SeedlockError):
    """A leaderboard's server does not answer, or the connection was lost."""

    slug = "board-unavailable"


class BoardRefused(SeedlockError):
    """A leaderboard's server refuses what was asked of it."""

    slug = "board-refused"
