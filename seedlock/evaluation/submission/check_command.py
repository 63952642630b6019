"""`seedlock check` on the command line."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock import settings
from seedlock.environment import leave_lock

if TYPE_CHECKING:
    import argparse

EXIT_USAGE = 2

ENGINES = ("docker", "process")

MARKS = {"passed": "ok  ", "failed": "FAIL", "not looked at": "--  "}

EPILOG = """\
Does what a conference will do, small: builds the image, runs the submission sealed under seed A
twice and under seed B once, and looks whether the runs repeat, hear the seed, keep the limits,
write the declared metrics and read nothing but the image, the source and the declared data.

With --policy FILE, the policy.toml or opening.json of a round, it is first held against that:
name, metrics, limits, image and data, as the round's server does. The runs then have the round's
level, and its limits where the submission asks for no less.

With --engine process there is no image: the runs are in this environment, and a submission without
a fault is not called READY, as its image was not looked at.

exit status: 0 all points that were looked at passed; 1 one failed; 2 the command line is wrong;
74 a full disk; 78 submission.toml, the policy or a setting is not allowed, nothing was started;
130 interrupted.

docs/submission.md has a submission.toml to copy.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = subcommands.add_parser(
        "check",
        help="check a submission before it is handed in",
        description="Check the submission in a folder with submission.toml.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="FOLDER", help="default: this one"
    )
    parser.add_argument(
        "--seeds", nargs=2, metavar=("A", "B"), default=("7", "8"), help="root seeds (default: 7 8)"
    )
    parser.add_argument(
        "--policy", metavar="FILE",
        help="the round's policy.toml or opening.json, which its page offers: would it be taken?",
    )  # fmt: skip
    parser.add_argument(
        "--accept", action="append", default=[], metavar="PROMISE",
        help="a promise of the seal that the runs can do without (docs/records.md)",
    )  # fmt: skip
    parser.add_argument(
        "--engine", choices=ENGINES, default="docker",
        help="where the runs are: in the submission's image, or in this environment, sealed by "
        "bubblewrap (default: docker)",
    )  # fmt: skip
    parser.add_argument(
        "--unsealed", action="store_true",
        help="with --engine process: don't seal the runs; for programs that you trust",
    )  # fmt: skip
    parser.add_argument(
        "--output", metavar="DIR",
        help="folder for runs, records and the page, new or empty (default: "
        "seedlock-check-DATE-TIME beside the submission's folder)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import RECORD, ROUND, require

    require(RECORD if options.policy is None else ROUND)
    from rich.console import Console

    from seedlock.evaluation.pages import render
    from seedlock.evaluation.sealing.guarantees import accepted
    from seedlock.evaluation.submission.check import STEPS, Check
    from seedlock.evaluation.submission.check_progress import Steps
    from seedlock.evaluation.submission.of_round import read as read_policy
    from seedlock.evaluation.submission.submission_file import read
    from seedlock.evaluation.writing import write_json, write_text

    seeds = tuple(settings.parse_seed(each) for each in options.seeds)
    if seeds[0] == seeds[1]:
        print("seedlock check: --seeds are equal; allowed: two different ones", file=sys.stderr)
        return EXIT_USAGE
    here = options.engine == "process"
    if options.unsealed and not here:
        print("seedlock check: --unsealed: allowed with --engine process only", file=sys.stderr)
        return EXIT_USAGE
    submission = read(Path(options.folder).resolve())
    policy = None if options.policy is None else read_policy(Path(options.policy))
    output = _output(options.output, submission.folder)
    if output is None:
        print(f"seedlock check: {options.output} is not empty; allowed: a new or an empty folder",
              file=sys.stderr)  # fmt: skip
        return EXIT_USAGE
    accept = accepted(options.accept)
    with Steps(Console(stderr=True), STEPS - here) as steps:
        check = Check(
            submission, output, (seeds[0], seeds[1]), accept, steps.begin, steps.show, here,
            not options.unsealed, policy,
        )  # fmt: skip
        result = check.result({**os.environ, settings.SEED: str(seeds[0])})
    write_json(str(output / "check.json"), result)
    write_text(str(output / "check.html"), render("check.html", result=result))
    if options.json:
        import json

        print(json.dumps(result, indent=1, sort_keys=True))
    else:
        print(_text(result))
        print(f"page: {output / 'check.html'}")
    status: int = result["exit_status"]
    return status


def _text(result: dict[str, Any]) -> str:
    name = result["submission"]["name"]
    lines = [f"{name}: {result['verdict']}"]
    for point in result["points"]:
        lines.append(f"{MARKS[point['status']]} {point['name']}: {point['said']}")
        lines += [f"       {each}" for each in point["details"]]
        lines += [f"       cure: {point['cure']}"] if point["cure"] else []
    return "\n".join(lines)


def _output(given: str | None, beside: Path) -> Path | None:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = Path(given).resolve() if given else beside.parent / f"seedlock-check-{stamp}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return None
    return folder
