"""`seedlock board replayed`: what a replay came to, told to the leaderboard's server."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.environment import leave_lock
from seedlock.errors import printable
from seedlock.leaderboard.submit_command import server_options

if TYPE_CHECKING:
    import argparse

EXIT_USAGE = 2

VERDICTS = ("IDENTICAL", "WITHIN TOLERANCE", "DIFFERENT")
"""Of a replay that came to its end; another says nothing of the record."""

EPILOG = """\
  seedlock replay record.json --output again
  seedlock board replayed again/replay.json --round NAME

For reviewers and organisers. The SHA-256 of the record that was replayed, which REPLAY.json has,
says which run of the round it is, and the server takes no other than a published one. The board
shows the level that follows: replayed identical, within tolerance, or marked.

exit status: 0 the server has it; 2 the command line, the replay or its record is not what is
allowed; 78 token or address are not allowed, or the server refused.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = commands.add_parser(
        "replayed",
        help="tell the leaderboard's server what a replay came to",
        description="Send the result of seedlock replay to the leaderboard's server.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("replay", metavar="REPLAY.json", help="what seedlock replay wrote")
    parser.add_argument("--round", required=True, metavar="NAME", help="the round's name")
    parser.add_argument(
        "--record",
        metavar="FILE",
        help="the record that you mean; refused where another one was replayed",
    )
    server_options(parser)
    parser.add_argument("--json", action="store_true", help="print what the server took as JSON")
    parser.set_defaults(command=_replayed)


def _replayed(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import CLIENT, require

    require(CLIENT)
    import json

    from seedlock.evaluation.file_digests import digest_of
    from seedlock.leaderboard import client, own_uploads
    from seedlock.leaderboard.board_errors import BoardRefused

    read = _read(Path(options.replay))
    if isinstance(read, str):
        return _refuse(read)
    verdict, named, sha256 = read
    record = Path(options.record or named)
    if options.record is not None and not record.is_file():
        return _refuse(f"the record {printable(str(record), 200)} is not there; allowed: the one "
                       "that was replayed; leave out --record")  # fmt: skip
    if options.record is not None and digest_of(record).digest != f"sha256:{sha256}":
        return _refuse(f"{printable(options.replay, 200)} is of {printable(named, 200)}, "
                       f"sha256:{sha256}, and not of {printable(str(record), 200)}; allowed: the "
                       "record that was replayed; replay this one")  # fmt: skip
    server = client.given(options.server, options.token_file, os.environ)
    found = next(
        (
            (entry["name"], run["seed_index"])
            for entry in own_uploads.rows_of(server, options.round, "board", "submissions")
            for run in entry["runs"]
            if str(run["record_sha256"]).removeprefix("sha256:") == sha256
        ),
        None,
    )
    if found is None:
        raise BoardRefused(
            f"no run of {printable(options.round)} has the record {printable(str(record), 200)}, "
            f"sha256:{sha256}; allowed: one that counts on the board, byte for byte; replay the "
            "published record"
        )
    submission, seed_index = found
    answer: dict[str, Any] = server.post("rounds", options.round, "replays", content={
        "submission": submission, "seed_index": seed_index, "verdict": verdict,
        "record_sha256": sha256,
    })  # fmt: skip
    if options.json:
        print(json.dumps(answer, indent=1, sort_keys=True))
    else:
        print(printable(f"{submission}, seed index {seed_index}: {answer['verdict']}; the server "
                        f"has it as number {answer['number']}", 300))  # fmt: skip
    return 0


def _read(path: Path) -> tuple[str, str, str] | str:
    """Return a replay's verdict, its record's path and that one's SHA-256 in hexadecimal digits, or
    what is wrong."""
    import json

    shown = printable(str(path), 200)
    try:
        content = json.loads(path.read_bytes())
        verdict, record = content["verdict"], content["record"]
        # By its bytes: another run's record may lie at the path by now.
        sha256 = str(content["record_sha256"]).removeprefix("sha256:")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return (
            f"{shown} is no result of a replay, or of an older seedlock, which does not say of "
            "which record; allowed: replay.json of seedlock replay; replay the record again"
        )
    if verdict not in VERDICTS or not isinstance(record, str):
        return (
            f"{shown} says {printable(str(verdict), 60)}, which tells nothing of the record; "
            f"allowed: {', '.join(VERDICTS)}; replay it where it can be replayed"
        )
    return verdict, record, sha256


def _refuse(problem: str) -> int:
    print(f"seedlock board replayed: {problem}", file=sys.stderr)
    return EXIT_USAGE
