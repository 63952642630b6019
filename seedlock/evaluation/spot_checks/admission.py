"""Is a returned record one of this round? What it says is compared with what was frozen and drawn.

All of it is the author's word. What is asked here is that it is the right word: this program, this
seed, these settings, so that a replay would be a run of the round and of nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock import settings
from seedlock.derivation import SCHEME
from seedlock.errors import BadRecord, BadSignature, printable
from seedlock.evaluation.recording import record
from seedlock.evaluation.recording.recorded_run import POLICIES
from seedlock.evaluation.replaying.replay import unfit
from seedlock.evaluation.replaying.request import MACHINES
from seedlock.evaluation.spot_checks import signature
from seedlock.evaluation.spot_checks.returned import Returned, Standing
from seedlock.settings import PORTABLE, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from seedlock.evaluation.rounds.lots import Run
    from seedlock.evaluation.spot_checks.terms import Entry, Terms

FINAL = (*record.JUDGED, record.LIMIT, record.NOT_LOCKED, record.CHANGED)
"""Classes of runs that count as they ended; another one is made again."""

OWN = {value for name, value in vars(settings).items()
       if name.isupper() and isinstance(value, str) and value.startswith("REPRO_")}  # fmt: skip
VARIABLES = {*OWN, *MACHINES, "PYTHONHASHSEED", "OMP_WAIT_POLICY"}
"""Variables that a record of a round may list: what seedlock itself reads and sets, whose values
stand in the record's settings, what names a place or a device of a machine, and how threads wait
(OpenMP API, `OMP_WAIT_POLICY`), which decides no result."""


def admit(
    files: Iterable[Path], terms: Terms, toleranced: bool, earlier: Mapping[Run, str]
) -> list[Standing]:
    """Read returned records and look whether they are this round's.

    Args:
        files: the records, each with its signature beside it.
        terms: the round's.
        toleranced: whether records below level portable may be compared, within tolerances.
        earlier: digests of the records that earlier spot checks took; since their choice is known,
            no other record takes the place of one.

    Returns:
        One for each frozen submission, by name, and one for each record that is none's.

    Raises:
        OSError: a file can't be read that is there.
    """
    standings = {digest: Standing(entry.name, digest) for digest, entry in terms.frozen.items()}
    strangers = []
    for file in files:
        found = _read(file, terms, toleranced)
        found.faults += _replaced(found, earlier)
        if found.submission in standings:
            standings[found.submission].returned.append(found)
        else:
            strangers.append(Standing(None, None, [found], list(found.faults)))
    for each in standings.values():
        each.faults += _of_all(each, terms)
    return [*sorted(standings.values(), key=lambda each: each.name or ""), *strangers]


def _of_all(standing: Standing, terms: Terms) -> Iterator[str]:
    """Yield what is wrong with a submission's records: own faults, missing and double ones."""
    for each in standing.returned:
        yield from (f"{each.shown}: {fault}" for fault in each.faults)
    for index in range(len(terms.seeds)):
        named = [each.shown for each in standing.returned if each.seed_index == index]
        if not named:
            yield f"no record for seed index {index}"
        elif len(named) > 1:
            yield f"{len(named)} records for seed index {index}: {', '.join(named)}"


def _replaced(found: Returned, earlier: Mapping[Run, str]) -> Iterator[str]:
    if found.submission is None or found.seed_index is None:
        return
    before = earlier.get((found.submission, found.seed_index))
    if before not in (None, found.sha256):
        yield f"an earlier spot check took another record for this seed, {before}"


def _read(file: Path, terms: Terms, toleranced: bool) -> Returned:
    shown = printable(file.name, 200)
    found = Returned(file, shown)
    try:
        raw = file.read_bytes() if file.stat().st_size <= record.LARGEST else b""
    except OSError as problem:
        found.faults.append(f"it can't be read: {problem.strerror or problem}")
        return found
    found.sha256 = signature.digest(raw)
    try:
        content = record.parse(shown, raw)
    except BadRecord as problem:
        found.faults.append(str(problem))
        return found
    found.content = content
    source = content["source"] or {}
    found.submission = source.get("digest")
    entry = terms.frozen.get(found.submission or "")
    if type(content["seed"]) is int and content["seed"] in terms.seeds:  # JSON's 7.0 is no seed
        found.seed_index = terms.seeds.index(content["seed"])
    if entry is None:
        found.faults.append("its source is none of the frozen submissions")
    else:
        found.faults += _signed(file, raw, entry, terms)
        found.faults += _of_submission(content, entry)
    found.faults += _of_round(content, terms, toleranced)
    found.faults += _of_end(content)
    return found


