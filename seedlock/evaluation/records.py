"""What a run's processes left beside its results: is it complete enough to be judged?

Fails closed: a process that left no report, or did not come to its end, was perhaps not locked
and its trace has no end, so that nothing may be said of the run.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from seedlock.errors import printable
from seedlock.evaluation import report_shape
from seedlock.evaluation.plain_files import is_plain
from seedlock.evaluation.runs import tail
from seedlock.lineage import of_worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

TRACE = ".trace.jsonl"
"""Ending of a trace's name; the report beside it ends with `.json` (docs/trace.md)."""

_PYTHON = re.compile(r"python[\d.]*")

DECIDING = ("level", "threads", "streams", "tf32", "user_seeds", "entropy", "entropy_allow")
"""Settings that decide what is locked. A command or an image may set the variables of its own
process, after whoever started it: then it did not run as was asked."""

LAST_LINE = 1 << 16
"""Bytes at the end of a trace that are looked at for its last line."""


class Records:
    """Reports and traces of one run.

    Attributes:
        reports: content of each report by its file's name without `.json`, those of the first
            process first.
        broken: names of reports, and of traces, that are no plain file or none of seedlock's.
        traces: paths of traces by the same names.
    """

    def __init__(self, folder: Path) -> None:
        self.reports: dict[str, dict[str, Any]] = {}
        self.broken: list[str] = []
        self.traces: dict[str, Path] = {}
        for path in sorted(folder.glob("*.json")):
            content = report_shape.read(path)
            if content is None:
                self.broken.append(path.name)
            else:
                self.reports[path.stem] = content
        self.reports = dict(sorted(self.reports.items(), key=lambda item: place(item[1])))
        for path in sorted(folder.glob(f"*{TRACE}")):
            if is_plain(path):
                self.traces[path.name.removesuffix(TRACE)] = path
            else:
                self.broken.append(path.name)

    def faults(
        self, seed: int, traced: bool, argv: Sequence[str] = (),
        asked: Mapping[str, object] | None = None,
    ) -> list[str]:  # fmt: skip
        """Return why nothing may be said of the run; nothing where all is there.

        Args:
            seed: root seed that each process must have had.
            traced: whether traces were asked for.
            argv: the run's command; where it starts a Python, that one's report has to be there,
                and not only one of a process that it started. `{output}` stands for anything.
            asked: settings that each process must have had, by their names; of those only that
                are in `DECIDING`.
        """
        found = [
            f"the {'trace' if name.endswith(TRACE) else 'report'} {name} can't be read"
            for name in self.broken
        ]
        if not self.reports:
            return [
                *found,
                "no process left a report: Python was started with -S, seedlock is not installed "
                "where the command runs, or no Python ran at all",
            ]
        if not any(place(report) == "" for report in self.reports.values()):
            found.append("the first process left no report")
        elif argv and _PYTHON.fullmatch(os.path.basename(argv[0])) and not self._has_own(argv[1:]):
            found.append(
                "the command's own process left no report, though another did: it was started "
                "with -S, or replaced what seedlock wrote"
            )
        for name, report in self.reports.items():
            found += _report_faults(report, seed, asked or {})
            if traced:
                found += self._trace_faults(name, report)
        if traced:
            algorithms = sorted(
                filter(None, {self.header(name).get("algorithm") for name in self.traces})
            )
            if len(algorithms) > 1:
                found.append(
                    f"its processes digest by different algorithms: {', '.join(algorithms)}"
                )
        return found

    def notes(self) -> list[str]:
        """Return what is not whole and yet no fault: workers that their pool ended."""
        ended = [place(each) for each in self.reports.values() if _ended_by_pool(each)]
        if not ended:
            return []
        return [
            f"{len(ended)} workers of pools were ended by their pool, as pools do "
            f"({', '.join(ended[:3])}{', …' if len(ended) > 3 else ''}): what they did is "
            "compared as far as they wrote it down"
        ]

    def algorithm(self) -> str:
        """Return the hash behind the traces' digests, empty without traces."""
        return next((str(self.header(name).get("algorithm", "")) for name in self.traces), "")

    def header(self, name: str) -> dict[str, Any]:
        """Return the first line of a trace, empty where there is none."""
        try:
            with self.traces[name].open("rb") as file:
                content = json.loads(file.readline(LAST_LINE))
        except (KeyError, OSError, ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}

    def gaps(self) -> list[str]:
        """Return all gaps of all processes, each once."""
        found: dict[str, None] = {}
        for report in self.reports.values():
            found.update(dict.fromkeys(report.get("gaps", ())))
            for library in report.get("libraries", {}).values():
                found.update(dict.fromkeys(library.get("gaps", ())))
        return list(found)

    def sites(self, key: str) -> list[dict[str, Any]]:
        """Return the call sites under a key of the reports (`user_seeds`, `entropy`), each once."""
        found: dict[tuple[object, ...], dict[str, Any]] = {}
        for report in self.reports.values():
            for site in report.get(key, ()):
                found.setdefault((site["where"], site["function"], site["policy"]), site)
        return list(found.values())

    def _has_own(self, words: Sequence[str]) -> bool:
        """Tell whether a first process says that it was started with these arguments."""
        said = [
            report["process"].get("command", [])[1:]
            for report in self.reports.values() if place(report) == ""
        ]  # fmt: skip
        return any(
            len(each) == len(words)
            and all(a == b or "{output}" in b for a, b in zip(each, words, strict=True))
            for each in said
        )

    def _trace_faults(self, name: str, report: dict[str, Any]) -> Iterator[str]:
        who = _who(report)
        if name not in self.traces:
            yield f"{who} left no trace"
        elif not self.header(name):
            yield f"the trace of {who} has no header"
        elif _last(self.traces[name]).get("kind") != "end" and not _ended_by_pool(report):
            yield f"the trace of {who} has no end: the process did not come to its own"


def place(report: dict[str, Any]) -> str:
    """Return a process's place in its family; empty for the first."""
    return str(report["process"].get("lineage", ""))


def steps_so_far(folder: Path) -> int:
    """Return how many optimizer steps the largest trace in a folder has come to; reads its end."""
    traces: Iterable[Path] = filter(is_plain, folder.glob(f"*{TRACE}"))
    largest = max(traces, key=lambda path: path.stat().st_size, default=None)
    if largest is None:
        return 0
    for line in reversed(tail(largest, LAST_LINE).splitlines()):
        event = _event(line)
        step = event.get("step")
        if isinstance(step, int):
            return step + (event.get("kind") == "step")
    return 0


def _report_faults(
    report: dict[str, Any], seed: int, asked: Mapping[str, object]
) -> Iterator[str]:  # fmt: skip
    who, given = _who(report), report.get("settings", {})
    if given.get("seed") != seed:
        yield f"{who} ran under the seed {given.get('seed')}, not {seed}"
    for name in DECIDING:
        if name in asked and name in given and given[name] != asked[name]:
            said = printable(str(given[name]))
            yield f"{who} ran with {name} {said}, and {asked[name]} was asked for"
    if report.get("status") != "finished" and not _ended_by_pool(report):
        yield f"{who} was killed, or lives on: its report says {report.get('status')}"


def _ended_by_pool(report: dict[str, Any]) -> bool:
    return report.get("status") == "running" and of_worker(place(report))


def _who(report: dict[str, Any]) -> str:
    where = place(report)
    return f"the process at place {where}" if where else "the first process"


def _last(path: Path) -> dict[str, Any]:
    lines = tail(path, LAST_LINE).splitlines()
    return _event(lines[-1]) if lines else {}


def _event(line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
