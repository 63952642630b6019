"""`seedlock submit` on the command line: a folder with `submission.toml` to the server."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.environment import leave_lock

if TYPE_CHECKING:
    import argparse

    from seedlock.evaluation.rounds.policy import Policy
    from seedlock.leaderboard.client import Client

EXIT_USAGE = 2

EPILOG = """\
  seedlock check mine --output checked
  seedlock submit mine --round NAME --check checked/check.json
  seedlock submit --round NAME --list
  seedlock submit --round NAME --withdraw SUBMISSION
  seedlock submit mine --archive mine.tar.gz

Packs the files of the submission's digest, the same bytes each time, says what looks like no
source, sends them, and prints the digest and what the server took. Nothing of the submission is
run, here or there. The last submission of a name counts; until the deadline, by the server's clock,
it may be replaced or withdrawn. --archive writes the file for the form on the round's page instead.

exit status: 0 the server has it; 2 the command line is wrong; 74 a full disk; 78 submission, token
or address are not allowed, or the server refused; 130 interrupted: say it again.

docs/leaderboard.md says what comes after.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = subcommands.add_parser(
        "submit",
        help="hand a submission in at the leaderboard's server",
        description="Hand the submission in a folder with submission.toml in.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="default: .")
    parser.add_argument("--round", metavar="NAME", help="the round's name")
    parser.add_argument(
        "--check", metavar="FILE", help="check.json of seedlock check: hand in only what passed it"
    )
    parser.add_argument(
        "--records", nargs="+", metavar="RECORD",
        help="instead of a submission: records of a round that you train, each with the RECORD.sig "
        "of seedlock sign beside it",
    )  # fmt: skip
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--list", action="store_true", help="instead: your team's uploads, and which count"
    )
    instead.add_argument(
        "--withdraw", metavar="SUBMISSION",
        help="instead: take the upload back that counts for this name; the one before counts again",
    )  # fmt: skip
    instead.add_argument(
        "--archive", metavar="FILE", help="instead: write the archive into a new file, send nothing"
    )
    server_options(parser)
    parser.add_argument("--json", action="store_true", help="print what the server took as JSON")
    parser.set_defaults(command=_submit)


def server_options(parser: argparse.ArgumentParser) -> None:
    """Add what each command that asks a server takes."""
    parser.add_argument("--server", metavar="URL", help="the server (default: REPRO_BOARD)")
    parser.add_argument(
        "--token-file", metavar="FILE",
        help="file with your token, mode 0600 (default: REPRO_BOARD_TOKEN_FILE, or "
        "~/.config/seedlock/token)",
    )  # fmt: skip


