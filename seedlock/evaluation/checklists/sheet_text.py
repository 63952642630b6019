"""Filled-in checklists as lines and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation.checklists.answers import AUTHOR, PARTLY, RECORD
from seedlock.evaluation.markdown_text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seedlock.evaluation.checklists.sheets import Checklist

SAID = {
    RECORD: "the record answers it",
    PARTLY: "the record answers a part",
    AUTHOR: "only the author can answer",
}

SHOWN = 3
"""How many lines of evidence the text shows for a point; the other forms have all."""


def text(filled: dict[str, Any]) -> str:
    """Return the lines that `seedlock checklist` prints."""
    lines = [f"from {each['name']}, {each['sha256']}" for each in filled["records"]]
    lines += [f"from {each['name']}, {each['verdict']}" for each in filled["replays"]]
    for checklist in filled["checklists"]:
        lines += ["", headline(checklist), f"  {checklist['source']}, seen {checklist['seen']}", ""]
        for point in checklist["points"]:
            lines += _point(point)
        head, *rest = _badges(checklist) or [""]
        lines += ["", head, *(f"  {line}" for line in rest)] if head else []
    return "\n".join(lines)


def headline(checklist: dict[str, Any]) -> str:
    """Return a checklist's name and how many of its points are answered by whom."""
    counts, points = checklist["counts"], len(checklist["points"])
    return (
        f"{checklist['title']} ({checklist['edition']}): of {points} points the record answers "
        f"{counts[RECORD]}, {counts[PARTLY]} in part, {counts[AUTHOR]} only the author"
    )


def why(point: dict[str, Any]) -> str:
    """Return the word before a reason: what it takes from an answer, or why there is none."""
    return "but" if point["said"] else "since"


def left_to_author(point: dict[str, Any]) -> str | None:
    """Return what of a point is left to the author, where the record answers a part."""
    left: str | None = point["left"]
    return left if point["status"] == PARTLY else None


def _point(point: dict[str, Any]) -> Iterator[str]:
    yield f"{point['status']:<7} {point['id']} {point['name']}"
    if point["said"]:
        yield f"          {point['said']}"
    for reason in point["reasons"]:
        yield f"          {why(point)}: {reason}"
    left = left_to_author(point)
    if left is not None:
        yield f"          left to the author: {left}"
    evidence = point["evidence"]
    for each in evidence[:SHOWN]:
        yield f"          see {each['record']}: {each['field']} = {each['value']}"
    if len(evidence) > SHOWN:
        yield f"          see {len(evidence) - SHOWN} more with --json or --markdown"


def _badges(checklist: dict[str, Any]) -> list[str]:
    """Return which badges the records support, and a line per condition or lack; none without
    badges."""
    if checklist["badges"] is None:
        return []
    supported = [each["badge"] for each in checklist["badges"] if each["supported"]]
    lines = [f"badges that the records support: {'; '.join(supported) or 'none'}"]
    for each in checklist["badges"]:
        word = "supported, if" if each["supported"] else "not supported:"
        for said in each["conditions"] if each["supported"] else each["missing"]:
            lines.append(f"{each['badge']}: {word} {said}")
    return lines


def markdown(filled: dict[str, Any]) -> str:
    """Return the checklists as a Markdown document."""
    lines = ["# Reproducibility checklists, as far as records answer them", ""]
    lines += [f"- `{_code(each['name'])}`, {each['sha256']}" for each in filled["records"]]
    lines += [f"- `{_code(each['name'])}`, {each['verdict']}" for each in filled["replays"]]
    for checklist in filled["checklists"]:
        lines += ["", f"## {checklist['title']}", "", headline(checklist) + ".", ""]
        lines += [f"Source: {checklist['source']}, seen {checklist['seen']}: {checklist['copy']}."]
        for point in checklist["points"]:
            lines += ["", f"### {point['id']} {point['name']}", "", f"{point['about']}", ""]
            lines += [f"**{SAID[point['status']]}.** {plain(point['said'])}".rstrip(), ""]
            lines += [f"- {why(point)}: {plain(reason)}" for reason in point["reasons"]]
            left = left_to_author(point)
            lines += [f"- left to the author: {left}"] if left is not None else []
            lines += [
                f"- see `{_code(each['record'])}`: `{_code(each['field'])}` = "
                f"`{_code(each['value'])}`"
                for each in point["evidence"]
            ]
        head, *rest = _badges(checklist) or [""]
        lines += ["", f"{head[0].upper()}{head[1:]}.", ""] if head else []
        lines += [f"- {plain(line)}" for line in rest]
    return "\n".join(lines) + "\n"


def listing(checklists: Sequence[Checklist]) -> str:
    """Return the checklists that there are, one a line, with their sources."""
    width = max(len(each.id) for each in checklists)
    return "\n".join(
        f"{each.id:<{width}}  {each.title} ({each.edition}), {len(each.points)} points, "
        f"{sum(point.rule is not None for point in each.points)} with a rule; {each.source}, seen "
        f"{each.seen}"
        for each in checklists
    )


def _code(said: str) -> str:
    return " ".join(said.replace("`", "'").split())
