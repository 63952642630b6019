"""The process of the server: its socket, its folder, its log, and its end."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn

from seedlock.errors import BadServer, printable
from seedlock.leaderboard import application, audit, first_link, token_file, tokens
from seedlock.leaderboard.access import ORGANISER
from seedlock.leaderboard.database import Database
from seedlock.leaderboard.tokens import FORM, PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fastapi import FastAPI

    from seedlock.leaderboard.configuration import Configuration

LOCK = "server.lock"
"""Held by the one server of a folder; freed by the system when it ends, however it ends."""

LONGEST = 500
"""Characters of one part of a line of the log."""

TOGETHER = 512
"""Connections at once; one more is told to come again (503). Fewer than the files that a process
may have open, by Linux's usual limit of 1024."""

END = 10
"""Seconds that requests under way get to end."""


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket at which the server listens; connections wait until it runs.

    Raises:
        BadServer: there is no such address here, the port is taken, or below 1024 and this user
            may not have it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as problem:
            raise BadServer(
                f"can't listen at {printable(host)} port {port}: {problem.strerror}; allowed: an "
                "address of this machine and a port that is free; say --port 0 for any"
            ) from None
        yield listener
    finally:
        listener.close()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else serves this folder.

    Raises:
        BadServer: somebody does.
    """
    # What the server writes is its own: keys to everything lie in its database, though hashed.
    os.umask(0o077)
    application.prepare(folder)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadServer(
                f"another server has '{printable(str(folder), 300)}'; allowed: one server for a "
                "folder; end the other, or name another folder"
            ) from None
        yield
    finally:
        os.close(handle)


@dataclass(frozen=True)
class Ready:
    """An application that can run.

    Attributes:
        app: what answers.
        stored: where its database is, for people.
        link: the first organiser's; None where there was one.
    """

    app: FastAPI
    stored: str
    link: str | None

    def run(self, listener: socket.socket, proxies: Sequence[str]) -> None:
        """Answer until somebody ends it.

        Args:
            listener: where.
            proxies: addresses whose X-Forwarded-For is believed.

        Raises:
            KeyboardInterrupt: Ctrl-C; requests under way were answered.
        """
        settings = uvicorn.Config(
            self.app, log_config=_logging(), server_header=False, date_header=True,
            proxy_headers=bool(proxies), forwarded_allow_ips=list(proxies),
            timeout_graceful_shutdown=END, timeout_keep_alive=30, limit_concurrency=TOGETHER,
            http="h11", h11_max_incomplete_event_size=16384, ws="none", lifespan="on",
        )  # fmt: skip
        uvicorn.Server(settings).run(sockets=[listener])


def application_of(configuration: Configuration) -> Ready:
    """Return the application, with a link where nobody is organiser yet.

    Raises:
        BadServer, DatabaseUnavailable, OSError: as application.create.
    """
    app = application.create(configuration)
    database: Database = app.state.database
    with database.write() as connection:
        link = _link(connection, configuration) if first_link.needed(connection) else None
    return Ready(app, database.shown, link)


def new_link(configuration: Configuration) -> str:
    """Return a new organiser's link; a server that runs on the same database takes it.

    Raises:
        BadServer, DatabaseUnavailable, OSError: as application.create.
    """
    os.umask(0o077)
    application.prepare(configuration.folder)
    database = Database(configuration.folder, configuration.database)
    with database.write() as connection:
        link = _link(connection, configuration)
    database.close()
    return link


def new_token(configuration: Configuration, file: str) -> int:
    """Write an organiser's token into a new file and return its number.

    Who can write the server's folder is an organiser anyway (`new_link`).

    Raises:
        BadBoard: `file` is there, or can't be made.
        BadServer, DatabaseUnavailable, OSError: as application.create.
    """
    os.umask(0o077)
    application.prepare(configuration.folder)
    database = Database(configuration.folder, configuration.database)
    now = time.time_ns() // 1_000_000
    days = min(first_link.DAYS, configuration.limits.token_days)
    with token_file.new(file) as out, database.write() as connection:
        number, text = tokens.issue(
            connection, now, ORGANISER, days, note="from seedlock serve --new-token"
        )
        audit.Note(now, "who can write the database", "this machine", "issue token").write(
            connection, f"token {number}: {ORGANISER}", "done"
        )
        out.write(f"{text}\n")
    database.close()
    return number


def _link(connection: Any, configuration: Configuration) -> str:
    life = configuration.limits.link_seconds
    return first_link.new(connection, time.time_ns() // 1_000_000, life, configuration.url)


class WithoutSecrets(logging.Filter):
    """Takes out of the log of requests what may be a secret: every query, and with it the code of
    an organiser's link; and whatever looks like a token or could move a terminal's
    cursor."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record, and keep it."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                _harmless(each) if isinstance(each, str) else each for each in record.args
            )
        return True


def _harmless(text: str) -> str:
    return printable(FORM.sub(f"{PREFIX}...", text.partition("?")[0]), LONGEST)


def _logging() -> dict[str, Any]:
    line = {"format": "%(asctime)s %(levelname)s %(message)s"}
    handler = {"class": "logging.StreamHandler", "formatter": "line", "filters": ["secrets"]}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line},
        "filters": {"secrets": {"()": WithoutSecrets}},
        "handlers": {"stderr": handler},
        "loggers": {
            name: {"handlers": ["stderr"], "level": "INFO", "propagate": False}
            for name in ("uvicorn", "seedlock.leaderboard")
        },
    }
