"""`seedlock verify`: run a command several times, compare the runs, say what follows.

The way of the data: `Plan` (what was asked) -> runs -> records and comparisons -> verdict ->
`result`, the one dictionary that the text, the JSON and the HTML page are made of.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock import __version__, settings
from seedlock.errors import SeedlockError
from seedlock.evaluation import full_disk
from seedlock.evaluation.advice import advice, constant_seeds
from seedlock.evaluation.comparison import Comparison, compare_runs, first_operation
from seedlock.evaluation.outputs import DECLARED, Declared
from seedlock.evaluation.plan import Plan, environment, make_folders, run_of, words
from seedlock.evaluation.records import Records, steps_so_far
from seedlock.evaluation.runs import FINISHED, Run
from seedlock.evaluation.uncompared import Uncompared
from seedlock.evaluation.verdict import (
    DEAF,
    INVALID,
    STOPPED,
    Verdict,
    judge,
    without_comparison,
)
from seedlock.evaluation.watching import Interruption, watch
from seedlock.hash_seed import keep_addresses
from seedlock.settings import TRACE, TRACE_STEPS, TRACE_VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SCHEMA = 1
"""Version of the result's schema."""

PAIRS = 3
"""How many pairs of runs are made to find the operation."""

KEPT = "256"
"""Mebibytes of values that a run at mode op keeps."""

ALREADY_NAMED = ("seed", "unseeded", "listing")
"""Kinds of events that name the cause and its line, so that no operation need be looked for."""


