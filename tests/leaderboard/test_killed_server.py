"""A server that is killed while many hand in keeps each accepted upload, and shows no half one."""

from __future__ import annotations

import hashlib
import random
import socket
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import requests

from seedlock.evaluation.rounds import steps
from seedlock.leaderboard import archive, tokens
from seedlock.leaderboard.database import Database
from seedlock.leaderboard.tables import Team
from tests.leaderboard.handing_in import POLICY, packed, submission
from tests.leaderboard.served import serving

KILLS = 2
AUTHORS = 5
EACH = 4
"""Times that the server is killed, authors who hand in at a time, and archives of each of them
between two kills; no more than a team may hand in for a round."""


class Told:
    """What authors were told: digest by name, of each answer with 201."""

    def __init__(self) -> None:
        self.accepted: dict[str, str] = {}
        self.changed = threading.Condition()

    def accept(self, name: str, digest: str) -> None:
        """Note an answer."""
        with self.changed:
            self.accepted[name] = digest
            self.changed.notify_all()

    def wait(self, count: int) -> None:
        """Wait until so many were accepted."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.accepted) >= count, 120)


def accounts(folder: Path) -> tuple[str, list[str]]:
    """Make a server's folder; return tokens of an organiser and of the authors."""
    folder.mkdir(mode=0o700)
    database = Database(folder)
    now = time.time_ns() // 1_000_000
    authors = []
    with database.write() as connection:
        _, organiser = tokens.issue(connection, now, "organiser", 30)
        for number in range(AUTHORS):
            row = Team.__table__.insert().values(name=f"t{number}", created=now)  # type: ignore[attr-defined]
            (team,) = connection.execute(row).inserted_primary_key or (0,)
            authors.append(tokens.issue(connection, now, "author", 30, team)[1])
    database.close()
    return organiser, authors


def opening(folder: Path) -> bytes:
    """Open a round and return what is published of it."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    policy = folder.with_name("policy.toml")
    until = (now + timedelta(days=9)).isoformat()
    policy.write_text(POLICY.format(name="small", deadline=until, train="organiser"))
    steps.open_round(folder, policy, now)
    return (folder / "opening.json").read_bytes()


def archives(folder: Path, drawn: random.Random) -> dict[str, bytes]:
    """Return an author's archives by their names, of up to 256 KiB each."""
    found = {}
    for number in range(EACH):
        made = submission(folder / str(number), name=f"{folder.name}-{number}")
        (made / "weights.bin").write_bytes(drawn.randbytes(drawn.randrange(1 << 18)))
        found[f"{folder.name}-{number}"] = packed(made)[0]
    return found


def headers(token: str, **more: str) -> dict[str, str]:
    """Return the headers of a request."""
    return {"Authorization": f"Bearer {token}", **more}


def hand_in(url: str, token: str, raws: dict[str, bytes], told: Told) -> None:
    """Hand in one after the other until the server is gone."""
    for name, raw in raws.items():
        try:
            answer = requests.post(
                f"{url}/api/v1/rounds/small/submissions", data=raw, timeout=60,
                headers=headers(token, **{"Content-Type": "application/gzip"}),
            )  # fmt: skip
        except requests.RequestException:
            return
        assert answer.status_code == 201, answer.text
        told.accept(name, answer.json()["digest"])


def begin(url: str, token: str, raw: bytes) -> socket.socket:
    """Send the half of an archive, and no more."""
    host, port = url.removeprefix("http://").split(":")
    half = socket.create_connection((host, int(port)))
    half.sendall(
        f"POST /api/v1/rounds/small/submissions HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/gzip\r\n"
        f"Content-Length: {len(raw)}\r\n\r\n".encode()
        + raw[: len(raw) // 2]
    )
    return half


def wait_for_file(folder: Path) -> None:
    """Wait until a folder holds a file."""
    end = time.monotonic() + 60
    while not list(folder.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.01)


def listed(url: str, token: str) -> list[dict[str, Any]]:
    """Return all uploads that the server shows."""
    found: list[dict[str, Any]] = []
    pages = page = 1
    while page <= pages:
        answer = requests.get(
            f"{url}/api/v1/rounds/small/submissions", params={"page": str(page)}, timeout=60,
            headers=headers(token),
        ).json()  # fmt: skip
        found += answer["uploads"]
        pages, page = answer["pages"], page + 1
    return found


def test_kill_9_while_many_hand_in(tmp_path: Path) -> None:
    """Killed after a number of answers that is drawn from a fixed seed, and started again: what
    was told to be accepted is there with its bytes, what is listed is whole, tmp/ is empty."""
    folder = tmp_path / "board"
    organiser, authors = accounts(folder)
    drawn = random.Random(7)
    told, raws = Told(), dict[str, bytes]()
    half = packed(submission(tmp_path / "half", name="half"))[0]
    halves: list[socket.socket] = []
    for kill in range(KILLS):
        mine = [archives(tmp_path / f"k{kill}a{number}", drawn) for number in range(AUTHORS)]
        for each in mine:
            raws |= each
        with serving(folder, "--rate", "0") as served:
            if kill == 0:
                answer = requests.put(
                    f"{served.url}/api/v1/rounds/small/files/opening.json", timeout=60,
                    data=opening(tmp_path / "round"), headers=headers(organiser),
                )  # fmt: skip
                assert answer.status_code == 200, answer.text
            threads = [
                threading.Thread(target=hand_in, args=(served.url, token, each, told))
                for token, each in zip(authors, mine, strict=True)
            ]
            halves.append(begin(served.url, authors[0], half))
            wait_for_file(folder / "tmp")
            before = len(told.accepted)
            for thread in threads:
                thread.start()
            told.wait(before + drawn.randrange(2, AUTHORS * (EACH - 2)))
            served.process.kill()
            for thread in threads:
                thread.join()
        halves.pop().close()

    with serving(folder, "--rate", "0") as served:
        assert not list((folder / "tmp").iterdir())
        rows = {each["name"]: each for each in listed(served.url, organiser)}
        assert {name: rows[name]["digest"] for name in told.accepted} == told.accepted
        for name, row in rows.items():
            answer = requests.get(
                f"{served.url}/api/v1/rounds/small/uploads/{row['number']}/archive", timeout=60,
                headers=headers(organiser),
            )  # fmt: skip
            assert answer.content == raws[name]
            assert hashlib.sha256(answer.content).hexdigest() == row["archive_sha256"]
            (tmp_path / "one.tar.gz").write_bytes(answer.content)
            with (tmp_path / "one.tar.gz").open("rb") as file:
                assert archive.unpack(file, tmp_path / f"of-{name}").digest == row["digest"]
