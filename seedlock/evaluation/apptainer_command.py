"""`seedlock apptainer`: print the job that trains a submission in an Apptainer image."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.environment import leave_lock

if TYPE_CHECKING:
    import argparse

EXIT_USAGE = 2

EPILOG = """\
Nothing is run. The job expects SEEDS/0.env, SEEDS/1.env and so on, mode 0600, each with one line
REPRO_SEED=...; results and reports go to RESULTS/0, RESULTS/1 and so on.

docs/slurm.md has an example, and says what of it was tried.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = subcommands.add_parser(
        "apptainer",
        help="print a Slurm job that trains a submission in an Apptainer image",
        description="Print a job for sbatch that trains a submission under several seeds.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", metavar="IMAGE.sif", help="the image, on all nodes")
    parser.add_argument("round", metavar="ROUND", help="the round's folder")
    parser.add_argument("submission", metavar="SUBMISSION", help="folder with a submission.toml")
    parser.add_argument("--seeds", metavar="FOLDER", required=True, help="the seeds' files")
    parser.add_argument("--results", metavar="FOLDER", required=True, help="for the results")
    parser.add_argument(
        "--data", action="append", default=[], metavar="NAME=PATH", help="a data set of the round"
    )
    parser.add_argument("--nv", action="store_true", help="give the runs the node's NVIDIA GPUs")
    parser.add_argument(
        "--sbatch", action="append", default=[], metavar="OPTION",
        help="a further option of sbatch, as --sbatch=--gres=gpu:1",
    )  # fmt: skip
    parser.set_defaults(command=_apptainer)


def _apptainer(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import ROUND, require

    require(ROUND)
    from seedlock.evaluation.engines.apptainer import Job, script
    from seedlock.evaluation.rounds.ceremony import Round
    from seedlock.evaluation.rounds.handed_in import smaller
    from seedlock.evaluation.submission import submission_file

    data = dict(each.split("=", 1) for each in options.data if "=" in each)
    if len(data) != len(options.data):
        print("seedlock apptainer: --data: allowed: NAME=PATH, each name once", file=sys.stderr)
        return EXIT_USAGE
    policy = Round(Path(options.round)).policy
    submission = submission_file.read(Path(options.submission).resolve())
    job = Job(
        Path(options.image).resolve(),
        submission.folder,
        submission.command,
        {name: Path(path).resolve() for name, path in data.items()},
        Path(options.results).resolve(),
        Path(options.seeds).resolve(),
        policy.level,
        smaller(policy.limits, submission.limits).as_dict(),
        policy.seeds,
        options.nv,
        options.sbatch,
    )
    print(script(job), end="")
    return 0
