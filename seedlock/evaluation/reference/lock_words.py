"""The page about a lock in words: its sections, for Markdown and for HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from seedlock.evaluation.reference.checking import NOT_COMPARED
from seedlock.evaluation.reference.judging import EQUAL_BITS, EQUAL_DISTRIBUTION, FAIL
from seedlock.evaluation.reference.lock_blocks import NOTHING, Lines, Table
from seedlock.evaluation.reference.lock_numbers import accuracy, frameworks, size, speed
from seedlock.evaluation.reference.lock_page import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seedlock.evaluation.reference.lock_blocks import Block


BAD = (FAIL, NOT_COMPARED)
"""Verdicts with which a lock is not released."""


class Section(NamedTuple):
    """A part of the page."""

    title: str
    blocks: Sequence[Block]


def headline(page: Mapping[str, Any]) -> tuple[str, str]:
    """Return the verdict, and a sentence."""
    count = len(page["models"])
    if page["first"]:
        return "FIRST LOCK", (
            f"There is no lock before it to compare with; {count} models were trained, and what "
            "they came to is what the next lock is held against."
        )
    by_verdict = counted(page)
    numbers = ", ".join(
        f"{len(by_verdict.get(name, []))} {name}"
        for name in (EQUAL_BITS, EQUAL_DISTRIBUTION, FAIL, NOT_COMPARED)
        if name in (EQUAL_BITS, EQUAL_DISTRIBUTION, FAIL) or name in by_verdict
    )
    bad = [each for name in BAD for each in by_verdict.get(name, [])]
    named = f": {', '.join(bad)}" if bad else ""
    return str(page["verdict"]), f"Of {len(page['judged'])} models: {numbers}{named}."


def sections(page: Mapping[str, Any]) -> list[Section]:
    """Return the page's parts in their order."""
    found = [Section("", [*_release(page), _facts(page)])]
    failed = [each for name in BAD for each in counted(page).get(name, [])]
    if failed:
        found.append(Section("What fails", [*_failures(page, failed)]))
    apart = [f"{name}: {each}" for name in page["judged"] for each in _remarks(page, name)]
    if apart:
        found.append(Section("What stands apart, and decides nothing", [Lines(apart)]))
    found.append(Section("Packages", [*_packages(page)]))
    if not page["first"]:
        found.append(Section("Bits", [*_bits(page)]))
    found.append(Section("Accuracy", [*accuracy(page)]))
    found.append(Section("Speed", [*speed(page)]))
    found.append(Section("Size", [*size(page)]))
    found.append(Section("Frameworks side by side", [*frameworks(page)]))
    return found


def _release(page: Mapping[str, Any]) -> Iterator[Block]:
    bad = page["verdict"] in BAD
    if bad and page["accepted"]:
        yield f"Released although it does not pass, for this reason: {page['accepted']}"
    elif bad:
        yield (
            "Not released: the stored reference is still that of the lock before. To go back, say "
            'git checkout -- version-lock; to release it deliberately, say make lock ACCEPT="the '
            'reason", which this page will show.'
        )


def _facts(page: Mapping[str, Any]) -> Table:
    sides = page["facts"]
    names = {
        "date": "measured", "seedlock": "seedlock", "python": "Python", "level": "level",
        "seeds": "root seeds", "jobs": "runs at a time", "machine": "machine",
    }  # fmt: skip
    rows = [[title, *(_fact(name, side[name]) for side in sides)] for name, title in names.items()]
    for lock in sorted({name for side in sides for name in side["lock"]}):
        rows.append([lock, *(side["lock"].get(lock, NOTHING) for side in sides)])
    return Table(["", *(["before"] if len(sides) > 1 else []), "this lock"], rows)


def _fact(name: str, value: Any) -> str:
    return f"1 to {value}" if name == "seeds" else str(value)


def _failures(page: Mapping[str, Any], names: Sequence[str]) -> Iterator[Block]:
    for name in names:
        model = page["judged"][name]
        first = model["first"] or {}
        note = [first["note"]] if first.get("note") else []
        yield f"{name} ({model['framework']}): {model['verdict']}"
        yield Lines([*model["reasons"], *first.get("lines", []), *note])


def _remarks(page: Mapping[str, Any], name: str) -> Sequence[str]:
    found: Sequence[str] = page["judged"][name]["remarks"]
    return found


def _packages(page: Mapping[str, Any]) -> Iterator[Block]:
    packages = page["packages"]
    if packages["by"] == "first":
        yield "Nothing to compare with."
        return
    if packages["by"] == "versions":
        yield (
            "The locks before were not at hand: versions are those that both measurements found "
            "installed, and hashes are not compared."
        )
    for lock, changes in packages["changes"].items():
        if not changes:
            yield f"{lock}: no change."
            continue
        yield f"{lock}:"
        yield Table(["package", "change", "before", "this lock"], [
            [each["name"], each["change"], each["before"] or NOTHING, each["after"] or NOTHING]
            for each in changes
        ])  # fmt: skip
    if any(each["change"] == "other hash" for of in packages["changes"].values() for each in of):
        yield (
            "The same version with another hash must never happen: ask the package's maintainers "
            "before this lock is used."
        )


def _bits(page: Mapping[str, Any]) -> Iterator[Block]:
    rows = []
    for name, model in page["judged"].items():
        judged, first = model["judgement"], model["first"]
        if judged is None:
            continue
        rows.append([
            name, f"{len(judged['equal_bits'])} of {judged['seeds']}", _first(first),
        ])  # fmt: skip
    yield (
        "Equal bits: the same trace, the same metric after each epoch and the same final value "
        "under a seed."
    )
    yield Table(["model", "seeds with equal bits", "first difference"], rows)


def _first(first: Mapping[str, Any] | None) -> str:
    if first is None:
        return NOTHING
    event = first["operation"] or first
    if event["step"] is None and event["op"] is None:
        return f"seed {first['seed']}, not located"
    parts = [f"seed {first['seed']}", f"step {event['step']}", event["op"] or event["kind"]]
    return ", ".join(
        [*(str(each) for each in parts if each), *([event["at"]] if event["at"] else [])]
    )
