"""From two measurements to the page about a lock, and to the reference that is stored next.

A lock is released by its reference: `reference.json` names the digests of the locks that it was
measured with, and a test keeps it equal to those of the lock files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.reference import checking, installed_sizes, lock_changes, stored
from seedlock.evaluation.reference.lock_page import content
from seedlock.evaluation.reference.reference_errors import BadReference
from seedlock.evaluation.writing import write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PAGE = "what-changed.md"


@dataclass(frozen=True)
class Lock:
    """A measurement with the locks that it was made under.

    Attributes:
        measurement: folder with its `reference.json`.
        locks: folder of the lock files, or None where they are not at hand.
    """

    measurement: Path
    locks: Path | None


def page(after: Lock, before: Lock | None, programs: Path, accepted: str = "") -> dict[str, Any]:
    """Return what the page about a lock tells.

    Args:
        after: the lock that the page is about.
        before: the one that is compared with; None for a first one.
        programs: folder of the models' programs.
        accepted: why it is released although it does not pass.

    Raises:
        BadReference: a measurement can't be read, or is not of the locks that were named.
        NotComparable, BadTrace: traces were not taken in the same way, or can't be read.
        BadLock: a lock is none.
        OSError: a file can't be read or written.
    """
    new = checking.load(after.measurement)
    old = None if before is None else checking.load(before.measurement)
    texts = _texts(after, new.content)
    if texts is None and after.locks is not None:
        raise BadReference(
            f"the measurement in {after.measurement} is not of the locks in {after.locks}; "
            "allowed: one that was made with them; say make reference"
        )
    return content(
        new.content,
        None if old is None else old.content,
        None if old is None else checking.check(old, new, programs),
        texts,
        None if before is None or old is None else _texts(before, old.content),
        installed_sizes.of(after.measurement, new.content),
        None if before is None or old is None
        else installed_sizes.of(before.measurement, old.content),
        accepted,
    )  # fmt: skip


def store(measurement: Path, into: Path) -> None:
    """Store a measurement as the reference, its file last.

    Raises:
        BadReference: it is not whole.
        OSError: a file can't be written.
    """
    new = stored.read(measurement)
    kept = [
        model[f"{mode}_trace"] for model in new["models"].values() for mode in ("step", "op")
    ]  # fmt: skip
    traces = {each["file"]: stored.trace(measurement, each) for each in kept if each is not None}
    sizes = measurement / installed_sizes.NAME
    if sizes.is_file():
        into.mkdir(parents=True, exist_ok=True)
        write_bytes(str(into / installed_sizes.NAME), sizes.read_bytes())
    plain = {name: each for name, each in new.items() if name not in ("format", "version")}
    stored.write(into, plain, traces)


def _texts(lock: Lock, measured: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the texts of a measurement's locks; None where they are not at hand."""
    if lock.locks is None:
        return None
    texts = lock_changes.read(lock.locks)
    return texts if lock_changes.agree(texts, measured) else None
