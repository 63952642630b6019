"""A unit carried out, on whatever node.

The statuses are those of `base.EXIT_STATUSES`, and 74 for a full disk. Each but 74, and some of 75,
has a record.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock import settings
from seedlock.errors import SeedlockError
from seedlock.evaluation import container_engine, full_disk
from seedlock.evaluation.engines.base import (
    DISK_FULL,
    EXIT_STATUSES,
    FAILED_HERE,
    Unit,
)
from seedlock.evaluation.file_digests import NotDigestible
from seedlock.evaluation.plan import WORKPLACE, Plan
from seedlock.evaluation.recording import recorded_run
from seedlock.evaluation.recording.metrics import Metric
from seedlock.evaluation.recording.record import DONE
from seedlock.evaluation.runs import OUTPUT
from seedlock.evaluation.sealing.docker import UNIT_LABEL
from seedlock.evaluation.sealing.limits import Limits
from seedlock.evaluation.submission import submission_file

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOM = 16 << 20
"""Bytes: a disk with less is full, or was a moment ago."""

KEPT = (settings.LOCK_FILE, settings.DATA_CACHE)
"""REPRO_* variables of a node that its runs may have: where things lie. All others are the
policy's, or two nodes would train under two of them."""


def carry_out(unit: Unit, environ: Mapping[str, str]) -> tuple[int, str]:
    """Make the run and its record.

    Args:
        unit: what to run.
        environ: this node's environment.

    Returns:
        the exit status, and a line about what could not be done, without the seed; empty where
        there is a record that says all.
    """
    try:
        # A program finds its files by relative names, and a sealed one begins there as well.
        os.chdir(unit.folder)
        content = recorded_run.carry_out(_request(unit, environ), _environment(unit, environ))
        kind = content["outcome"]["class"]
        if kind != DONE and (full := _full(unit)):
            # What failed now may have failed for that, and it is not the author's disk.
            _make_room(unit)
            return DISK_FULL, full
        _settle(unit, content["outputs"])
    except (SeedlockError, NotDigestible, container_engine.EngineError) as problem:
        return FAILED_HERE, str(problem)
    except OSError as problem:
        if full_disk.no_room(problem):
            return DISK_FULL, full_disk.told(problem)
        return FAILED_HERE, str(problem)
    return EXIT_STATUSES[kind], ""


def _request(unit: Unit, environ: Mapping[str, str]) -> recorded_run.Request:
    submission = submission_file.read(Path(unit.folder))
    limits = Limits(**unit.limits)  # type: ignore[arg-type]  # JSON has one kind of number
    image = None
    if unit.image is not None:
        held = container_engine.look_up(environ, unit.image)
        name = unit.image_name or unit.image
        image = container_engine.Image(held.client, name, held.digest, held.user)
    _make_room(unit)
    plan = Plan(
        list(submission.command), Path(unit.output), (unit.seed, unit.seed), 1, container=image,
        level=unit.level, timeout=None if unit.sealed else limits.seconds, trace=unit.trace,
        trace_steps=unit.trace_steps,
    )  # fmt: skip
    return recorded_run.Request(
        plan, Path(unit.record), submission.folder, submission.data,
        [Metric(*each) for each in unit.metrics],
        {
            "name": unit.name,
            "digest": unit.submission,
            "visibility": submission.visibility,
        },
        True,
        known=None if unit.in_git else frozenset(),
        limits=limits if unit.sealed else None,
        accept=frozenset(unit.accept),
        round={
            "name": unit.round,
            "policy": unit.policy,
            "seed_index": unit.seed_index,
            "attempt": unit.attempt,
        },
        cpus=unit.cpus,
        gpus=unit.gpus,
        labels=(f"{UNIT_LABEL}={unit.output}",),
    )  # fmt: skip


def _full(unit: Unit) -> str:
    """Return a line if the disk of the results is full; else nothing."""
    there = os.statvfs(unit.output)
    if there.f_bavail * there.f_frsize >= ROOM:
        return ""
    return full_disk.told(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), unit.output))


def _make_room(unit: Unit) -> None:
    """Remove what a try of the same attempt has left."""
    Path(unit.record).unlink(missing_ok=True)
    if os.path.isdir(unit.output):
        shutil.rmtree(unit.output)


def _settle(unit: Unit, outputs: list[dict[str, Any]]) -> None:
    """Have the results and the record's name survive a loss of power: whoever hears how the unit
    ended writes that down for good."""
    folder = Path(unit.output) / WORKPLACE / OUTPUT
    files = [folder / each["path"] for each in outputs]
    folders = {parent for file in files for parent in file.parents if folder in parent.parents}
    around = (folder, folder.parent, Path(unit.output), Path(unit.record).parent)
    for path in (*files, *sorted(folders), *around):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _environment(unit: Unit, environ: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value for name, value in environ.items()
        if name in KEPT or not name.startswith("REPRO_")
    }  # fmt: skip
    return {**kept, **unit.variables}
