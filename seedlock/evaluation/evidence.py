"""What is known about a divergence, and what may have caused it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seedlock.evaluation.elements import Element
    from seedlock.evaluation.processes import Event

    Report = dict[str, Any]


@dataclass(frozen=True)
class Cause:
    """What may have made two runs part.

    Attributes:
        text: the cause.
        evidence: what speaks for it.
        cure: what would confirm or cure it.
        guess: True unless the evidence leaves no doubt.
    """

    text: str
    evidence: str
    cure: str
    guess: bool = True


@dataclass(frozen=True)
class Evidence:
    """What is known about a divergence.

    Attributes:
        first, second: the events, None where one trace came to its end.
        differs: names of the fields that differ.
        reports: of the two processes; empty where there is none.
        cwd: working folder of the first.
        source: the text of the line at the call site, if it can be read.
        element: the first element that differs, if known.
        batches: digests of the batches from here on, where the events are batches.
        seeds: root seeds of the two runs.
        drawn: draws from the system before that got other bytes.
        iterated: the call site at which a set is iterated of which the event's values were made,
            as its program reads, and the text of that line.
        strayed: libraries whose generators' states differed at equal results before.
    """

    first: Event | None
    second: Event | None
    differs: tuple[str, ...]
    reports: tuple[Report, Report]
    cwd: str = ""
    source: str | None = None
    element: Element | None = None
    batches: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))
    seeds: tuple[object, object] = (None, None)
    drawn: tuple[Event, ...] = ()
    strayed: tuple[str, ...] = ()
    iterated: tuple[str, str] | None = None

    @property
    def event(self) -> Event:
        """The event of the first run, or of the second where there is no other."""
        return self.first or self.second or {}

    @property
    def at(self) -> str:
        """The call site, or what was done where that is not known."""
        return str(self.event.get("at") or self.event.get("op") or "this event")
