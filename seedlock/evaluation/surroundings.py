"""Guesses from what differs around two runs: machine, threads, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.evaluation.evidence import Cause, Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator


def surroundings(known: Evidence) -> Iterator[Cause]:
    """Yield what differs between the machines and the versions of two runs."""
    yield from _machine(known)
    yield from _versions(known)


def _machine(known: Evidence) -> Iterator[Cause]:
    facts = [report.get("machine", {}) for report in known.reports]
    if not all(facts):
        return
    cpus = [fact.get("cpu", {}) for fact in facts]
    pairs = {
        "the number of threads": [fact.get("threads") for fact in facts],
        "the instruction sets": [cpu.get("instruction_sets") for cpu in cpus],
        "the processor": [cpu.get("model") or cpu.get("machine") for cpu in cpus],
        "the GPU or its driver": [
            (fact.get("gpu", {}).get("devices"), fact.get("gpu", {}).get("driver"))
            for fact in facts
        ],
    }
    for what, (one, other) in pairs.items():
        if one != other:
            yield Cause(
                f"{what} differs between the two runs: sums are taken in another order",
                f"{one} and {other}",
                "run both on one machine with equal thread counts; bits across machines are not "
                "promised",
            )


def _versions(known: Evidence) -> Iterator[Cause]:
    one, other = (
        {
            "python": report.get("machine", {}).get("python"),
            **{
                name: library.get("version")
                for name, library in report.get("libraries", {}).items()
            },
        }
        for report in known.reports
    )
    differing = [name for name in one if one[name] and other.get(name) not in (None, one[name])]
    if differing and all(known.reports):
        yield Cause(
            "versions differ: " + ", ".join(differing),
            ", ".join(f"{name} {one[name]} and {other[name]}" for name in differing),
            "run both in one environment (`seedlock env` shows it against the lock)",
        )
