"""`seedlock spot-check`: do records that authors made themselves come out the same again?

The way of the data: `Terms` and returned records -> `admit` -> lots -> replays of the chosen ones
-> how each submission stands -> one dictionary that the text, the JSON and spot-check.json are.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock import __version__
from seedlock.errors import NotSealed, SeedlockError
from seedlock.evaluation.file_digests import NotDigestible
from seedlock.evaluation.recording.record import moment
from seedlock.evaluation.recording.run_data import FOLDER
from seedlock.evaluation.replaying import replay as replaying
from seedlock.evaluation.replaying.request import Asked
from seedlock.evaluation.rounds import lots
from seedlock.evaluation.rounds.checked_part import FORMAT, VERSION
from seedlock.evaluation.spot_checks.returned import (
    MARKED,
    NOT_CHOSEN,
    PASSED,
    REFUSED,
    UNCHECKED,
    Returned,
    Standing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from fractions import Fraction
    from pathlib import Path

    from seedlock.evaluation.replaying.tolerance import Tolerance
    from seedlock.evaluation.runs import Run
    from seedlock.evaluation.spot_checks.terms import Entry, Terms

EXIT_STATUSES = {MARKED: 1, REFUSED: 3, UNCHECKED: 4}
"""The first that any submission stands as decides; 0 where none does."""

GOOD = (replaying.IDENTICAL, replaying.WITHIN)


class Stopped(Exception):
    """Ctrl-C: nothing was decided."""


@dataclass(frozen=True)
class Way:
    """How chosen records are replayed.

    Attributes:
        folder: for the replays, new; absolute.
        data: folders that hold declared sets by their names.
        tolerances: by metric; empty for bits.
        sealed: whether replays are sealed, as the runs of a round are.
        accept: promises of the seal that they can do without.
        environ: this process's environment.
        show: called with the run that is under way from time to time.
        tell: called with a line when a replay begins.
    """

    folder: Path
    data: Sequence[Path]
    tolerances: Mapping[str, Tolerance]
    sealed: bool
    accept: frozenset[str]
    environ: Mapping[str, str]
    show: Callable[[Sequence[Run]], None]
    tell: Callable[[str], None]


def check(
    terms: Terms, standings: list[Standing], fraction: Fraction, way: Way
) -> dict[str, Any]:  # fmt: skip
    """Choose records, replay them, and return how the submissions stand, JSON-ready.

    Submissions whose records are not the round's are refused, and none of theirs is replayed.

    Args:
        terms: the round's.
        standings: what `admit` returned; changed in place.
        fraction: the part of the records to be replayed.
        way: how.

    Raises:
        Stopped: Ctrl-C.
        NotSealed: a promise of the seal can't be kept here.
        OSError: a file can't be read or written.
    """
    admitted = [each for each in standings if not each.faults]
    runs = {
        (each.digest, of.seed_index): of
        for each in admitted for of in each.returned
        if of.replayable and each.digest is not None and of.seed_index is not None
    }  # fmt: skip
    picked = lots.chosen(terms.secret, terms.salt, runs, fraction)
    for number, run in enumerate(picked, 1):
        entry, found = terms.frozen[run[0]], runs[run]
        found.chosen = True
        way.tell(f"replay {number} of {len(picked)}: {entry.name}, seed index {found.seed_index}")
        _replay(found, entry, way)
    for each in standings:
        each.standing = _standing(each)
    return {
        "format": FORMAT,
        "version": VERSION,
        "seedlock": __version__,
        "draw": terms.draw,
        "policy": terms.policy,
        "fraction": str(fraction),
        "tolerances": {name: str(each) for name, each in way.tolerances.items()},
        "checked": moment(time.time()),
        "replayable": len(runs),
        "chosen": len(picked),
        "submissions": [each.as_dict() for each in standings],
        "exit_status": _exit_status(standings),
    }


def _replay(found: Returned, entry: Entry, way: Way) -> None:
    output = way.folder / f"{entry.name}-{found.seed_index}"
    source = output / "source"
    # A replay gets a copy: what one program writes beside itself is not the next one's source.
    for name in sorted(entry.files):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(entry.folder / name, source / name)
    assert found.content is not None
    artifacts = found.file.with_suffix("")  # where the record says is the author's word
    asked = Asked(
        found.file, found.content, artifacts, source, output / "replay", entry.files,
        bundled=True,  # paths that the record names are another machine's
        data=[*way.data, artifacts / FOLDER],
        image=found.content["image"] is not None,
        tolerances=dict(way.tolerances),
        timeout=None if way.sealed else entry.limits.seconds,
        sealed=way.sealed, limits=entry.limits if way.sealed else None, accept=way.accept,
        locks=[source / entry.data_lock] if entry.data_lock else [],
    )  # fmt: skip
    try:
        result = replaying.replay(asked, way.environ, way.show)
    except NotSealed:
        raise
    except (SeedlockError, NotDigestible) as problem:
        found.verdict, found.reasons = replaying.MISMATCH, [str(problem)]
        return
    found.verdict = result["verdict"]
    if found.verdict == replaying.STOPPED:
        raise Stopped
    found.reasons = _reasons(result)


def _reasons(result: Mapping[str, Any]) -> list[str]:
    lines = [*result["reasons"], *result["ends"]]
    lines += [
        f"{each['what']}: expected {each['expected']}, got {each['got']}"
        for each in result["mismatches"]
    ]
    lines += [
        f"metric {each['name']}: recorded {each['recorded']}, now {each['now']}"
        for each in result["metrics"] if not each["equal"]
    ]  # fmt: skip
    differing = sorted({each["file"] for each in result["findings"]})
    lines += [f"output {name} differs" for name in differing]
    return lines + (["the traces differ"] if result["traces_equal"] is False else [])


def _standing(of: Standing) -> str:
    if of.faults:
        return REFUSED
    verdicts = [each.verdict for each in of.returned if each.chosen]
    if replaying.DIFFERENT in verdicts:
        return MARKED
    if any(each not in GOOD for each in verdicts):
        return UNCHECKED
    return PASSED if verdicts else NOT_CHOSEN


def _exit_status(standings: Sequence[Standing]) -> int:
    words = {each.standing for each in standings}
    return next((status for word, status in EXIT_STATUSES.items() if word in words), 0)
