"""`seedlock serve`: the leaderboard's server."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from seedlock.environment import leave_lock
from seedlock.errors import printable
from seedlock.evaluation import option_values

if TYPE_CHECKING:
    from seedlock.leaderboard.configuration import Configuration

EPILOG = (
    "Exit status 2: the command line is wrong; 130: ended by Ctrl-C, once requests under way were "
    "answered or 10 seconds had passed; 74: a disk is full; 78: it can't be started. "
    "docs/server.md says what it stores, and how to run it behind a proxy."
)

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subcommands.add_parser(
        "serve",
        help="serve the leaderboard: pages and interface",
        description="Serve the leaderboard from a folder. The first start prints a link, good "
        "once and for an hour, that makes its user the first organiser.",
        epilog=EPILOG,
    )
    parser.add_argument("folder", metavar="FOLDER", help="the server's own; made if it is new")
    parser.add_argument(
        "--database", metavar="URL", default="",
        help="postgresql+psycopg://USER@HOST/DATABASE (default: SQLite in FOLDER/board.db)",
    )  # fmt: skip
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=_port, default=8000, help="0: a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--url", metavar="PUBLIC",
        help="under which visitors come, as https://board.example.org; other hosts are refused "
        "(default: http://HOST:PORT, for this machine only)",
    )  # fmt: skip
    parser.add_argument(
        "--proxy", type=_network, metavar="ADDRESS", action="append", default=[],
        help="believe this reverse proxy's X-Forwarded-For; may be said several times (default: "
        "nobody's)",
    )  # fmt: skip
    parser.add_argument(
        "--rate", type=_rate, metavar="N",
        help="requests per second that one address, or one token, may go on making; 0: any number "
        "(default: 50)",
    )  # fmt: skip
    parser.add_argument(
        "--new-link", action="store_true",
        help="print a new organiser's link, when all tokens are lost, and end; a server that runs "
        "goes on, and takes it",
    )  # fmt: skip
    parser.add_argument(
        "--new-token", metavar="FILE",
        help="write an organiser's token into a new file, without a browser, and end; a server "
        "that runs goes on, and takes it",
    )  # fmt: skip
    parser.set_defaults(command=_serve)


def _port(text: str) -> int:
    number = option_values.whole(text, 0, 65535)
    if number is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no port; allowed: 0 to 65535")
    return number


def _network(text: str) -> str:
    import ipaddress

    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no address; allowed: one of IPv4 or IPv6, or a network as 10.0.0.0/8"
        ) from None


def _rate(text: str) -> float:
    number = option_values.whole(text, 0, 1_000_000)
    if number is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no rate; allowed: 0 to 1000000")
    return float(number)


def _serve(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import SERVER, require

    require(SERVER)
    from seedlock.leaderboard import serving

    if options.new_link:
        print(serving.new_link(_configuration(options, options.port)), flush=True)
        return 0
    if options.new_token is not None:
        number = serving.new_token(_configuration(options, options.port), options.new_token)
        shown = printable(options.new_token, 200)
        print(f"token {number} for an organiser, all rounds: in {shown}", flush=True)
        return 0
    with serving.listening(options.host, options.port) as listener:
        configuration = _configuration(options, listener.getsockname()[1])
        with serving.alone(configuration.folder):
            app = serving.application_of(configuration)
            print(f"seedlock serve: {configuration.url}, stored in {app.stored}", flush=True)
            if app.link is not None:
                print(f"open once, within an hour, to become organiser: {app.link}", flush=True)
            app.run(listener, options.proxy)
    return 0


def _configuration(options: argparse.Namespace, port: int) -> Configuration:
    from pathlib import Path

    from seedlock.errors import BadServer
    from seedlock.leaderboard.configuration import Configuration, Limits

    limits = Limits() if options.rate is None else Limits(rate=options.rate)
    folder = Path(options.folder).absolute()
    if options.url:
        url = options.url.rstrip("/")
        return Configuration(folder, url, options.database, limits=limits)
    if options.host not in LOOPBACK:
        raise BadServer(
            f"others can reach {printable(options.host)}, and no address for them is given; "
            "allowed: --url with the one under which they come; say --url https://HOST"
        )
    name = f"[{options.host}]" if ":" in options.host else options.host
    hosts = tuple(f"{each}:{port}" for each in ("127.0.0.1", "localhost", "[::1]"))
    return Configuration(folder, f"http://{name}:{port}", options.database, hosts, limits)
