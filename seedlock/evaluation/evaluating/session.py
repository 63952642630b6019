"""One call of `seedlock evaluate`, from its options to how the round stands."""

from __future__ import annotations

import hashlib
import os
import platform
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedlock.errors import BadSubmission, NotFrozen
from seedlock.evaluation.engines import choosing
from seedlock.evaluation.evaluating import entries as handed_in
from seedlock.evaluation.evaluating import preparing, slots
from seedlock.evaluation.evaluating.evaluation import Evaluation, Work
from seedlock.evaluation.evaluating.progress import Progress, lines, summary
from seedlock.evaluation.evaluating.results import RUNS
from seedlock.evaluation.evaluating.taking_up import take_up
from seedlock.evaluation.ledger.ledger import Ledger
from seedlock.evaluation.rounds import passphrase
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.watching import Interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from seedlock.evaluation.engines.slurm_commands import Site
    from seedlock.evaluation.evaluating.entries import Entry
    from seedlock.evaluation.ledger.status import Status
    from seedlock.evaluation.rounds.policy import Policy

CONTAINERS = ("docker", "kubernetes")
"""Engines whose runs are in containers of the submission's image."""

HANDED_OVER = 100
"""Runs that a scheduler gets at a time by default; it has its own order among them."""

EXPORTED = "ledger.jsonl"
"""The ledger in a round's folder, as it is published."""


@dataclass(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        folder: the round's, absolute.
        submissions: absolute paths of folders.
        ledger: a file or URL, or None for the round's own.
        engine: who carries runs out.
        jobs: runs at a time, or None.
        gpus: names of GPUs; empty for none.
        accept: promises of the seal that the runs can do without.
        sealed: whether they are sealed.
        rejected: names of submissions all of whose runs count as failed.
        site: what the site of a cluster wants.
    """

    folder: Path
    submissions: tuple[Path, ...]
    ledger: str | None
    engine: str
    jobs: int | None
    gpus: tuple[str, ...]
    accept: frozenset[str]
    sealed: bool
    rejected: tuple[str, ...]
    site: Site | None = None


@dataclass(frozen=True)
class Outcome:
    """How an evaluation ended.

    Attributes:
        status: how the round stands.
        interrupted: whether somebody did.
        disk_full: what was said of a full disk; empty while there was room.
        broken: why the engine started no more runs; empty where it did.
    """

    status: Status
    interrupted: bool
    disk_full: str
    broken: str


def evaluate(options: Options, environ: Mapping[str, str], console: Console) -> Outcome:
    """Evaluate a round, or what is left of it.

    Args:
        options: what was asked for.
        environ: this process's environment.
        console: for people, stderr.

    Raises:
        SeedlockError: something is not allowed or not there; no further run was started.
        OSError: a file can't be written.
    """
    with ExitStack() as stack:
        tell = lines(console)
        this = Round(options.folder)
        policy, frozen = this.policy, this.freeze()["submissions"]
        found = handed_in.entries(frozen, options.submissions, policy)
        _reject(found, options.rejected)
        this.draw()
        preparing.refuse_revealed(this)
        stack.callback(os.close, preparing.take_lock(options.folder, tell))
        _prepare(options, found, policy, environ, tell)
        places = _slots(options, found)
        # Before the seeds are read and the ledger is opened: workers inherit neither.
        engine = choosing.engine(
            options.engine, len(places), environ, options.folder / RUNS, options.site
        )
        stack.callback(engine.close)
        engine.clear_away(options.folder / RUNS)
        seeds = this.seeds(passphrase.of_secret(this.passphrase_needed, environ))
        ledger = stack.enter_context(Ledger.open(options.ledger or options.folder))
        handed_in.enter(ledger, this, found)
        _account(ledger.status(), found, frozen, tell)
        worker = _worker(options.folder)
        work = Work(
            options.folder, policy, {each.digest: each for each in found}, seeds, options.accept,
            options.sealed, worker,
        )  # fmt: skip
        with Interruption() as interruption, Progress(console, ledger.status) as progress:
            take_up(ledger, worker, options.folder, progress.tell)
            evaluation = Evaluation(work, ledger, engine, places, progress.tell, progress.show)
            evaluation.run(interruption)
            engine.close()
        status = ledger.status()
        ledger.export(str(options.folder / EXPORTED))
        tell(summary(status))
        interrupted = bool(interruption.count)
        return Outcome(status, interrupted, evaluation.disk_full, evaluation.broken)


def _prepare(
    options: Options, found: Sequence[Entry], policy: Policy, environ: Mapping[str, str],
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    image = None
    if options.engine in CONTAINERS:
        for entry in found:
            if not entry.refused:
                tell(preparing.prepare_image(entry, policy, options.folder, environ))
                image = image or entry.image
    if options.sealed and (image is not None or options.engine == "process"):
        preparing.prove_seal(policy.limits, image, options.accept, environ)


def _slots(options: Options, found: Sequence[Entry]) -> list[slots.Slot]:
    if options.engine == "slurm":
        return [slots.Slot(number) for number in range(options.jobs or HANDED_OVER)]
    cpus = slots.own_cpus()
    most = max(each.limits.processors for each in found)
    jobs = options.jobs or len(options.gpus) or slots.default_jobs(most, cpus)
    return slots.slots(jobs, options.gpus, most, cpus)


def _reject(found: Sequence[Entry], names: Sequence[str]) -> None:
    known = {each.submission.name: each for each in found}
    for name in names:
        if name not in known:
            raise BadSubmission(
                f"--reject {name}: not among the submissions given; allowed: "
                f"{', '.join(sorted(known)[:10])}; mend the name"
            )
        known[name].refused = handed_in.REJECTED


def _account(
    status: Status, found: Sequence[Entry], frozen: Sequence[Mapping[str, str]],
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    """Make sure that all that is queued can be run, and say what of the round is missing."""
    given = {each.digest for each in found}
    missing = [each.name for each in status.submissions if each.open and each.digest not in given]
    if missing:
        raise NotFrozen(
            f"the ledger has open runs of {', '.join(missing[:10])}; allowed: to give all "
            "submissions that were given before; add their folders"
        )
    known = {each.digest for each in status.submissions}
    later = [each["name"] for each in frozen if each["digest"] not in known]
    if later:
        tell(f"frozen, and not given: {', '.join(later)}; the round is not whole without them")


def _worker(folder: Path) -> str:
    """Return the name of evaluations of a round's folder on this machine, the same each time."""
    return f"{platform.node()}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]}"
