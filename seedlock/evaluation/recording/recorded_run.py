"""One run with its record: the source before, the run, what came out, the record.

The way of the data: `Request` (what was asked) -> record that says `running` -> the run -> what it
left (`results`) -> outcome -> record that says `complete`.
"""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock import __version__, machine, settings
from seedlock.derivation import SCHEME
from seedlock.errors import BadTrace, NotFrozen
from seedlock.evaluation.file_digests import NotDigestible, digest_of, listing
from seedlock.evaluation.plan import Plan, environment, make_folders, run_of
from seedlock.evaluation.recording import gpu_meter, metrics, record, source, staging
from seedlock.evaluation.recording.host import host, lock_of_image
from seedlock.evaluation.recording.outcome import outcome
from seedlock.evaluation.recording.reads import read_though_ignored, strangers
from seedlock.evaluation.recording.run_data import data_variable, held, provided
from seedlock.evaluation.recording.sealed_run import sealed_run
from seedlock.evaluation.recording.trace_digest import digest_of_traces
from seedlock.evaluation.recording.usage import usage
from seedlock.evaluation.records import Records
from seedlock.evaluation.runs import OUTPUT, Run
from seedlock.evaluation.sealing.guarantees import as_dict
from seedlock.evaluation.watching import Interruption, watch
from seedlock.evaluation.writing import write_bytes
from seedlock.hash_seed import keep_addresses
from seedlock.settings import READS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seedlock.evaluation.container_engine import Mount
    from seedlock.evaluation.data.data_lock import DataSet
    from seedlock.evaluation.data.providing import Provided
    from seedlock.evaluation.recording.metrics import Metric
    from seedlock.evaluation.recording.source import Source
    from seedlock.evaluation.sealing.limits import Limits

NAME = "run"
"""The run's folder below that of the artifacts, and its name."""


AUTHORS = (
    errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR, errno.EPERM
)  # fmt: skip
"""Why an output can't be read that are the program's doing, and no fault of the machine."""

POLICIES = (
    "level", "threads", "streams", "lock", "tf32", "user_seeds", "entropy", "entropy_allow",
    "hash_seed",
)  # fmt: skip
"""Settings that decide what a run does; the others say where it writes, and who started it."""


@dataclass
class Request:
    """What was asked for.

    Attributes:
        plan: command, folder, container, time limit, level; its first seed is the run's.
        record: the file.
        source: folder of the program, or None where an image holds it.
        data: the file that pins the run's data, or None.
        metrics: the declared ones.
        submission: name, digest, visibility, or None.
        captured: whether what the run prints goes into files.
        without: files and folders in the source's that are no source: results of other runs.
        known: names of the source's files, where a bundle says them.
        limits: how much the run may take, and that it is sealed; None where it is not.
        accept: promises of the seal that it can do without.
        sets: without `data`, sets that the run is given all the same.
        places: where each of these lies, by its name.
        round: of a run that is part of one: its name, digest of its policy (`policy`), `seed_index`
            and `attempt`. The source's digest has to be the submission's then.
        cpus: numbers of the processors that a sealed run gets; empty for any.
        gpus: GPUs that a sealed run's container gets, as the engine names them.
        labels: further ones for a sealed run's container.
    """

    plan: Plan
    record: Path
    source: Path | None
    data: Path | None = None
    metrics: list[Metric] = field(default_factory=list)
    submission: dict[str, Any] | None = None
    captured: bool = False
    without: tuple[Path, ...] = ()
    known: frozenset[str] | None = None
    limits: Limits | None = None
    accept: frozenset[str] = frozenset()
    sets: tuple[DataSet, ...] = ()
    places: Mapping[str, Path] = field(default_factory=dict)
    round: dict[str, Any] | None = None
    cpus: tuple[int, ...] = ()
    gpus: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def seed(self) -> int:
        """The run's root seed."""
        return self.plan.seeds[0]


def carry_out(
    request: Request,
    environ: Mapping[str, str],
    show: Callable[[Sequence[Run]], None] = lambda _: None,
) -> dict[str, Any]:
    """Make the run and its record; return the record's content.

    A program that fails, a metric that is missing, Ctrl-C: all that is in the record's outcome
    and raises nothing.

    Raises:
        BadSetting, SourceTooLarge, BadRecord: nothing was started and nothing written.
        NotFrozen: the source is not the round's submission; the same.
        NotDigestible: the source can't have a digest; the same.
        OSError: a file can't be written or read.
    """
    plan = request.plan
    variables = environment(plan, environ, request.seed)
    before = _look(request)
    _refuse_unfrozen(request, before)
    data = provided(request)
    checked = Settings({**variables, settings.SEED: str(request.seed)})
    plan.folder.mkdir(parents=True, exist_ok=True)
    if before is not None:
        write_bytes(str(plan.folder / source.LISTING), listing(before.files.items()))
    began = time.time()
    written = record.Record(request.record, _known(request, variables, checked, before, began))
    # The lock's own list needs a report, which each run has.
    more = {READS: "list", **data_variable(data)}
    seen = before if request.limits is not None else None
    with staging.staged(seen, plan.folder / staging.NAME) as folder:
        if request.limits is not None:
            run = sealed_run(request, NAME, {**variables, **more}, data, folder)
        else:
            run = run_of(plan, NAME, request.seed, variables, more, request.captured)
            make_folders(plan, run)
        if checked.level != settings.WATCH:
            keep_addresses()
        sealed = None if request.limits is None else request.gpus
        meter = gpu_meter.Meter(gpu_meter.given(sealed, variables))

        def looked(runs: Sequence[Run]) -> None:
            meter.look()
            show(runs)

        own = machine.peak_memory()
        with Interruption() as interruption:
            watch([run], 1, interruption, looked, lambda _: None, lambda _: True)
        gpus = meter.taken()  # now: to digest the results may take longer than the run
    content = _results(request, run, before, data, checked.as_dict())
    content["data"], lost = held(data)
    content["usage"] = usage(run, began, content["processes"], gpus, own)
    content["outcome"] = outcome(run, content, lost, request.accept)
    for key in ("faults", "problems"):
        content.pop(key)
    written.complete(content)
    return written.content


