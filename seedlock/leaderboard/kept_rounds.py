"""A server's rounds: each a published folder below `rounds/`, and a row that counts its revisions.

The files decide; the row follows them. Whoever is killed between the two leaves the mark `.stale`,
and the next start, or the next file of the round, brings row and standings up to date.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from seedlock.errors import BadRound
from seedlock.evaluation.rounds import round_files
from seedlock.evaluation.rounds.canonical import from_seconds
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.formats import FREEZE, OPENING
from seedlock.evaluation.rounds.policy import NAMES
from seedlock.evaluation.scores import results, standings
from seedlock.evaluation.writing import settle
from seedlock.leaderboard import publication, tables
from seedlock.leaderboard.file_cache import FileCache

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.leaderboard.database import Database
    from seedlock.leaderboard.store import Store, Upload

STANDINGS = "standings.json"

STALE = ".stale"
"""File in a round's folder: its standings and its revision are older than its files."""

ROUNDS = "rounds"

IDENTICAL, WITHIN, DIFFERENT = "identical", "within-tolerance", "different"
"""Verdicts of replays, as rows have them."""


@dataclass(frozen=True)
class Published:
    """What became of a file.

    Attributes:
        how: `publication.NEW`, `GROWN` or `SAME`.
        revision: of the round, afterwards.
        sha256: of the file, hexadecimal.
        size: bytes.
    """

    how: str
    revision: int
    sha256: str
    size: int


