"""`seedlock evaluate` on the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.environment import leave_lock
from seedlock.errors import LedgerUnavailable
from seedlock.evaluation import option_values

if TYPE_CHECKING:
    import argparse

    from seedlock.evaluation.engines.slurm_commands import Site
    from seedlock.evaluation.evaluating.session import Options

EXIT_USAGE, EXIT_INFRASTRUCTURE, EXIT_INTERRUPTED = 2, 75, 130

ENGINES = ("process", "docker", "slurm")

EPILOG = """\
Trains each submission under each of the round's hidden seeds, and writes down in the ledger what
became of each attempt. What was ended in the middle goes on with the same command.

exit status: 0 every run has come to its end, failures of authors among them; 2 the command line is
wrong; 74 a full disk; 75 the machine failed a run more often than the policy allows, or the
ledger's server is gone; 78 a submission was not frozen, or the runs can't be sealed, nothing was
started; 130 interrupted, what was running is queued again.

The passphrase of the round's secret, if it has one, is in the file that REPRO_PASSPHRASE_FILE
names, or asked for. docs/evaluate.md has a session to read.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = subcommands.add_parser(
        "evaluate",
        help="train a round's submissions under its hidden seeds",
        description="Run submissions x hidden seeds of a round.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("round", metavar="ROUND", help="the round's folder, after its draw")
    parser.add_argument(
        "submissions", nargs="+", metavar="SUBMISSION", help="folder with a submission.toml"
    )
    parser.add_argument(
        "--ledger", metavar="URL", help="a file or a database's URL (default: ROUND/ledger.db)"
    )
    parser.add_argument(
        "--engine", choices=ENGINES, default="docker", help="who carries runs out (default: docker)"
    )
    parser.add_argument(
        "--jobs", metavar="N",
        help="runs at a time (default: as many as the policy's limit of processors lets run here "
        "side by side)",
    )  # fmt: skip
    parser.add_argument(
        "--gpus", metavar="LIST",
        help="GPUs, each for one run at a time, as 0,1; auto for all of this machine (default: "
        "runs get none assigned)",
    )  # fmt: skip
    parser.add_argument(
        "--accept", action="append", default=[], metavar="PROMISE",
        help="a promise of the seal that the runs can do without (docs/records.md)",
    )  # fmt: skip
    parser.add_argument(
        "--unsealed", action="store_true",
        help="with --engine process or slurm: don't seal the runs; for programs that you trust",
    )  # fmt: skip
    parser.add_argument(
        "--reject", action="append", default=[], metavar="NAME",
        help="count all runs of this submission as failed, as one without an image",
    )  # fmt: skip
    parser.add_argument(
        "--throttle", metavar="N",
        help="with --engine slurm: runs of an array at a time (default: as many as there are)",
    )  # fmt: skip
    parser.add_argument(
        "--sbatch", action="append", default=[], metavar="OPTION",
        help="with --engine slurm: a further option of sbatch, as --sbatch=--partition=gpu",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the status at the end as JSON")
    parser.set_defaults(command=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import LEDGER, ROUND, require

    require({**ROUND, **LEDGER})
    from rich.console import Console

    from seedlock.evaluation.evaluating.session import evaluate

    given = _options(options)
    if isinstance(given, str):
        print(f"seedlock evaluate: {given}", file=sys.stderr)
        return EXIT_USAGE
    try:
        ended = evaluate(given, os.environ, Console(stderr=True))
    except LedgerUnavailable as problem:
        print(f"seedlock: {problem}", file=sys.stderr)
        return EXIT_INFRASTRUCTURE
    if options.json:
        import json

        print(json.dumps(ended.status.to_json(), indent=1, sort_keys=True))
    if ended.disk_full:
        from seedlock.evaluation.full_disk import EXIT_DISK_FULL

        print(ended.disk_full, file=sys.stderr)
        return EXIT_DISK_FULL
    if ended.interrupted:
        return EXIT_INTERRUPTED
    failed = ended.broken or ended.status.counts["infrastructure"]
    return EXIT_INFRASTRUCTURE if failed else 0


def _options(options: argparse.Namespace) -> Options | str:
    from seedlock.evaluation.evaluating.session import Options
    from seedlock.evaluation.sealing.guarantees import accepted

    jobs = None
    if options.jobs is not None:
        jobs = option_values.whole(options.jobs, 1, 4096)
        if jobs is None:
            return f"--jobs is '{options.jobs}'; allowed: a whole number from 1 to 4096"
    gpus = _gpus(options.gpus)
    if isinstance(gpus, str):
        return gpus
    if options.unsealed and options.engine not in ("process", "slurm"):
        return "--unsealed: allowed with --engine process and slurm only"
    site = _site(options, gpus)
    if isinstance(site, str):
        return site
    return Options(
        folder=Path(options.round).resolve(),
        submissions=tuple(Path(each).resolve() for each in options.submissions),
        ledger=options.ledger,
        engine=options.engine,
        jobs=jobs,
        gpus=gpus,
        accept=accepted(options.accept),
        sealed=not options.unsealed,
        rejected=tuple(options.reject),
        site=site,
    )


def _site(options: argparse.Namespace, gpus: tuple[str, ...]) -> Site | str:
    from seedlock.evaluation.engines.slurm_commands import Site

    of_slurm = options.throttle is not None or options.sbatch
    if of_slurm and options.engine != "slurm":
        return "--throttle and --sbatch: allowed with --engine slurm only"
    if options.engine == "slurm" and gpus:
        return "--gpus: Slurm assigns them; allowed: --sbatch=--gres=gpu:1"
    throttle = None
    if options.throttle:
        throttle = option_values.whole(options.throttle, 1, 4096)
        if throttle is None:
            return f"--throttle is '{options.throttle}'; allowed: a whole number from 1 to 4096"
    for each in options.sbatch:
        if not each.startswith("-"):
            return f"--sbatch is '{each}'; allowed: an option, as --sbatch=--partition=gpu"
    return Site(tuple(options.sbatch), throttle)


def _gpus(given: str | None) -> tuple[str, ...] | str:
    """Return names of GPUs, or what is wrong with the option."""
    if given is None:
        return ()
    from seedlock.machine import gpu

    seen = gpu()
    devices = seen["devices"]
    assert isinstance(devices, list)
    if given == "auto":
        why = seen.get("reason", "the driver has none")
        names = tuple(str(number) for number in range(len(devices)))
        return names or f"--gpus auto: no GPU is seen here ({why}); allowed: a machine with one"
    # 00 is 0, and the same GPU.
    names = tuple(name.lstrip("0") or "0" if name.isdecimal() else name
                  for name in given.split(","))  # fmt: skip
    plain = all(name and name.replace("-", "").isalnum() and name.isascii() for name in names)
    if not plain or len(set(names)) < len(names):
        return f"--gpus is '{given}'; allowed: auto, or different numbers or ids, as 0,1"
    absent = [
        name for name in names
        if name.isdecimal() and (len(name) > 4 or int(name) >= len(devices))
    ]  # fmt: skip
    if devices and absent:
        # Its runs would see no GPU, and fail for good as if that were their authors' fault.
        return f"--gpus is '{given}'; allowed: numbers below {len(devices)}, which this machine has"
    return names
