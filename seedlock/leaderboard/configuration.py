"""What a server of the leaderboard was started with; nothing of it changes while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seedlock.errors import BadServer, printable

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
HOUR = 3600

URL_ALLOWED = "https://HOST or http://HOST, with a port if need be, and nothing after it"


@dataclass(frozen=True)
class Limits:
    """What one visitor may ask of the server.

    Attributes:
        upload: bytes of one uploaded submission.
        published: bytes of one published file of a round, as a ledger.
        body: bytes of any other body.
        submissions: uploads that a team may make for one round, withdrawn ones included.
        team_bytes: bytes that a team's uploads may take together.
        page_size: rows of one page or answer.
        session_seconds: life of a session; it ends with its token at the latest.
        link_seconds: life of the link of the first start.
        token_days: longest life of a token.
        rate: requests per second that one address, or one token, may go on making; 0: any number.
        burst: requests at once.
        sign_in_rate, sign_in_burst: the same for signing in.
        costly_rate, costly_burst: the same for what takes the server seconds, as checking a round.
    """

    upload: int = 256 * MIB
    published: int = 64 * MIB
    body: int = MIB
    submissions: int = 20
    team_bytes: int = 2048 * MIB
    page_size: int = 50
    session_seconds: int = 12 * HOUR
    link_seconds: int = HOUR
    token_days: int = 400
    rate: float = 50.0
    burst: int = 200
    sign_in_rate: float = 0.2
    sign_in_burst: int = 20
    costly_rate: float = 0.2
    costly_burst: int = 10


@dataclass(frozen=True)
class Configuration:
    """A server's settings.

    Args:
        folder: where it keeps what it was given.
        url: under which visitors reach it, as https://board.example.org; decides which Host is
            answered, and whether cookies are for https only.
        database: URL of SQLAlchemy's; empty: `board.db` in the folder.
        hosts: further values of Host that are answered.
        limits: what one visitor may ask.

    Raises:
        BadServer: `url` is none.
    """

    folder: Path
    url: str
    database: str = ""
    hosts: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        _checked(self.url)

    @property
    def secure(self) -> bool:
        """Whether visitors come by https."""
        return self.url.startswith("https://")

    @property
    def origin(self) -> str:
        """Scheme, host and port as a browser's Origin says them: in lower case, without the port
        that goes with the scheme."""
        return self.url.lower().removesuffix(":443" if self.secure else ":80")

    @property
    def known_hosts(self) -> frozenset[str]:
        """Every value of Host that is answered, in lower case."""
        name = urlsplit(self.url).netloc.lower()
        usual = ":443" if self.secure else ":80"
        both = {name, name.removesuffix(usual)}
        if urlsplit(self.url).port is None:
            both.add(name + usual)
        return frozenset({*both, *(each.lower() for each in self.hosts)})


def _checked(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    else:
        rest = url.removeprefix(f"{parts.scheme}://")
        good = good and rest == parts.netloc and "@" not in rest and url.isascii()
        good = good and url.isprintable() and " " not in url and "\\" not in url
    if not good:
        raise BadServer(
            f"the server's address is '{printable(url, 100)}'; allowed: {URL_ALLOWED}; say "
            "seedlock serve --url https://board.example.org"
        )
