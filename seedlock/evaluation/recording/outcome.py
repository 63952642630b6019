"""How a run ended, as its record says it (docs/records.md, "Classes of an end")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation import process_groups
from seedlock.evaluation.recording import record
from seedlock.evaluation.runs import FINISHED, INTERRUPTED, LIMITED, TIMED_OUT
from seedlock.evaluation.sealing import guarantees

if TYPE_CHECKING:
    from collections.abc import Collection

    from seedlock.evaluation.runs import Run

ENGINE_FAILED = 125
"""Exit status of `docker run` when the engine failed, not the program (docs of docker run)."""


def outcome(
    run: Run, content: dict[str, Any], lost: list[str], accept: Collection[str]
) -> dict[str, Any]:
    """Return class, exit status, reasons and notes.

    Args:
        run: the run, which has ended.
        content: what is known of it, with `faults` and `problems`.
        lost: why declared data is not what it was.
        accept: promises of a seal that the run can do without.
    """
    status = run.exit_status
    reasons: list[str] = []
    if run.status == INTERRUPTED:
        kind = record.INTERRUPTED
    elif run.status == TIMED_OUT:
        kind, reasons = record.LIMIT, [f"it took more than {run.timeout:g} s"]
    elif run.status == LIMITED:
        kind, reasons = record.LIMIT, [_hit(run)]
    elif run.survivors:
        kind = record.INFRASTRUCTURE
        reasons = [f"process {pid} could not be ended" for pid in run.survivors]
    elif run.mounts is not None and status == ENGINE_FAILED and not _said_it_itself(run):
        kind, reasons = record.INFRASTRUCTURE, ["the container engine failed"]
    elif run.status != FINISHED:
        kind, reasons = record.AUTHOR, [_ended(status)]
    elif faults := [*content["faults"], *_unkept(run, accept)]:
        kind, reasons = record.NOT_LOCKED, faults
    elif changes := [*_changes(content), *lost, *_strangers(run, content)]:
        kind, reasons = record.CHANGED, changes
    elif content["problems"]:
        kind, reasons = record.METRICS, content["problems"]
    else:
        kind = record.DONE
    notes = [f"a process was left running and ended: {each}" for each in run.left_over]
    notes += _ignored(run, content)
    return {"class": kind, "exit_status": status, "reasons": reasons, "notes": notes}


def _said_it_itself(run: Run) -> bool:
    """Tell whether it was the program that ended with the status that an engine fails with: nobody
    gets another try for a number."""
    return run.sealed is not None and run.sealed.own_status == ENGINE_FAILED


def _hit(run: Run) -> str:
    hit = None if run.sealed is None else run.sealed.limit_hit()
    return (
        "it came to a limit" if hit is None else f"it came to its limit of {hit.limit}: {hit.note}"
    )


def _unkept(run: Run, accept: Collection[str]) -> list[str]:
    if run.sealed is None:
        return []
    found = run.sealed.guarantees()
    return [
        f"promise {name} was not kept: {found[name].note or 'not seen'}"
        for name in guarantees.lacking(found, accept)
    ]


def _changes(content: dict[str, Any]) -> list[str]:
    names = content["source"]["changed"] if content["source"] is not None else []
    return [f"{name} changed while the run was going on" for name in names]


def _strangers(run: Run, content: dict[str, Any]) -> list[str]:
    # Only where it was to be sealed from them.
    files = content["reads"]["files"] if run.sealed is not None else []
    return [f"it read {name}, which is neither source nor declared data" for name in files]


def _ignored(run: Run, content: dict[str, Any]) -> list[str]:
    ignored = (content["source"] or {}).get("ignored") or {"count": 0, "read": []}
    notes = [f"it read {name}, which git ignores: no digest covers it" for name in ignored["read"]]
    if run.sealed is not None and ignored["count"]:
        names = ", ".join(ignored["first"][:3])
        notes.append(
            f"the sealed run did not see what git ignores in its source ({ignored['count']}: "
            f"{names}{', …' if ignored['count'] > 3 else ''})"
        )
    return notes


def _ended(status: int | None) -> str:
    if status is None:
        return "it could not be started"
    if status < 0:
        return f"ended by {process_groups.signal_name(-status)}"
    return f"exit status {status}"