def _known(
    request: Request, variables: Mapping[str, str], checked: Settings, before: Source | None,
    began: float,
) -> dict[str, Any]:  # fmt: skip
    plan, image = request.plan, request.plan.container
    return {
        "seedlock": __version__,
        "submission": request.submission,
        **({} if request.round is None else {"round": request.round}),
        "command": plan.argv,
        "seed": request.seed,
        "scheme": SCHEME,
        "level": checked.level,
        "settings": {
            name: value for name, value in checked.as_dict().items()
            if name in POLICIES
        },
        "image": image and {
            "name": image.name, "id": image.digest, "lock_sha256": lock_of_image(image),
            "mounts": [_mounted(each, request.source) for each in plan.mounts],
            "network": plan.network,
        },
        "source": _described(before, []),
        "environment": record.kept_environment(variables),
        "limits": _limits(request),
        "usage": {"started": record.moment(began)},
        "artifacts": os.path.relpath(plan.folder, request.record.parent),
    }  # fmt: skip


def _limits(request: Request) -> dict[str, float] | None:
    if request.limits is not None:
        return request.limits.as_dict()
    return {"seconds": request.plan.timeout} if request.plan.timeout else None


def _look(request: Request) -> Source | None:
    if request.source is None:
        return None
    without = (request.plan.folder, request.record, *request.without)
    return source.look(request.source, without, request.known)


def _refuse_unfrozen(request: Request, before: Source | None) -> None:
    if request.round is None or request.submission is None or before is None:
        return
    if before.digest != request.submission["digest"]:
        raise NotFrozen(
            f"{request.submission['name']} is {before.digest}; allowed: what was frozen, "
            f"{request.submission['digest']}; get the files that were handed in"
        )


def _described(of: Source | None, changed: list[str]) -> dict[str, Any] | None:
    """Return what a record says of the source, and where in it the command runs."""
    if of is None:
        return None
    here = Path.cwd()
    inside = str(here.relative_to(of.folder)) if here.is_relative_to(of.folder) else None
    return {**of.as_dict(), "working_folder": inside, "changed": changed}


def _mounted(mount: Mount, folder: Path | None) -> dict[str, str]:
    """Return a mount; what lies in the source by its name there, so that a replay finds it."""
    here = mount.here
    if folder is not None and here.is_relative_to(folder.resolve()):
        here = here.relative_to(folder.resolve())
    return {"here": str(here), "there": mount.there}


def _results(
    request: Request, run: Run, before: Source | None, data: Provided | None, asked: dict[str, Any]
) -> dict[str, Any]:
    records = Records(run.reports)
    found = metrics.read(run.folder / OUTPUT, request.metrics)
    problems = list(found.problems)
    content: dict[str, Any] = {"metrics": found.as_dict(), "problems": problems}
    content["processes"] = list(records.reports.values())
    plan = request.plan
    content["faults"] = records.faults(request.seed, plan.trace != "off", plan.argv, asked)
    content["host"] = host(content["processes"], request.plan.container)
    content["lock"] = _lock(content["processes"])
    content["reads"] = strangers(content["processes"], request, run, data)
    content["outputs"] = _outputs(run.folder / OUTPUT, content["faults"])
    content["trace"] = _trace(run.reports, content["faults"])
    sealed = run.sealed
    content["guarantees"] = None if sealed is None else as_dict(sealed.guarantees())
    content["source"] = None
    if before is not None:
        later = _look(request)
        assert later is not None
        content["source"] = _described(before, before.changes(later))
        content["source"]["ignored"]["read"] = read_though_ignored(
            content["processes"], request, before
        )
    return content


def _trace(reports: Path, faults: list[str]) -> dict[str, Any] | None:
    try:
        return digest_of_traces(reports)
    except BadTrace as problem:
        faults.append(str(problem).replace(f"{reports}{os.sep}", ""))
        return None


def _outputs(folder: Path, faults: list[str]) -> list[dict[str, Any]]:
    try:
        if folder.is_symlink() or not folder.is_dir():
            raise NotDigestible("allowed: the folder as the run was given it; this is another")
        whole = digest_of(folder)
    except NotDigestible as problem:
        faults.append(f"the output folder can't have a digest: {problem}")
        return []
    except OSError as problem:
        if problem.errno not in AUTHORS:
            raise
        faults.append(f"the output folder can't be read: {problem.strerror}")
        return []
    return [
        {"path": name, "sha256": digest, "size": (folder / name).stat().st_size}
        for name, digest in whole.files.items()
    ]


def _lock(reports: list[dict[str, Any]]) -> dict[str, Any] | None:
    of = next((report["lock"] for report in reports if report.get("lock")), None)
    return of and {"sha256": of["sha256"], "drift": of["drift"]}
