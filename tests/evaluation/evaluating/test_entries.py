"""Submissions as a round takes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from seedlock.errors import NotFrozen
from seedlock.evaluation.evaluating.entries import UNTOLD, Entry, entries
from seedlock.evaluation.recording import source
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.handed_in import smaller
from seedlock.evaluation.sealing.limits import GIB, Limits
from tests.evaluation.evaluating.made_round import MadeRound, make

DATA = """
version = 1
[data.digits]
sha256 = "{digest}"
kind = "file"
size = 1
licence = "unknown"
from = "https://example.org/digits"
"""


def entered(made: MadeRound) -> list[Entry]:
    """Return a round's entries."""
    this = Round(made.folder)
    return entries(this.freeze()["submissions"], list(made.submissions.values()), this.policy)


def test_own_limits_may_only_be_smaller() -> None:
    """Each by itself; what a submission does not name is the round's."""
    of_round = Limits(memory=4 * GIB, processors=2.0, seconds=3600.0)

    found = smaller(of_round, {"memory": "8g", "time": "10m", "processors": "1"})

    assert found == Limits(memory=4 * GIB, processors=1.0, seconds=600.0)


def test_the_rounds_metrics_come_first(tmp_path: Path) -> None:
    """In the round's direction, whatever a submission says; its further ones are kept."""
    more = '[metrics.accuracy]\ndirection = "max"\n'
    (entry,) = entered(make(tmp_path, {"mine": "pass"}, more=more))

    assert [(each.name, each.direction) for each in entry.metrics] == [
        ("loss", "min"), ("accuracy", "max"),
    ]  # fmt: skip


def test_limits_that_are_none_fail_the_submission_and_nobody_else(tmp_path: Path) -> None:
    """Its reason is told to the organiser; of a private one the ledger, which is published, has
    words of the organiser's own."""
    made = make(tmp_path, {"mine": "pass"}, more='[limits]\nmemory = "lots"\n')

    (entry,) = entered(made)

    assert "memory" in entry.refused
    assert entry.publicly_refused == UNTOLD
    public = replace(entry, submission=replace(entry.submission, visibility="public"))
    assert public.publicly_refused == entry.refused


@pytest.mark.parametrize(("digest", "refused"), [("0" * 64, False), ("1" * 64, True)])
def test_data_is_the_rounds(tmp_path: Path, digest: str, refused: bool) -> None:
    """A set of the round's name with another content is no fair one."""
    made = make(tmp_path, {"mine": "pass"})
    of = made.submissions["mine"]
    text = (of / "submission.toml").read_text()
    (of / "submission.toml").write_text(f'data = "data.lock"\n{text}')
    (of / "data.lock").write_text(DATA.format(digest=digest))
    policy = replace(Round(made.folder).policy, data={"digits": f"sha256:{'0' * 64}"})
    frozen = [{"name": "mine", "digest": source.look(of).digest}]

    (entry,) = entries(frozen, [of], policy)

    assert bool(entry.refused) == refused
    assert ("digits" in entry.refused) == refused


def test_the_same_submission_twice(tmp_path: Path) -> None:
    """Each is evaluated once."""
    made = make(tmp_path, {"mine": "pass"})
    made.submissions["copy"] = made.submissions["mine"]

    with pytest.raises(NotFrozen, match="given twice"):
        entered(made)
