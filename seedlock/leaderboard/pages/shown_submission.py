"""A submission's page for a visitor: with the curves of the records that the visitor may see, and
the way to the archive for who may have it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from seedlock.evaluation.rounds.formats import DRAW, REVEAL
from seedlock.leaderboard import submission_view, tables
from seedlock.leaderboard.access import may_see_archive, may_see_record
from seedlock.leaderboard.problems import not_found

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.leaderboard.access import Viewer
    from seedlock.leaderboard.database import Database
    from seedlock.leaderboard.links import ServerLinks
    from seedlock.leaderboard.pages.opened import Opened

LARGEST = 4 << 20
"""Bytes of a record whose curves are drawn."""

MOST = 32 << 20
"""Bytes of all records that are read for one page; the rest can be downloaded."""


def submission_page(
    this: Opened, name: str, visitor: Viewer, store: Database, links: ServerLinks
) -> submission_view.SubmissionView:
    """Return what a visitor sees of a submission.

    Raises:
        Problem: 404, the round has none of that name.
    """
    entry = next((each for each in this.standings["submissions"] if each["name"] == name), None)
    if entry is None:
        raise not_found("this round has no such submission")
    upload = _upload(this, entry["digest"], store) if visitor.signed_in else None
    team = None if upload is None else upload.team_id
    seen = may_see_record(visitor, this.name, _seeds_are_open(this), entry["visibility"], team)
    records = _records(this.folder, entry) if seen else {}
    found = submission_view.submission(this.standings, name, this.state, links, records, seen)
    assert found is not None
    if upload is None or not may_see_archive(visitor, this.name, team):
        return found
    return replace(found, archive=links.archive(this.name, upload.id))


def _records(folder: Path, entry: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """Return contents of records by seed index, of those that are the ledger's."""
    found: dict[int, dict[str, Any]] = {}
    left = MOST
    for run in entry["runs"]:
        # The standings name no record of a private submission.
        path = folder / (run.get("record") or "nothing")
        if not run.get("record") or not path.is_file() or path.stat().st_size > min(LARGEST, left):
            continue
        raw = path.read_bytes()
        left -= len(raw)
        if hashlib.sha256(raw).hexdigest() != run["record_sha256"]:
            continue
        try:
            content = json.loads(raw)
        except ValueError:
            continue
        if isinstance(content, dict):
            found[run["seed_index"]] = content
    return found


def _seeds_are_open(this: Opened) -> bool:
    if (this.folder / f"{REVEAL}.json").exists():
        return True
    return this.policy.published and (this.folder / f"{DRAW}.json").exists()


def _upload(this: Opened, digest: str, store: Database) -> Any:
    """Return `id` and `team_id` of the upload of a submission; None where nobody handed it in."""
    with store.read() as connection:
        return connection.execute(
            select(tables.Submission.id, tables.Submission.team_id)
            .join(tables.Round, tables.Round.id == tables.Submission.round_id)
            .where(
                tables.Round.name == this.name, tables.Submission.digest == digest,
                tables.Submission.withdrawn.is_(None),
            )
            .order_by(tables.Submission.id.desc())
            .limit(1)
        ).one_or_none()  # fmt: skip
