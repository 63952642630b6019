"""Where a data set comes from: `https:`, `file:` or `mount:`; what of it may be shown."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

ALLOWED = (
    "https://HOST/PATH, file:PATH and mount:PATH in printable ASCII (others as %XX); "
    "http:// to this machine only (localhost, 127.0.0.1)"
)
LONGEST = 2000
"""Characters of a source."""

ARCHIVES = (".tar.gz", ".tgz", ".zip")
"""Ends of names of what can be unpacked."""

LOCAL = ("file", "mount")


class BadSource(ValueError):
    """A source is not `ALLOWED`. The text holds nothing of the source but its scheme."""


def scheme(source: str) -> str:
    """Return `https`, `http`, `file` or `mount`, in small letters; anything else as it comes."""
    return source.partition(":")[0].lower()


def check(source: str) -> None:
    """Make sure that a source is allowed.

    Plain http shows to everybody on the way what is fetched, and digests come from what was
    fetched first (`seedlock data add`), so it is for servers on this machine alone.

    Raises:
        BadSource: it is not.
    """
    plain = re.fullmatch(r"[!-~]{1,2000}", source) is not None and ":" in source
    if not plain:
        raise BadSource("it has no scheme, is too long, or holds blanks or other characters")
    if scheme(source) in LOCAL:
        if not _path(source) or b"\0" in _path(source):
            raise BadSource("it names no path of this machine")
    elif not web_address(source):
        kind = scheme(source) if scheme(source) in ("http", "https") else "another scheme"
        raise BadSource(f"it is no such address ({kind})")


def web_address(address: str) -> bool:
    """Return whether an address may be asked for a download: https, or http to this machine.

    Also asked for each address that a server sends us on to.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _this_machine(host))


def shown(source: str) -> str:
    """Return a source for people and logs, without what may be a secret: user, password, query
    and fragment become `***`."""
    if scheme(source) in LOCAL:
        return source
    try:
        parts = urlsplit(source)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "***"
    user = "***@" if "@" in parts.netloc else ""
    host = f"[{host}]" if ":" in host else host
    rest = ("?***" if parts.query else "") + ("#***" if parts.fragment else "")
    return f"{parts.scheme}://{user}{host}{f':{port}' if port else ''}{parts.path}{rest}"


def has_secret(source: str) -> bool:
    """Return whether a source holds what `shown` leaves out."""
    return shown(source) != source and scheme(source) not in LOCAL


def local(source: str, beside: Path) -> Path:
    """Return the path of a `file:` or `mount:` source.

    Args:
        source: a source that `check` has seen.
        beside: folder that a relative path starts from, the lock file's.
    """
    return beside / os.fsdecode(_path(source))


def from_path(path: str, kind: str = "file") -> str:
    """Return the source for a path as a shell has it."""
    return f"{kind}:{quote(os.fsencode(path))}"


def archive(source: str) -> str | None:
    """Return which of `ARCHIVES` a source's path ends in, or None."""
    path = urlsplit(source).path.lower()
    return next((end for end in ARCHIVES if path.endswith(end)), None)


def _path(source: str) -> bytes:
    rest = source.partition(":")[2]
    if rest.startswith("//"):
        # RFC 8089: file://host/path; only an empty host is this machine for sure.
        rest = rest[2:] if rest.startswith("///") else ""
    return unquote_to_bytes(rest)


def _this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
