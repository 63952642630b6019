"""Two runs laid side by side: their traces, their files and what they printed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.findings import ADVISORY, DIFFERENCE, Finding, limited
from seedlock.evaluation.outputs import DECLARED, compare_folders
from seedlock.evaluation.runs import OUTPUT
from seedlock.evaluation.text_contents import compare_printed

if TYPE_CHECKING:
    from seedlock.evaluation import traces
    from seedlock.evaluation.runs import Run

RESULTS = ("batch", "step", "call", "fit", "checkpoint", "op")
"""Kinds of events that are results (docs/trace.md)."""

BROUGHT_IN = ("entropy", "listing")
"""Kinds of events that differ in most programs without harm: what is drawn from the system, as
names of temporary files are, and folders, in which the run before left something. They count when
they reach a result, as states of generators do from which nothing is drawn."""

FINDINGS = 200
"""How many findings of two runs are kept."""


@dataclass
class Comparison:
    """What two runs have in common and what not.

    Attributes:
        first, second: names of the runs.
        divergence: the first event of the traces that differs, of whatever kind; None for none.
        result: the first result that differs.
        findings: differences of files, and of what was printed.
        results: number of results in the first run's traces.
        files: pairs of files that were compared.
        recognised: lines that were printed and differ only in times or in the run's folder.
        timelines: course of each process in both runs (timelines.Timeline).
    """

    first: str
    second: str
    divergence: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    findings: list[Finding] = field(default_factory=list)
    results: int = 0
    files: int = 0
    recognised: int = 0
    timelines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there was nothing to compare, neither results in traces nor files."""
        return not self.results and not self.files and not self.counting

    @property
    def counting(self) -> list[Finding]:
        """The findings that make a run unrepeatable."""
        return [each for each in self.findings if each.counts]

    @property
    def cut(self) -> bool:
        """Whether all that differs is that a trace has no end, so that nothing can be said."""
        event = self.result or self.divergence
        return not self.counting and event is not None and bool(event.get("cut"))

    @property
    def same(self) -> bool:
        """Whether the second run did what the first did, for two runs under one seed."""
        event = self.divergence
        harmless = (
            event is None or event["kind"] in BROUGHT_IN or [*event.get("differs", ())] == ["rng"]
        )
        return self.same_results and harmless

    @property
    def same_results(self) -> bool:
        """Whether all results are equal, whatever seeds and generators were."""
        return self.result is None and not self.counting

    def as_dict(self) -> dict[str, object]:
        """Return everything, JSON-ready."""
        return {
            **dataclasses.asdict(self),
            "findings": [each.as_dict() for each in self.findings],
            "same": self.same,
            "same_results": self.same_results,
        }


def compare_runs(first: Run, second: Run, traced: bool, stdout: bool = False) -> Comparison:
    """Compare two runs.

    Args:
        first, second: runs that have finished.
        traced: whether they left traces.
        stdout: whether what they printed counts as a result, as a file does.

    Raises:
        NotComparable: the traces were not taken in the same way.
        BadTrace: a trace can't be read.
    """
    found = Comparison(first.name, second.name)
    if traced:
        _compare_traces(found, first, second)
    findings: list[Finding] = []
    for name, prefix in ((OUTPUT, ""), (DECLARED, f"{DECLARED}/")):
        some, files = compare_folders(first.folder / name, second.folder / name, prefix)
        findings += some
        found.files += files
    printed, found.recognised = compare_printed(
        first.folder / "stdout.txt",
        second.folder / "stdout.txt",
        ((str(first.worked_in), str(first.folder)), (str(second.worked_in), str(second.folder))),
    )
    if stdout and (first.folder / "stdout.txt").stat().st_size:
        found.files += 1
        printed = [dataclasses.replace(each, kind=DIFFERENCE) for each in printed]
    found.findings = limited([*findings, *printed], FINDINGS)
    if found.divergence and found.same:
        where = f"{found.divergence.get('at')}: {found.divergence.get('op')}"
        note = "what came in from the system differs and reached no result"
        found.findings.append(Finding("trace", where, ADVISORY, note=note))
    return found


def first_operation(first: Run, second: Run) -> dict[str, Any] | None:
    """Return the first operation that differs between the traces of two runs, or None."""
    from seedlock.evaluation import divergence

    found = divergence.first_result_divergence(_traces(first), _traces(second))
    return None if found is None else found.as_dict()


def _traces(run: Run) -> traces.Run:
    from seedlock.evaluation import traces

    return traces.Run(run.reports, run.mounts)


def _compare_traces(found: Comparison, first: Run, second: Run) -> None:
    from seedlock.evaluation import divergence, timelines

    one, other = _traces(first), _traces(second)
    any_event = divergence.first_divergence(one, other)
    result = divergence.first_result_divergence(one, other)
    found.divergence = None if any_event is None else any_event.as_dict()
    found.result = None if result is None else result.as_dict()
    found.timelines = [dataclasses.asdict(each) for each in timelines.timeline(one, other)]
    found.results = sum(
        count
        for each in found.timelines
        for kind, count in each["kinds"][0].items()
        if kind in RESULTS
    )
