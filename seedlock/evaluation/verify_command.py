"""`seedlock verify` on the command line: its options, and which output goes where."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from seedlock import settings
from seedlock.environment import leave_lock
from seedlock.evaluation.option_values import seconds

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from seedlock.evaluation.plan import Plan

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

SEEDS = ("7", "8")
"""Root seeds A and B by default: fixed, so that whoever runs it again runs the same."""

EXAMPLES = """\
The command runs under seed A, again under A, and under seed B, each time in a clean process with
a folder of its own, in which REPRO_OUTPUT and {output} name the folder for results. Compared are
what the runs did (REPRO_TRACE), the files they wrote, and what they printed.

  seedlock verify -- python train.py --out {output}
  seedlock verify --declare model.pt --declare 'logs/*.csv' -- python train.py
  seedlock verify --container IMAGE --mount .:/submission --timeout 3600 -- python train.py

exit status:
    0  REPEATABLE and HEARS THE SEED
    1  NOT REPEATABLE
    2  the command line is wrong, or there is no such container image
    3  SEED-DEAF: repeatable, and another seed changes nothing
    4  INVALID: nothing may be said, as a process left no report, or there is nothing to compare
    5  the command failed or ran into the timeout
   78  a setting is not allowed; nothing was started
  130  interrupted

docs/verify.md has the rules and samples of the output.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subcommands.add_parser(
        "verify",
        help="run a command under two seeds: is it repeatable, does it hear the seed?",
        description="Run a command under seed A, again under A, and under B; say whether it is "
        "repeatable and hears the seed, else where two runs first part and what to change.",
        usage="seedlock verify [OPTIONS] [--] COMMAND [ARG ...]",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    running = parser.add_argument_group("runs")
    running.add_argument(
        "--seeds", nargs=2, metavar=("A", "B"), default=SEEDS,
        help=f"root seeds, 0 to 2**64 - 1 (default: {' '.join(SEEDS)})",
    )  # fmt: skip
    running.add_argument(
        "--replicates", type=_whole(2), default=2, metavar="N", help="runs under A (default: 2)"
    )
    running.add_argument(
        "--jobs", type=_whole(1), default=1, metavar="N",
        help="runs at a time (default: 1, so that they don't disturb each other)",
    )  # fmt: skip
    running.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="end a run that takes longer"
    )
    running.add_argument(
        "--level", help=f"one of {', '.join(settings.LEVELS)} (default: REPRO_LEVEL or strict)"
    )
    running.add_argument(
        "--trace", choices=("step", "op", "off"), default="step",
        help="what is traced: optimizer steps, operations too, or nothing (default: step)",
    )  # fmt: skip
    running.add_argument(
        "--no-bisect", action="store_true",
        help="don't run again to find the operation where two runs part",
    )  # fmt: skip
    running.add_argument(
        "--container", metavar="IMAGE",
        help="run in this image, which holds the program; DOCKER names the engine's client",
    )  # fmt: skip
    running.add_argument(
        "--mount", action="append", default=[], metavar="HOST:CONTAINER",
        help="a folder or file of this machine that containers see, and can't write",
    )  # fmt: skip
    running.add_argument("--network", action="store_true", help="give containers a network")
    results = parser.add_argument_group("results")
    results.add_argument(
        "--declare", action="append", default=[], metavar="FILE",
        help="a file, or a pattern as 'logs/*.csv', that the command writes in this folder",
    )  # fmt: skip
    results.add_argument(
        "--stdout", action="store_true",
        help="count what is printed as a result, times aside, for a program that only prints",
    )  # fmt: skip
    results.add_argument(
        "--output", metavar="DIR",
        help="folder for runs and reports, new or empty (default: seedlock-verify-DATE-TIME)",
    )  # fmt: skip
    results.add_argument("--json", action="store_true", help="print the result as JSON")
    results.add_argument(
        "--html", metavar="FILE", help="the page (default: report.html in the folder)"
    )
    results.add_argument(
        "--verbose", action="store_true", help="print all findings, gaps and causes"
    )
    parser.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND", help=argparse.SUPPRESS)
    parser.set_defaults(command=_verify)


