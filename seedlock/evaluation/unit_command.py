"""`seedlock unit`: one run of a round on a node of an engine; people have no use for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.environment import leave_lock

if TYPE_CHECKING:
    import argparse

EPILOG = """\
exit status: 0 done; 42 the author's program failed, whatever its own status; 74 a full disk;
75 the machine failed, not the program; 124 it came to a limit; 130 interrupted.

docs/evaluate.md says how runs end.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = subcommands.add_parser(
        "unit",
        help="carry out one run of a round; engines call it",
        description="Carry out the run in a file that seedlock evaluate wrote.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "file", metavar="FILE",
        help="the unit; it holds the seed, mode 0600. In a job of Slurm, the folder of its array",
    )  # fmt: skip
    parser.set_defaults(command=_unit)


def _unit(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import require

    require()  # the image has no jsonschema; a record is written without being read
    from seedlock.evaluation.engines.base import FAILED_HERE, read_unit
    from seedlock.evaluation.engines.unit import carry_out

    if os.path.isdir(options.file):
        return _of_array(Path(options.file))
    try:
        unit = read_unit(Path(options.file))
    except (OSError, ValueError) as problem:
        print(f"seedlock unit: {options.file}: {problem}", file=sys.stderr)
        return FAILED_HERE
    status, said = carry_out(unit, os.environ)
    if said:
        print(f"seedlock unit {unit.title}: {said}", file=sys.stderr)
    return status


def _of_array(folder: Path) -> int:
    from seedlock.evaluation.engines import slurm_start
    from seedlock.evaluation.engines.base import FAILED_HERE

    try:
        status, said = slurm_start.carry_out(folder, os.environ)
    except (OSError, ValueError) as problem:
        status, said = FAILED_HERE, str(problem)
    if said:
        print(f"seedlock unit: {said}", file=sys.stderr)
    return status
