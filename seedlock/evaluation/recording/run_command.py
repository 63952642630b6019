"""`seedlock run --record` on the command line: its options, and what is said at the end."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock import settings
from seedlock.evaluation import option_values

if TYPE_CHECKING:
    import argparse

    from seedlock.evaluation.recording.recorded_run import Request
    from seedlock.evaluation.sealing.limits import Limits

EXIT_USAGE = 2

WITH_RECORD = (
    "metric", "output", "source", "data", "timeout", "container", "mount", "sealed", "limit",
    "accept", "network", "json",
)  # fmt: skip
"""Options that mean nothing without --record."""

TRACES = (settings.TRACE, settings.TRACE_STEPS, settings.TRACE_VALUES)

EPILOG = """\
With --record: the command runs under watch, what it prints comes through, and one file describes
the run. Results go into the folder that REPRO_OUTPUT and {output} name.

  seedlock run --seed 7 --record run.json --metric accuracy:max -- python train.py --out {output}

exit status with --record:
    0  done
    N  the program ended with N; 128 + N where signal N ended it
    2  the command line is wrong
   65  a declared metric is missing, not a number or written twice
   66  the source changed while the run was going on
   70  a process left no report, or did not come to its end: it was perhaps not locked
   74  a file could not be written, as on a full disk
   75  the machine failed, not the program
   78  a setting is not allowed; nothing was started
  124  the time limit was reached
  130  interrupted

docs/records.md has the record's keys.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what `seedlock run` takes for traces, and together with --record."""
    traces = parser.add_argument_group("traces")
    traces.add_argument(
        "--trace", choices=("step", "op", "off"),
        help="what is traced (default: step with --record; without: REPRO_TRACE; needs --report)",
    )  # fmt: skip
    traces.add_argument(
        "--steps", metavar="FIRST:END",
        help="steps whose operations are traced and whose results are kept, as 12:14, the second "
        "not; without --record",
    )  # fmt: skip
    group = parser.add_argument_group("with a record")
    group.add_argument("--record", metavar="FILE", help="write the run's record into this file")
    group.add_argument(
        "--metric", action="append", default=[], metavar="NAME:max|min[:UNIT]",
        help="a metric that counts; more than once for several",
    )  # fmt: skip
    group.add_argument(
        "--output", metavar="DIR",
        help="folder for what the run writes, its reports and traces, new or empty "
        "(default: the record's name without .json)",
    )  # fmt: skip
    group.add_argument(
        "--source", metavar="DIR",
        help="folder of the program (default: this one; none with --container)",
    )  # fmt: skip
    group.add_argument(
        "--data", metavar="LOCK",
        help="give the run the data that this file pins, as data.lock (docs/data.md)",
    )  # fmt: skip
    group.add_argument("--timeout", metavar="SECONDS", help="end a run that takes longer")
    group.add_argument(
        "--container", metavar="IMAGE",
        help="run in this image, which holds the program; DOCKER names the engine's client",
    )  # fmt: skip
    group.add_argument(
        "--mount", action="append", default=[], metavar="HOST:CONTAINER",
        help="a folder or file of this machine that the container sees, and can't write",
    )  # fmt: skip
    group.add_argument(
        "--sealed", action="store_true",
        help="no network, read-only root, limits, no home, listed variables, no capabilities; in "
        "the container, or without one in bubblewrap (docs/records.md)",
    )  # fmt: skip
    group.add_argument(
        "--limit", action="append", default=[], metavar="NAME=VALUE",
        help="of a sealed run: memory=8g, processors=2, processes=1024, time=1h30m, disk=16g",
    )  # fmt: skip
    group.add_argument(
        "--accept", action="append", default=[], metavar="PROMISE",
        help="a promise of the seal that the run can do without, as memory",
    )  # fmt: skip
    group.add_argument("--network", action="store_true", help="give the container a network")
    group.add_argument("--json", action="store_true", help="print the record at the end, on stdout")


def traced(options: argparse.Namespace, environ: dict[str, str]) -> dict[str, str]:
    """Return the environment with what a run without a record is asked to trace.

    A window of steps is one of operations, unless --trace says otherwise.

    Args:
        options: what `add_options` added.
        environ: the environment with all other settings.
    """
    mode = options.trace or ("op" if options.steps is not None else None)
    if mode is None:
        return environ
    if mode == "off":
        return {name: text for name, text in environ.items() if name not in TRACES}
    window = {} if options.steps is None else {settings.TRACE_STEPS: options.steps}
    return {**environ, settings.TRACE: mode, **window}


