"""Are all runs shown: each submission under each seed, each attempt, each with its record?"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRecord, BadRound, printable
from seedlock.evaluation.recording import record
from seedlock.evaluation.rounds import ledger_lines
from seedlock.evaluation.rounds.canonical import sha256
from seedlock.evaluation.rounds.claims import IF, OPEN, PROVEN, WRONG, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seedlock.evaluation.rounds.ledger_lines import Course
    from seedlock.evaluation.rounds.policy import Policy


def ledger(
    folder: Path,
    policy: Policy,
    frozen: dict[str, Any],
    freeze_digest: str,
    revealed: dict[str, Any] | None,
    heads: Sequence[tuple[int, str]],
) -> tuple[Course | None, list[Finding]]:
    """Look at the exported ledger; return what it tells, or None, and what was found.

    Args:
        folder: the round's.
        policy: its rules.
        frozen: content of freeze.json.
        freeze_digest: of that file.
        revealed: content of reveal.json, or None.
        heads: sequence numbers and hashes that somebody noted.
    """
    path = folder / ledger_lines.NAME
    if not path.exists():
        if policy.published and revealed is not None and revealed["ledger"] is None:
            said = "the authors train: which runs they made besides those that they returned is "
            return None, [Finding("ledger", IF, f"{said}in no ledger")]
        return None, [Finding("ledger", OPEN, f"{ledger_lines.NAME} is not there")]
    try:
        course = ledger_lines.read(path)
    except (ledger_lines.Broken, BadRound) as problem:
        return None, [Finding("ledger", WRONG, f"{ledger_lines.NAME}: {problem}")]
    wrong = list(_entered(course, policy, freeze_digest))
    wrong += _listed(course, policy, frozen)
    wrong += _heads(course, revealed, heads)
    if wrong:
        return None, [Finding("ledger", WRONG, each) for each in wrong]
    said = f"{course.head['events']} events in one chain, of the frozen submissions and no others"
    found = [Finding("ledger", PROVEN, said)]
    if not heads:
        said = (
            "that no event was taken back rests on a head that somebody noted while runs went on "
            "(--seen ledger=NUMBER:HASH)"
        )
        found.append(Finding("ledger", IF, said))
    return course, found


def _entered(course: Course, policy: Policy, freeze_digest: str) -> list[str]:
    entered, wrong = course.entered, []
    if entered.get("round") != policy.name or entered.get("policy") != policy.digest:
        wrong.append("the ledger is of another round or another policy")
    if entered.get("retries") != policy.retries:
        said = f"{printable(str(entered.get('retries')))}, the policy {policy.retries}"
        wrong.append(f"the ledger allows {said} retries")
    freeze = entered.get("freeze")
    if freeze is not None and str(freeze).removeprefix("sha256:") != freeze_digest[7:]:
        wrong.append("the ledger is of another freeze")
    return wrong


def _listed(course: Course, policy: Policy, frozen: dict[str, Any]) -> list[str]:
    wrong = []
    names = {each["digest"]: each["name"] for each in frozen["submissions"]}
    for digest, name in names.items():
        added = course.added.get(digest)
        if added is None:
            wrong.append(f"submission {name} was frozen and is not in the ledger")
        elif added["name"] != name:
            wrong.append(f"submission {name} has another name in the ledger")
        elif added["seeds"] != policy.seeds:
            said = f"{added['seeds']} seeds in the ledger, {policy.seeds} in the policy"
            wrong.append(f"submission {name} has {said}")
    for digest in sorted(course.added.keys() - names.keys()):
        name = printable(str(course.added[digest]["name"]), 100)
        wrong.append(f"submission {name} is in the ledger and was not frozen")
    return wrong


def _heads(
    course: Course, revealed: dict[str, Any] | None, heads: Sequence[tuple[int, str]]
) -> list[str]:
    wrong = []
    noted = list(heads)
    if revealed is not None and revealed["ledger"] is not None:
        at = revealed["ledger"]["events"]
        noted.append((at, revealed["ledger"]["head"]))
        if at < course.head["events"]:
            wrong.append(f"the ledger has events after the reveal, which names {at}")
    for number, head in noted:
        if number >= len(course.heads):
            wrong.append(f"event {number}, which was noted, is not there: the end was cut off")
        elif course.heads[number] != head:
            wrong.append(f"event {number} is not the one that was noted: the chain was made anew")
    return wrong


def attempts(course: Course, names: dict[str, str]) -> list[Finding]:
    """Return whether each submission came to an end under each seed, every attempt shown."""
    waiting = [key for key, (_, state, _) in sorted(course.standing.items()) if state != "final"]
    if waiting:
        digest, index = waiting[0]
        said = f"{len(waiting)} of {len(course.standing)} have not come to their end"
        first = f"the first is {names[digest]} under seed index {index}"
        return [Finding("attempts", OPEN, f"submissions under seeds: {said}; {first}")]
    ends = [each["content"]["state"] for each in course.ended]
    again = {word: ends.count(word) for word in ("infrastructure", "interrupted")}
    said = f"{len(course.standing)} runs ended, in {len(ends)} attempts that are all shown"
    more = f"{again['infrastructure']} failures of the machine, {again['interrupted']} interrupted"
    return [Finding("attempts", PROVEN, f"{said}: {more}")]


def records(
    folder: Path, course: Course, policy: Policy, seeds: Sequence[int] | None
) -> list[Finding]:
    """Return whether the records that the ledger names are those of its runs.

    Args:
        folder: the round's.
        course: the ledger's.
        policy: the rules.
        seeds: in the order of their indices; None before they are known.
    """
    named = [each for each in course.ended if each["content"]["record"] is not None]
    wrong, absent, unseen = [], 0, _by_word(course)
    for event in named:
        problem = _record(folder, event, policy, seeds)
        absent += problem is None
        wrong += [f"{printable(str(event['content']['record']), 120)}: {problem}"] * bool(problem)
    if wrong:
        return [Finding("records", WRONG, each) for each in wrong]
    if absent:
        said = f"{absent} of {len(named)} records are not here; their seeds were not looked at"
        return [*unseen, Finding("records", IF, said)]
    if seeds is None:
        said = f"{len(named)} records; the seeds are not revealed"
        return [*unseen, Finding("records", OPEN, said)]
    said = f"{len(named)} records, each under the seed of its index"
    return [*unseen, Finding("records", PROVEN, said)]


def _by_word(course: Course) -> list[Finding]:
    """Return what rests on the organiser's word: ends that count against an author and have no
    record, as of a submission that was rejected or a job that a scheduler killed whole."""
    machine = (record.INFRASTRUCTURE, record.INTERRUPTED)
    ends = [
        each for each in course.ended
        if each["content"]["record"] is None and each["content"]["class"] not in machine
    ]  # fmt: skip
    if not ends:
        return []
    first = ends[0]
    name = printable(str(course.added[first["submission"]]["name"]), 100)
    said = (
        f"{len(ends)} run(s) ended without a record, by the organiser's word alone: the first is "
        f"of {name} under seed index {first['seed_index']}, {first['content']['class']}"
    )
    return [Finding("records", IF, said)]


def _record(
    folder: Path, event: dict[str, Any], policy: Policy, seeds: Sequence[int] | None
) -> str | None:
    """Return what is wrong with a record, an empty text for nothing, None where it is not here."""
    content = event["content"]
    name = content["record"]
    plain = PurePosixPath(name) if isinstance(name, str) and "\0" not in name else None
    if plain is None or plain.is_absolute() or ".." in plain.parts:
        return "is no path below the round's folder"
    path = folder / plain
    try:
        if not path.is_file():
            return None
        raw = path.read_bytes() if path.stat().st_size <= record.LARGEST else b""
    except OSError as problem:
        return f"can't be read: {problem.strerror}"
    if sha256(raw)[7:] != content["record_sha256"]:
        return "is another file than the ledger says"
    try:
        found = record.parse(printable(str(path), 200), raw)
    except BadRecord as problem:
        return str(problem)
    of = found["submission"]
    if of is None or of["digest"] != event["submission"]:
        return "is of another submission"
    if seeds is not None and found["seed"] != seeds[event["seed_index"]]:
        return f"ran under another seed than that of index {event['seed_index']}"
    if found["level"] != policy.level:
        return f"ran at level {printable(found['level'])}, the policy says {policy.level}"
    if found["status"] != record.COMPLETE:
        # Who wrote it was killed, which is no end of the author's.
        killed = content["class"] in (record.INFRASTRUCTURE, record.INTERRUPTED)
        return "" if killed else f"says running, the ledger {content['class']}"
    if found["outcome"]["class"] != content["class"]:
        return f"ended otherwise than the ledger says, which is {content['class']}"
    for each in found["data"]:
        if policy.data.get(each["name"], each["sha256"]) != each["sha256"]:
            return f"read other data '{printable(each['name'])}' than the policy says"
    declared = {each["name"]: each["direction"] for each in found["metrics"]["declared"]}
    for metric in policy.metrics:
        if declared.get(metric.name) != metric.direction:
            return f"does not declare metric {metric.name} as the policy does"
    return ""
