"""The checklists as files: what each point asks, in our words, and which rule answers it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from seedlock.errors import SeedlockError, printable

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

FORMAT = 1

ORDER = (
    "neurips", "icml", "iclr", "aaai", "arr", "acl-2021", "ml-reproducibility", "acm", "principles",
)  # fmt: skip
"""Names of the files, in the order in which they are shown."""

KEYS = {"format", "id", "title", "edition", "source", "seen", "copy", "points"}

OF_POINTS = {"id", "name", "about"}
BESIDE = {"rule", "left"}


class BadChecklist(SeedlockError):
    """There is no such checklist, or its file says what is not allowed."""

    slug = "bad-checklist"


@dataclass(frozen=True)
class Point:
    """A point of a checklist.

    Attributes:
        id: the source's own number, or its section's name where it has none.
        name: in a few words.
        about: what it asks, in our words.
        rule: name of the function that answers it; None where only the author can.
        left: what of it only the author can say; None for nothing, or where there is no rule.
    """

    id: str
    name: str
    about: str
    rule: str | None = None
    left: str | None = None


@dataclass(frozen=True)
class Checklist:
    """A checklist.

    Attributes:
        id: its name on the command line.
        title, edition: which one it is.
        source: address where it is published.
        seen: date on which its text was looked at.
        copy: which copy of it that was.
        points: in their order.
    """

    id: str
    title: str
    edition: str
    source: str
    seen: str
    copy: str
    points: tuple[Point, ...]


def checklists(only: Sequence[str] = ()) -> list[Checklist]:
    """Return the checklists, or those of some names, in the order of this package.

    Raises:
        BadChecklist: there is none of a name.
    """
    for name in only:
        if name not in ORDER:
            raise BadChecklist(
                f"checklist is '{printable(name)}'; allowed: {', '.join(ORDER)}; see seedlock "
                "checklist --list"
            )
    folder = files("seedlock.evaluation.checklists") / "points"
    return [
        read(f"{name}.toml", (folder / f"{name}.toml").read_text("utf-8"))
        for name in ORDER
        if not only or name in only
    ]


def read(name: str, text: str, rules: Collection[str] = ()) -> Checklist:
    """Return the checklist of a file's text.

    Args:
        name: of the file, for errors.
        text: TOML.
        rules: names that a rule may have; none does not look at them.

    Raises:
        BadChecklist: it is not what a file of a checklist has to be.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise BadChecklist(
            f"{name} is no TOML: {problem}; allowed: a checklist's file"
        ) from problem
    _keys(name, content, KEYS, set())
    if content["format"] != FORMAT:
        raise BadChecklist(f"{name} has format {content['format']}; allowed: {FORMAT}")
    rest = {key: content[key] for key in KEYS - {"format", "points"}}
    _texts(name, rest)
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", rest["seen"]):
        raise BadChecklist(f"{name} was seen {rest['seen']!r}; allowed: a date as 2026-11-22")
    if not isinstance(content["points"], list) or not content["points"]:
        raise BadChecklist(f"{name} has no points; allowed: one or more")
    points = tuple(_point(name, each, rules) for each in content["points"])
    twice = {each.id for each in points if [of.id for of in points].count(each.id) > 1}
    if twice:
        raise BadChecklist(f"{name} has {', '.join(sorted(twice))} twice; allowed: each id once")
    return Checklist(points=points, **rest)


def _point(name: str, content: Any, rules: Collection[str]) -> Point:
    if not isinstance(content, dict):
        raise BadChecklist(f"{name} has a point that is no table; allowed: tables")
    _keys(f"a point of {name}", content, OF_POINTS, BESIDE)
    _texts(f"a point of {name}", content)
    point = Point(**content)
    if rules and point.rule is not None and point.rule not in rules:
        raise BadChecklist(
            f"{name}: rule of {point.id} is '{point.rule}'; allowed: {', '.join(sorted(rules))}"
        )
    if point.left is not None and point.rule is None:
        raise BadChecklist(f"{name}: {point.id} has no rule that leaves anything; allowed: a rule")
    return point


def _keys(name: str, content: dict[str, Any], needed: set[str], beside: set[str]) -> None:
    lacks, more = needed - content.keys(), content.keys() - needed - beside
    if lacks or more:
        said = f"lacks {', '.join(sorted(lacks))}" if lacks else f"has {', '.join(sorted(more))}"
        raise BadChecklist(f"{name} {said}; allowed: {', '.join(sorted(needed | beside))}")


def _texts(name: str, content: dict[str, Any]) -> None:
    for key, value in content.items():
        if not isinstance(value, str) or not value.strip():
            raise BadChecklist(f"{name}: {key} is {value!r}; allowed: a text that is not empty")
