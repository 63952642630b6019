"""Are two records of one recipe, so that they differ in the seed and nothing else that counts?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = ("command", "source", "lock", "image", "data", "level", "scheme")


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return in which parts two complete records' recipes differ."""
    return [part for part in PARTS if _of(one, part) != _of(other, part)]


def _of(content: Mapping[str, Any], part: str) -> object:
    found = content[part]
    if found is None or part in ("command", "level", "scheme"):
        return found
    if part == "source":
        return found["digest"]
    if part == "image":
        return found["id"]
    if part == "lock":
        return found["sha256"], sorted(found["drift"])
    return sorted((each["name"], each["sha256"]) for each in found)
