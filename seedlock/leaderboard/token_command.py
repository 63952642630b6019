"""`seedlock board token`: a token for a team, a reviewer or another organiser, into a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from seedlock.environment import leave_lock
from seedlock.errors import printable
from seedlock.leaderboard.submit_command import server_options

if TYPE_CHECKING:
    import argparse

DAYS = 90
"""Life of a token, where nothing else is said: the server's own default."""

EPILOG = """\
  seedlock board token --team blue --round NAME -o blue.token
  seedlock board token --reviewer -o reviewer.token

For organisers; the page Administration does the same. A team that is new is made. The token is
written into a new file of mode 0600 and shown nowhere: give that file to its owner in a way that
nobody else reads. The page Administration lists tokens and takes them back.

exit status: 0 the token is in the file; 2 the command line is wrong; 74 a full disk; 78 file,
token or address are not allowed, or the server refused: no token was written.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = commands.add_parser(
        "token",
        help="issue a token for a team, a reviewer or an organiser",
        description="Have the leaderboard's server issue a token, into a file.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--team", metavar="NAME", help="for authors of this team")
    for role in ("reviewer", "organiser"):
        whose.add_argument(
            f"--{role}", dest="role", action="store_const", const=role, help=f"for a {role}"
        )
    parser.add_argument("--round", metavar="NAME", help="good for this round only (default: all)")
    parser.add_argument(
        "--days", type=int, default=DAYS, metavar="N", help="its life (default: %(default)s)"
    )
    parser.add_argument("--note", default="", help="what you want to remember of it")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="a new file")
    server_options(parser)
    parser.set_defaults(command=_token)


def _token(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import CLIENT, require

    require(CLIENT)
    from seedlock.leaderboard import client, token_file

    server = client.given(options.server, options.token_file, os.environ)
    with token_file.new(options.output) as file:
        if options.team is not None and not _known(server, options.team):
            server.post("teams", content={"name": options.team})
        answer: dict[str, Any] = server.post("tokens", content={
            "role": options.role or "author", "team": options.team, "round": options.round,
            "days": options.days, "note": options.note,
        })  # fmt: skip
        file.write(f"{answer['token']}\n")
    whose = options.role or f"team {options.team}"
    good_for = f"round {options.round}" if options.round else "all rounds"
    print(printable(f"token {answer['id']} for {whose}, {good_for}, until {answer['expires']}: "
                    f"in {options.output}", 500))  # fmt: skip
    return 0


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
