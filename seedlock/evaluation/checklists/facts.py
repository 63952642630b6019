"""What records say that a checklist may ask for, and what speaks against relying on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.recording import record
from seedlock.evaluation.recording.recipe import differences
from seedlock.settings import STRICT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SHOWN = 4
"""How many of a list are named in a sentence; the rest is counted."""


@dataclass(frozen=True)
class Recorded:
    """One record.

    Attributes:
        name: of its file.
        sha256: of its bytes, as `sha256:HEX`.
        content: as `record.load` returns it.
    """

    name: str
    sha256: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Replayed:
    """What a replay of one of the records came to.

    Attributes:
        name: of the result's file.
        sha256: of its bytes.
        of: name of the record.
        verdict: as `seedlock replay` gives it.
    """

    name: str
    sha256: str
    of: str
    verdict: str


@dataclass(frozen=True)
class Facts:
    """Records of one submission, at least one, and replays of them.

    Attributes:
        records: in the order in which they were named.
        replays: of them.
    """

    records: Sequence[Recorded]
    replays: Sequence[Replayed] = field(default=())

    @property
    def running(self) -> list[str]:
        """Names of records whose runs came to no end: they prove nothing."""
        return [each.name for each in self.records if each.content["status"] != record.COMPLETE]

    def ends(self) -> list[str]:
        """Return which runs did not end well."""
        return [
            f"the run of {each.name} ended as {each.content['outcome']['class']}"
            for each in self.records
            if each.content["outcome"]["class"] != record.DONE
        ]

    def mixed(self) -> list[str]:
        """Return in what the records differ beside the seed."""
        first = self.records[0]
        return [
            f"{each.name} differs from {first.name} in {', '.join(apart)}"
            for each in self.records[1:]
            if (apart := differences(first.content, each.content))
        ]

    def without(self, part: str) -> list[str]:
        """Return which records have nothing in a part that is a list, if others have."""
        return [f"{each.name} has no {part}" for each in self.records if not each.content[part]]

    def unlocked(self) -> list[str]:
        """Return what of the runs' randomness was not locked, or may not have been."""
        return self._said(_unlocked)

    def unversioned(self) -> list[str]:
        """Return what speaks against the versions."""
        return self._said(_unversioned)

    def unpinned(self) -> list[str]:
        """Return what speaks against the digest of the source."""
        return self._said(_unpinned)

    def unverified(self) -> list[str]:
        """Return what speaks against the digests of the data."""
        return self._said(_unverified)

    def unseen(self) -> list[str]:
        """Return what the runs read beside code and data, or may have read."""
        return self._said(_unseen)

    def unsealed(self) -> list[str]:
        """Return which promises of a sealed run were not kept."""
        return self._said(_unsealed)

    def _said(self, look: Callable[[Mapping[str, Any]], Iterator[str]]) -> list[str]:
        found: dict[str, list[str]] = {}
        for each in self.records:
            for said in look(each.content):
                found.setdefault(said, []).append(each.name)
        return [
            said if len(names) == len(self.records) else f"{said} ({some(names)})"
            for said, names in found.items()
        ]


def some(entries: Sequence[str]) -> str:
    """Return a list's first entries, and how many more there are."""
    more = len(entries) - SHOWN
    return ", ".join(entries[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _unlocked(content: Mapping[str, Any]) -> Iterator[str]:
    if not content["processes"]:
        yield "no process left a report"
    if content["level"] not in STRICT:
        yield f"it ran at level {content['level']}, which does not set every determinism flag"
    found: list[str] = []
    for report in content["processes"]:
        if report.get("status") != "finished":
            yield "a process left no finished report"
        sites = [
            str(each.get("where"))
            for each in listed(report.get("user_seeds"))
            if isinstance(each, dict) and each.get("policy") in ("keep", "fixed")
        ]
        if sites:
            yield f"seeds of the program count as written at {some(sites)}"
        if report.get("entropy"):
            yield "the program drew from the system"
        libraries = report.get("libraries")
        parts = [report, *(libraries.values() if isinstance(libraries, dict) else ())]
        for part in parts:
            found += [str(gap) for gap in listed(part.get("gaps") if isinstance(part, dict) else 0)]
    if found:
        known = list(dict.fromkeys(found))
        more = f", and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
        yield f"gaps: {'; '.join(known[:SHOWN])}{more}"


def listed(value: object) -> list[Any]:
    """Return a list that a report should hold: its schema is the report's own, not the record's."""
    return value if isinstance(value, list) else []


def _unversioned(content: Mapping[str, Any]) -> Iterator[str]:
    if content["lock"] is None:
        yield "no lock was in force: versions were recorded and not checked"
    elif content["lock"]["drift"]:
        yield f"not the locked versions: {some(sorted(content['lock']['drift']))}"


def _unpinned(content: Mapping[str, Any]) -> Iterator[str]:
    source = content["source"]
    if source is None:
        if content["image"] is None:
            yield "no source was recorded"
        return
    if source["changed"]:
        yield f"the source changed during the run: {some(source['changed'])}"
    read = (source.get("ignored") or {}).get("read") or []
    if read:
        yield f"the program read files that are in no digest: {some(read)}"
    if not source["files"]:
        yield "the digest is of no file at all"


def _unverified(content: Mapping[str, Any]) -> Iterator[str]:
    for each in content["data"]:
        if not (each["verified_before"] and each["verified_after"]):
            yield f"set {each['name']} was not verified before and after the run"


def _unseen(content: Mapping[str, Any]) -> Iterator[str]:
    reads = content["reads"]
    if reads["files"]:
        yield f"it read neither source nor declared data: {some(reads['files'])}"
    if not reads["complete"]:
        yield f"reads were seen by {reads['by']}"


def _unsealed(content: Mapping[str, Any]) -> Iterator[str]:
    promises = content["guarantees"]
    if promises is None:
        yield "the run was not sealed"
        return
    lost = [name for name, each in promises.items() if not _held(each)]
    if lost or not promises:
        yield f"not held: {some(lost) or 'any promise'}"


def _held(promise: object) -> bool:
    return isinstance(promise, dict) and promise.get("held") is True
