"""`seedlock spot-check` on the command line: its options, and which output goes where."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.environment import leave_lock

if TYPE_CHECKING:
    import argparse
    from fractions import Fraction

    from seedlock.evaluation.rounds.ceremony import Round

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

WHOLE = "result.json"
"""The result with all reasons, beside the replays; ROUND/spot-check.json has what is published."""

EPILOG = """\
Looks whether the records that authors returned are the round's and signed, draws a part of them
by the round's secret and beacon, replays these, and writes ROUND/spot-check.json; the second time
spot-check-2.json, and so on.

  seedlock spot-check ROUND returned/* --submission mine --submission yours
  seedlock spot-check ROUND --verify       # after the reveal: was the part drawn as it had to be?

exit status, the first that fits:
    0  no submission stands worse than "passed" or "not chosen"
    1  one is marked: a chosen record did not come out the same again
    2  the command line is wrong
    3  one is refused: a record is missing, double, changed, unsigned or not the round's
    4  one is unchecked: a replay could not be compared, so nothing may be said
   74  a full disk
   78  the round, a submission's folder or the passphrase is not what it should be, or replays
       can't be sealed here
  130  interrupted; nothing was written

Programs of authors run sealed, as in an evaluation. docs/spot-checks.md has the rules.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = subcommands.add_parser(
        "spot-check",
        help="replay a part of the records that authors made themselves",
        description="Check signed records of a round that authors train, and replay some of them.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("round", metavar="ROUND", help="the round's folder")
    parser.add_argument(
        "records", nargs="*", metavar="RECORD",
        help="a record with its signature RECORD.sig beside it, or a folder: its *.json",
    )  # fmt: skip
    parser.add_argument(
        "--fraction", metavar="PART",
        help="part of the records that is replayed, above 0 to 1 (default: the policy's "
        "spot_checks; not less)",
    )  # fmt: skip
    parser.add_argument(
        "--submission", action="append", default=[], metavar="DIR",
        help="folder of a frozen submission, with submission.toml; all of the round are needed",
    )  # fmt: skip
    parser.add_argument(
        "--data", action="append", default=[], metavar="DIR",
        help="a folder that holds declared sets by their names (default: REPRO_DATA)",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance", action="append", default=[], metavar="METRIC=ABS|REL%%",
        help="how far a metric may be from the recorded one; without it, bits have to be equal",
    )  # fmt: skip
    parser.add_argument(
        "--accept", action="append", default=[], metavar="PROMISE",
        help="a promise of the seal that replays can do without (docs/records.md)",
    )  # fmt: skip
    parser.add_argument(
        "--unsealed", action="store_true",
        help="don't seal the replays; for programs that you trust",
    )  # fmt: skip
    parser.add_argument(
        "--output", metavar="DIR",
        help="folder for the replays, new or empty (default: ROUND/private/spot-check-N)",
    )  # fmt: skip
    parser.add_argument(
        "--verify", action="store_true",
        help="look whether each result has the part that secret and beacon say",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--verbose", action="store_true", help="print all reasons")
    parser.set_defaults(command=_spot_check)


def _spot_check(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import ROUND, require

    require(ROUND)
    from seedlock.evaluation.spot_checks.round_terms import published

    this = published(Path(options.round).absolute())
    if options.verify:
        return _verify(options, this)
    from seedlock.evaluation.spot_checks.spot_check import Stopped

    try:
        return _check(options, this)
    except (KeyboardInterrupt, Stopped):
        return EXIT_INTERRUPTED


def _check(options: argparse.Namespace, this: Round) -> int:
    from rich.console import Console

    from seedlock.evaluation.progress import Progress
    from seedlock.evaluation.replaying.tolerance import ALLOWED, tolerances
    from seedlock.evaluation.rounds import checked_part
    from seedlock.evaluation.rounds.round_files import alone, put
    from seedlock.evaluation.sealing.guarantees import accepted
    from seedlock.evaluation.spot_checks.admission import admit
    from seedlock.evaluation.spot_checks.publishing import for_everybody
    from seedlock.evaluation.spot_checks.round_terms import terms
    from seedlock.evaluation.spot_checks.spot_check import Way, check
    from seedlock.evaluation.spot_checks.spot_check_text import text

    part = _fraction(options, this)
    if isinstance(part, str):
        return _refuse(part)
    allowed = tolerances(options.tolerance)
    if allowed is None:
        return _refuse(f"--tolerance {' '.join(options.tolerance)}: allowed: {ALLOWED}")
    files = _files(options.records)
    folder = _folder(options, this)
    if not files or folder is None:
        said = "no record is given; say which" if not files else f"--output {options.output} is "
        return _refuse(said if not files else f"{said}not empty; allowed: a new or an empty folder")
    folders = [Path(each).absolute() for each in options.submission]
    of_round = terms(this, folders, _passphrase(this))
    data = [Path(each).absolute() for each in options.data]
    data += [Path(each) for each in (os.environ.get("REPRO_DATA"),) if each]
    console = Console(stderr=True)

    def tell(line: str) -> None:
        console.print(f"seedlock spot-check: {line}", markup=False, soft_wrap=True)

    earlier = checked_part.all_of(this)
    standings = admit(files, of_round, bool(allowed), checked_part.taken(earlier.values()))
    with Progress(console) as progress:
        way = Way(
            folder, data, allowed, not options.unsealed, accepted(options.accept), os.environ,
            progress.show, tell,
        )  # fmt: skip
        result = check(of_round, standings, part, way)
    public = {each["digest"] for each in this.freeze()["submissions"]
              if each["visibility"] == "public"}  # fmt: skip
    with alone(this.folder):
        put(folder / WHOLE, result, 0o600)
        number = len(checked_part.all_of(this)) + 1
        put(checked_part.place(this, number), for_everybody(result, public))
    _show(options, result, text(result, options.verbose))
    status: int = result["exit_status"]
    return status


def _verify(options: argparse.Namespace, this: Round) -> int:
    from seedlock.evaluation.rounds.checked_part import all_of, problems
    from seedlock.evaluation.spot_checks.round_terms import secret_of

    secret = secret_of(this, _passphrase(this)).exposed()
    results = all_of(this)
    if not results:
        return _refuse(f"there is no spot-check.json in {this.folder}; allowed: a round with one")
    found = [
        f"{path.name}: {each}"
        for path, content in results.items() for each in problems(content, this, secret)
    ]  # fmt: skip
    lines = found or [f"{len(results)} results: what was replayed is what secret and beacon say"]
    _show(options, {"problems": found}, "\n".join(lines))
    return 1 if found else 0


def _fraction(options: argparse.Namespace, this: Round) -> Fraction | str:
    from seedlock.evaluation.rounds.lots import fraction

    least = this.policy.spot_checks
    given = least if options.fraction is None else options.fraction
    found = fraction(given)
    if found is None:
        if options.fraction is None:
            return "the policy has no spot_checks; say --fraction 0.1"
        return f"--fraction is {given!r}; allowed: a number above 0, up to 1, as 0.1 or 1/10"
    bound = fraction(least)
    if bound is not None and found < bound:
        return f"--fraction is {given}; allowed: {least} or more, which the policy promised"
    return found


def _files(given: list[str]) -> list[Path]:
    found: list[Path] = []
    for each in given:
        path = Path(each).absolute()
        found += sorted(path.glob("*.json")) if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def _folder(options: argparse.Namespace, this: Round) -> Path | None:
    if options.output is None:
        private = this.folder / "private"
        numbered = (private / f"spot-check-{number}" for number in range(1, 10_000))
        found = next(path for path in numbered if not path.exists())
        private.mkdir(mode=0o700, exist_ok=True)
    else:
        found = Path(options.output).absolute()
        if found.exists() and (not found.is_dir() or any(found.iterdir())):
            return None
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def _passphrase(this: Round) -> str | None:
    from seedlock.evaluation.rounds import passphrase, secret_file
    from seedlock.evaluation.rounds.formats import REVEAL

    return passphrase.of_secret(not this.has(REVEAL) and secret_file.is_sealed(this.folder))


def _show(options: argparse.Namespace, result: dict[str, Any], lines: str) -> None:
    if options.json:
        import json

        print(json.dumps(result, indent=1, sort_keys=True))
    else:
        print(lines)


def _refuse(problem: str) -> int:
    print(f"seedlock spot-check: {problem}", file=sys.stderr)
    return EXIT_USAGE
