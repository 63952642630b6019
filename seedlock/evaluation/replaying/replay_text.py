"""The result of `seedlock replay` as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation.divergence_text import diff_command, plain
from seedlock.evaluation.findings import HARMLESS
from seedlock.evaluation.recording.source import ABSENT
from seedlock.evaluation.replaying.replay import (
    DIFFERENT,
    IDENTICAL,
    MISMATCH,
    STOPPED,
    UNCERTAIN,
    WITHIN,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 10
"""How many lines of each list are printed without --verbose."""

SENTENCES = {
    IDENTICAL: "the replay came out as the recorded run did",
    WITHIN: "the metrics are as near to the recorded ones as was asked for; other bits differ",
    DIFFERENT: "the replay did not come out as the recorded run did",
    UNCERTAIN: "nothing may be said",
    MISMATCH: "what is here is not what the record says; nothing was started",
    STOPPED: "nothing may be said",
}

SEALED = "sealed: as the recorded run was, within its limits"
UNSEALED = (
    "NOT SEALED: the recorded run was; this one had the network, the home folder and no limits"
)


def text(result: dict[str, Any], verbose: bool = False) -> str:
    """Return the result as text.

    Args:
        result: what `replay` returned.
        verbose: print all findings and mismatches, not the first `FEW`.
    """
    lines = [f"{result['verdict']}: {SENTENCES[result['verdict']]}"]
    if result["verdict"] == IDENTICAL:
        lines[0] += ", bit for bit" if result["bits_equal"] else ", but for times and containers"
    if result["sealed"] is not None and result["replay"]:
        lines.append(f"  {SEALED if result['sealed'] else UNSEALED}")
    most = None if verbose else FEW
    lines += [f"  {reason}" for reason in result["reasons"]]
    lines += _listed(list(_mismatches(result)), most)
    if result["verdict"] in (IDENTICAL, WITHIN, DIFFERENT):
        lines += [f"  {each}" for each in result["ends"]]
        lines += [f"    {each}" for each in result["last_lines"]]
        lines += _listed(list(_outputs(result)), most)
        lines += _traces(result)
        lines += _listed(list(_metrics(result)), most)
    lines += [f"  {line}" for line in result["where"]]
    lines += [f"  note: {note}" for note in result["notes"]]
    if result["replay"]:
        lines.append(f"  record of the replay: {result['replay']}")
    if result["runs"]:
        lines.append(f"next: {diff_command(result['runs'])}")
    if result["verdict"] == MISMATCH:
        whose = any(str(each["what"]).startswith("source") for each in result["mismatches"])
        where = ", or name the program's folder with --source DIR" if whose else ""
        lines.append(
            f"cure: {_cure(result)}{where}, or say --anyway [docs/messages.md#replay-mismatch]"
        )
    return "\n".join(map(plain, lines))


def _cure(result: dict[str, Any]) -> str:
    """Return what to do about mismatches: what is new since the run is moved out of its source."""
    named = [each for each in result["mismatches"] if each["what"] != "source"]
    new = [each for each in named if _is_new(each)]
    if not new:
        return "bring back what is named"
    moved = f"move what is new since the run (expected {ABSENT}) out of its source"
    return moved if len(new) == len(named) else f"bring back what is named, and {moved}"


def _is_new(mismatch: dict[str, str]) -> bool:
    return mismatch["what"].startswith("source ") and mismatch["expected"] == ABSENT


def _mismatches(result: dict[str, Any]) -> Iterator[str]:
    for each in result["mismatches"]:
        yield f"  {each['what']}: expected {each['expected']}, got {each['got']}"


def _outputs(result: dict[str, Any]) -> Iterator[str]:
    counting = [each for each in result["findings"] if each["kind"] not in HARMLESS]
    times = [each for each in result["findings"] if each["kind"] in HARMLESS]
    if not counting:
        said = f", {len({each['file'] for each in times})} but for times" if times else ""
        yield f"  outputs: {result['files']} files equal{said}"
    for each in counting:
        where = f", {each['where']}" if each["where"] else ""
        note = f" ({each['note']})" if each["note"] else ""
        yield (
            f"  output {each['file']}{where}: recorded {each['first'] or 'nothing'}, "
            f"now {each['second'] or 'nothing'}{note}"
        )


def _traces(result: dict[str, Any]) -> Iterator[str]:
    if result["traces_equal"] is None:
        yield "  trace: none was recorded"
    elif not result["results"]:
        other = "" if result["traces_equal"] else "; the replay's has some"
        yield f"  trace: no result in it to compare (seeds and draws don't count){other}"
    elif result["traces_equal"]:
        yield f"  trace: {result['results']} results equal"
    else:
        yield f"  trace: {result['results']} results were recorded, and they differ"


def _metrics(result: dict[str, Any]) -> Iterator[str]:
    for each in result["metrics"]:
        if each["equal"]:
            yield f"  metric {each['name']}: {each['now']}, equal"
            continue
        tolerance = f"; allowed: {each['tolerance']}" if each["tolerance"] else ""
        inside = "within tolerance" if each["within"] else "differs"
        yield (
            f"  metric {each['name']}: recorded {each['recorded']}, now {each['now']}, "
            f"{inside}{tolerance}"
        )


def _listed(lines: list[str], most: int | None) -> list[str]:
    if most is None or len(lines) <= most:
        return lines
    return [*lines[:most], f"  … and {len(lines) - most} more (--verbose)"]
