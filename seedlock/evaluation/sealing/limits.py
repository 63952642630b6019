"""How much a sealed run may take, and how people write it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from seedlock.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

SLUG = "bad-limit"

NAMES = ("memory", "processors", "processes", "time", "disk")

GIB = 2**30

UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": GIB, "t": 2**40}
SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}

SMALLEST_MEMORY = 6 * 2**20
"""An engine refuses less (docs.docker.com, "Resource constraints")."""

FEWEST = 8
"""Processes and threads: the sandbox itself, an entrypoint and a shell take some."""

MOST_BYTES = 2**50
MOST_SECONDS = 366 * 86400.0
MOST_PROCESSES = 2**22
"""Largest process id of a 64-bit kernel (proc(5), pid_max)."""

MOST_PROCESSORS = 4096.0


@dataclass(frozen=True)
class Limits:
    """What a run may take at most.

    Attributes:
        memory: bytes, of all processes together and of what lies in /tmp and /dev/shm.
        processors: how many processors' time it gets; fractions are allowed.
        processes: processes and threads at a time.
        seconds: wall-clock time.
        disk: bytes of all that it writes into its folders, and of any file.
    """

    memory: int = 8 * GIB
    processors: float = 2.0
    processes: int = 1024
    seconds: float = 86400.0
    disk: int = 16 * GIB

    @property
    def temporary(self) -> int:
        """Bytes that /tmp, home and /dev/shm may hold, each; they count as memory."""
        return self.memory // 2

    def as_dict(self) -> dict[str, float]:
        """Return the limits, JSON-ready."""
        return asdict(self)


def parse(given: Mapping[str, str]) -> Limits:
    """Return the limits that texts name; those that are not given have their default.

    Args:
        given: `memory` and `disk` as `8g`, `processors` as `2` or `1.5`, `processes` as `512`,
            `time` as `1h30m`.

    Raises:
        BadSetting: a name is unknown, or a value is not allowed.
    """
    for name in given:
        if name not in NAMES:
            raise BadSetting("limit", name, ", ".join(NAMES), "take one of these names", SLUG)
    own = Limits()
    return Limits(
        size("memory", given["memory"], SMALLEST_MEMORY) if "memory" in given else own.memory,
        processors(given["processors"]) if "processors" in given else own.processors,
        processes(given["processes"]) if "processes" in given else own.processes,
        duration(given["time"]) if "time" in given else own.seconds,
        size("disk", given["disk"], 1) if "disk" in given else own.disk,
    )


def size(name: str, text: str, least: int) -> int:
    """Return a number of bytes: digits and a unit of b, k, m, g or t, which are powers of 1024.

    Raises:
        BadSetting: it is none, or below `least`.
    """
    match = re.fullmatch(r"([0-9]{1,15})([bkmgt]?)", text.lower(), re.ASCII)
    value = int(match[1]) * UNITS[match[2]] if match else -1
    if not least <= value <= MOST_BYTES:
        allowed = f"a whole number with unit k, m, g or t, {_shown(least)} to 1024t"
        raise _bad(name, text, allowed, "8g")
    return value


def processors(text: str) -> float:
    """Return a number of processors, 0.01 to 4096.

    Raises:
        BadSetting: it is none.
    """
    plain = re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text, re.ASCII)
    if not plain or not 0.01 <= float(text) <= MOST_PROCESSORS:
        raise _bad("processors", text, "a number from 0.01 to 4096", "2")
    return float(text)


def processes(text: str) -> int:
    """Return a number of processes and threads, 8 to 4194304.

    Raises:
        BadSetting: it is none.
    """
    plain = re.fullmatch(r"[0-9]{1,8}", text, re.ASCII)
    if not plain or not FEWEST <= int(text) <= MOST_PROCESSES:
        raise _bad("processes", text, f"a whole number from {FEWEST} to {MOST_PROCESSES}", "512")
    return int(text)


def duration(text: str) -> float:
    """Return seconds: a number of them, or days, hours, minutes and seconds as `1d2h30m15s`.

    Raises:
        BadSetting: it is none, 0, or longer than 366 days.
    """
    match = re.fullmatch(
        r"(?:([0-9]{1,5})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s?)?", text, re.ASCII
    )
    value = 0.0
    if match:
        value = sum(
            int(number) * unit
            for number, unit in zip(match.groups(), SECONDS.values(), strict=True)
            if number
        )
    if not 0 < value <= MOST_SECONDS:
        raise _bad("time", text, "seconds, or a time as 90s, 45m, 1h30m or 2d, up to 366d", "1h30m")
    return float(value)


def text(name: str, value: float) -> str:
    """Return a limit as people write it, as `parse` takes it: `8g`, `1h30m`, `1.5`.

    Args:
        name: one of `NAMES`, or `seconds`.
        value: as `Limits` has it.
    """
    if name in ("memory", "disk"):
        size, unit = max((size, unit) for unit, size in UNITS.items() if value % size == 0)
        return f"{value // size:.0f}{unit}"
    if name not in ("time", "seconds"):
        return f"{value:.15g}"
    said = ""
    for unit, size in SECONDS.items():
        whole, value = (value, 0) if size == 1 else divmod(value, size)
        said += f"{whole:.15g}{unit}" if whole else ""
    return said


def _bad(name: str, given: str, allowed: str, example: str) -> BadSetting:
    return BadSetting(f"limit {name}", given, allowed, f"set it like {name}={example}", SLUG)


def _shown(number: int) -> str:
    return f"{number // 2**20}m" if number >= 2**20 else str(number)
