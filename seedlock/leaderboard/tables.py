"""The tables of the leaderboard's server, for SQLite and PostgreSQL alike.

What a round published lies in files; these say who may do what, what was handed in, and what was
done. Times are milliseconds since 1970. No token, session or link is kept, only its SHA-256: all
of them have 256 bits of the system's randomness, so that a plain hash can't be turned back.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from seedlock.evaluation.sql_database import LARGE, only_added_to


class Base(DeclarativeBase):
    """The tables together."""


class Board(Base):
    """The one row that says which version the tables have."""

    __tablename__ = "board"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]


class Round(Base):
    """A round that was opened here. `revision` is raised by each publication; `deadline` is the
    last moment at which submissions are taken."""

    __tablename__ = "rounds"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    revision: Mapped[int]
    created: Mapped[int] = mapped_column(LARGE)
    deadline: Mapped[int | None] = mapped_column(LARGE)


class Team(Base):
    """Authors who hand in together."""

    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    created: Mapped[int] = mapped_column(LARGE)


class Token(Base):
    """A credential: what it allows, until when, and by whose token it was issued."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(Text, unique=True)
    role: Mapped[str] = mapped_column(Text)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    round: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    created: Mapped[int] = mapped_column(LARGE)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("tokens.id"))
    expires: Mapped[int] = mapped_column(LARGE)
    revoked: Mapped[int | None] = mapped_column(LARGE)
    last_used: Mapped[int | None] = mapped_column(LARGE)


class Session(Base):
    """A browser that signed in with a token."""

    __tablename__ = "sessions"
    id: Mapped[int] = mapped_column(LARGE, primary_key=True)
    sha256: Mapped[str] = mapped_column(Text, unique=True)
    token_id: Mapped[int] = mapped_column(ForeignKey("tokens.id"), index=True)
    created: Mapped[int] = mapped_column(LARGE)
    expires: Mapped[int] = mapped_column(LARGE)


class OneTimeLink(Base):
    """A link that makes its first user an organiser."""

    __tablename__ = "one_time_links"
    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(Text, unique=True)
    created: Mapped[int] = mapped_column(LARGE)
    expires: Mapped[int] = mapped_column(LARGE)
    used: Mapped[int | None] = mapped_column(LARGE)


class Submission(Base):
    """An accepted upload. The last one of a name that was not withdrawn counts."""

    __tablename__ = "submissions"
    id: Mapped[int] = mapped_column(LARGE, primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), index=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    visibility: Mapped[str] = mapped_column(Text)
    archive_sha256: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(LARGE)
    uploaded: Mapped[int] = mapped_column(LARGE)
    withdrawn: Mapped[int | None] = mapped_column(LARGE)


class SignedRecord(Base):
    """A record that its author signed; a record is taken once, for one round."""

    __tablename__ = "signed_records"
    id: Mapped[int] = mapped_column(LARGE, primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), index=True)
    record_sha256: Mapped[str] = mapped_column(Text, unique=True)
    submission_digest: Mapped[str] = mapped_column(Text)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    received: Mapped[int] = mapped_column(LARGE)


class Replay(Base):
    """What somebody's replay of a record came to."""

    __tablename__ = "replays"
    id: Mapped[int] = mapped_column(LARGE, primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), index=True)
    submission_digest: Mapped[str] = mapped_column(Text)
    seed_index: Mapped[int]
    verdict: Mapped[str] = mapped_column(Text)
    record_sha256: Mapped[str] = mapped_column(Text)
    token_id: Mapped[int] = mapped_column(ForeignKey("tokens.id"))
    received: Mapped[int] = mapped_column(LARGE)


class Image(Base):
    """A published version of the base image."""

    __tablename__ = "images"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    lock: Mapped[str] = mapped_column(Text)
    manifest_sha256: Mapped[str | None] = mapped_column(Text)
    published: Mapped[int] = mapped_column(LARGE)

    __table_args__ = (UniqueConstraint("name", "version"),)


class Audit(Base):
    """What was done here by whom; only ever added to."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(LARGE, primary_key=True)
    time: Mapped[int] = mapped_column(LARGE)
    who: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    on: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)


REFUSAL = "the audit log is only ever added to (docs/server.md)"

only_added_to(Base.metadata.tables["audit"], REFUSAL)
