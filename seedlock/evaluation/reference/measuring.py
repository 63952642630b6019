"""Train the models under all seeds, and store what they come to.

The way of the data: reference.toml -> submissions -> an evaluation with a ledger of its own, whose
seeds are 1, 2, ... -> records -> reference.json and traces. What is killed goes on where it was.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.engines.process import ProcessEngine
from seedlock.evaluation.evaluating import preparing, slots
from seedlock.evaluation.evaluating.evaluation import Evaluation, Work
from seedlock.evaluation.evaluating.progress import Progress, lines, summary
from seedlock.evaluation.evaluating.results import RUNS
from seedlock.evaluation.evaluating.taking_up import take_up
from seedlock.evaluation.ledger.database import FILE
from seedlock.evaluation.ledger.ledger import Ledger
from seedlock.evaluation.recording.record import DONE
from seedlock.evaluation.reference import from_records, staged, stored, surroundings
from seedlock.evaluation.rounds.canonical import now, stamp
from seedlock.evaluation.watching import Interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from seedlock.evaluation.evaluating.entries import Entry
    from seedlock.evaluation.ledger.status import Status
    from seedlock.evaluation.reference.models_file import Model, Models
    from seedlock.evaluation.reference.surroundings import Surroundings

SUBMISSIONS = "submissions"

DIGITS = 16
"""Of the digest of all that decides the bits, which names the folder of what is under way."""

OURS = re.compile(rf"[0-9a-f]{{{DIGITS}}}")
"""Names of such folders. No other one is ever removed: a round has a ledger in its folder, too."""

RETRIES = 2
"""New attempts after the machine failed a run."""

WORKER = "reference"


@dataclass(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        models: what reference.toml says.
        chosen: which of them.
        seeds: root seeds 1 to this one.
        work: absolute path of the folder for what is under way.
        output: absolute path of the folder for the result.
        locks: folder with the lock files.
        jobs: runs at a time, or None.
        op_steps: of how many first steps operations are traced, where that is not the file's.
        keep: whether records and traces of all runs stay in `work`.
    """

    models: Models
    chosen: tuple[Model, ...]
    seeds: int
    work: Path
    output: Path
    locks: Path
    jobs: int | None = None
    op_steps: Mapping[str, int] = field(default_factory=dict)
    keep: bool = False


@dataclass(frozen=True)
class Measured:
    """How a measurement ended.

    Attributes:
        status: of its ledger.
        content: what was stored; None where it did not come to its end.
        interrupted: whether somebody did.
        disk_full: what was said of a full disk; empty while there was room.
        broken: why no more runs were started, or the machine failed one for good; else empty.
    """

    status: Status
    content: dict[str, Any] | None
    interrupted: bool
    disk_full: str
    broken: str

    def failed(self) -> list[str]:
        """Return a line for each run that did not come to a good end."""
        models = (self.content or {"models": {}})["models"]
        return [
            f"{name}, seed {run['seed']}: {run['outcome']}: {'; '.join(run['reasons'])}"
            for name, model in models.items()
            for run in model["runs"]
            if run["outcome"] != DONE
        ]