def _verify(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import require

    require()
    seeds = tuple(settings.parse_seed(each) for each in options.seeds)
    argv = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    problem = _usage_problem(options, argv, seeds)
    if problem:
        return _refuse(problem)
    image, mounts = None, []
    if options.container is not None:
        from seedlock.evaluation import container_engine

        try:
            mounts = container_engine.mounts(options.mount)
            image = container_engine.look_up(os.environ, options.container)
        except container_engine.EngineError as refusal:
            return _refuse(str(refusal))
    folder = _folder(options.output)
    if folder is None:
        return _refuse(
            f"--output {options.output} is not empty, or no folder can be made there; "
            "allowed: a new or an empty one"
        )
    from seedlock.evaluation.plan import Plan

    plan = Plan(
        argv, folder, (seeds[0], seeds[1]), options.replicates, options.jobs, options.timeout,
        image, mounts, options.network, options.declare, options.level,
        options.trace, not options.no_bisect, stdout=options.stdout,
    )  # fmt: skip
    try:
        return _carried_out(plan, options)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _carried_out(plan: Plan, options: argparse.Namespace) -> int:
    from rich.console import Console

    from seedlock.evaluation.progress import Progress
    from seedlock.evaluation.verify import Verification
    from seedlock.evaluation.verify_page import page
    from seedlock.evaluation.verify_text import text
    from seedlock.evaluation.writing import write_json, write_text

    progress = Progress(Console(stderr=True))
    verification = Verification(plan, os.environ, progress.show)
    plan.folder.mkdir(parents=True, exist_ok=True)
    if options.output is None:
        # It lies beside the program, where git tells what is handed in.
        write_text(str(plan.folder / ".gitignore"), "*\n")
    with progress:
        result: dict[str, Any] = verification.result()
    where = options.html or str(plan.folder / "report.html")
    result["html"] = os.path.abspath(where)
    write_json(str(plan.folder / "verify.json"), result)
    try:
        write_text(where, page(result))
    except OSError as problem:
        print(f"seedlock verify: {where}: {problem.strerror}", file=sys.stderr)
    if options.json:
        import json

        print(json.dumps(result, indent=1, sort_keys=True))
    else:
        print(text(result, options.verbose))
    status: int = result["exit_status"]
    return status


def _usage_problem(
    options: argparse.Namespace, argv: list[str], seeds: tuple[int, ...]
) -> str | None:
    import shutil

    if not argv:
        return "no command given; say seedlock verify -- python train.py"
    if seeds[0] == seeds[1]:
        return "--seeds are equal; allowed: two different ones"
    if not options.container and (options.mount or options.network):
        return "--mount and --network: allowed with --container only"
    if options.declare and options.container:
        return "--declare and --container: the image's folders are not here; write to {output}"
    if options.declare and options.jobs > 1:
        return "--declare and --jobs: runs at the same time would write the same files"
    for pattern in options.declare:
        if os.path.isabs(pattern) or ".." in pattern.split("/") or not pattern.strip("./"):
            return f"--declare {pattern}: allowed: a file or pattern below the working folder"
    if not options.container and shutil.which(argv[0]) is None:
        return f"{argv[0]}: command not found"
    return None


def _folder(given: str | None) -> Path | None:
    """Return an absolute path for the folder, which is made later; None where it can't be."""
    import time
    from pathlib import Path

    if given is None:
        name = f"seedlock-verify-{time.strftime('%Y%m%d-%H%M%S')}"
        for number in range(1, 1000):
            folder = Path.cwd() / (name if number == 1 else f"{name}-{number}")
            if not folder.exists():
                return folder
        return None
    folder = Path(given).resolve()
    try:
        empty = not folder.exists() or not any(folder.iterdir())
    except OSError:
        return None
    return folder if empty else None


def _refuse(problem: str) -> int:
    print(f"seedlock verify: {problem}", file=sys.stderr)
    return EXIT_USAGE


def _whole(least: int) -> Any:
    def number(given: str) -> int:
        if not (given.isascii() and given.isdigit() and int(given) >= least):
            raise argparse.ArgumentTypeError(f"'{given}' is not a number of {least} or more")
        return int(given)

    return number


def _seconds(given: str) -> float:
    number = seconds(given)
    if number is None:
        raise argparse.ArgumentTypeError(f"'{given}' is not a number of seconds above 0")
    return number
