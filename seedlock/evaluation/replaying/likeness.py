"""A recorded run and its replay side by side: how they ended, outputs, traces, metrics."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedlock.errors import SeedlockError, printable
from seedlock.evaluation import divergence, traces
from seedlock.evaluation.file_digests import NotDigestible, digest_of
from seedlock.evaluation.findings import DIFFERENCE, Finding, limited
from seedlock.evaluation.outputs import compare_folders
from seedlock.evaluation.recording.trace_digest import digest_of_traces
from seedlock.evaluation.replaying.tolerance import compare_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.container_engine import Mount
    from seedlock.evaluation.divergence import Divergence
    from seedlock.evaluation.replaying.tolerance import Tolerance

FINDINGS = 200
"""How many findings are kept."""


@dataclass
class Likeness:
    """What a recorded run and its replay have in common and what not.

    Attributes:
        ends: differences of how they ended, one line each.
        findings: differences of outputs; those that do not count are of times.
        files: number of outputs of the recorded run.
        bits_equal: whether all outputs have the recorded digests.
        results: number of results in its traces.
        traces_equal: by their digests; None where neither run was traced.
        divergence: the first event that differs, a result or not, where anything differs and both
            runs' traces are there.
        metrics: what compare_metrics returns.
        reasons: why nothing may be said, one line each.
        notes: what a reader should know.
    """

    ends: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    bits_equal: bool = False
    results: int = 0
    traces_equal: bool | None = None
    divergence: Divergence | None = None
    metrics: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def counting(self) -> list[Finding]:
        """Differences of outputs that count."""
        return [each for each in self.findings if each.counts]

    @property
    def empty(self) -> bool:
        """Whether there is nothing that could have differed but the exit status."""
        return not (self.files or self.results or self.metrics or self.counting)

    @property
    def identical(self) -> bool:
        """Whether nothing differs that counts."""
        alike = all(each["equal"] for each in self.metrics)
        return not self.ends and not self.counting and self.traces_equal is not False and alike

    @property
    def within(self) -> bool:
        """Whether they ended alike and each metric is equal or near enough."""
        return not self.ends and all(each["within"] for each in self.metrics)


def compare(
    recorded: Mapping[str, Any],
    replayed: Mapping[str, Any],
    before: Path,
    after: Path,
    tolerances: Mapping[str, Tolerance],
    mounts: Sequence[Mount] | None = None,
) -> Likeness:
    """Compare two runs by their records, and by what lies beside these.

    Args:
        recorded, replayed: complete records.
        before, after: the runs' folders, with output/ and reports/; the first may be gone.
        tolerances: what is allowed, by metric.
        mounts: where this machine has what the replay's container saw; None without one.
    """
    found = Likeness(files=len(recorded["outputs"]))
    for key, said in (("class", "it ended as"), ("exit_status", "exit status")):
        one, other = recorded["outcome"][key], replayed["outcome"][key]
        if one != other:
            found.ends.append(f"{said}: recorded {one}, now {other}")
    found.metrics = compare_metrics(
        recorded["metrics"]["final"], replayed["metrics"]["final"], tolerances
    )
    _compare_outputs(found, recorded, replayed, before / "output", after / "output")
    _compare_traces(found, recorded, replayed, before / "reports", after / "reports", mounts)
    return found


def _compare_outputs(
    found: Likeness, recorded: Mapping[str, Any], replayed: Mapping[str, Any], before: Path,
    after: Path,
) -> None:  # fmt: skip
    one, other = (
        {each["path"]: each["sha256"] for each in content["outputs"]}
        for content in (recorded, replayed)
    )
    found.bits_equal = one == other
    if found.bits_equal:
        return
    there = _files(before)
    if there == one:
        found.findings = limited(compare_folders(before, after)[0], FINDINGS)
        return
    changed = sorted(name for name in one if there.get(name) != one[name])
    if there:
        name = printable((changed or sorted({*there} - {*one}))[0], 200)
        found.notes.append(
            f"outputs are compared by digest only: {name} beside the record is not what was "
            "recorded"
        )
    findings = []
    for name in sorted({*one, *other}):
        if one.get(name) != other.get(name):
            values = (one.get(name, "absent"), other.get(name, "absent"))
            findings.append(Finding(name, "", DIFFERENCE, *values))
    found.findings = limited(findings, FINDINGS)


def _files(folder: Path) -> dict[str, str]:
    try:
        return digest_of(folder).files if folder.is_dir() else {}
    except (OSError, NotDigestible):
        return {}


def _compare_traces(
    found: Likeness, recorded: Mapping[str, Any], replayed: Mapping[str, Any], before: Path,
    after: Path, mounts: Sequence[Mount] | None,
) -> None:  # fmt: skip
    one, other = recorded["trace"], replayed["trace"]
    if one is None or other is None:
        if one != other:
            found.reasons.append("only one of the two runs left traces")
        return
    found.results = one["results"]
    for key in ("mode", "algorithm"):
        if one[key] != other[key]:
            found.reasons.append(
                f"the traces have {key} {printable(str(one[key]))} and "
                f"{printable(str(other[key]))}: their digests can't be compared"
            )
            return
    found.traces_equal = one["digest"] == other["digest"]
    if found.identical:
        return
    # Results may be equal, or none, and a seed before them not.
    try:
        kept = digest_of_traces(before) if before.is_dir() else None
        if kept is None or kept["digest"] != one["digest"]:
            if found.traces_equal:
                return
            found.notes.append("where the traces part is not known: the recorded ones are gone")
            return
        runs = traces.Run(before, mounts), traces.Run(after, mounts)
        parting = divergence.first_divergence(*runs)
    except SeedlockError as problem:
        found.notes.append(f"where the traces part is not known: {problem}")
        return
    if parting is not None and parting.source is None:
        # The recorded run may have been on another machine; the program is here as well.
        line = runs[1].processes[0].source(parting.at)
        parting = dataclasses.replace(parting, source=line)
    found.divergence = parting
