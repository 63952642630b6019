"""The way to a leaderboard's server: its address, the token, and requests that say what went wrong.

The token is read from a file of its owner's, is never on a command line, and goes to no other
server: redirections are not followed, and http is for this machine only.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import requests

from seedlock import __version__, settings
from seedlock.errors import printable
from seedlock.leaderboard.board_errors import BadBoard, BoardUnavailable
from seedlock.leaderboard.client_answer import content_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

TIMES = (10.0, 300.0)
"""Seconds to wait for a connection, and for the next bytes: a server unpacks before it answers."""

CHUNK = 1 << 20

LARGEST_TOKEN = 1 << 12
"""Bytes that are read at all of a token's file."""

ALLOWED = "https://HOST, or http://localhost:PORT for one on this machine"


class Client:
    """A server, asked with one token.

    Args:
        server: its address.
        token: what an organiser issued, or None.

    Attributes:
        server: the address without a slash at its end.

    Raises:
        BadBoard: the address is none, or not a safe one.
    """

    def __init__(self, server: str, token: str | None) -> None:
        self.server = checked(server)
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"seedlock/{__version__}"
        if token is not None:
            self._session.auth = _Bearer(token)  # a .netrc would replace a plain header

    def get(self, *parts: str, missing: Any = None, **parameters: str) -> Any:
        """Return the JSON at an address below /api/v1.

        Args:
            parts: of the address.
            missing: what is returned where there is nothing.
            parameters: of the query.

        Raises:
            BoardUnavailable: there is no answer, or none that can be read.
            BoardRefused: it is refused.
        """
        answer = self._ask("GET", parts, params=parameters)
        return missing if answer.status_code == 404 and missing is not None else content_of(answer)

    def post(self, *parts: str, content: Any = None) -> Any:
        """Send JSON and return the answer's; raises as `get`."""
        return content_of(self._ask("POST", parts, json=content))

    def delete(self, *parts: str) -> None:
        """Remove what is at an address; raises as `get`."""
        answer = self._ask("DELETE", parts)
        if answer.status_code != 204:
            content_of(answer)

    def send(
        self, method: str, *parts: str, file: BinaryIO, kind: str,
        advanced: Callable[[int], None] = lambda _: None,
        parameters: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
    ) -> Any:  # fmt: skip
        """Send a file from its beginning and return the answer's JSON.

        Args:
            method: POST or PUT.
            parts: of the address.
            file: can be rewound.
            kind: its media type.
            advanced: called with the number of bytes just sent.
            parameters: of the query.
            headers: further ones.

        Raises:
            BoardUnavailable, BoardRefused: as `get`.
        """
        body = _Body(file, advanced)
        try:
            answer = self._ask(
                method, parts, data=body, headers={"Content-Type": kind, **(headers or {})},
                params=parameters or {},
            )  # fmt: skip
        except BoardUnavailable as problem:
            if body.sent == 0:
                raise
            raise BoardUnavailable(
                f"the connection to {self.server} was lost after {body.sent} of {len(body)} bytes; "
                "nothing half is kept there; allowed: to say it again, which changes nothing if "
                "all had come"
            ) from problem
        return content_of(answer)

    def fetch(self, *parts: str, into: BinaryIO, advanced: Callable[[int], None]) -> str:
        """Write a file of the server's and return its SHA-256, hexadecimal.

        Raises:
            BoardUnavailable, BoardRefused: as `get`.
            OSError: it can't be written.
        """
        answer = self._ask("GET", parts, stream=True)
        if not answer.ok:
            content_of(answer)
        whole = hashlib.sha256()
        try:
            for data in answer.iter_content(CHUNK):
                into.write(data)
                whole.update(data)
                advanced(len(data))
        except requests.RequestException as problem:
            raise self._lost(problem) from problem
        return whole.hexdigest()

    def _ask(self, method: str, parts: tuple[str, ...], **more: Any) -> requests.Response:
        path = "/".join(quote(each, safe="") for each in parts)
        try:
            return self._session.request(
                method, f"{self.server}/api/v1/{path}", timeout=TIMES, allow_redirects=False, **more
            )
        except requests.RequestException as problem:
            raise self._lost(problem) from problem

    def _lost(self, problem: requests.RequestException) -> BoardUnavailable:
        kinds = {
            requests.exceptions.SSLError: "its certificate is not one that this machine trusts",
            requests.Timeout: "it did not answer in time",
        }
        said = next((text for kind, text in kinds.items() if isinstance(problem, kind)),
                    "it does not answer, or the connection was lost")  # fmt: skip
        return BoardUnavailable(
            f"{printable(self.server, 200)}: {said}; allowed: a leaderboard's server that runs; "
            "say it again, or mend --server"
        )


class _Bearer(requests.auth.AuthBase):  # type: ignore[misc]
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Body:
    """A file that is sent, with its length, which tells how far it is."""

    def __init__(self, file: BinaryIO, advanced: Callable[[int], None]) -> None:
        self._file, self._advanced = file, advanced
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self.sent = 0

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sent += len(data)
        self._advanced(len(data))
        return data


def checked(server: str) -> str:
    """Return a server's address without a slash at its end.

    Raises:
        BadBoard: it is none, holds a name or password, or is http on another machine.
    """
    try:
        parts = urlsplit(server)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("https", "http") or not server.isprintable():
        raise BadBoard(
            f"the server's address is '{printable(server, 100)}'; allowed: {ALLOWED}; say --server "
            "URL or set REPRO_BOARD"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise BadBoard(
            "the server's address holds a name, a password or a query; allowed: "
            f"{ALLOWED}; the token is read from a file"
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise BadBoard(
            f"the server's address is '{printable(server, 100)}': without https the token could "
            f"be read on the way; allowed: {ALLOWED}"
        )
    return server.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def token_of(path: Path) -> str:
    """Return the token in a file.

    Raises:
        BadBoard: it can't be read, others may read it, or it holds none.
    """
    shown = printable(str(path), 200)
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read(LARGEST_TOKEN)
    except OSError as problem:
        raise BadBoard(
            f"the token's file {shown} can't be read: {problem.strerror}; allowed: a file with the "
            "token that an organiser gave you; write it there with mode 0600, or say --token-file"
        ) from problem
    if mode & 0o077:
        raise BadBoard(
            f"the token's file {shown} has mode {mode:04o}; allowed: 0600, since others could hand "
            f"in with it; say chmod 600 {shown}"
        )
    text = raw.decode("ascii", "replace").strip()
    if not text.startswith("slk_") or not text.isascii() or len(text.split()) != 1:
        raise BadBoard(
            f"{shown} holds no token; allowed: one line that begins with slk_; copy it there again"
        )
    return text


def given(server: str | None, token_file: str | None, environ: Mapping[str, str]) -> Client:
    """Return the server that options and environment name.

    Args:
        server, token_file: options, or None.
        environ: with REPRO_BOARD and REPRO_BOARD_TOKEN_FILE, or without.

    Raises:
        BadBoard: no server is named, or address or token can't be used.
    """
    address = server or environ.get(settings.BOARD) or ""
    named = token_file or environ.get(settings.BOARD_TOKEN_FILE)
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    path = Path(named) if named else Path(home) / "seedlock" / "token"
    checked(address)
    return Client(address, token_of(path))
