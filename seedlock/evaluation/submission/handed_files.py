"""How much of a folder is handed in, and what of it looks like no source.

Where no git repository says what is source, all that lies there is: what runs left, too.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from seedlock.errors import printable
from seedlock.evaluation.recording.show_text import size
from seedlock.evaluation.recording.source import LISTING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGE = 10 << 20
"""Bytes of a file that is seldom a program's."""

LEFT_BY = {
    "verify.json": "seedlock verify", "check.json": "seedlock check",
    "replay.json": "seedlock replay", LISTING: "seedlock run --record",
}  # fmt: skip
"""Which command makes a folder with such a file."""

RESULTS = {
    "checkpoints", "lightning_logs", "log", "logs", "mlruns", "output", "outputs", "report",
    "reports", "result", "results", "wandb",
}  # fmt: skip
"""Names of folders in which programs and trackers put what comes out."""

CACHES = {".cache", ".eggs", ".ipynb_checkpoints", ".nox", ".tox", "cache", "node_modules"}

ARCHIVES = (".tar.gz", ".tgz", ".zip")

SHOWN = 8

CURE = (
    "move what is no source out of the folder; in a git repository, or after git init there, what "
    ".gitignore names is not handed in"
)


def told(sizes: Mapping[str, int]) -> tuple[str, list[str], str]:
    """Return how much is handed in, what of it looks like no source, and what to do about that.

    Args:
        sizes: bytes of each file, by its name below the submission's folder.

    Returns:
        The last two are empty where all looks like source, which proves nothing.
    """
    said = f"{len(sizes)} files, {size(sum(sizes.values()))}"
    groups: dict[str, tuple[str, list[int]]] = {}
    for name in sorted(sizes):
        found = _strange(name, sizes)
        if found is not None:
            place, why = found
            groups.setdefault(place, (why, []))[1].append(sizes[name])
    lines = [
        f"{printable(place, 100)}: {why}; {len(of)} files, {size(sum(of))}"
        for place, (why, of) in groups.items()
    ]
    if len(lines) > SHOWN:
        lines = [*lines[:SHOWN], f"… and {len(lines) - SHOWN} more"]
    return said, lines, CURE if lines else ""


def lines(sizes: Mapping[str, int]) -> Iterator[str]:
    """Yield the same as lines for a terminal."""
    said, details, cure = told(sizes)
    yield f"handed in: {said}"
    yield from (f"       {each}" for each in details)
    if cure:
        yield f"       cure: {cure}"


def _strange(name: str, sizes: Mapping[str, int]) -> tuple[str, str] | None:
    """Return the outermost folder, or the file, that looks like no source, and as what."""
    for folder in [*PurePosixPath(name).parents][-2::-1]:
        for file, command in LEFT_BY.items():
            if f"{folder}/{file}" in sizes:
                return f"{folder}/", f"looks like what {command} left"
        if folder.name.lower() in RESULTS:
            return f"{folder}/", "looks like results"
        if folder.name.lower() in CACHES:
            return f"{folder}/", "looks like a cache"
    if name.endswith(".json") and f"{name.removesuffix('.json')}/{LISTING}" in sizes:
        return name, "looks like a record of seedlock run"
    if name.endswith(ARCHIVES):
        return name, "looks like a bundle or an archive"
    return (name, f"is larger than {size(LARGE)}") if sizes[name] > LARGE else None
