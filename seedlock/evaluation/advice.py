"""What to change, with file and line: from the traces' causes, the reports and the findings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.findings import ADVISORY, KEY_ORDER, TIME_STAMP
from seedlock.evaluation.verdict import DEAF, NOT_REPEATABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from seedlock.evaluation.comparison import Comparison
    from seedlock.evaluation.records import Records
    from seedlock.evaluation.verdict import Verdict

AS_WRITTEN = "as written"
"""In the gaps that name seeds which the outside seed does not reach."""

NO_RANDOM_NUMBER = "no random number reaches the results"
IMPORTING = "importlib."
"""Beginning of the function's name where a library draws while it is imported: as multiprocessing
does for its keys, and no line of the author's to change."""

MOST = 5
"""How many lines of one kind are named."""


def constant_seeds(records: Records) -> list[str]:
    """Return which seeds of the program's own count as written, the reason for a deaf program."""
    found = [
        f"{site['where']}: {site['function']}({', '.join(site['given'])}) counts as written "
        + ("in a block of seedlock.fixed()" if site["policy"] == "fixed" else "(REPRO_USER_SEEDS)")
        for site in records.sites("user_seeds")
        if site["policy"] in ("keep", "fixed")
    ]
    return found or [NO_RANDOM_NUMBER]


def advice(
    verdict: Verdict,
    replicates: Sequence[Comparison],
    operation: dict[str, Any] | None,
    records: Records,
) -> list[str]:
    """Return what the author should change, the likeliest first.

    Args:
        verdict: what was said.
        replicates: comparisons of runs under one seed.
        operation: the operation at which two runs part, where bisecting found it.
        records: of the first run.
    """
    found: list[str] = []
    causes: set[str] = set()
    if verdict.repeatable == NOT_REPEATABLE:
        differing = [each for each in replicates if not each.same]
        found += _of_causes(operation, causes)
        for each in differing:
            found += _of_causes(each.result, causes)
            found += _of_causes(each.divergence, causes)
        found += [
            gap for gap in map(_relative, records.gaps())
            if " seeds with " in gap and not _named(gap.partition(" seeds with ")[0], found)
        ]  # fmt: skip
        found += _of_entropy(records, found)
        found += [
            gap for gap in records.gaps() if "scheduling" in gap or "depends on addresses" in gap
        ]
    if verdict.seed == DEAF:
        for reason in constant_seeds(records):
            cure = "" if reason == NO_RANDOM_NUMBER else "; let the outside seed decide it"
            found.append(f"deaf to the seed: {reason}{cure}")
        found += [f"perhaps: {gap}" for gap in records.gaps() if AS_WRITTEN in gap]
    found += _of_files(replicates)
    return list(dict.fromkeys(map(_relative, found)))


def _named(place: str, found: Iterable[str]) -> bool:
    return any(each.startswith(f"{place}: ") for each in map(_relative, found))


def _relative(text: str) -> str:
    """Return a text with paths as one writes them in the working folder."""
    return text.replace(os.path.join(os.getcwd(), ""), "")


def _of_causes(divergence: dict[str, Any] | None, known: set[str]) -> Iterator[str]:
    if divergence is None:
        return
    if str(divergence.get("op")).startswith(IMPORTING):
        return
    where = str(divergence.get("at") or "")
    for cause in divergence.get("causes", ()):
        if _relative(cause["text"]) in known:
            continue
        known.add(_relative(cause["text"]))
        guess = "perhaps: " if cause.get("guess", True) else ""
        cure = f"; {cause['cure']}" if cause.get("cure") else ""
        yield f"{where + ': ' if where else ''}{guess}{cause['text']} ({cause['evidence']}){cure}"


def _of_entropy(records: Records, known: list[str]) -> Iterator[str]:
    if known:
        return  # what a library draws for its own keys and names is no cause beside a likelier one
    sites = [
        site for site in records.sites("entropy")
        if site["policy"] == "system" and not site["function"].startswith(IMPORTING)
    ]  # fmt: skip
    for site in sites[:MOST]:
        yield (
            f"{site['where']} draws from the system ({site['function']}): take a seeded generator, "
            "or set REPRO_ENTROPY=lock"
        )


def _of_files(replicates: Iterable[Comparison]) -> Iterator[str]:
    findings = [each for pair in replicates for each in pair.findings]
    stamped = [each for each in findings if each.kind == TIME_STAMP]
    for each in stamped[:MOST]:
        yield f"{each.file}, {each.where}: a time is written into a result; leave it out"
    for each in [each for each in findings if each.kind == KEY_ORDER][:MOST]:
        yield f"{each.file}, {each.where}: keys come in another order; write with sort_keys=True"
    clocks = [each for each in findings if each.kind not in (TIME_STAMP, ADVISORY) and each.note]
    for each in clocks[:MOST]:
        if "clock" in each.note:
            yield f"{each.file}, {each.where}: the value looks like a clock's time; leave it out"