def measure(options: Options, environ: Mapping[str, str], console: Console) -> Measured:
    """Measure, or go on with what was killed.

    Args:
        options: what was asked for.
        environ: this process's environment.
        console: for people, stderr.

    Raises:
        SeedlockError: something is not allowed or not there; no further run was started.
        OSError: a file can't be written.
    """
    made_with = surroundings.look(options.locks, environ)
    tell = lines(console)
    with ExitStack() as stack:
        options.work.mkdir(parents=True, exist_ok=True)
        stack.callback(os.close, preparing.take_lock(options.work, tell))
        plain, traced = _submissions(options)
        digests = {each.submission.name: each.digest for each in (*plain, *traced)}
        terms = surroundings.terms(made_with, options.models.level, options.seeds, digests)
        folder = _folder(options.work, terms.digest, tell)
        cpus = slots.own_cpus()
        processors = staged.LIMITS.processors
        jobs = options.jobs or slots.default_jobs(processors, cpus)
        # Before the ledger is opened: workers do not inherit it.
        engine = ProcessEngine(jobs)
        stack.callback(engine.close)
        ledger = stack.enter_context(Ledger.open(folder))
        ledger.enter(terms.name, terms.digest, RETRIES)
        ledger.add_all([
            (each.digest, each.submission.name, "public", seeds)
            for entries, seeds in ((plain, options.seeds), (traced, 1)) for each in entries
        ])  # fmt: skip
        work = Work(
            folder, terms, {each.digest: each for each in (*plain, *traced)},
            range(1, options.seeds + 1), frozenset(), False, WORKER,
        )  # fmt: skip
        with Interruption() as interruption, Progress(console, ledger.status) as progress:
            take_up(ledger, WORKER, folder, progress.tell)
            places = slots.slots(jobs, (), processors, cpus)
            evaluation = Evaluation(work, ledger, engine, places, progress.tell, progress.show)
            evaluation.run(interruption)
            engine.close()
        status = ledger.status()
        tell(summary(status))
        broken = evaluation.broken or _failed_by_the_machine(status)
        content = None
        if status.complete and not broken:
            content = _store(options, made_with, folder, ledger, (plain, traced), jobs)
        ended = Measured(
            status, content, bool(interruption.count), evaluation.disk_full, broken
        )  # fmt: skip
    if content is not None and not options.keep:
        # The next measurement shall be one, and not find these runs.
        shutil.rmtree(folder)
    return ended


def _submissions(options: Options) -> tuple[list[Entry], list[Entry]]:
    """Return the submissions whose runs are measured, and those whose operations are traced."""
    place = options.work / SUBMISSIONS
    plain = [staged.stage(options.models, each, place) for each in options.chosen]
    traced = [
        staged.stage(options.models, each, place, _op_steps(options, each))
        for each in options.chosen
    ]
    return plain, traced


def _op_steps(options: Options, model: Model) -> int:
    return options.op_steps.get(model.name, model.op_steps)


def _folder(work: Path, digest: str, tell: Callable[[str], None]) -> Path:
    """Return the folder of this measurement; those of others, made with something else, go."""
    folder = work / digest.removeprefix("sha256:")[:DIGITS]
    for other in work.glob(f"*/{FILE}"):
        if other.parent != folder and OURS.fullmatch(other.parent.name):
            tell("what was under way here was of other programs, packages or seeds: it is removed")
            shutil.rmtree(other.parent)
    if (folder / FILE).exists():
        tell("going on with what is there")
    (folder / RUNS).mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _failed_by_the_machine(status: Status) -> str:
    names = [each.name for each in status.submissions if each.counts["infrastructure"]]
    return f"the machine failed runs of {', '.join(names)} again and again" if names else ""


def _store(
    options: Options, made_with: Surroundings, folder: Path, ledger: Ledger,
    entries: tuple[Sequence[Entry], Sequence[Entry]], jobs: int,
) -> dict[str, Any]:  # fmt: skip
    ends = from_records.ends(ledger)
    models: dict[str, Any] = {}
    traces: dict[str, bytes] = {}
    for model, plain, traced in zip(options.chosen, *entries, strict=True):
        task = model.task
        runs = [
            from_records.run_of(folder, ends[plain.digest, index], index + 1, task)
            for index in range(options.seeds)
        ]
        kept: dict[str, Any] = {}
        for mode, entry, until in (
            ("step", plain, None), ("op", traced, _op_steps(options, model))
        ):  # fmt: skip
            found = from_records.trace_of(folder, ends[entry.digest, 0], model, mode, until)
            kept[f"{mode}_trace"] = found and found[0]
            if found is not None:
                traces[found[0]["file"]] = found[1]
        models[model.name] = {
            "framework": model.framework, "task": task.name, "title": task.title,
            "metric": task.metric, "direction": task.direction, "target": task.target,
            "program": staged.program_digest(options.models, model),
            "command": list(model.command), "runs": runs, **kept,
        }  # fmt: skip
    machine = from_records.facts_of_machine(folder, ends[entries[0][0].digest, 0])
    content = {
        **made_with.as_dict(),
        "date": stamp(now()),
        "level": options.models.level,
        "seeds": options.seeds,
        "jobs": jobs,
        "host": surroundings.host(machine),
        "models": models,
    }
    stored.write(options.output, content, traces)
    return content