def _signed(file: Path, raw: bytes, entry: Entry, terms: Terms) -> Iterator[str]:
    try:
        statement = signature.verified(file, raw)
    except BadSignature as problem:
        yield str(problem)
        return
    if entry.signing_key is None:
        yield "its submission was frozen without a signing_key: nobody can sign for it"
    elif statement.public_key != entry.signing_key:
        yield f"it was signed with {statement.public_key}, and {entry.signing_key} was frozen"
    if statement.draw != terms.draw:
        yield f"it was signed for another draw, {statement.draw}; this round's is {terms.draw}"
    if statement.policy != terms.policy:
        yield f"it was signed for another policy, {statement.policy}; the round's is {terms.policy}"


def _of_submission(content: Mapping[str, Any], entry: Entry) -> Iterator[str]:
    named = content["submission"]
    if named is not None and (named["name"], named["digest"]) != (entry.name, entry.digest):
        yield f"it names the submission {printable(named['name'])}; its source is {entry.name}'s"
    if tuple(content["command"]) != entry.command:
        yield f"its command is {printable(' '.join(content['command']), 200)}, not the submission's"
    declared = content.get("metrics", {}).get("declared", [])
    for each in entry.metrics:
        if each.as_dict() not in declared:
            yield f"it does not declare the metric {printable(each.name)}:{each.direction}"
    if {each["name"]: each["sha256"] for each in content.get("data", [])} != entry.data:
        yield "its data is not what the submission's data.lock pins; allowed: run with --data"
    inside = (content["source"] or {}).get("working_folder")
    if inside not in (".", None):
        yield f"it ran in the folder {printable(str(inside), 100)}; allowed: the submission's own"


def _of_round(content: Mapping[str, Any], terms: Terms, toleranced: bool) -> Iterator[str]:
    if type(content["seed"]) is not int or content["seed"] not in terms.seeds:
        yield f"its seed {printable(str(content['seed']))} is none of the round's"
    if content["scheme"] != SCHEME:
        yield f"its seeds were derived by {printable(content['scheme'])}; allowed: {SCHEME}"
    level = content["level"]
    if level not in (terms.level, PORTABLE):
        yield f"its level is {printable(level)}; the round's is {terms.level}"
    elif level != PORTABLE and not toleranced:
        yield (
            f"its level is {level}: another machine's bits may differ, so a replay would say "
            "nothing; allowed: level portable, or --tolerance for its metrics"
        )
    yield from _of_settings(content)
    for name in sorted(set(content["environment"]) - VARIABLES):
        yield f"it was made with {printable(name)} set; allowed: without it"
    image = content["image"]
    if image is not None and image.get("network"):
        yield "its container had a network; allowed: none"
    if terms.lock is not None:
        lock = (content.get("lock") or {}).get("sha256")
        if lock != terms.lock:
            yield f"its lock is {printable(str(lock), 80)}; the round's is {terms.lock}"
    for each in content.get("data", []):
        if terms.data and terms.data.get(each["name"]) != each["sha256"]:
            yield f"its data {printable(each['name'], 80)} is not the round's"


def _of_settings(content: Mapping[str, Any]) -> Iterator[str]:
    if content["level"] not in settings.LEVELS:
        return
    expected = Settings({settings.SEED: "0", settings.LEVEL: content["level"]}).as_dict()
    for name in POLICIES:
        value = content["settings"].get(name)
        if name in expected and name not in ("level", "hash_seed") and value != expected[name]:
            yield (
                f"its setting {name} is {printable(str(value))}; all runs of the round have "
                f"{expected[name]}"
            )


def _of_end(content: Mapping[str, Any]) -> Iterator[str]:
    if content["status"] != record.COMPLETE:
        yield f"it says {content['status']}: its run was killed, or goes on; make it again"
        return
    kind = content["outcome"]["class"]
    if kind not in FINAL:
        yield f"its run ended as {kind}, which counts for nothing; make it again"
    elif kind in record.JUDGED:
        yield from unfit(content)
