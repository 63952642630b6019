"""The promises of a sealed run, and which of them were kept.

A promise counts as held only where something was asked that knows: the engine about the container
that it started, or the kernel from inside the sandbox. Whatever was not seen is not held.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from seedlock.errors import BadSetting, NotSealed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

PROMISES = {
    "network": "it reaches no network, and no service of this machine",
    "root_read_only": "it writes to its output, its reports and temporary memory only",
    "memory": "the kernel gives all its processes together no more than the limit",
    "processors": "the kernel gives it no more processor time than the limit",
    "processes": "the kernel gives it no more processes and threads than the limit",
    "time": "it is ended when its time is over",
    "home": "the home folder of whoever started it is not there",
    "environment": "it sees the listed variables only",
    "capabilities": "it is not root, has no capabilities and can't get any",
    "seccomp": "the kernel refuses the calls that the filter leaves out",
    "reads": "it sees the image, its source, declared data and nothing else of this machine",
}
"""Each promise, in words."""

DOCKER, BUBBLEWRAP, RLIMIT, SEEDLOCK, NONE = "docker", "bubblewrap", "rlimit", "seedlock", "none"
"""Who keeps a promise."""


@dataclass(frozen=True)
class Guarantee:
    """Whether a promise was kept.

    Attributes:
        held: whether it was.
        by: one of the words above.
        note: why not, or what else there is to say.
    """

    held: bool
    by: str
    note: str = ""


def unseen(why: str) -> dict[str, Guarantee]:
    """Return that no promise is known to have been kept."""
    return {name: Guarantee(False, NONE, why) for name in PROMISES}


def kept(broken: Mapping[str, Iterable[str]], by: Mapping[str, str]) -> dict[str, Guarantee]:
    """Return the guarantees from what was found wrong.

    Args:
        broken: for each promise what speaks against it; nothing means that it was kept. One that
            is not named was not looked at, and so not kept.
        by: who keeps each.
    """
    found = unseen("not looked at")
    for name, reasons in broken.items():
        text = "; ".join(reasons)
        found[name] = Guarantee(not text, NONE if text else by[name], text)
    return found


def accepted(names: Iterable[str]) -> frozenset[str]:
    """Return the promises that somebody can do without.

    Raises:
        BadSetting: one is not known.
    """
    found = frozenset(names)
    for name in sorted(found - set(PROMISES)):
        allowed = ", ".join(PROMISES)
        raise BadSetting("promise", name, allowed, "take one of these names", "bad-promise")
    return found


def lacking(found: Mapping[str, Guarantee], accept: Collection[str] = ()) -> list[str]:
    """Return the promises that were not kept and that nobody said they can do without."""
    return [
        name for name in PROMISES if name not in accept and not (name in found and found[name].held)
    ]


def require(found: Mapping[str, Guarantee], accept: Collection[str], backend: str) -> None:
    """Make sure that a run may start.

    Raises:
        NotSealed: a promise can't be kept that nobody said they can do without.
    """
    missing = lacking(found, accept)
    if missing:
        reasons = "; ".join(
            f"{name} ({found[name].note if name in found else 'not looked at'})" for name in missing
        )
        raise NotSealed(
            f"{backend} does not keep {reasons}; allowed: a sealed run with all promises, or "
            f"without those named; accept {','.join(missing)}, or use an engine that keeps them"
        )


def as_dict(found: Mapping[str, Guarantee]) -> dict[str, dict[str, object]]:
    """Return the guarantees, JSON-ready, in the order of the promises."""
    return {name: asdict(found[name]) for name in PROMISES}
