"""An answer to one point of a checklist, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from seedlock.evaluation.checklists.facts import Facts, Recorded

RECORD, PARTLY, AUTHOR = "record", "partly", "author"
STATUSES = (RECORD, PARTLY, AUTHOR)
"""The record answers it by itself; in part, with the reason; only the author can."""


@dataclass(frozen=True)
class Answer:
    """What records say to a point.

    Attributes:
        status: one of `STATUSES`.
        said: the answer in a sentence or two; empty where only the author can say it.
        reasons: why it is no more than that.
        evidence: where it stands: name of the record, field, value.
    """

    status: str
    said: str = ""
    reasons: tuple[str, ...] = ()
    evidence: tuple[tuple[str, str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it, JSON-ready."""
        return {
            "status": self.status,
            "said": self.said,
            "reasons": list(self.reasons),
            "evidence": [
                {"record": name, "field": where, "value": value}
                for name, where, value in self.evidence
            ],
        }

    def at_most(self, status: str, reasons: Iterable[str]) -> Answer:
        """Return it with a status that is no better than this one, and further reasons."""
        worst = max(self.status, status, key=STATUSES.index)
        return replace(self, status=worst, reasons=(*self.reasons, *reasons))


def only_author(*reasons: str) -> Answer:
    """Return the answer where records know nothing."""
    return Answer(AUTHOR, reasons=reasons)


def answered(
    said: str, evidence: Iterable[tuple[str, str, str]], doubts: Sequence[str] = ()
) -> Answer:
    """Return an answer of records: partly, where anything speaks against relying on it."""
    return Answer(PARTLY if doubts else RECORD, said, tuple(doubts), tuple(evidence))


def fields(facts: Facts, *paths: str) -> list[tuple[str, str, str]]:
    """Return what each record has in some fields, as evidence; what is not there is left out.

    Args:
        facts: the records.
        paths: names of keys with slashes, as `lock/sha256`.
    """
    return [
        (each.name, path.replace("/", "."), _shown(value))
        for each in facts.records
        for path in paths
        if (value := _value(each, path)) is not None
    ]


def _value(of: Recorded, path: str) -> Any:
    found: Any = of.content
    for key in path.split("/"):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _shown(value: object) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"