def _submit(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import CLIENT, require

    require(CLIENT)
    import tempfile

    from rich.console import Console

    from seedlock.evaluation.data.fetch_progress import Bar
    from seedlock.evaluation.submission import submission_file
    from seedlock.leaderboard import archive, client, own_uploads
    from seedlock.leaderboard.board_errors import BoardRefused

    if options.archive is None and options.round is None:
        return _refuse("no round is named; allowed: --round NAME; its page has the name")
    if options.list or options.withdraw is not None:
        server = client.given(options.server, options.token_file, os.environ)
        name, as_json = options.round, options.json
        if options.list:
            print(own_uploads.listed(server, name, as_json))
        else:
            print(own_uploads.withdraw(server, name, options.withdraw, as_json))
        return 0
    if options.records:
        server = client.given(options.server, options.token_file, os.environ)
        return _send_records(options, server, [Path(each) for each in options.records])
    submission = submission_file.read(Path(options.folder).resolve())
    wrong = None if options.check is None else _unchecked(Path(options.check), submission.folder)
    if wrong is not None:
        return _refuse(wrong)
    if options.archive is not None:
        print(own_uploads.write_archive(submission, Path(options.archive), options.json))
        with open(options.archive, "rb") as made:
            print(own_uploads.handed(made), file=sys.stderr)
        return 0
    server = client.given(options.server, options.token_file, os.environ)
    told = server.get("rounds", options.round)
    _refuse_early(server, told)
    policy = _fitting(told, submission)
    # Without a name on the disk: whatever ends this process, nothing is left.
    with tempfile.TemporaryFile() as file, Bar(Console(stderr=True)) as bar:
        bar.of(submission.name).begin("packing", None)
        handed = archive.pack(submission.folder, file)
        size = file.seek(0, os.SEEK_END)
        most = told["limits"]["upload"]
        if size > most:
            raise BoardRefused(
                f"the archive has {size} bytes; allowed: {most}; leave out what is no source, as "
                "data, which data.lock names"
            )
        print(own_uploads.handed(file), file=sys.stderr)
        bar.begin("sending", size)
        receipt: dict[str, Any] = server.send(
            "POST", "rounds", options.round, "submissions", file=file, kind="application/gzip",
            advanced=bar.advance, parameters={"digest": handed.digest},
        )  # fmt: skip
    if receipt.get("digest") != handed.digest:
        raise BoardRefused(
            f"the server says it has {receipt.get('digest')}, and {handed.digest} was sent; "
            "allowed: the same digest; tell an organiser"
        )
    if options.json:
        import json

        print(json.dumps(receipt, indent=1, sort_keys=True))
    else:
        name, kind = submission.name, submission.visibility
        shown = name if policy is None else policy.published_name(name, handed.digest, kind)
        print(_text(receipt, server, handed.files, shown))
    return 0


def _send_records(options: argparse.Namespace, server: Client, records: list[Path]) -> int:
    """Send records with their signatures; those that the server has already are passed over."""
    import base64
    import json

    from seedlock.evaluation.file_digests import digest_of
    from seedlock.evaluation.spot_checks import signature
    from seedlock.leaderboard import own_uploads

    for each in records:
        for path in (each, signature.beside(each)):
            if not path.is_file():
                return _refuse(f"{path} is not there; allowed: a record with its RECORD.sig beside "
                               "it; say seedlock sign")  # fmt: skip
    rows = own_uploads.rows_of(server, options.round, "signed-records", "records")
    there = {each["sha256"] for each in rows}
    taken = []
    for each in records:
        if digest_of(each).digest.removeprefix("sha256:") in there:
            continue
        text = base64.b64encode(signature.beside(each).read_bytes()).decode()
        with each.open("rb") as file:
            answer = server.send(
                "POST", "rounds", options.round, "signed-records", file=file,
                kind="application/json", headers={"Record-Signature": text},
            )  # fmt: skip
        taken.append(answer)
        if not options.json:
            print(f"{each}: {answer['submission']}, seed index {answer['seed_index']}", flush=True)
    if options.json:
        print(json.dumps(taken, indent=1, sort_keys=True))
    else:
        print(f"{len(taken)} of {len(records)} sent; the server has all of them")
    return 0


def _refuse_early(server: Client, told: Any) -> None:
    """Say what the server would, before anything is packed: a refusal that comes while a large
    file is on its way may be lost with the connection.

    Raises:
        BoardRefused: the token is no author's, or the round takes nothing more.
    """
    from seedlock.errors import printable
    from seedlock.leaderboard.board_errors import BoardRefused

    me = server.get("me")
    if me["role"] != "author" or me["round"] not in (None, told["name"]):
        role = printable(str(me["role"]))
        of = "" if me["round"] is None else f" for the round {printable(str(me['round']))}"
        raise BoardRefused(
            f"the token is an {role}'s{of}; allowed: an author's, for this round; ask an organiser "
            "for one"
        )
    if told["submissions_open"]:
        return
    if told["deadline"] is not None and told["now"] > told["deadline"]:
        from seedlock.evaluation.rounds.canonical import moment

        late = moment(told["now"]) - moment(told["deadline"])
        raise BoardRefused(
            f"the deadline was {told['deadline']} and it is {told['now']} by the server's clock: "
            f"{late} too late; allowed: what has come whole before it; ask the organisers"
        )
    raise BoardRefused(
        "the list of submissions is frozen; allowed: what came before; ask the organisers"
    )


def _fitting(told: Any, submission: Any) -> Policy | None:
    """Return the round's policy; None where it is of a later version, which the server itself will
    hold the submission against.

    Raises:
        BoardRefused: the submission does not fit the round's policy.
    """
    from seedlock.evaluation.rounds import handed_in
    from seedlock.evaluation.rounds.policy import from_dict
    from seedlock.leaderboard.board_errors import BoardRefused

    try:
        policy = from_dict(told["policy"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None
    wrong = handed_in.unfit(policy, submission)
    if wrong:
        raise BoardRefused(
            f"{submission.name} does not fit the round's policy: {'; '.join(wrong)}; allowed: what "
            "the policy says; mend submission.toml"
        )
    return policy


def _unchecked(path: Path, folder: Path) -> str | None:
    """Return why a check does not speak for a submission, or None."""
    import json

    from seedlock.errors import printable
    from seedlock.evaluation.recording import source

    shown = printable(str(path), 200)
    try:
        content = json.loads(path.read_bytes())
        digest, ready = content["submission"]["digest"], content["ready"]
    except (OSError, ValueError, KeyError, TypeError):
        return f"--check {shown} is no check.json; allowed: what seedlock check wrote"
    now = source.look(folder).digest
    if digest != now:
        return (
            f"--check {shown} is of {printable(str(digest), 80)}, and the folder is now {now}: "
            "something changed since; check it again"
        )
    if ready is not True:
        verdict = printable(str(content.get("verdict", "NOT READY")), 80)
        return (
            f"--check {shown} says {verdict}; allowed: READY; mend what it names and check it "
            "again, where there is a container engine, or say it without --check"
        )
    return None


def _text(receipt: dict[str, Any], server: Client, files: int, shown: str) -> str:
    from seedlock.errors import printable

    again = " again: the server had it" if receipt.get("already") else ""
    lines = [
        f"{receipt['name']}: HANDED IN{again}",
        f"digest    {receipt['digest']}",
        f"shown as  {shown}",
        f"archive   sha256:{receipt['archive_sha256']}, {receipt['size']} bytes, {files} files",
        f"taken     {receipt['uploaded']} by the server's clock; deadline {receipt['deadline']}",
    ]
    if receipt.get("replaces"):
        lines.append(f"replaces  {receipt['replaces']}")
    lines.append(f"left      {receipt['uploads_left']} uploads of your team for this round")
    lines.append(f"server    {server.server}, round {receipt['round']}")
    return "\n".join(printable(line, 300) for line in lines)


def _refuse(problem: str) -> int:
    print(f"seedlock submit: {problem}", file=sys.stderr)
    return EXIT_USAGE
