"""What a comparison of two runs found: one `Finding` per place at which they differ."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DIFFERENCE = "difference"
TIME_STAMP = "time stamp"
KEY_ORDER = "key order"
NOT_WRITTEN = "not written"
ADVISORY = "advisory"
"""Kinds of findings. A time stamp is a date, time or duration that says what it is, and an
advisory one concerns what is printed: neither makes a run unrepeatable. All others do."""

HARMLESS = (TIME_STAMP, ADVISORY)

PER_FILE = 20
"""How many findings of one pair of files are kept; the last one says how many more there are."""

SHOWN = 200
"""Characters of a value that are kept."""


@dataclass(frozen=True)
class Finding:
    """One place at which two runs differ.

    Attributes:
        file: name below the run's folder for outputs, `stdout` for what was printed.
        where: place in it: a key path, a member and element, a line, a byte offset.
        kind: one of the kinds above.
        first: value in the first run as text, at most `SHOWN` characters; empty for none.
        second: value in the second run.
        note: what a reader should know beside.
        metric: whether it is a number of a JSON file.
    """

    file: str
    where: str
    kind: str
    first: str = ""
    second: str = ""
    note: str = ""
    metric: bool = field(default=False, kw_only=True)

    @property
    def counts(self) -> bool:
        """Whether it makes a run unrepeatable."""
        return self.kind not in HARMLESS

    def as_dict(self) -> dict[str, object]:
        """Return the finding, JSON-ready."""
        return asdict(self)

    def inside(self, member: str) -> Finding:
        """Return the finding as one in a member of an archive."""
        return replace(self, where=f"{member}: {self.where}" if self.where else member)


def shown(value: object) -> str:
    """Return a value's text, at most `SHOWN` characters; text comes as it is."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def limited(found: Iterable[Finding], limit: int = PER_FILE) -> list[Finding]:
    """Return at most `limit` findings, those that count before those that do not, and one that
    says how many were left out; memory stays flat, however many there are."""
    kept: dict[bool, list[Finding]] = {True: [], False: []}
    numbers = {True: 0, False: 0}
    for each in found:
        numbers[each.counts] += 1
        if len(kept[each.counts]) < limit:
            kept[each.counts].append(each)
    counting = kept[True]
    others = kept[False][: limit - len(counting)]
    left = {True: numbers[True] - len(counting), False: numbers[False] - len(others)}
    if not any(left.values()):
        return [*counting, *others]
    example = (kept[True] if left[True] else kept[False])[0]
    rest = Finding(example.file, f"{sum(left.values())} more places", example.kind)
    return [*counting, *others, rest]
