"""`seedlock replay`: does what a record points to match, and does the run come out the same again?

The way of the data: `Asked` -> mismatches -> the run, with a record of its own -> likeness ->
`result`, the one dictionary that the text and the JSON are made of.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seedlock import __version__
from seedlock.errors import NotMatching, printable
from seedlock.evaluation.container_engine import Mount
from seedlock.evaluation.data import caching
from seedlock.evaluation.divergence_text import divergence_lines
from seedlock.evaluation.plan import WORKPLACE
from seedlock.evaluation.recording import record
from seedlock.evaluation.recording.recorded_run import Request, carry_out
from seedlock.evaluation.replaying import matching, seal_again, sets
from seedlock.evaluation.replaying.likeness import Likeness, compare
from seedlock.evaluation.replaying.matching import Mismatch
from seedlock.evaluation.replaying.products import look
from seedlock.evaluation.replaying.request import Asked, plan_of, variables
from seedlock.evaluation.runs import OUTPUT, tail
from seedlock.evaluation.sealing.sealed import SOURCE
from seedlock.evaluation.writing import write_json
from seedlock.lineage import of_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.plan import Plan
    from seedlock.evaluation.recording.metrics import Metric
    from seedlock.evaluation.runs import Run
    from seedlock.evaluation.sealing.limits import Limits

SCHEMA = 1
"""Version of the result's schema."""

IDENTICAL = "IDENTICAL"
WITHIN = "WITHIN TOLERANCE"
DIFFERENT = "DIFFERENT"
UNCERTAIN = "NOT COMPARABLE"
MISMATCH = "NOT MATCHING"
STOPPED = "INTERRUPTED"

EXIT_STATUSES = {
    IDENTICAL: 0, DIFFERENT: 1, WITHIN: 3, UNCERTAIN: 4, MISMATCH: 78, STOPPED: 130,
}  # fmt: skip

RUNS = ("recorded", "now")
"""The two runs' names."""

RECORD = "record.json"
RESULT = "replay.json"
"""Files of a replay, in its folder."""

LAST = 5
"""How many last lines are shown of a replay that ended in another way."""


def unfit(content: Mapping[str, Any]) -> list[str]:
    """Return why no replay can be compared with a record; nothing where one can."""
    if content["status"] != record.COMPLETE:
        return [f"the record says {content['status']}: its run was killed, or goes on"]
    kind = content["outcome"]["class"]
    if kind not in record.JUDGED:
        return [f"its run ended as {kind}: there is nothing whole to compare"]
    reports = content["processes"]
    if not reports:
        return ["its run left no report: nobody knows whether it was locked"]
    return [
        "a process of its run did not come to its end"
        for report in reports
        if report.get("status") != "finished" and not of_worker(_place(report))
    ][:1]


def replay(
    asked: Asked,
    environ: Mapping[str, str],
    show: Callable[[Sequence[Run]], None] = lambda _: None,
) -> dict[str, Any]:
    """Compare what is here with the record, run, compare, judge; return the result, JSON-ready.

    Args:
        asked: what was asked for.
        environ: this process's environment.
        show: called with the run from time to time.

    Raises:
        BadRecord, BadSetting: the record can't be run; nothing was started.
        NotMatching: the folder is not there in which the command ran; the same.
        NotDigestible: the source can't have a digest; the same.
        OSError: a file can't be read or written.
    """
    content = asked.content
    reasons = unfit(content)
    if reasons:
        return _result(asked, UNCERTAIN, reasons=reasons)
    wanted = variables(content, environ)
    if asked.bundled:  # a folder without a file is in no bundle
        asked.working_folder.mkdir(parents=True, exist_ok=True)
    if not asked.working_folder.is_dir():
        raise NotMatching(
            f"{printable(str(asked.working_folder), 200)} is not there, where the command ran; "
            "allowed: the source of the run; say --source FOLDER"
        )
    with _inside(asked.working_folder):
        plan, mismatches = plan_of(asked, environ)
        mismatches += matching.of_scheme(content)
        if not asked.image:
            mismatches += matching.of_lock(content, wanted)
        without: tuple[Path, ...] = (asked.record, asked.artifacts, asked.output)
        if content["source"] is not None:
            now, without = look(
                asked.record, content, asked.source, asked.artifacts, without, asked.known
            )
            mismatches += matching.of_source(content, now, asked.artifacts)
        elif not asked.image:
            mismatches.append(Mismatch("source", "what the image holds", "unknown"))
        places = sets.found(content, asked.data, asked.locks, _cache(), asked.mounts)
        others = matching.of_data(content, places)
        mismatches += others
        if mismatches and not asked.anyway:
            return _result(asked, MISMATCH, mismatches)
        if asked.image and plan.container is None:
            return _result(asked, MISMATCH, mismatches, reasons=["there is no image to run in"])
        places = _to_give(asked, places, others)
        made = carry_out(_request(asked, plan, without, places), wanted, show)
    return _judged(asked, made, mismatches, plan)