def problem_without_record(options: argparse.Namespace) -> str | None:
    """Return why the options can't be meant without --record; None where they can."""
    if options.trace == "off" and options.steps is not None:
        return "--steps is given with --trace off; allowed: with op or step"
    given = [name for name in WITH_RECORD if getattr(options, name)]
    if not given:
        return None
    return f"--{given[0]} is given without --record; allowed: with it; say --record run.json"


def run(options: argparse.Namespace, argv: list[str], environ: dict[str, str]) -> int:
    """Make the run and its record; return the exit status.

    Args:
        options: what `add_options` added.
        argv: the command.
        environ: the environment with all settings.
    """
    from seedlock.evaluation.requirements import RECORD, require

    require(RECORD)
    request = _request(options, argv, environ)
    if isinstance(request, str):
        print(f"seedlock run: {request}", file=sys.stderr)
        return EXIT_USAGE
    from seedlock.evaluation.file_digests import NotDigestible
    from seedlock.evaluation.recording.recorded_run import carry_out

    try:
        content = carry_out(request, environ)
    except NotDigestible as problem:
        print(f"seedlock run: the source can't have a digest: {problem}", file=sys.stderr)
        return EXIT_USAGE
    return _said(options, content)


def _said(options: argparse.Namespace, content: dict[str, Any]) -> int:
    from seedlock.evaluation.recording.record import EXIT_STATUSES

    outcome = content["outcome"]
    print(f"seedlock run: {outcome['class']}: {options.record}", file=sys.stderr)
    for reason in outcome["reasons"][:10]:
        print(f"  {reason}", file=sys.stderr)
    if options.json:
        import json

        print(json.dumps(content, indent=1, sort_keys=True))
    status = outcome["exit_status"]
    if outcome["class"] in EXIT_STATUSES:
        return EXIT_STATUSES[outcome["class"]]
    return 128 - status if status is not None and status < 0 else status or 1


def _request(
    options: argparse.Namespace, argv: list[str], environ: dict[str, str]
) -> Request | str:
    import shutil

    from seedlock.evaluation import container_engine
    from seedlock.evaluation.plan import Plan
    from seedlock.evaluation.recording import metrics
    from seedlock.evaluation.recording.recorded_run import Request
    from seedlock.evaluation.sealing.guarantees import accepted

    seconds = None if options.timeout is None else option_values.seconds(options.timeout)
    if options.timeout is not None and seconds is None:
        return f"--timeout is {options.timeout!r}; allowed: a number of seconds above 0"
    if options.steps is not None:
        return "--steps is given with --record; allowed: without; a record is of the whole run"
    if not options.container and (options.mount or options.network):
        return "--mount and --network: allowed with --container only"
    if not options.sealed and (options.limit or options.accept):
        return "--limit and --accept: allowed with --sealed only"
    if options.sealed and (options.network or options.timeout):
        return "--network and --timeout: not with --sealed; say --limit time=SECONDS"
    if not options.container and shutil.which(argv[0]) is None:
        return f"{argv[0]}: command not found"
    file = Path(options.record).absolute()
    if file.is_dir() or not file.suffix:
        return f"--record is {options.record!r}; allowed: a file's name, as run.json"
    folder = Path(options.output).absolute() if options.output else file.with_suffix("")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return f"{folder} is not empty; allowed: a new or an empty folder; say --output DIR"
    image, mounts = None, []
    if options.container is not None:
        try:
            mounts = container_engine.mounts(options.mount)
            image = container_engine.look_up(os.environ, options.container)
        except container_engine.EngineError as refusal:
            return str(refusal)
    source = None if image is not None and not options.sealed else Path.cwd()
    if options.source is not None:
        source = Path(os.path.abspath(options.source))
        if not source.is_dir():
            return f"--source {options.source}: no such folder"
    seed = settings.parse_seed(environ[settings.SEED])
    plan = Plan(
        argv, folder, (seed, seed), 1, 1, seconds, image, mounts, options.network,
        trace=options.trace or "step",
    )  # fmt: skip
    data = Path(options.data).absolute() if options.data is not None else None
    return Request(
        plan, file, source, data, metrics.declared(options.metric),
        limits=_limits(options) if options.sealed else None, accept=accepted(options.accept),
    )  # fmt: skip


def _limits(options: argparse.Namespace) -> Limits:
    from seedlock.evaluation.sealing.limits import parse

    pairs = (each.partition("=") for each in options.limit)
    return parse({name: value for name, _, value in pairs})
