"""What of a round's published files only some may read.

A ledger and a spot check say why a private submission's runs failed. Both files are bound by
hashes, so that nothing can be taken out of them; whoever may not read those reasons gets the
ledger's events without them, and neither file whole.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.ledger.states import tells_of_author
from seedlock.evaluation.rounds.ledger_lines import LONGEST
from seedlock.evaluation.rounds.ledger_lines import NAME as LEDGER
from seedlock.evaluation.spot_checks import publishing
from seedlock.leaderboard.file_cache import FileCache
from seedlock.leaderboard.kept_rounds import frozen
from seedlock.leaderboard.publication import SPOT_CHECK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

REASONS = "reasons"

ANYBODY = "anybody"
"""In place of a digest."""


def private_digests(folder: Path) -> frozenset[str]:
    """Return the digests of a round's private submissions.

    Raises:
        BadRound: the freeze can't be read.
    """
    return frozenset(each["digest"] for each in frozen(folder) if each["visibility"] != "public")


def holds_private_reasons(folder: Path, name: str) -> bool:
    """Return whether a published file says why a private submission's runs failed.

    Args:
        folder: the round's.
        name: of a file that is there.

    Raises:
        BadRound: the freeze can't be read.
        OSError: the file can't be read.
    """
    private = private_digests(folder)
    if not private:
        return False
    if name == LEDGER:
        return bool(_explained.get(folder / name) & private)
    if not SPOT_CHECK.fullmatch(name):
        return False
    try:
        return bool(_checked.get(folder / name) & (private | {ANYBODY}))
    except (KeyError, TypeError, ValueError, AttributeError):
        return True  # nobody can tell


def _explained_in(path: Path) -> frozenset[str]:
    return frozenset(
        str(event["submission"]) for event in events(path, 0, frozenset())
        if tells_of_author(event["content"].get(REASONS))
    )  # fmt: skip


def _checked_in(path: Path) -> frozenset[str]:
    content = json.loads(path.read_bytes())
    # A record that is no submission's may be anybody's.
    return frozenset(
        ANYBODY if each["digest"] is None else str(each["digest"])
        for each in content["submissions"] if publishing.tells(each)
    )  # fmt: skip


_explained = FileCache(_explained_in)
_checked = FileCache(_checked_in)


def events(path: Path, after: int, private: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield a ledger's events, without the reasons of some submissions.

    Args:
        path: an exported ledger that was looked at (publication.check).
        after: sequence number; those behind it.
        private: digests of the submissions whose reasons are left out; `withheld` says so then.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(LONGEST), b""), 1):
            if number <= after:
                continue
            event: dict[str, Any] = json.loads(line)
            told = tells_of_author(event["content"].get(REASONS))
            if told and event["submission"] in private:
                event["content"] = {**event["content"], REASONS: []}
                event["withheld"] = [REASONS]
            yield event
