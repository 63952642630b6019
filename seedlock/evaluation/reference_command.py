"""`seedlock reference` on the command line: what well-known models come to under a lock."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.environment import leave_lock
from seedlock.evaluation import option_values
from seedlock.evaluation.reference import page_command
from seedlock.evaluation.reference.page_command import FOLDER, STORED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from seedlock.evaluation.reference.measuring import Measured, Options

EXIT_FAILED, EXIT_USAGE, EXIT_INFRASTRUCTURE, EXIT_INTERRUPTED = 1, 2, 75, 130

WORK = "build/reference"
MEASURED = "measured"

MEASURE = """\
exit status: 0 measured and stored; 1 stored, and a run failed; 2 the command line is wrong; 74 a
full disk; 75 the machine failed a run again and again, nothing was stored; 78 reference.toml or a
lock can't be read, or a package is not what a lock names; 130 interrupted, the same command goes on
where it was.
"""

CHECK = """\
exit status: 0 equal bits, or equal distributions; 1 FAIL; 2 the command line is wrong; 4 something
could not be compared and nothing fails: a model that one side does not have, another program or
level; 74 a full disk; 75 the machine failed a run again and again; 78 a file can't be read or is
not what was stored, or a package is not what a lock names; 130 interrupted, the same command goes
on where it was.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subcommands.add_parser(
        "reference",
        help="train well-known models under a lock, and hold another lock against them",
        description="Reference runs (docs/reference.md): what models come to under a lock.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_measure(commands)
    _add_check(commands)
    _add_show(commands)
    page_command.add(commands)


def _add_measure(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    import argparse

    parser = commands.add_parser(
        "measure",
        help="train the models under all seeds and store what they come to",
        description="Train each model of reference.toml under root seeds 1, 2, ... in the "
        "environment that seedlock runs in, and store the result.",
        epilog=MEASURE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_measuring(parser)
    parser.add_argument(
        "--output", metavar="DIR",
        help=f"folder for the result (default: FOLDER/{STORED}, if all models and seeds are "
        "measured)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print what was stored as JSON")
    parser.set_defaults(command=_measure)


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    import argparse

    parser = commands.add_parser(
        "check",
        help="train the models anew, and hold what they come to against what is stored",
        description="Train the models in the environment that seedlock runs in, and compare with "
        "the stored measurement: EQUAL BITS, EQUAL DISTRIBUTION, or FAIL with the first model, "
        "step and operation that differ.",
        epilog=CHECK,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_measuring(parser)
    parser.add_argument(
        "--stored", metavar="DIR", help=f"folder of the stored one (default: FOLDER/{STORED})"
    )
    parser.add_argument(
        "--measured", metavar="DIR",
        help="train nothing, and take this measurement that measure --output made",
    )  # fmt: skip
    parser.add_argument(
        "--output", metavar="DIR",
        help=f"folder for the new measurement (default: {MEASURED} in the work folder)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_check)


def _add_show(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "show",
        help="show a stored measurement",
        description="Show what the models came to: mean, spread, epochs to the target, time, "
        "memory.",
        epilog="Exit status 78: there is none in the folder.",
    )
    parser.add_argument(
        "stored", nargs="?", default=f"{FOLDER}/{STORED}", metavar="DIR",
        help=f"folder of the measurement (default: {FOLDER}/{STORED})",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print its file, checked")
    parser.set_defaults(command=_show)


def _add_measuring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", nargs="?", default=FOLDER, metavar="FOLDER",
        help=f"folder with a reference.toml (default: {FOLDER})",
    )  # fmt: skip
    parser.add_argument(
        "--models", metavar="LIST", help="these only, as torch-digits,numpy-text (default: all)"
    )
    parser.add_argument(
        "--seeds", metavar="N", help="root seeds 1 to N (default: as reference.toml says)"
    )
    parser.add_argument(
        "--jobs", metavar="N", help="runs at a time (default: one per processor)"
    )  # fmt: skip
    parser.add_argument(
        "--work", metavar="DIR", default=WORK,
        help="folder for what is under way, from which a measurement that was killed goes on "
        f"(default: {WORK})",
    )  # fmt: skip
    parser.add_argument(
        "--locks", metavar="DIR",
        help="folder with cpu.lock and programs.lock (default: the one above FOLDER)",
    )  # fmt: skip
    parser.add_argument(
        "--keep", action="store_true", help="keep records and traces of all runs in the work folder"
    )


def _measure(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import LEDGER, require

    require(LEDGER)
    from rich.console import Console

    from seedlock.evaluation.reference.measuring import measure

    output = options.output
    if output is None and (options.models or options.seeds):
        return _usage(
            "measure", "--models and --seeds: allowed with --output DIR only; the stored reference "
            "has all models and seeds",
        )  # fmt: skip
    given = _options(options, Path(output or Path(options.folder) / STORED))
    if isinstance(given, str):
        return _usage("measure", given)
    ended = measure(given, os.environ, Console(stderr=True))
    if ended.content is None:
        return _unfinished(ended)
    if options.json:
        import json

        print(json.dumps(ended.content, indent=1, sort_keys=True))
    else:
        print(f"stored in {given.output}")
    failed = ended.failed()
    for line in failed:
        print(line, file=sys.stderr)
    return EXIT_FAILED if failed else 0


def _check(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import LEDGER, SCORES, require

    require({**LEDGER, **SCORES})
    from rich.console import Console

    from seedlock.evaluation.reference import models_file, stored
    from seedlock.evaluation.reference.measuring import measure

    folder = Path(options.stored or Path(options.folder) / STORED)
    windows = {
        name: model["op_trace"]["steps"]
        for name, model in stored.read(folder)["models"].items()
        if model["op_trace"] is not None
    }
    output = Path(options.output or Path(options.work) / MEASURED)
    given = _options(options, output, windows)
    if isinstance(given, str):
        return _usage("check", given)
    if options.measured is None:
        ended = measure(given, os.environ, Console(stderr=True))
        if ended.content is None:
            return _unfinished(ended)
    # Now: NumPy starts threads, and a process that has some can't fork the workers above.
    from seedlock.evaluation.reference import checking

    before = checking.load(folder)
    after = checking.load(Path(options.measured or given.output))
    asked = [each.name for each in given.chosen] if options.models else None
    programs = given.models.folder / models_file.PROGRAMS
    result = checking.check(before, after, programs, asked, given.seeds if options.seeds else None)
    if options.json:
        import json

        print(json.dumps(result, indent=1, sort_keys=True))
    else:
        from seedlock.evaluation.reference.check_text import lines

        print("\n".join(lines(result, before.content, after.content)))
    return int(result["exit_status"])


def _show(options: argparse.Namespace) -> int:
    from seedlock.evaluation.requirements import SCORES, require

    require(SCORES)
    from seedlock.evaluation.reference import show_text, stored

    content = stored.read(Path(options.stored))
    if options.json:
        import json

        print(json.dumps(content, indent=1, sort_keys=True))
    else:
        print("\n".join(show_text.lines(content)))
    return 0


def _unfinished(ended: Measured) -> int:
    """Say why a measurement did not come to its end; return the exit status."""
    if ended.disk_full:
        from seedlock.evaluation.full_disk import EXIT_DISK_FULL

        print(ended.disk_full, file=sys.stderr)
        return EXIT_DISK_FULL
    if ended.broken:
        print(f"seedlock reference: {ended.broken}; nothing was stored", file=sys.stderr)
        return EXIT_INFRASTRUCTURE
    return EXIT_INTERRUPTED


def _options(
    options: argparse.Namespace, output: Path, op_steps: Mapping[str, int] | None = None
) -> Options | str:
    """Return what is to be measured, or what is wrong with the command line."""
    from seedlock.evaluation.reference import models_file
    from seedlock.evaluation.reference.measuring import Options

    numbers: dict[str, int | None] = {"jobs": None, "seeds": None}
    for name, most in (("jobs", 4096), ("seeds", models_file.MOST_SEEDS)):
        given = getattr(options, name)
        if given is not None:
            numbers[name] = option_values.whole(given, 1, most)
            if numbers[name] is None:
                return f"--{name} is '{given}'; allowed: a whole number from 1 to {most}"
    models = models_file.read(Path(options.folder))
    return Options(
        models=models,
        chosen=models.chosen((options.models or "").split(",") if options.models else ()),
        seeds=numbers["seeds"] or models.seeds,
        work=Path(options.work).resolve(),
        output=output.resolve(),
        locks=Path(options.locks or models.folder.parent).resolve(),
        jobs=numbers["jobs"],
        op_steps=op_steps or {},
        keep=options.keep,
    )


def _usage(command: str, text: str) -> int:
    print(f"seedlock reference {command}: {text}", file=sys.stderr)
    return EXIT_USAGE