class Verification:
    """One command under several seeds.

    Args:
        plan: what to do.
        environ: the environment that the runs start from.
        show: called with all runs from time to time.

    Raises:
        BadSetting: a setting is not allowed; nothing was started.
    """

    def __init__(
        self, plan: Plan, environ: Mapping[str, str], show: Callable[[Sequence[Run]], None]
    ) -> None:
        self._plan = plan
        self._show = show
        self._environ = {seed: environment(plan, environ, seed) for seed in plan.seeds}
        self._declared = Declared(plan.declare, Path.cwd(), plan.folder)
        self._uncompared = Uncompared(Path.cwd(), plan.folder)
        self._records: dict[str, Records] = {}
        self._faults: list[str] = []
        self._notes: list[str] = []
        first, second = plan.seeds
        self._replicates = [self._run(f"A-{n + 1}", first) for n in range(plan.replicates)]
        self._other = self._run("B-1", second)
        self._extra: list[Run] = []

    @property
    def runs(self) -> list[Run]:
        """All runs, in the order in which they start."""
        return [*self._replicates, self._other, *self._extra]

    def result(self) -> dict[str, Any]:
        """Run, compare and judge; return the result, JSON-ready.

        Whatever interrupts it, no process is left behind and the result says `interrupted`.
        """
        comparisons: list[Comparison] = []
        bisected: dict[str, Any] | None = None
        try:
            self._watch(self.runs)
            verdict = without_comparison(self.runs, self._faults)
            if verdict is None:
                verdict, comparisons = self._compared()
                if comparisons:
                    bisected = self._bisected(comparisons[:-1])
        except KeyboardInterrupt:
            verdict = Verdict(STOPPED, reasons=("interrupted before all was done",))
        return self._described(verdict, comparisons, bisected)

    def _compared(self) -> tuple[Verdict, list[Comparison]]:
        ways = {self._records[run.name].algorithm() for run in self.runs}
        if len(ways) > 1:
            reason = f"the runs digest in different ways: {', '.join(sorted(ways))}"
            return Verdict(INVALID, reasons=(reason,)), []
        first = self._replicates[0]
        traced = self._plan.trace != "off"
        try:
            comparisons = [
                compare_runs(first, run, traced, self._plan.stdout) for run in self.runs[1:]
            ]
        except SeedlockError as problem:
            return Verdict(INVALID, reasons=(str(problem),)), []
        except OSError as problem:
            if full_disk.no_room(problem):
                raise
            reason = f"{problem.filename or 'a file'} can't be read: {problem.strerror or problem}"
            return Verdict(INVALID, reasons=(reason,)), []
        return judge(comparisons[:-1], comparisons[-1]), comparisons

    def _bisected(self, replicates: list[Comparison]) -> dict[str, Any] | None:
        """Run pairs with operations traced in the step at which two replicates part."""
        parting = next((each for each in replicates if each.result is not None), None)
        if parting is None or not self._plan.bisect or self._plan.trace != "step":
            return None
        step = (parting.result or {}).get("step")
        kind = (parting.divergence or {}).get("kind")
        if not isinstance(step, int) or kind in ALREADY_NAMED:
            return None
        found: dict[str, Any] = {"step": step, "pairs": 0, "divergence": None, "note": ""}
        window = {TRACE: "op", TRACE_STEPS: f"{step}:{step + 1}", TRACE_VALUES: KEPT}
        for number in range(PAIRS):
            names = [f"bisect-{2 * number + each}" for each in (1, 2)]
            pair = [self._run(name, self._plan.seeds[0], window) for name in names]
            self._extra += pair
            before = len(self._faults)
            self._watch(pair)
            faults = self._faults[before:]
            del self._faults[before:]  # of an attempt to say more, not of what was judged
            if faults or any(run.status != FINISHED for run in pair):
                found["note"] = f"no operation was found: {'; '.join(faults) or 'a run failed'}"
                return found
            found["pairs"] = number + 1
            try:
                found["divergence"] = first_operation(*pair)
            except SeedlockError as problem:
                found["note"] = f"no operation was found: {problem}"
                return found
            if found["divergence"] is not None:
                return {**found, "first": names[0], "second": names[1]}
        found["note"] = f"{PAIRS} pairs of runs did not differ in that step"
        return found

    def _watch(self, runs: list[Run]) -> None:
        level = self._environ[self._plan.seeds[0]].get(settings.LEVEL)
        if level != settings.WATCH:
            keep_addresses()  # of the programs that this process starts
        with Interruption() as interruption:
            watch(runs, self._plan.jobs, interruption, self._show, self._before, self._after)
        if interruption.count:
            raise KeyboardInterrupt

    def _before(self, run: Run) -> None:
        make_folders(self._plan, run)
        there = self._declared.look()
        if run is self._replicates[0] and self._plan.container is None:
            self._uncompared.look()
        if there and run is self._replicates[0]:
            self._notes.append(
                f"there before the first run: {', '.join(there[:3])}"
                f"{', …' if len(there) > 3 else ''}; a program that reads what it wrote, as to "
                "resume, sees the run before"
            )

    def _after(self, run: Run) -> bool:
        run.settle()
        unwritten = self._declared.collect(run.folder / DECLARED)
        if run.status != FINISHED:
            return False
        records = self._records[run.name] = Records(run.reports)
        asked = settings.Settings(self._environ[run.seed]).as_dict()
        faults = records.faults(run.seed, self._plan.trace != "off", self._plan.argv, asked)
        faults += [f"declared file {each.file}: not written ({each.note})" for each in unwritten]
        faults += [f"process {pid} could not be ended" for pid in run.survivors]
        self._faults += [f"{run.name}: {fault}" for fault in faults]
        if run is self._replicates[0] and self._plan.container is None:
            note = self._uncompared.note(self._declared.names())
            self._notes += [note] if note else []
        self._notes += [f"{run.name}: {note}" for note in records.notes()]
        self._notes += [
            f"{run.name} left a process running, which was ended: {each}" for each in run.left_over
        ]
        return not faults

    def _run(self, name: str, seed: int, more: Mapping[str, str] | None = None) -> Run:
        return run_of(self._plan, name, seed, self._environ[seed], more or {})

    def _described(
        self, verdict: Verdict, comparisons: list[Comparison], bisected: dict[str, Any] | None
    ) -> dict[str, Any]:
        plan, image = self._plan, self._plan.container
        records = self._records.get(self._replicates[0].name)
        operation = bisected["divergence"] if bisected else None
        failed = next((run for run in self.runs if run.exit_status not in (None, 0)), None)
        return {
            "schema": SCHEMA,
            "seedlock": __version__,
            "command": plan.argv,
            "folder": str(plan.folder),
            "working_folder": os.getcwd(),
            "repeat": shlex.join(words(plan)),
            "image": image and {"name": image.name, "id": image.digest},
            "seeds": list(plan.seeds),
            "trace": plan.trace,
            "outcome": verdict.outcome,
            "exit_status": verdict.exit_status,
            "verdicts": {"repeatable": verdict.repeatable, "seed": verdict.seed},
            "reasons": list(verdict.reasons),
            "deaf_because": constant_seeds(records) if records and verdict.seed == DEAF else [],
            "last_lines": failed.last_lines() if failed else [],
            "runs": [{**run.as_dict(), "steps": steps_so_far(run.reports)} for run in self.runs],
            "comparisons": [each.as_dict() for each in comparisons],
            "bisected": bisected,
            "advice": advice(verdict, comparisons[:-1], operation, records) if records else [],
            "gaps": records.gaps() if records else [],
            "notes": self._notes,
        }
