"""Teams and tokens: made, listed and taken back by organisers, each with its row in the audit log.

Pages and interface both come through here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from seedlock.evaluation.rounds.policy import NAMES
from seedlock.leaderboard import tokens
from seedlock.leaderboard.access import AUTHOR, ROLES
from seedlock.leaderboard.problems import Problem, not_found
from seedlock.leaderboard.tables import Session, Team, Token

if TYPE_CHECKING:
    from seedlock.leaderboard.access import Viewer
    from seedlock.leaderboard.audit import Note
    from seedlock.leaderboard.configuration import Limits
    from seedlock.leaderboard.database import Database

TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,58}[A-Za-z0-9._-]|[A-Za-z0-9]")

TEAM_ALLOWED = "1 to 60 letters and digits of ASCII, space, dot, underscore and dash"

LONGEST_NOTE = 200

LISTED = select(
    Token.id, Token.role, Team.name.label("team"), Token.round, Token.note, Token.created,
    Token.created_by, Token.expires, Token.revoked, Token.last_used,
).join(Team, Team.id == Token.team_id, isouter=True)  # fmt: skip


def make_team(database: Database, note: Note, name: str) -> int:
    """Make a team and return its number.

    Raises:
        Problem: 422, no such name can be; 409, there is one.
    """
    if not TEAM.fullmatch(name):
        raise Problem(422, "a team can't have this name", given=name, allowed=TEAM_ALLOWED)
    try:
        with database.write() as connection:
            row = insert(Team).values(name=name, created=note.time)
            (number,) = connection.execute(row).inserted_primary_key or (None,)
            note.write(connection, name, "done")
    except IntegrityError:
        raise Problem(
            409, "there is a team of this name", given=name, cure="take another name"
        ) from None
    assert isinstance(number, int)
    return number


def teams(database: Database, after: str, most: int) -> list[Any]:
    """Return teams by name, those behind `after`, with `id`, `name` and `created`."""
    asked = select(Team.id, Team.name, Team.created).where(Team.name > after)
    with database.read() as connection:
        return list(connection.execute(asked.order_by(Team.name).limit(most)))


def issue(
    database: Database, note: Note, limits: Limits, by: Viewer, role: str, days: int,
    team: str | None = None, round_name: str | None = None, remark: str = "",
) -> tuple[int, str]:  # fmt: skip
    """Issue a token and return its number and its text, which is seen this once.

    Args:
        database: the server's.
        note: the audit log's.
        limits: the server's.
        by: the organiser.
        role: organiser, author or reviewer.
        days: its life.
        team: an author's, by name.
        round_name: the only round that it is good for; None for all.
        remark: what organisers want to remember of it.

    Raises:
        Problem: 422, these don't go together; 404, there is no such team.
    """
    if role not in ROLES:
        raise Problem(422, "there is no such role", given=role, allowed=", ".join(ROLES))
    if not 1 <= days <= limits.token_days:
        allowed = f"1 to {limits.token_days}"
        raise Problem(422, "no token lives so many days", given=str(days), allowed=allowed)
    if (role == AUTHOR) != (team is not None):
        raise Problem(422, "authors have a team, and nobody else does", given=team or "none",
                      cure="name the team of an author, and none for another role")  # fmt: skip
    if team is not None and not TEAM.fullmatch(team):
        raise Problem(422, "no team has such a name", given=team, allowed=TEAM_ALLOWED)
    if round_name is not None and not NAMES.fullmatch(round_name):
        raise Problem(422, "no round has such a name", given=round_name, allowed=NAMES.pattern)
    if len(remark) > LONGEST_NOTE or not remark.isprintable() or tokens.FORM.search(remark):
        raise Problem(
            422, "this note can't be kept",
            allowed=f"up to {LONGEST_NOTE} printable characters, and no token",
        )  # fmt: skip
    with database.write() as connection:
        team_id = None
        if team is not None:
            team_id = connection.execute(select(Team.id).where(Team.name == team)).scalar()
            if team_id is None:
                raise not_found("there is no such team")
        number, text = tokens.issue(
            connection, note.time, role, days, team_id, round_name, remark, by.token_id
        )
        on = f"token {number}: {role}"
        on += f" of {team}" if team is not None else ""
        on += f", round {round_name}" if round_name is not None else ""
        note.write(connection, on, "done")
    return number, text


def issued(database: Database, before: int | None, most: int) -> list[Any]:
    """Return tokens, the newest first, those with smaller numbers than `before`; `LISTED` has
    the columns. No text is among them: nobody has it but its owner."""
    asked = LISTED if before is None else LISTED.where(Token.id < before)
    with database.read() as connection:
        return list(connection.execute(asked.order_by(Token.id.desc()).limit(most)))


def one(database: Database, number: int) -> Any | None:
    """Return one of them."""
    with database.read() as connection:
        return connection.execute(LISTED.where(Token.id == number)).one_or_none()


def revoke(database: Database, note: Note, number: int) -> None:
    """Take a token back; its sessions end with it. Again is no error.

    Raises:
        Problem: 404, there is none.
    """
    with database.write() as connection:
        if connection.execute(select(Token.id).where(Token.id == number)).first() is None:
            raise not_found("there is no such token")
        fresh = tokens.revoke(connection, number, note.time)
        connection.execute(delete(Session).where(Session.token_id == number))
        note.write(connection, f"token {number}", "done" if fresh else "was revoked before")


def end_sessions(database: Database, note: Note, number: int) -> int:
    """Sign a token out wherever it is signed in, and return in how many browsers it was."""
    with database.write() as connection:
        ended = connection.execute(delete(Session).where(Session.token_id == number)).rowcount
        note.write(connection, f"token {number}", f"{ended} sessions")
    return ended
