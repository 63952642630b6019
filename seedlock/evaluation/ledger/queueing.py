"""Submissions and the first attempts at their seeds, written to the state many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from seedlock.evaluation.ledger.states import QUEUED
from seedlock.evaluation.ledger.tables import Run, Submission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def queue(connection: Connection, submissions: Sequence[tuple[str, str, str, int]]) -> None:
    """Write new submissions, and attempt 1 of each of their seeds as queued.

    Args:
        connection: a transaction that may write.
        submissions: digest, name, visibility and number of seeds of each.
    """
    if not submissions:
        return
    zeros = dict.fromkeys(
        ("started", "leased", "running", "done", "author_failure", "limit", "infrastructure",
         "retries", "timed", "timed_ms"), 0,
    )  # fmt: skip
    connection.execute(
        insert(Submission),
        [{"digest": digest, "name": name, "visibility": visibility, "seeds": seeds,
          "queued": seeds, **zeros} for digest, name, visibility, seeds in submissions],
    )  # fmt: skip
    known = connection.execute(select(Submission.digest, Submission.id))
    ids = {row.digest: row.id for row in known}
    connection.execute(
        insert(Run),
        [{"submission_id": ids[digest], "seed_index": index, "attempt": 1, "failures": 0,
          "state": QUEUED} for digest, _, _, seeds in submissions for index in range(seeds)],
    )  # fmt: skip
