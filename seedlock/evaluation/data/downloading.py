"""One download over https, which goes on where an earlier one was cut off.

pooch's HTTPDownloader moves the bytes (it stands on requests, so proxies, ~/.netrc and
REQUESTS_CA_BUNDLE count). pooch has no resumption (its docs, "Hash checks and retries"): the header
`Range` of RFC 9110 section 14 is added here, and each answer is looked at before its body is taken.
No error text holds the address beyond what `sources.shown` shows.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from seedlock import __version__
from seedlock.errors import DataMismatch, DataUnavailable, printable
from seedlock.evaluation.data import sources
from seedlock.evaluation.full_disk import naming, require_room

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from requests import Response

WAIT = (30, 60)
"""Seconds for a connection, and between two pieces of an answer."""

PIECE = 1 << 14
"""Bytes that are taken at a time; what came of one when a connection breaks is lost."""

OFTEN = 16 << 20
"""Bytes between two looks at the free disk, where nobody knows how many come."""

ENOUGH = 416
"""Range Not Satisfiable: nothing comes after what is there, or the file has become shorter."""


def download(
    source: str,
    part: Path,
    size: int | None,
    advanced: Callable[[int], None] = lambda _: None,
    most: int | None = None,
) -> None:
    """Fetch a source into a file, going on behind what is there already.

    A connection that breaks off is taken up again for as long as each attempt brings something.
    Whether the bytes are the right ones is for the caller to say.

    Args:
        source: an address that `sources.check` has seen.
        part: the file; it stays when the download fails.
        size: bytes that it has to have, or None where nobody knows.
        advanced: called with the number of bytes that came, negative where they were dropped.
        most: bytes that it may have at most where `size` is None; None for no bound.

    Raises:
        DataUnavailable: there is no connection, the server refuses, or sends somewhere else.
        DataMismatch: there is more than `size` or `most`.
        OSError: the file can't be written, or the disk has no room for what was announced.
    """
    with naming(part), part.open("ab", buffering=0) as file:
        body = _Body(file, part, source, size, advanced, most)
        while not body.complete:
            before = body.length
            trouble = _attempt(body)
            if not body.complete and body.length <= before:
                raise DataUnavailable(
                    f"{sources.shown(source)}: {trouble or 'the answer is cut off'}; "
                    f"{body.length} bytes are kept; say it again to go on"
                )
        os.fsync(file.fileno())


class _Body:
    """The file as pooch writes to it, and what the server said about it.

    Attributes:
        length: bytes in the file.
        complete: whether all is there that the lock or the server speaks of.
    """

    def __init__(
        self,
        file: BinaryIO,
        path: Path,
        source: str,
        size: int | None,
        advanced: Callable[[int], None],
        most: int | None,
    ) -> None:
        self.source = source
        self._path = path
        self._most = size if size is not None else most
        self._looked = 0
        self.length = file.seek(0, os.SEEK_END)
        self._file = file
        self._size = size
        self._advanced = advanced
        self._announced: int | None = None
        advanced(self.length)
        if size is not None and self.length > size:
            self.begin_anew()
        self.complete = self.length == size

    def write(self, chunk: bytes) -> None:
        """Append a piece."""
        self._bound(self.length + len(chunk))
        if self.length - self._looked >= OFTEN:
            self._looked = self.length
            require_room(self._path, len(chunk))
        rest = memoryview(chunk)
        while rest:  # a disk that fills up takes a part of it first
            rest = rest[self._file.write(rest) :]
        self.length += len(chunk)
        self._advanced(len(chunk))

    def flush(self) -> None:
        """Do nothing: the file has no buffer."""

    def begin_anew(self) -> None:
        """Drop what is there."""
        self._file.truncate(0)
        self._advanced(-self.length)
        self.length = 0

    def look(self, response: Response, *_: Any, **__: Any) -> None:
        """Look at an answer before its body is taken, or the address that it sends us on to."""
        if response.is_redirect:
            if not _allowed(response):
                raise DataUnavailable(
                    f"{sources.shown(self.source)}: the server sends us on to an address that is "
                    f"not allowed; allowed: {sources.ALLOWED}"
                )
            return
        if response.status_code == 200 and self.length:
            self.begin_anew()  # it does not know ranges
        elif response.status_code == 206 and not self._goes_on(response):
            self.begin_anew()
            raise _Astray
        given = response.headers.get("content-length", "")
        self._announced = self.length + int(given) if re.fullmatch(r"\d{1,18}", given) else None
        if self._announced is not None and response.ok:
            self._bound(self._announced)
            require_room(self._path, self._announced - self.length)
        # As it lies there, also where a server calls a .gz file an encoding: what wget would save.
        response.raw.headers.pop("content-encoding", None)

    def came_to_its_end(self) -> None:
        """Note that an answer ended without an error, which a cut connection does too where the
        server announced no length."""
        if self._announced is not None:
            self.complete = self.length >= self._announced
        else:
            self.complete = self._size in (None, self.length)

    def refused(self, response: Response) -> str | None:
        """Take an error of the server's, and return it as a text if it is one to stop at."""
        if response.status_code != ENOUGH:
            return f"the server says {response.status_code} {printable(response.reason or '')}"
        _, _, total = response.headers.get("content-range", "").partition("*/")
        if self.length and total == str(self.length):
            self.complete = True
            return None
        self.begin_anew()
        return None

    def _bound(self, length: int) -> None:
        if self._most is None or length <= self._most:
            return
        if self._size is not None:
            said = f"expected {self._size} bytes, got more"
        else:
            said = f"more than {self._most} bytes for an archive of what is declared"
        raise DataMismatch(
            f"{sources.shown(self.source)}: {said}; the file there is another one, or data.lock "
            "has the wrong size"
        )

    def _goes_on(self, response: Response) -> bool:
        given = re.match(r"bytes (\d{1,18})-", response.headers.get("content-range", ""))
        return given is not None and int(given[1]) == self.length


class _Astray(Exception):
    """A server sent another range than it was asked for."""


def _attempt(body: _Body) -> str | None:
    """Ask once; return why it did not end well, if it did not."""
    import requests
    import urllib3
    from pooch import HTTPDownloader

    # Compressed on the way, the bytes could not be counted, and not be gone on with.
    headers = {"Accept-Encoding": "identity", "User-Agent": f"seedlock/{__version__}"}
    began = body.length
    if began:
        headers["Range"] = f"bytes={began}-"
    ask = HTTPDownloader(
        chunk_size=PIECE, headers=headers, timeout=WAIT, hooks={"response": body.look}
    )
    try:
        ask(body.source, body, None)
    except requests.HTTPError as problem:
        assert problem.response is not None
        trouble = body.refused(problem.response)
        if trouble is None and not body.complete and began:
            return _attempt(body)  # from the beginning, where there is no range to ask for
        return trouble
    except _Astray:
        return _attempt(body) if began else "it sent a range that nobody asked for"
    except requests.exceptions.SSLError:
        return (
            "its certificate is not trusted; REQUESTS_CA_BUNDLE names the file with those to trust"
        )
    except requests.exceptions.Timeout:
        return "no answer in time"
    except (requests.RequestException, urllib3.exceptions.HTTPError) as problem:
        # Its text would hold the address.
        return f"no connection, or it broke off ({type(problem).__name__})"
    body.came_to_its_end()
    return None


def _allowed(response: Response) -> bool:
    try:
        return sources.web_address(urljoin(response.url, response.headers["location"]))
    except ValueError:
        return False