def _judged(
    asked: Asked, made: Mapping[str, Any], mismatches: list[Mismatch], plan: Plan
) -> dict[str, Any]:
    content = asked.content
    if made["outcome"]["class"] == record.INTERRUPTED:
        return _result(asked, STOPPED, mismatches, reasons=["interrupted before all was done"])
    more = [each for each in matching.of_replay(content, made) if each not in mismatches]
    reasons = unfit(made) and [
        f"the replay ended as {made['outcome']['class']}",
        *made["outcome"]["reasons"],
        *unfit(made),
    ]
    if more and not asked.anyway:
        reasons.append(f"the program ran with another {', '.join(each.what for each in more)}")
    mismatches = [*mismatches, *more]
    if reasons:
        return _result(asked, UNCERTAIN, mismatches, reasons=reasons)
    mounts = [*plan.mounts] if plan.container is not None or asked.sealed else None
    if mounts is not None and asked.sealed:
        mounts.append(Mount(asked.source, SOURCE))
    found = compare(
        content, made, asked.artifacts / WORKPLACE, asked.output / WORKPLACE, asked.tolerances,
        mounts,
    )  # fmt: skip
    for name in seal_again.lost(content, made) if asked.sealed else ():
        found.notes.append(f"promise {name} of the seal was kept in the recorded run, not in this")
    return _result(asked, _verdict(asked, found), mismatches, found, found.reasons)


def _verdict(asked: Asked, found: Likeness) -> str:
    if found.identical:
        if found.empty:
            found.reasons.append("there is nothing to compare: no results in traces, no files")
        return UNCERTAIN if found.reasons else IDENTICAL
    return WITHIN if asked.tolerances and found.within else DIFFERENT


def _request(
    asked: Asked, plan: Plan, without: tuple[Path, ...], places: dict[str, Path]
) -> Request:
    content = asked.content
    return Request(
        plan,
        asked.output / RECORD,
        None if content["source"] is None else asked.source,
        metrics=_declared(content),
        submission=content["submission"],
        captured=True,
        without=without,
        known=asked.known,
        limits=_limits(asked),
        accept=seal_again.done_without(content, asked.accept) if asked.sealed else frozenset(),
        sets=sets.given(content, places),
        places=places,
    )


def _limits(asked: Asked) -> Limits | None:
    if not asked.sealed:
        return None
    return asked.limits or seal_again.limits_of(asked.content, asked.timeout)


def _declared(content: Mapping[str, Any]) -> list[Metric]:
    from seedlock.evaluation.recording.metrics import Metric

    return [Metric(**each) for each in content["metrics"]["declared"]]


def _cache() -> caching.Cache:
    return caching.default(os.environ)


def _to_give(asked: Asked, places: dict[str, Path], others: Sequence[Mismatch]) -> dict[str, Path]:
    """Leave out what is not what was recorded and lies where a data.lock says, not where whoever
    replays does: a stranger's data.lock can name any path of this machine."""
    named = sets.found(asked.content, asked.data, (), _cache(), asked.mounts)
    wrong = {each.what.removeprefix("data ") for each in others}
    return {name: path for name, path in places.items() if name in named or name not in wrong}


def _result(
    asked: Asked,
    verdict: str,
    mismatches: Sequence[Mismatch] = (),
    found: Likeness | None = None,
    reasons: Sequence[str] = (),
) -> dict[str, Any]:
    found = found or Likeness()
    ran = (asked.output / RECORD).exists()
    result: dict[str, Any] = {
        "schema": SCHEMA,
        "seedlock": __version__,
        "verdict": verdict,
        "exit_status": EXIT_STATUSES[verdict],
        "record": str(asked.record),
        "record_sha256": asked.record_sha256,
        "replay": str(asked.output / RECORD) if ran else None,
        "output": str(asked.output / WORKPLACE / OUTPUT) if ran else None,
        "image": asked.image,
        "sealed": asked.sealed if seal_again.was_sealed(asked.content) else None,
        "mismatches": [each.as_dict() for each in mismatches],
        "reasons": list(reasons),
        "ends": found.ends,
        "last_lines": _last_lines(asked) if found.ends else [],
        "files": found.files,
        "bits_equal": found.bits_equal,
        "findings": [each.as_dict() for each in found.findings],
        "results": found.results,
        "traces_equal": found.traces_equal,
        "divergence": found.divergence and found.divergence.as_dict(),
        "where": _where(found),
        "runs": [str(each / WORKPLACE) for each in (asked.artifacts, asked.output)]
        if found.divergence
        else [],
        "metrics": found.metrics,
        "notes": [*_notes(asked), *found.notes] if ran else [],
    }
    if ran:
        write_json(str(asked.output / RESULT), result)
    return result


def _notes(asked: Asked) -> list[str]:
    content, notes = asked.content, []
    if content["image"] is not None and not asked.image:
        notes.append("the recorded run was in an image, this one was not")
    if content["seedlock"] != __version__:
        notes.append(f"seedlock {content['seedlock']} made the record, this is {__version__}")
    return notes


def _where(found: Likeness) -> list[str]:
    if found.divergence is None:
        return []
    first, *others = divergence_lines(found.divergence, RUNS)
    return [f"the traces part at {first.removeprefix('DIFFERENT: ')}", *others]


def _last_lines(asked: Asked) -> list[str]:
    """Return the end of what a replay printed that did not end as the recorded run did."""
    return tail(asked.output / WORKPLACE / "stderr.txt", 4096).splitlines()[-LAST:]


def _place(report: Mapping[str, Any]) -> str:
    process = report.get("process")
    return str(process.get("lineage", "")) if isinstance(process, dict) else ""


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
