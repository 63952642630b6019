"""Guesses at the cause of a divergence, each with its evidence and with what would confirm or cure
it. A guess is marked as one: only the first event that differs is a fact."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from seedlock.evaluation import nondeterministic
from seedlock.evaluation.evidence import Cause, Evidence
from seedlock.evaluation.lockstep import straying
from seedlock.evaluation.number_formats import ULP
from seedlock.evaluation.surroundings import surroundings
from seedlock.order_sites import OPEN, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW_ULPS = 64
"""Results at most so far apart look like another order of sums, not like other numbers."""

CLOCKS = " seeds with "
"""In the gaps that name a clock or a process id as a seed."""

MOST = 3
"""Lines that take an order from hashes, named where nothing else explains a difference."""

POLICIES = {
    TEXT: "addresses, which the hashes of plain objects are, were random",
    OPEN: "neither hashes of text nor addresses were locked",
}

NEAR = 3
"""A gap's line at most so many lines away from the call site counts as near."""

_SITE = re.compile(r"^(\S.*?\.py):(\d+) ")
_SET = re.compile(r"(?<![.\w])(frozen)?set\(|\{[^{}:]+\}")
_CLOCK = re.compile(
    r"\btime\.(time|monotonic|perf_counter|process_time)(_ns)?\(|\b(perf_counter|time_ns)\("
    r"|\bdatetime\.(now|utcnow|today)\(|\bdate\.today\("
)
_QUOTED = re.compile(r"f?[\"'].*?[\"']")


def causes(known: Evidence) -> tuple[Cause, ...]:
    """Return the guesses, the likeliest first."""
    rules = (_seeds, _ended, _given, _clock, _before, _hash_order, _batches, _sums, _listed,
             _states, _gaps, surroundings)  # fmt: skip
    found: dict[str, Cause] = {}
    for rule in rules:
        for cause in rule(known):
            found.setdefault(cause.text, cause)
    return tuple(found.values() or (*_hashed(known), *_addresses(known)))


def _seeds(known: Evidence) -> Iterator[Cause]:
    one, other = known.seeds
    if one != other:
        yield Cause(
            "the runs were given different root seeds",
            f"REPRO_SEED {one} and {other}",
            "to compare replicates, run both under one seed",
            guess=False,
        )


def _ended(known: Evidence) -> Iterator[Cause]:
    if known.first is None or known.second is None:
        run = "first" if known.first is None else "second"
        yield Cause(
            f"the {run} run did less here: it failed, was stopped, or took another branch",
            "its trace has no event at this index",
            "see its exit status and output; a branch on time or on the machine does this too",
        )


def _given(known: Evidence) -> Iterator[Cause]:
    kind, differs = known.event.get("kind"), known.differs
    if kind == "seed" and "text" in differs:
        yield Cause(
            f"a clock, a process id or system entropy is given as seed at {known.at}",
            f"{known.event.get('op')} got {_both(known, 'text')}",
            "give a constant there; under REPRO_USER_SEEDS=mix the outside seed decides over it",
        )
    if kind == "unseeded" and differs:
        yield Cause(
            f"a generator without a seed is made at {known.at}, in another order or another number",
            f"{known.event.get('op')}: {', '.join(differs)} differs ({_both(known, differs[0])})",
            "give it a seed, or make such generators in one thread and in a fixed order",
        )
    if kind == "entropy":
        yield Cause(
            f"{known.event.get('op')} draws from the system at {known.at}",
            f"it got other bytes ({_both(known, 'digest')})" if "digest" in differs
            else f"{', '.join(differs) or 'the event'} differs",
            "draw from a seeded generator, or set REPRO_ENTROPY=lock",
        )  # fmt: skip
    if kind == "listing" and "digest" in differs:
        yield Cause(
            f"the order or the content of a folder listed at {known.at} differs",
            f"the names came as {_both(known, 'digest')}",
            "sort what is listed (level strict does), and compare the folder's content",
        )


def _clock(known: Evidence) -> Iterator[Cause]:
    what = looks_measured_by(known.source or "")
    if what and known.event.get("kind") not in ("seed", "unseeded"):
        yield Cause(
            f"{what} is read at {known.at}",
            f"the line reads `{known.source}`",
            "leave it out of what is computed",
        )


def looks_measured_by(source: str) -> str:
    """Return which clock or number of the process a line of code reads, empty for none."""
    if _CLOCK.search(_QUOTED.sub("", source)):
        return "a clock"
    return "a process id" if re.search(r"\bgetp?pid\(", source) else ""


def _before(known: Evidence) -> Iterator[Cause]:
    """Draws from the system, those at the same line and the latest first."""
    here = [event for event in known.drawn if event.get("at") == known.at]
    for event in here + [event for event in reversed(known.drawn) if event not in here]:
        yield Cause(
            f"{event.get('op')} draws from the system at {event.get('at')}",
            "the two runs got other bytes there, before this event",
            "draw from a seeded generator, or set REPRO_ENTROPY=lock",
        )


def _batches(known: Evidence) -> Iterator[Cause]:
    if known.event.get("kind") != "batch" or known.first is None or known.second is None:
        return
    one, other = known.batches
    order = "what loads it: workers that race, or the order in which a folder was listed"
    cure = "sort the list of files; keep the loader's order (no imap_unordered, deterministic=True)"
    parts = [sorted(str(event.get("parts", "")).split()) for event in (known.first, known.second)]
    if one and other and (one[0] in other or other[0] in one):
        ahead = other.index(one[0]) if one[0] in other else -one.index(other[0])
        runs = ("first", "second") if ahead > 0 else ("second", "first")
        yield Cause(
            f"the same batches come in another order at {known.at}: {order}",
            f"the batch of the {runs[0]} run comes {abs(ahead)} later in the {runs[1]}",
            cure,
        )
    elif parts[0] and parts[0] == parts[1] and "parts" in known.differs:
        yield Cause(
            f"the same arrays in another order at {known.at}: {order}", "their digests", cure
        )
    elif "rng" not in known.differs and "digest" in known.differs:
        yield Cause(
            f"the batch at {known.at} was made from something else than the process's generators: "
            "a worker's generator, a race of workers, the order of a folder, or time",
            "the batch differs while all generators' states are equal",
            "load with num_workers=0 once: if the runs are equal then, it is the workers",
        )


