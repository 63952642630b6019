"""What the pages of a round's ledger show: its events with their chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound, printable
from seedlock.evaluation.rounds.canonical import strict
from seedlock.evaluation.rounds.ledger_lines import KEYS, NAME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.leaderboard.links import Links
    from seedlock.leaderboard.round_state import State

PAGE = 200
"""Events on a page."""

LONGEST = 1 << 20
"""Bytes of a line that is shown."""


@dataclass(frozen=True)
class Event:
    """One event of a ledger; texts, empty where it has none."""

    sequence: int
    time: str
    kind: str
    submission: str
    link: str | None
    seed_index: str
    attempt: str
    said: str
    previous: str
    hash: str


@dataclass(frozen=True)
class LedgerView:
    """A page of a ledger.

    Attributes:
        events: of this page, in order.
        linked: whether each event of this page continues the one before it.
        total: events of the ledger.
        head: of the ledger, `NUMBER:HASH`, or empty without one.
        file: address of the whole ledger.
    """

    round: str
    state: State
    events: tuple[Event, ...]
    linked: bool
    total: int
    head: str
    page: int
    pages: int
    pagers: tuple[tuple[int, str | None], ...]
    file: str | None


def ledger(
    folder: Path, name: str, names: Mapping[str, tuple[str, bool]], state: State, links: Links,
    page: int = 1, whole: bool = True,
) -> LedgerView | None:  # fmt: skip
    """Return a page of a ledger, or None if it has no such page.

    Args:
        folder: the round's.
        name: the round's.
        names: by a submission's digest its name, and whether it is private.
        state: where the round stands.
        links: where pages lie.
        page: from 1 on.
        whole: whether the file itself may be downloaded.

    Raises:
        BadRound: the ledger can't be read.
    """
    path = folder / NAME
    lines = _lines(path)
    total = len(lines)
    pages = max(1, -(-total // PAGE))
    if not 1 <= page <= pages:
        return None
    begin = PAGE * (page - 1)
    shown = [_content(path, line) for line in lines[begin : begin + PAGE]]
    before = _content(path, lines[begin - 1])["hash"] if begin else "0" * 64
    hashes = [before, *(each["hash"] for each in shown)]
    head = _content(path, lines[-1]) if lines else None
    return LedgerView(
        round=name,
        state=state,
        events=tuple(_event(each, name, names, links) for each in shown),
        linked=all(each["previous"] == hashes[at] for at, each in enumerate(shown)),
        total=total,
        head="" if head is None else f"{head['sequence']}:{head['hash']}",
        page=page,
        pages=pages,
        pagers=tuple(
            (number, links.ledger(name, number))
            for number in range(1, pages + 1)
            if number in (1, pages) or abs(number - page) <= 2
        ),
        file=links.file(name, NAME) if lines and whole else None,
    )


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines() if path.exists() else []
    except OSError as problem:
        raise BadRound(
            f"{NAME} can't be read: {problem.strerror}; allowed: what seedlock ledger export wrote"
        ) from problem


def _content(path: Path, line: bytes) -> dict[str, Any]:
    try:
        found = strict(line[:LONGEST])
        if (
            not isinstance(found, dict)
            or set(found) != KEYS
            or not isinstance(found["content"], dict)
        ):
            raise ValueError("no event")
        for key in ("time", "kind", "previous", "hash"):
            if not isinstance(found[key], str):
                raise ValueError(key)
    except ValueError as problem:
        raise BadRound(
            f"{path.name} holds a line that is no event; allowed: what seedlock ledger export wrote"
        ) from problem
    return found


def _event(
    given: Mapping[str, Any], name: str, names: Mapping[str, tuple[str, bool]], links: Links
) -> Event:  # fmt: skip
    digest, content = given["submission"], given["content"]
    called, private = names.get(digest, (digest or "", True))
    link = links.submission(name, called) if digest in names else None
    return Event(
        sequence=given["sequence"],
        time=given["time"],
        kind=given["kind"],
        submission=called,
        link=link,
        seed_index=_text(given["seed_index"]),
        attempt=_text(given["attempt"]),
        said=_said(given["kind"], content, private),
        previous=given["previous"],
        hash=given["hash"],
    )


def _said(kind: str, content: Mapping[str, Any], private: bool) -> str:
    """Return an event's content in words; of a private submission only how a run ended."""
    if kind == "entered":
        return f"{content.get('format')} version {content.get('version')}"
    if kind == "added":
        return f"{content.get('visibility')}, {content.get('seeds')} seeds"
    if kind != "ended":
        return ""
    state, found = str(content.get("state")), str(content.get("class"))
    parts = [state if state == found else f"{state} ({found})"]
    if content.get("next") is not None:
        parts.append(f"attempt {content['next']} follows")
    reasons = content.get("reasons")
    if not private and isinstance(reasons, list):
        parts += [printable(str(each), 200) for each in reasons[:3]]
    return "; ".join(parts)


def _text(value: object) -> str:
    return "" if value is None else str(value)
