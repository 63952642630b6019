"""Who may see and do what. The one place that decides it; pages and interface only ask.

Roles: an organiser runs rounds; an author hands in for a team; a reviewer reads and replays;
everybody else is public. A token for one round is public in all others.
"""

from __future__ import annotations

from dataclasses import dataclass

PUBLIC_ROLE, ORGANISER, AUTHOR, REVIEWER = "public", "organiser", "author", "reviewer"

ROLES = (ORGANISER, AUTHOR, REVIEWER)
"""Those that a token can have."""

SHOWN = "public"
"""Visibility of a submission that everybody sees."""


@dataclass(frozen=True)
class Viewer:
    """Who asks.

    Attributes:
        role: public, organiser, author or reviewer.
        team_id, team: an author's team, by number and name.
        token_id: the token that was shown; None for the public.
        round: the one round that the token is good for; None for all.
    """

    role: str = PUBLIC_ROLE
    team_id: int | None = None
    team: str | None = None
    token_id: int | None = None
    round: str | None = None

    @property
    def signed_in(self) -> bool:
        """Whether a token was shown."""
        return self.token_id is not None

    @property
    def who(self) -> str:
        """The name in the audit log."""
        if self.token_id is None:
            return PUBLIC_ROLE
        team = "" if self.team is None else f" of {self.team}"
        return f"{self.role}{team} (token {self.token_id})"


PUBLIC = Viewer()


def _is(viewer: Viewer, round_name: str, *roles: str) -> bool:
    return viewer.role in roles and viewer.round in (None, round_name)


def _owns(viewer: Viewer, round_name: str, team_id: int | None) -> bool:
    return _is(viewer, round_name, AUTHOR) and team_id is not None and viewer.team_id == team_id


def may_administer(viewer: Viewer) -> bool:
    """Teams, tokens, images and the audit log: organisers of the whole server."""
    return viewer.role == ORGANISER and viewer.round is None


def may_publish(viewer: Viewer, round_name: str) -> bool:
    """Steps, ledger and records of a round: its organisers."""
    return _is(viewer, round_name, ORGANISER)


def may_submit(viewer: Viewer, round_name: str) -> bool:
    """Hand in, and sign records: authors."""
    return _is(viewer, round_name, AUTHOR) and viewer.team_id is not None


def may_replay(viewer: Viewer, round_name: str) -> bool:
    """Report what a replay came to: organisers and reviewers."""
    return _is(viewer, round_name, ORGANISER, REVIEWER)


def may_list_submissions(viewer: Viewer, round_name: str) -> bool:
    """All that was handed in, before the freeze too: organisers and reviewers."""
    return _is(viewer, round_name, ORGANISER, REVIEWER)


def may_see_archive(viewer: Viewer, round_name: str, team_id: int | None) -> bool:
    """What a team handed in: itself, organisers and reviewers."""
    return may_list_submissions(viewer, round_name) or _owns(viewer, round_name, team_id)


def may_withdraw(viewer: Viewer, round_name: str, team_id: int | None) -> bool:
    """Take an upload back: its own team. Whether it is not too late is the deadline's matter."""
    return _owns(viewer, round_name, team_id)


def may_see_details(
    viewer: Viewer, round_name: str, visibility: str, team_id: int | None = None
) -> bool:
    """More of a submission than name, digest, states and scores: everybody if it is public, else
    its own team, organisers and reviewers."""
    return visibility == SHOWN or may_see_archive(viewer, round_name, team_id)


def may_see_record(
    viewer: Viewer, round_name: str, revealed: bool, visibility: str, team_id: int | None = None
) -> bool:
    """A run's record, which holds its hidden seed: organisers at any time; after the reveal
    whoever may see the submission's details."""
    if _is(viewer, round_name, ORGANISER):
        return True
    return revealed and may_see_details(viewer, round_name, visibility, team_id)
