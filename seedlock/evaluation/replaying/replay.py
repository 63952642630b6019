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
from seedlock.evaluation.divergence_text import divergence_lines
from seedlock.evaluation.plan import WORKPLACE
from seedlock.evaluation.recording import record
from seedlock.evaluation.recording.recorded_run import Request, carry_out
from seedlock.evaluation.replaying import matching
from seedlock.evaluation.replaying.likeness import Likeness, compare
from seedlock.evaluation.replaying.matching import Mismatch
from seedlock.evaluation.replaying.products import look
from seedlock.evaluation.replaying.request import Asked, plan_of, variables
from seedlock.evaluation.runs import OUTPUT, tail
from seedlock.evaluation.writing import write_json
from seedlock.lineage import of_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.plan import Plan
    from seedlock.evaluation.recording.metrics import Metric
    from seedlock.evaluation.runs import Run

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

JUDGED = (record.DONE, record.METRICS, record.AUTHOR)
"""Classes of runs that came to an end of their own, which a replay must come to as well."""


def unfit(content: Mapping[str, Any]) -> list[str]:
    """Return why no replay can be compared with a record; nothing where one can."""
    if content["status"] != record.COMPLETE:
        return [f"the record says {content['status']}: its run was killed, or goes on"]
    kind = content["outcome"]["class"]
    if kind not in JUDGED:
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
            now, without = look(content, asked.source, asked.artifacts, without, asked.known)
            mismatches += matching.of_source(content, now, asked.artifacts)
        elif not asked.image:
            mismatches.append(Mismatch("source", "what the image holds", "unknown"))
        if asked.limits is None:  # a sealed run is given its data, verified before and after
            mismatches += matching.of_data(content, asked.data)
        if mismatches and not asked.anyway:
            return _result(asked, MISMATCH, mismatches)
        if asked.image and plan.container is None:
            return _result(asked, MISMATCH, mismatches, reasons=["there is no image to run in"])
        if content["data"] and asked.limits is None:
            _point_to_data(wanted, content, asked.data)
        made = carry_out(_request(asked, plan, without), wanted, show)
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
    mounts = plan.mounts if plan.container is not None else None
    found = compare(
        content, made, asked.artifacts / WORKPLACE, asked.output / WORKPLACE, asked.tolerances,
        mounts,
    )  # fmt: skip
    return _result(asked, _verdict(asked, found), mismatches, found, found.reasons)


def _verdict(asked: Asked, found: Likeness) -> str:
    if found.identical:
        if found.empty:
            found.reasons.append("there is nothing to compare: no results in traces, no files")
        return UNCERTAIN if found.reasons else IDENTICAL
    return WITHIN if asked.tolerances and found.within else DIFFERENT


def _request(asked: Asked, plan: Plan, without: tuple[Path, ...]) -> Request:
    return Request(
        plan,
        asked.output / RECORD,
        None if asked.content["source"] is None else asked.source,
        asked.data_lock,
        metrics=_declared(asked.content),
        submission=asked.content["submission"],
        captured=True,
        without=without,
        known=asked.known,
        limits=asked.limits,
        accept=asked.accept,
    )


def _declared(content: Mapping[str, Any]) -> list[Metric]:
    from seedlock.evaluation.recording.metrics import Metric

    return [Metric(**each) for each in content["metrics"]["declared"]]


def _point_to_data(
    wanted: dict[str, str], content: Mapping[str, Any], folders: Sequence[Path]
) -> None:
    """Say in REPRO_DATA where the sets lie, which is one folder's matter."""
    names = [each["name"] for each in content["data"]]
    for folder in folders:
        if all(matching.place_of(name, [folder]) is not None for name in names):
            wanted["REPRO_DATA"] = str(folder)
            return


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
        "replay": str(asked.output / RECORD) if ran else None,
        "output": str(asked.output / WORKPLACE / OUTPUT) if ran else None,
        "image": asked.image,
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
    if content["guarantees"] is not None and asked.limits is None:
        notes.append("the recorded run was sealed, this one was not")
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
