"""Submissions that authors hand in: kept, in a row, and only then told to be accepted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from seedlock.evaluation.rounds.formats import FREEZE
from seedlock.leaderboard import moments, tables
from seedlock.leaderboard.intake import Refused
from seedlock.leaderboard.tables import Submission

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

    from seedlock.leaderboard.configuration import Limits
    from seedlock.leaderboard.database import Database
    from seedlock.leaderboard.intake import Looked
    from seedlock.leaderboard.store import Store, Upload


@dataclass(frozen=True)
class Author:
    """Who hands in: a team, by its number and name."""

    team_id: int
    team: str


@dataclass(frozen=True)
class Accepted:
    """A submission that the server has.

    Attributes:
        number: of its row.
        already: it was there before, with the same digest.
        replaces: digest of the one that counted before, or None.
        left: uploads that the team may still make for the round.
    """

    number: int
    name: str
    digest: str
    visibility: str
    archive_sha256: str
    size: int
    uploaded: int
    already: bool
    replaces: str | None
    left: int


def refuse_closed(folder: Path, deadline: int | None, now: int) -> None:
    """Refuse what comes too late.

    Args:
        folder: the round's.
        deadline, now: milliseconds since 1970.

    Raises:
        Refused: the deadline is over by the server's clock, or the list is frozen.
    """
    if deadline is not None and now > deadline:
        late = timedelta(seconds=max(1, (now - deadline) // 1000))
        raise Refused(
            409, f"the deadline was {moments.stamp(deadline)} and it is {moments.stamp(now)} by "
            f"the server's clock: {late} too late", "what has come whole before the deadline",
            "ask the organisers",
        )  # fmt: skip
    if (folder / f"{FREEZE}.json").exists():
        raise Refused(
            409, "the list of submissions is frozen", "what came before the freeze",
            "ask the organisers",
        )  # fmt: skip


def refuse_quota(connection: Connection, round_id: int, author: Author, limits: Limits,
                 size: int) -> int:  # fmt: skip
    """Return how many uploads are left to a team for a round, before the next one.

    Raises:
        Refused: none, or its bytes are used up.
    """
    mine = (Submission.team_id == author.team_id,)
    made = connection.execute(
        select(func.count()).select_from(Submission).where(*mine, Submission.round_id == round_id)
    ).scalar_one()
    if made >= limits.submissions:
        raise Refused(
            409, f"your team has made {made} uploads for this round",
            f"{limits.submissions} for a team and round, withdrawn ones included",
            "ask the organisers",
        )  # fmt: skip
    held = connection.execute(
        select(func.coalesce(func.sum(Submission.size), 0)).where(
            *mine, Submission.withdrawn.is_(None)
        )
    ).scalar_one()
    if int(held) + size > limits.team_bytes:
        raise Refused(
            413, f"your team's uploads would take {int(held) + size} bytes",
            f"{limits.team_bytes} bytes", "withdraw one, or leave out what is no source",
        )  # fmt: skip
    return int(limits.submissions - made)


def accept(
    database: Database, round_row: Any, author: Author, looked: Looked, upload: Upload,
    limits: Limits, clock: Callable[[], int], closed: Callable[[int], None],
    note: Callable[[Connection, str], None],
) -> Accepted:  # fmt: skip
    """Keep an upload; once this returns, it is accepted, whatever is killed afterwards.

    Args:
        database: the server's.
        round_row: `id` of the round.
        author: who hands in.
        looked: what `looked_at` returned.
        upload: whole.
        limits: the server's.
        clock: now, milliseconds since 1970.
        closed: raises `Refused` where a moment is too late.
        note: writes the audit's row.

    Raises:
        Refused: too late, another team's name, or over the quota; nothing was kept.
        OSError: it can't be written.
    """
    with database.write() as connection:
        # One after the other within a round: a name is one team's, and a quota is counted once.
        connection.execute(
            select(tables.Round.id).where(tables.Round.id == round_row.id).with_for_update()
        )
        # A team's bytes are counted over all rounds.
        connection.execute(
            select(tables.Team.id).where(tables.Team.id == author.team_id).with_for_update()
        )
        now = clock()
        closed(now)
        _refuse_taken(connection, round_row.id, author, looked.name)
        before = _current(connection, round_row.id, looked.name)
        if before is not None and before.digest == looked.digest:
            left = _left(connection, round_row.id, author, limits)
            return Accepted(
                before.id, before.name, before.digest, before.visibility, before.archive_sha256,
                before.size, before.uploaded, True, None, left,
            )  # fmt: skip
        left = refuse_quota(connection, round_row.id, author, limits, upload.size)
        sha256 = upload.keep()
        done = connection.execute(insert(Submission).values(
            round_id=round_row.id, team_id=author.team_id, name=looked.name, digest=looked.digest,
            visibility=looked.visibility, archive_sha256=sha256, size=upload.size, uploaded=now,
            withdrawn=None,
        ))  # fmt: skip
        (number,) = done.inserted_primary_key or (0,)
        note(connection, f"{looked.name} {looked.digest}")
    return Accepted(
        number, looked.name, looked.digest, looked.visibility, sha256, upload.size, now, False,
        None if before is None else before.digest, left - 1,
    )  # fmt: skip


def _refuse_taken(connection: Connection, round_id: int, author: Author, name: str) -> None:
    # Names become folders, which some systems tell apart by more than capitals.
    first = connection.execute(
        select(Submission.team_id, Submission.name)
        .where(Submission.round_id == round_id, func.lower(Submission.name) == name.lower())
        .order_by(Submission.id).limit(1)
    ).one_or_none()  # fmt: skip
    if first is None:
        return
    if first.team_id != author.team_id:
        raise Refused(
            409, f"the name {name} is another team's in this round",
            "a name that nobody else has used in it", "choose another name in submission.toml",
        )  # fmt: skip
    if first.name != name:
        raise Refused(
            409, f"{name} and {first.name} have one name where capitals do not count",
            "names that differ by more", "choose another name in submission.toml",
        )  # fmt: skip


def _current(connection: Connection, round_id: int, name: str) -> Any:
    return connection.execute(
        select(Submission)
        .where(Submission.round_id == round_id, Submission.name == name,
               Submission.withdrawn.is_(None))
        .order_by(Submission.id.desc()).limit(1)
    ).one_or_none()  # fmt: skip


def _left(connection: Connection, round_id: int, author: Author, limits: Limits) -> int:
    made = connection.execute(
        select(func.count()).select_from(Submission).where(
            Submission.team_id == author.team_id, Submission.round_id == round_id
        )
    ).scalar_one()  # fmt: skip
    return max(0, limits.submissions - int(made))


def withdraw(connection: Connection, number: int, now: int) -> bool:
    """Take an upload back, so that it neither counts nor is shown; return whether it was there."""
    live = (Submission.id == number, Submission.withdrawn.is_(None))
    done = connection.execute(update(Submission).where(*live).values(withdrawn=now))
    return done.rowcount == 1


def forget_withdrawn(database: Database, store: Store) -> None:
    """Remove archives that were withdrawn and that no other upload has; at the start only, since
    one who hands the same bytes in again would lose them.

    Raises:
        OSError: a file can't be removed.
    """
    with database.read() as connection:
        live = select(Submission.archive_sha256).where(Submission.withdrawn.is_(None))
        gone = connection.execute(
            select(Submission.archive_sha256)
            .where(Submission.withdrawn.is_not(None), Submission.archive_sha256.not_in(live))
            .distinct()
        ).scalars().all()  # fmt: skip
    for each in gone:
        store.remove(each)


def listed(connection: Connection, of: Any, team_id: int | None) -> tuple[list[Any], set[int]]:
    """Return a round's uploads, the first ones first and with `team`, and the numbers that count.

    Args:
        connection: to the database.
        of: `id` and `name` of the round.
        team_id: of whose they are; None for all.
    """
    counting = {row.id for row in current(connection, of.name)}
    asked = (
        select(Submission, tables.Team.name.label("team"))
        .join(tables.Team, tables.Team.id == Submission.team_id)
        .where(Submission.round_id == of.id)
        .order_by(Submission.id)
    )  # fmt: skip
    if team_id is not None:
        asked = asked.where(Submission.team_id == team_id)
    return list(connection.execute(asked).all()), counting


def current(connection: Connection, round_name: str) -> list[Any]:
    """Return the rows that count in a round: the last upload of each name, by name."""
    rows = connection.execute(
        select(Submission)
        .join(tables.Round, tables.Round.id == Submission.round_id)
        .where(tables.Round.name == round_name, Submission.withdrawn.is_(None))
        .order_by(Submission.id)
    ).all()  # fmt: skip
    last = {row.name: row for row in rows}
    return [last[name] for name in sorted(last)]
