"""A PostgreSQL of Debian's, started for the tests: own folder, own user, no network.

Where it is missing and this is root on Debian it is installed; else the tests are skipped with the
reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tests import debian

USER = "nobody"
"""PostgreSQL refuses to run as root; this user is in every Debian."""


class Server:
    """A running server.

    Args:
        folder: what it has: data, socket, log.
        user: who runs it.
    """

    def __init__(self, folder: Path, user: str) -> None:
        self.folder = folder
        self.user = user
        self._schemas = 0

    def url(self, schema: str = "public", password: str | None = None) -> str:
        """Return SQLAlchemy's URL of a schema of the one database."""
        who = self.user if password is None else f"{self.user}:{quote(password, safe='')}"
        place = f"host={self.folder}&options=-csearch_path%3D{schema}"
        return f"postgresql+psycopg://{who}@/postgres?{place}"

    def new(self) -> str:
        """Make a schema and return its URL. A database of its own would be 7 MB of files."""
        self._schemas += 1
        name = f"ledger{self._schemas}"
        with self.connect() as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return self.url(name)

    def connect(self) -> psycopg.Connection:
        """Connect around seedlock."""
        return psycopg.connect(
            f"host={self.folder} user={self.user} dbname=postgres", autocommit=True
        )


def binaries() -> Path | None:
    """Return the folder of Debian's newest server; None where there is none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def installed() -> Path:
    """Return the folder of the server's programs, installed if need be."""
    found = debian.installed(binaries, "postgresql")
    if found is None:
        pytest.skip("PostgreSQL is not installed, and this is not root on Debian")
    return found


@contextmanager
def running() -> Iterator[Server]:
    """A new server, gone at the end with all that it has."""
    programs = installed()
    root = os.geteuid() == 0
    # Not below pytest's folders, which only their owner may enter; a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="seedlock-pg-"))
    as_user: dict[str, Any] = {"user": USER, "group": "nogroup", "extra_groups": []} if root else {}

    def do(program: str, *words: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *words]
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, check=False, **as_user,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    try:
        if root:
            shutil.chown(folder, USER, "nogroup")
        do("initdb", "--auth=trust", "--username=seedlock", "--encoding=UTF8", "--no-locale")
        # No network: only its user and root can enter the folder of the socket.
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
        do("pg_ctl", "--wait", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield Server(folder, "seedlock")
        finally:
            do("pg_ctl", "--wait", "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder)