class Rounds:
    """The rounds of a server.

    Args:
        folder: the server's.
        database: the server's.
        store: the server's.

    Attributes:
        files: the same.
    """

    def __init__(self, folder: Path, database: Database, store: Store) -> None:
        self._folder = folder / ROUNDS
        self._database = database
        self.files = store
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def folder(self, name: str) -> Path:
        """Return a round's folder, which may not be there.

        Raises:
            ValueError: no round may have that name.
        """
        if not NAMES.fullmatch(name):
            raise ValueError(name)
        return self._folder / name

    def publish(self, name: str, file: str, upload: Upload, now: int) -> Published:
        """Add a file to a round, or let its ledger grow.

        Args:
            name: the round's; its opening makes it.
            file: name of the file.
            upload: whole.
            now: milliseconds since 1970.

        Raises:
            publication.AlreadyThere, BadRound, BadPolicy: it may not be added; nothing changed.
            OSError: it can't be written.
        """
        folder = self.folder(name)
        upload.file.flush()
        with self._locks[name], self.files.workplace() as stage:
            how = publication.check(
                folder, name, file, upload.path, stage, from_seconds(now // 1000)
            )
            if how != publication.SAME:
                folder.mkdir(mode=0o700, exist_ok=True)
                settle(self._folder)
                self._mark(folder)
                upload.move(folder / file, over=how == publication.GROWN)
            revision = self._after(name, how != publication.SAME, now)
        return Published(how, revision, upload.sha256, upload.size)

    def publish_records(
        self, name: str, records: Mapping[tuple[str, str], bytes], now: int, more: bool
    ) -> tuple[list[str], int]:
        """Add records that the round's ledger names: all of them, or none if one is refused.

        Args:
            name: the round's.
            records: bytes by names of submission and record.
            now: milliseconds since 1970.
            more: others follow at once, and the standings may wait for the last of them.

        Returns:
            What became of each, as `Published.how`, and the round's revision.

        Raises:
            publication.AlreadyThere, BadRound: as `publish`.
            OSError: they can't be written; those that were are whole.
        """
        folder = self.folder(name)
        with self._locks[name]:
            hows = [publication.check_record(folder, *key, raw) for key, raw in records.items()]
            new = [key for key, how in zip(records, hows, strict=True) if how != publication.SAME]
            if new:
                self._mark(folder)
            places = {submission: self.place(folder, submission) for submission, _ in new}
            for submission, file in new:
                raw = records[submission, file]
                with self.files.upload(len(raw)) as upload:
                    upload.write(raw)
                    upload.move(places[submission] / file, over=False, settled=False)
            for place in places.values():
                settle(place)
            if more:
                with self._database.read() as connection:
                    asked = select(tables.Round.revision).where(tables.Round.name == name)
                    return hows, int(connection.execute(asked).scalar_one())
            return hows, self._after(name, bool(new), now)

    def place(self, folder: Path, submission: str) -> Path:
        """Return the folder of a submission's records, made if it is not there."""
        place = folder / publication.RUNS / submission
        for each in (place.parent, place):
            if not each.exists():
                each.mkdir(mode=0o700)
                settle(each.parent)
        return place

    def freshen(self, now: int) -> None:
        """Bring rounds up to date that a killed server, another version of seedlock, or a copy
        without standings left; call it before the first request."""
        for opening in sorted(self._folder.glob(f"*/{OPENING}.json")):
            folder = opening.parent
            if (folder / STALE).exists() or not _readable(folder / STANDINGS):
                # One that can't be read is no reason to serve none.
                with suppress(BadRound):
                    self.refresh(folder.name, now)

    def alone(self, name: str) -> threading.Lock:
        """Return what keeps others from changing a round; `publish` and `refresh` take it too."""
        return self._locks[name]

    def refresh(self, name: str, now: int) -> int:
        """Work a round's standings out anew and raise its revision, which is returned.

        Raises:
            OSError: they can't be written.
        """
        with self._locks[name]:
            return self._refresh(name, now)

    def _refresh(self, name: str, now: int) -> int:
        folder = self.folder(name)
        self._mark(folder)
        this = Round(folder)
        deadline = int(this.policy.deadline.timestamp()) * 1000
        with self._database.read() as connection:
            labels = _labels(connection, name)
        path = folder / STANDINGS
        try:
            raw = standings.of_round(folder, labels).as_bytes()
            round_files.put_bytes(path, raw, 0o600, over=True)
        except (BadRound, ValueError):
            # A round whose files contradict one another has no scores; its pages say why.
            path.unlink(missing_ok=True)
        with self._database.write() as connection:
            row = (tables.Round.name == name,)
            known = connection.execute(select(tables.Round.revision).where(*row)).scalar()
            if known is None:
                connection.execute(insert(tables.Round).values(
                    name=name, revision=1, created=now, deadline=deadline
                ))  # fmt: skip
            else:
                connection.execute(update(tables.Round).where(*row).values(revision=known + 1))
        (folder / STALE).unlink(missing_ok=True)
        return 1 if known is None else int(known) + 1

    def _after(self, name: str, changed: bool, now: int) -> int:
        with self._database.read() as connection:
            asked = select(tables.Round.revision).where(tables.Round.name == name)
            revision = connection.execute(asked).scalar()
        if changed or revision is None or (self.folder(name) / STALE).exists():
            revision = self._refresh(name, now)
        return int(revision)

    def _mark(self, folder: Path) -> None:
        handle = os.open(folder / STALE, os.O_WRONLY | os.O_CREAT, 0o600)
        os.close(handle)
        settle(folder)


def _readable(path: Path) -> bool:
    """Return whether a file has standings as this version writes them."""
    try:
        standings.from_bytes(path.read_bytes())
    except (BadRound, FileNotFoundError):
        return False
    return True


def _labels(connection: Any, name: str) -> dict[str, standings.Label]:
    """Return what replays that were reported say of submissions, by their digests."""
    asked = (
        select(tables.Replay.submission_digest, tables.Replay.verdict, func.count())
        .join(tables.Round, tables.Round.id == tables.Replay.round_id)
        .where(tables.Round.name == name)
        .group_by(tables.Replay.submission_digest, tables.Replay.verdict)
    )  # fmt: skip
    verdicts: defaultdict[str, set[str]] = defaultdict(set)
    for digest, verdict, _ in connection.execute(asked):
        verdicts[digest].add(verdict)
    words = ((DIFFERENT, results.MARKED), (WITHIN, results.WITHIN), (IDENTICAL, results.IDENTICAL))
    return {
        digest: standings.Label(next(word for each, word in words if each in found))
        for digest, found in verdicts.items()
    }


standings_of = FileCache(lambda path: standings.from_bytes(path.read_bytes()).as_dict())
"""The standings in a file."""

rounds_of = FileCache(lambda path: Round(path.parent).policy)
"""The policy of a round, by its opening."""

frozen_of = FileCache(lambda path: Round(path.parent).freeze()["submissions"])
"""The frozen submissions of a round, by its freeze."""


def frozen(folder: Path) -> list[dict[str, str]]:
    """Return the frozen submissions of a round; none before the freeze.

    Raises:
        BadRound: the freeze can't be read.
    """
    path = folder / f"{FREEZE}.json"
    return frozen_of.get(path) if path.exists() else []
