"""`seedlock board export` and `seedlock board verify`: a board that outlives its server."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.environment import leave_lock

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_USAGE = 2

EXPORT_STATUSES = """\
exit status:
    0  the board was written; its digest is printed: publish it, note it
    2  the command line is wrong
   74  a disk is full; an earlier export is as it was
   78  the round's folder, or the one to write to, is not what is allowed;
       an earlier export is as it was
  130  interrupted; the same

docs/leaderboard.md says what is in an export, and what of private submissions.
"""

VERIFY_STATUSES = """\
   78  the folder is no exported board

docs/leaderboard.md says what is proven by what.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands to `seedlock board`."""
    from seedlock.evaluation import round_command

    exporting = _command(
        commands, "export", _export, "write a round's board as pages and files that verify "
        "themselves", EXPORT_STATUSES,
    )  # fmt: skip
    exporting.add_argument("folder", nargs="?", metavar="ROUND", help="the round's folder")
    exporting.add_argument(
        "--round", metavar="NAME", help="instead of a folder: of this round what its server shows "
        "everybody, asked without a token",
    )  # fmt: skip
    exporting.add_argument("--server", metavar="URL", help="that server (default: REPRO_BOARD)")
    exporting.add_argument(
        "-o", "--output", required=True, metavar="DIR",
        help="new, empty, or an earlier export, which is replaced as a whole",
    )  # fmt: skip
    exporting.add_argument(
        "--records", action="store_true",
        help="with the records of public submissions, once the round is revealed",
    )  # fmt: skip
    verifying = _command(
        commands, "verify", _verify, "prove an exported board from its files, offline",
        f"{round_command.VERDICT_STATUSES}{VERIFY_STATUSES}",
    )  # fmt: skip
    verifying.add_argument("folder", metavar="DIR", help="what seedlock board export wrote")
    verifying.add_argument(
        "--sums", metavar="DIGEST", help="of SHA256SUMS, as it was published: sha256:…"
    )
    round_command.add_noted(verifying)
    verifying.add_argument("--json", action="store_true", help="print JSON")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    carry_out: Callable[[argparse.Namespace], int],
    about: str,
    statuses: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=about, description=f"{about[0].upper()}{about[1:]}.", epilog=statuses,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.set_defaults(command=carry_out)
    return parser


def _export(options: argparse.Namespace) -> int:
    _begin()
    from seedlock.evaluation.rounds.canonical import now
    from seedlock.leaderboard import exporting

    target = Path(options.output).absolute()
    if (options.folder is None) == (options.round is None):
        print("seedlock board: allowed: a round's folder, or --round NAME of a server's; say one",
              file=sys.stderr)  # fmt: skip
        return EXIT_USAGE
    if options.folder is not None:
        source = Path(options.folder).absolute()
        digest = exporting.export(source, target, now(), options.records)
    else:
        digest = _from_server(options, target)
    print(f"{target / 'index.html'}\nSHA256SUMS {digest}")
    return 0


def _from_server(options: argparse.Namespace, target: Path) -> str:
    import os
    import tempfile

    from seedlock import settings
    from seedlock.evaluation.requirements import CLIENT, require
    from seedlock.evaluation.rounds.canonical import now

    require(CLIENT)
    from seedlock.leaderboard import client, exporting, fetched_round

    server = client.Client(options.server or os.environ.get(settings.BOARD) or "", None)
    with tempfile.TemporaryDirectory(prefix="seedlock-round-") as place:
        told = fetched_round.fetch(server, options.round, Path(place), options.records)
        return exporting.export(Path(place), target, now(), options.records, told)


def _verify(options: argparse.Namespace) -> int:
    _begin()
    from seedlock.evaluation import round_command
    from seedlock.evaluation.rounds.canonical import DIGEST, now
    from seedlock.leaderboard import export_layout, export_verification

    noted = round_command.noted(options)
    if options.sums is not None and not DIGEST.fullmatch(options.sums):
        noted = f"--sums {options.sums}; allowed: sha256: and 64 hexadecimal digits, small ones"
    if isinstance(noted, str):
        print(f"seedlock board: {noted}".encode("ascii", "replace").decode(), file=sys.stderr)
        return EXIT_USAGE
    folder = Path(options.folder).absolute()
    found = export_verification.verify(folder, now(), noted, options.sums)
    return round_command.show_findings(export_layout.round_name(folder), found, options.json)


def _begin() -> None:
    leave_lock()
    from seedlock.evaluation.requirements import PAGES, ROUND, require

    require({**PAGES, **ROUND})