def _hash_order(known: Evidence) -> Iterator[Cause]:
    hashes = [report.get("environment", {}).get("PYTHONHASHSEED") for report in known.reports]
    code = _QUOTED.sub("", known.source or "")
    if known.seeds[0] == known.seeds[1] and all(known.reports) and hashes[0] != hashes[1]:
        yield Cause(
            "the order of sets of text differs",
            f"PYTHONHASHSEED was {hashes[0]} and {hashes[1]}",
            "REPRO_SEED sets it; see why it did not (-E and -I ignore it)",
        )
    elif _SET.search(code) or known.iterated:
        place, text = known.iterated or (known.at, known.source)
        yield Cause(
            f"a set is iterated at {place}; its order depends on hashes and addresses",
            f"the line reads `{text}`",
            "iterate over sorted(...)",
        )


def _listed(known: Evidence) -> Iterator[Cause]:
    op = str(known.event.get("op", ""))
    source = nondeterministic.listed(op) if known.event.get("kind") == "op" else None
    if source is not None and known.differs:
        yield Cause(
            f"{op} is nondeterministic by the framework's own account, mostly on a GPU",
            f"listed by {source}",
            nondeterministic.CURES[source],
        )


def _gaps(known: Evidence) -> Iterator[Cause]:
    """What the reports say about this line, or about threads anywhere."""
    found: dict[str, bool] = {}
    for report in known.reports:
        for gap in report.get("gaps", ()):
            site = _SITE.match(str(gap))
            if site:
                near = _near(known, site[1], int(site[2]))
                found[str(gap)] = found.get(str(gap), False) or near
    if known.event.get("kind") == "seed" and "text" in known.differs:  # `_given` says it
        found = {gap: near for gap, near in found.items() if not (near and CLOCKS in gap)}
    for gap, near in sorted(found.items(), key=lambda item: not item[1]):
        yield Cause(
            gap,
            f"a gap in the report names {'this' if near else 'another'} line",
            "run it without threads once" if "threads" in gap else "mend that line, and compare",
        )
    if known.event.get("kind") in ("entropy", "unseeded", "seed"):
        return
    for report in known.reports[:1]:
        for key, what in (("entropy", "draws from the system"), ("unseeded", "has no seed")):
            for site in report.get(key, ()):
                file, _, line = str(site.get("where", "")).rpartition(":")
                if line.isdecimal() and site.get("policy") in ("system", "counted") and _near(
                    known, file, int(line)
                ):  # fmt: skip
                    yield Cause(
                        f"{site.get('function')} {what} at {file}:{line}",
                        f"the report counts {site.get('count')} such calls at or near this line",
                        "draw from a seeded generator, or set REPRO_ENTROPY=lock",
                    )


def _near(known: Evidence, file: str, line: int) -> bool:
    here, _, number = known.at.rpartition(":")
    if not number.isdecimal():
        return False
    same = os.path.join(known.cwd, here) == os.path.join(known.cwd, file)
    return same and abs(int(number) - line) <= NEAR


def _states(known: Evidence) -> Iterator[Cause]:
    """What generators' states say that differ at a result, and no seed before it does."""
    if known.first is None or known.second is None:
        return
    names = {*straying(known.first, known.second), *known.strayed}
    if names and "digest" in known.differs:
        yield Cause(
            f"the global generators of {', '.join(sorted(names))} stand elsewhere: never seeded, "
            "or drawn from another number of times",
            "their states differ here or before, and no seed does",
            "seed them, which REPRO_SEED does at every level but watch; see what draws in threads, "
            "by time, or in children",
        )


def _hashed(known: Evidence) -> Iterator[Cause]:
    """Lines of the program that took an order from hashes which nothing locked."""
    sites = {
        site.get("where"): site
        for report in known.reports
        for site in report.get("hash_order", {}).get("sites", ())
        if site.get("policy") in POLICIES and site.get("times") != 0
    }
    for site in list(sites.values())[:MOST]:
        yield Cause(
            f"an order is taken from hashes at {site['where']} ({site.get('function')})",
            f"the line reads `{site.get('line')}`, and {POLICIES[site['policy']]}",
            "iterate over sorted(...) or a list, and use no hash() of text or objects",
        )


def _addresses(known: Evidence) -> Iterator[Cause]:
    if any(report.get("machine", {}).get("address_randomisation") for report in known.reports):
        yield Cause(
            "the order of a set of plain objects depends on addresses",
            "address space randomisation was on, and nothing else was found",
            "iterate over a list, or allow personality(2) in the container",
        )


def _sums(known: Evidence) -> Iterator[Cause]:
    element = known.element
    if element is None or element.unit != ULP or element.distance is None:
        return
    if 0 < element.distance <= FEW_ULPS and "what" not in known.differs:
        yield Cause(
            "a sum was taken in another order: a race between threads, or another number of them",
            f"the results are {element.distance} ulp apart and all events before are equal",
            "run once with OMP_NUM_THREADS=1: if the runs are equal then, it is the threads",
        )


def _both(known: Evidence, name: str) -> str:
    return " and ".join(str((event or {}).get(name)) for event in (known.first, known.second))
