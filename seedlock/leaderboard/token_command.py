"""`seedlock board token`: a token for a team, a reviewer or another organiser, into a file; the
tokens there are, and taking one back."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from seedlock.environment import leave_lock
from seedlock.errors import printable
from seedlock.leaderboard.submit_command import server_options

if TYPE_CHECKING:
    import argparse

EXIT_USAGE = 2

DAYS = 90
"""Life of a token, where nothing else is said: the server's own default."""

EPILOG = """\
  seedlock board token --team blue --round NAME -o blue.token
  seedlock board token --reviewer -o reviewer.token
  seedlock board token --list
  seedlock board token --revoke 3

For organisers; the page Administration does the same. A team that is new is made. The token is
written into a new file of mode 0600 and shown nowhere: give that file to its owner in a way that
nobody else reads. A token is listed and taken back by its number; with it end the sessions of
browsers that signed in by it.

exit status: 0 the token is in the file, listed or taken back; 2 the command line is wrong; 74 a
full disk; 78 file, token or address are not allowed, or the server refused: no token was written
or taken back.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = commands.add_parser(
        "token",
        help="issue a token for a team, a reviewer or an organiser, list them, take one back",
        description="Have the leaderboard's server issue a token, into a file.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--team", metavar="NAME", help="for authors of this team")
    for role in ("reviewer", "organiser"):
        whose.add_argument(
            f"--{role}", dest="role", action="store_const", const=role,
            help=f"for {'an' if role == 'organiser' else 'a'} {role}",
        )  # fmt: skip
    whose.add_argument(
        "--list", action="store_true", help="instead: the tokens there are, the newest first"
    )
    whose.add_argument(
        "--revoke", type=int, metavar="NUMBER", help="instead: take the token with this number back"
    )
    parser.add_argument("--round", metavar="NAME", help="good for this round only (default: all)")
    parser.add_argument(
        "--days", type=int, default=DAYS, metavar="N", help="its life (default: %(default)s)"
    )
    parser.add_argument("--note", default="", help="what you want to remember of it")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="a new file, needed where a token is issued"
    )
    server_options(parser)
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")
    parser.set_defaults(command=_token)


def _token(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import CLIENT, require

    require(CLIENT)
    from seedlock.leaderboard import client, token_file

    issuing = not options.list and options.revoke is None
    if issuing == (options.output is None):
        which = "missing; allowed: -o FILE, a new one" if issuing else "for a token that is issued"
        print(f"seedlock board token: -o is {which}", file=sys.stderr)
        return EXIT_USAGE
    server = client.given(options.server, options.token_file, os.environ)
    if options.list:
        print(_listed(_tokens(server), options.json))
        return 0
    if options.revoke is not None:
        server.delete("tokens", str(options.revoke))
        (there,) = (each for each in _tokens(server) if each["id"] == options.revoke)
        said = f"token {there['id']} of {_owner(there)}: REVOKED at {there['revoked']}"
        print(json.dumps(there, indent=1, sort_keys=True) if options.json else printable(said, 300))
        return 0
    with token_file.new(options.output) as file:
        if options.team is not None and not _known(server, options.team):
            server.post("teams", content={"name": options.team})
        answer: dict[str, Any] = server.post("tokens", content={
            "role": options.role or "author", "team": options.team, "round": options.round,
            "days": options.days, "note": options.note,
        })  # fmt: skip
        file.write(f"{answer['token']}\n")
    if options.json:
        shown = {key: value for key, value in answer.items() if key != "token"}
        print(json.dumps({**shown, "file": options.output}, indent=1, sort_keys=True))
        return 0
    whose = options.role or f"team {options.team}"
    good_for = f"round {options.round}" if options.round else "all rounds"
    print(printable(f"token {answer['id']} for {whose}, {good_for}, until {answer['expires']}: "
                    f"in {options.output}", 500))  # fmt: skip
    return 0


def _tokens(server: Any) -> list[dict[str, Any]]:
    """Return all tokens of the server without their texts, the newest first."""
    rows: list[dict[str, Any]] = []
    before: dict[str, str] = {}
    while True:
        page = server.get("tokens", **before)
        rows += page["tokens"]
        if page["next"] is None:
            return rows
        before = {"before": str(page["next"])}


def _listed(rows: list[dict[str, Any]], as_json: bool) -> str:
    if as_json:
        return json.dumps(rows, indent=1, sort_keys=True)
    lines = []
    for row in rows:
        good_for = f"round {row['round']}" if row["round"] else "all rounds"
        state = f"revoked {row['revoked']}" if row["revoked"] else f"until {row['expires']}"
        used = f"last used {row['last_used']}" if row["last_used"] else "never used"
        told = (str(row["id"]), _owner(row), good_for, state, used, row["note"])
        lines.append(printable("  ".join(each for each in told if each), 500))
    revoked = sum(bool(row["revoked"]) for row in rows)
    return "\n".join([*lines, f"{len(rows)} tokens, {revoked} of them revoked"])


def _owner(row: dict[str, Any]) -> str:
    if row["team"]:
        return f"team {row['team']}"
    return f"{'an' if row['role'] == 'organiser' else 'a'} {row['role']}"


def _known(server: Any, team: str) -> bool:
    """Return whether the server has a team of this name."""
    after = ""
    while True:
        page = server.get("teams", after=after)
        if any(each["name"] == team for each in page["teams"]):
            return True
        if page["next"] is None:
            return False
        after = page["next"]
