"""`seedlock board fetch`: what was handed in, from the server into the round's folder."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.environment import leave_lock
from seedlock.errors import BadRound, printable
from seedlock.leaderboard.submit_command import server_options

if TYPE_CHECKING:
    import argparse

    from seedlock.leaderboard.client import Client

EXIT_USAGE = 2

EPILOG = """\
Fetches the last accepted submission of each name into FOLDER/submissions/NAME, after the deadline
or after the freeze.
Each archive and each unpacked folder is compared with its digest. What is there already with that
digest is left alone; a folder with another content is named and nothing is put in its place.
Then: seedlock round freeze FOLDER.

exit status: 0 all are here; 2 the command line is wrong; 74 a full disk; 78 round, token or address
are not allowed, the server refused, or a folder is in the way; 130 interrupted: say it again.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = commands.add_parser(
        "fetch",
        help="fetch what was handed in at the leaderboard's server",
        description="Fetch the submissions of the round in FOLDER, to be frozen.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="default: .")
    server_options(parser)
    parser.add_argument(
        "--early",
        action="store_true",
        help="while the server takes submissions: later uploads are not in it",
    )
    parser.add_argument(
        "--records", action="store_true",
        help="instead: the records that authors trained and signed, into FOLDER/returned",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print what was fetched as JSON")
    parser.set_defaults(command=_fetch)


def _fetch(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import CLIENT, ROUND, require

    require({**CLIENT, **ROUND})
    from rich.console import Console

    from seedlock.evaluation.data.fetch_progress import Bar
    from seedlock.evaluation.rounds.ceremony import Round
    from seedlock.evaluation.rounds.formats import FREEZE
    from seedlock.leaderboard import client, own_uploads

    this = Round(Path(options.folder).absolute())
    name = this.policy.name
    server = client.given(options.server, options.token_file, os.environ)
    if options.records:
        return _fetch_records(options, server, name, this.folder / "returned")
    told = server.get("rounds", name)
    # By the server's clock, and over with the freeze that was published there, early ones too.
    if told["submissions_open"] and not options.early:
        cure = "seedlock board publish first" if this.has(FREEZE) else "wait, or say --early"
        print(
            f"seedlock board fetch: the deadline is {told['deadline']} and it is {told['now']} by "
            f"the server's clock; {cure}",
            file=sys.stderr,
        )
        return EXIT_USAGE
    into = this.folder / "submissions"
    into.mkdir(exist_ok=True)
    rows = [
        each
        for each in own_uploads.rows_of(server, name, "submissions", "uploads")
        if each["counts"]
    ]
    fetched = []
    with Bar(Console(stderr=True)) as bar:
        for row in rows:
            fetched.append({**row, "how": _one(server, name, row, into, bar)})
    strangers = sorted(
        each.name for each in into.iterdir()
        if each.is_dir() and not each.name.startswith(".")
        and each.name not in {row["name"] for row in rows}
    )  # fmt: skip
    if options.json:
        import json

        print(json.dumps({"round": name, "fetched": fetched, "others": strangers}, indent=1))
        return 0
    for each in fetched:
        print(f"{each['name']}: {each['how']}, {each['digest']}, of {each['team']}")
    for other in strangers:
        print(f"{other}: is in {into} and was not handed in at the server")
    following = "" if this.has(FREEZE) else "; next: seedlock round freeze"
    print(f"{name}: {len(rows)} submissions in {into}{following}")
    return 0


def _fetch_records(options: argparse.Namespace, server: Client, name: str, into: Path) -> int:
    """Fetch signed records with their signatures, for seedlock spot-check.

    Raises:
        BadRound: another file is in the place of one.
    """
    import json

    from seedlock.evaluation.submission.submission_file import NAMES
    from seedlock.evaluation.writing import write_bytes
    from seedlock.leaderboard import own_uploads

    into.mkdir(exist_ok=True)
    rows = own_uploads.rows_of(server, name, "signed-records", "records")
    fetched = []
    for row in rows:
        place = into / f"{row['submission']}-{int(row['seed_index'])}.json"
        if not NAMES.fullmatch(row["submission"]):
            raise _other_name(row["submission"])
        record, sha256 = _bytes_of(server, name, row["record"])
        if sha256 != row["sha256"] or (place.exists() and place.read_bytes() != record):
            raise BadRound(
                f"{printable(str(place), 200)} is another record than {row['sha256']}, which was "
                "sent; allowed: no file in its place; move it away and say it again"
            )
        # The signature first: a record without one would be refused.
        signature, _ = _bytes_of(server, name, f"{row['record']}.sig")
        write_bytes(f"{place}.sig", signature)
        write_bytes(str(place), record)
        fetched.append({**row, "file": str(place)})
        if not options.json:
            print(f"{place}: of {row['team']}", flush=True)
    if options.json:
        print(json.dumps({"round": name, "fetched": fetched}, indent=1))
    else:
        print(f"{name}: {len(rows)} records in {into}; next: seedlock spot-check")
    return 0


def _bytes_of(server: Client, name: str, path: str) -> tuple[bytes, str]:
    import io

    into = io.BytesIO()
    sha256 = server.fetch(
        "rounds", name, "records", *path.split("/")[1:], into=into, advanced=lambda _: None
    )
    return into.getvalue(), sha256


def _one(server: Client, name: str, row: dict[str, Any], into: Path, bar: Any) -> str:
    """Fetch one submission; return `fetched` or `there already`.

    Raises:
        BadRound: another folder is in its place, or what came is not what was handed in.
    """
    import tempfile

    from seedlock.evaluation.submission.submission_file import NAMES
    from seedlock.leaderboard import archive

    if not NAMES.fullmatch(row["name"]):
        raise _other_name(row["name"])
    place = into / row["name"]
    if os.path.lexists(place):
        if _digest(place) == row["digest"]:
            return "there already"
        raise BadRound(
            f"{printable(str(place), 200)} is there and is not {row['digest']}, which was handed "
            "in last; allowed: no folder in its place; move it away and say it again"
        )
    temporary = into / f".{row['name']}.tmp"
    if temporary.exists():
        shutil.rmtree(temporary)  # of a fetch that was killed
    bar.of(row["name"]).begin("fetching", row["size"])
    with tempfile.TemporaryFile() as file:
        sha256 = server.fetch(
            "rounds", name, "uploads", str(row["number"]), "archive", into=file,
            advanced=bar.advance,
        )  # fmt: skip
        if sha256 != row["archive_sha256"]:
            raise BadRound(
                f"the archive of {row['name']} has SHA-256 {sha256}, and {row['archive_sha256']} "
                "was handed in; allowed: the same bytes; say it again"
            )
        try:
            archive.unpack(file, temporary)
            found = _digest(temporary)
            if found != row["digest"]:
                raise BadRound(
                    f"{row['name']} unpacked here is {found}, and {row['digest']} was handed in; "
                    "allowed: the same files; a folder of its own, which no git repository ignores"
                )
            os.rename(temporary, place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    place.chmod(0o755)
    return "fetched"


def _other_name(name: str) -> BadRound:
    return BadRound(
        f"the server names a submission '{printable(name)}'; allowed: letters, digits, dots, "
        "dashes and underscores; nothing was written"
    )


def _digest(folder: Path) -> str | None:
    """Return a folder's digest as the freeze will work it out; None where it has none."""
    from seedlock.errors import SeedlockError
    from seedlock.evaluation.file_digests import NotDigestible
    from seedlock.evaluation.rounds import handed_in
    from seedlock.evaluation.submission import submission_file

    try:
        return handed_in.digest_of(submission_file.read(folder.resolve()))
    except (SeedlockError, NotDigestible, OSError):
        return None
