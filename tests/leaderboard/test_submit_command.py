"""seedlock submit, board publish and board fetch in real processes, against a real server."""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from rich.console import Console

from seedlock.evaluation.data.fetch_progress import Bar
from seedlock.evaluation.recording import source
from seedlock.evaluation.rounds import steps
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.spot_checks import keys, signature
from seedlock.leaderboard import client, publish_command, tokens
from seedlock.leaderboard.database import Database
from seedlock.leaderboard.tables import Team
from tests.interpreter import Done, environment, run
from tests.leaderboard import large_round
from tests.leaderboard.handing_in import POLICY, authors_record, packed, submission
from tests.leaderboard.served import SEEDLOCK, Served, serving


class World:
    """A server, an open round on the organiser's machine, and tokens in files.

    Attributes:
        folder: of all of it.
        served: the server.
    """

    def __init__(self, folder: Path, served: Served) -> None:
        self.folder = folder
        self.served = served
        self.open("small", timedelta(days=30))
        for role, team in (("organiser", None), ("author", "ours"), ("author", "theirs")):
            self.token(role, team)

    def token(self, role: str, team: str | None = None, days: int = 30) -> Path:
        """Write a new token into a file, and return its path."""
        now = time.time_ns() // 1_000_000
        database = Database(self.folder / "board")
        with database.write() as connection:
            number = None
            if team is not None:
                made = connection.execute(Team.__table__.insert().values(name=team, created=now))  # type: ignore[attr-defined]
                (number,) = made.inserted_primary_key or (None,)
            _, text = tokens.issue(connection, now, role, days, number)
        database.close()
        path = self.folder / f"{team or role}.token"
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def open(self, name: str, until: timedelta, train: str = "organiser") -> Path:
        """Open a round and return its folder."""
        now = datetime.now(timezone.utc).replace(microsecond=0)
        policy = self.folder / f"{name}.toml"
        policy.write_text(POLICY.format(name=name, deadline=(now + until).isoformat(), train=train))
        folder = self.folder / name
        steps.open_round(folder, policy, now - timedelta(days=1))
        return folder

    def seedlock(self, *words: str | Path, token: str = "ours") -> Done:
        """Run a command with a token's file and the server in its environment."""
        file = str(self.folder / f"{token}.token")
        return run(
            [SEEDLOCK, *map(str, words)], check=False, REPRO_BOARD=self.served.url,
            REPRO_BOARD_TOKEN_FILE=file,
        )  # fmt: skip


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with serving(folder / "board", "--rate", "0") as served:
        made = World(folder, served)
        done = made.seedlock("board", "publish", folder / "small", token="organiser")
        assert done.status == 0, done.err
        yield made


def test_a_round_from_hand_to_hand(world: World, tmp_path: Path) -> None:
    """Authors hand in, the organiser fetches: each folder has the digest that its author saw. So
    does a reviewer, who has nothing but the published files."""
    mine = submission(tmp_path / "mine", name="a")
    yours = submission(tmp_path / "yours", name="b", program="print(2)\n")
    (mine / "run.sh").write_text("exit\n")
    (mine / "run.sh").chmod(0o755)

    first = world.seedlock("submit", mine, "--round", "small")
    other = world.seedlock("submit", yours, "--round", "small", "--json", token="theirs")
    again = world.seedlock("submit", mine, "--round", "small")
    fetched = world.seedlock("board", "fetch", world.folder / "small", "--early", token="organiser")
    twice = world.seedlock("board", "fetch", world.folder / "small", "--early", token="organiser")

    published = tmp_path / "published"
    published.mkdir()
    for name in ("opening.json", "policy.toml"):
        shutil.copy(world.folder / "small" / name, published)
    world.token("reviewer")
    reviewed = world.seedlock("board", "fetch", published, "--early", token="reviewer")

    digest = source.look(mine).digest
    assert reviewed.status == 0, reviewed.err
    assert source.look(published / "submissions" / "a").digest == digest
    assert first.status == 0, first.err
    assert first.lines[0] == "a: HANDED IN"
    assert first.err.startswith("handed in: 3 files, ") and "cure" not in first.err
    assert digest in first.lines[1]
    assert json.loads(other.out)["digest"] == source.look(yours).digest
    assert again.lines[0] == "a: HANDED IN again: the server had it"
    assert fetched.status == 0, fetched.err
    assert "a: fetched" in fetched.out and "b: fetched" in fetched.out
    assert "a: there already" in twice.out
    here = world.folder / "small" / "submissions"
    assert sorted(path.name for path in here.iterdir()) == ["a", "b"]
    assert source.look(here / "a").digest == digest
    assert (here / "a" / "run.sh").stat().st_mode & 0o111


def test_what_a_team_handed_in_is_listed_and_withdrawn(world: World, tmp_path: Path) -> None:
    """The last upload is withdrawn first; then the one before counts; then none."""
    folder = submission(tmp_path / "mine", name="again")
    digests = []
    for program in ("print(1)\n", "print(2)\n"):
        (folder / "train.py").write_text(program)
        assert world.seedlock("submit", folder, "--round", "small").status == 0
        digests.append(source.look(folder).digest)
    words = ("submit", "--round", "small")

    listed = world.seedlock(*words, "--list")
    first = world.seedlock(*words, "--withdraw", "again")
    second = world.seedlock(*words, "--withdraw", "again", "--json")
    third = world.seedlock(*words, "--withdraw", "again")
    theirs = world.seedlock(*words, "--list", token="theirs")
    after = json.loads(world.seedlock(*words, "--list", "--json").out)

    mine = [line.split()[1:] for line in listed.lines if " again " in line]
    assert [(row[1], row[3]) for row in mine] == [
        (digests[0], "replaced"), (digests[1], "counts"),
    ]  # fmt: skip
    assert first.lines[0].startswith("again: WITHDRAWN, upload ")
    assert first.lines[0].endswith(digests[1])
    assert digests[0] in first.lines[1]
    assert json.loads(second.out)["counts"] is None
    assert (third.status, "no upload of 'again' counts" in third.err) == (78, True)
    assert "again" not in theirs.out
    assert not [row for row in after if row["name"] == "again" and not row["withdrawn"]]


def test_the_archive_for_the_form(tmp_path: Path) -> None:
    """It is what the server would get, written once and never over a file, and asks no server."""
    folder = submission(tmp_path / "mine")
    out = tmp_path / "mine.tar.gz"
    (folder / "results").mkdir()
    (folder / "results" / "log.txt").write_text("x")
    raw, handed = packed(folder)
    words = [SEEDLOCK, "submit", str(folder), "--archive"]

    done = run([*words, str(out)], check=False)
    again = run([*words, str(out)], check=False)
    inside = run([*words, str(folder / "x.tar.gz")], check=False)
    nowhere = run([SEEDLOCK, "submit", str(folder)], check=False)
    # As the message says it to somebody who stands in the folder.
    beside = run([SEEDLOCK, "submit", "--archive", "../mine.tar.gz"], cwd=folder, check=False)

    assert done.status == 0, done.err
    assert done.err.splitlines()[0].startswith("handed in: 3 files, ")
    assert "results/: looks like results; 1 files, 1 bytes" in done.err and "cure: " in done.err
    assert (beside.status, "is there already" in beside.err) == (78, True), beside.err
    assert (out.read_bytes(), done.lines[1].split()) == (raw, ["digest", handed.digest])
    assert (again.status, "is there already" in again.err, out.read_bytes()) == (78, True, raw)
    assert (inside.status, "lies in the submission's folder" in inside.err) == (78, True)
    assert (nowhere.status, "--round NAME" in nowhere.err) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "mine.tar.gz"]


def test_an_early_freeze_ends_the_wait(world: World, tmp_path: Path) -> None:
    """Once the server has the freeze nothing more comes, whatever the deadline: whoever fetches
    has nothing to say. One that was not published yet is what is in the way."""
    folder = world.open("early", timedelta(days=30))
    assert world.seedlock("board", "publish", folder, token="organiser").status == 0
    mine = submission(tmp_path / "mine", name="early")
    assert world.seedlock("submit", mine, "--round", "early").status == 0

    waiting = world.seedlock("board", "fetch", folder, token="organiser")
    entry = {"name": "early", "digest": source.look(mine).digest, "visibility": "private"}
    steps.freeze_round(Round(folder), [entry], datetime.now(timezone.utc), early=True)
    unpublished = world.seedlock("board", "fetch", folder, token="organiser")
    assert world.seedlock("board", "publish", folder, token="organiser").status == 0
    fetched = world.seedlock("board", "fetch", folder, token="organiser")

    assert (waiting.status, "wait, or say --early" in waiting.err) == (2, True)
    assert (unpublished.status, "seedlock board publish first" in unpublished.err) == (2, True)
    assert fetched.status == 0, fetched.err
    assert "early: fetched" in fetched.out and "next: seedlock round freeze" not in fetched.out


@pytest.mark.parametrize(
    ("words", "token", "said"),
    [
        ((), "gone", "the token is unknown, expired or revoked"),
        ((), "organiser", "the token is an organiser's"),
        (("--round", "none"), "ours", "there is no such round"),
        (("--round", "over"), "ours", "too late"),
        (("--server", "http://board.example.org"), "ours", "without https the token could be read"),
        (("--server", "https://name:word@localhost"), "ours", "holds a name, a password"),
        (("--token-file", "/none"), "ours", "can't be read"),
        (("--token-file", "open.token"), "ours", "has mode 0644; allowed: 0600"),
        (("--check", "other.json"), "ours", "something changed since; check it again"),
        (("--check", "failed.json"), "ours", "says NO FAULT FOUND; allowed: READY"),
    ],
    ids=["token", "role", "round", "late", "http", "password", "no file", "mode", "changed",
         "not ready"],
)  # fmt: skip
def test_what_an_author_may_see(
    world: World, tmp_path: Path, words: tuple[str, ...], token: str, said: str
) -> None:
    """Each refusal is one line that says what is wrong; the exit status is not 0."""
    folder = submission(tmp_path / "mine", name="seen")
    (world.folder / "gone.token").write_text("slk_" + "A" * 43)
    (world.folder / "gone.token").chmod(0o600)
    (tmp_path / "open.token").write_text("slk_" + "A" * 43)
    (tmp_path / "open.token").chmod(0o644)
    digest = source.look(folder).digest
    for name, content in (("other", f"sha256:{'0' * 64}"), ("failed", digest)):
        check = {"submission": {"digest": content}, "ready": name != "failed",
                 "verdict": "NO FAULT FOUND"}  # fmt: skip
        (tmp_path / f"{name}.json").write_text(json.dumps(check))
    if "over" in words and not (world.folder / "over").exists():
        assert world.seedlock(
            "board", "publish", world.open("over", timedelta(hours=-1)), token="organiser"
        ).status == 0  # fmt: skip
    paths = [
        str(tmp_path / each) if each.endswith((".json", "n.token")) else each for each in words
    ]
    done = world.seedlock("submit", folder, *(() if "--round" in words else ("--round", "small")),
                          *paths, token=token)  # fmt: skip

    assert done.status in (2, 78), done.out
    assert said in done.err, done.err
    assert len(done.err.strip().splitlines()) == 1
    assert "slk_AAA" not in done.err


@pytest.mark.parametrize(
    ("batch", "requests_sent"), [(900_000, 1), (8_000, 6), (1_000, 12)], ids=["all", "two", "each"]
)
def test_records_go_together(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int, requests_sent: int
) -> None:
    """Small records in few requests, large ones each in one of its own; all of them arrive."""
    name = f"together-{batch}"
    this = large_round.make(
        tmp_path / name, large_round.Shape(4, 3, name, flawless=True)
    )  # fmt: skip
    server = client.given(world.served.url, str(world.token("organiser")), {})
    monkeypatch.setattr(publish_command, "BATCH", batch)
    asked: list[str] = []
    for way in ("send", "post"):
        monkeypatch.setattr(server, way, _counted(getattr(server, way), asked))
    told: list[str] = []

    with Bar(Console(stderr=True)) as bar:
        absent = publish_command._send(
            this.folder, name, server, bar, lambda each: told.append(each["file"])
        )

    records = {str(path.relative_to(this.folder)) for path in this.folder.glob("runs/*/*")}
    assert (absent, len(records)) == ([], 12)
    assert {each for each in told if each.startswith("runs/")} == records
    assert len([each for each in asked if each == "records"]) == requests_sent
    kept = world.folder / "board" / "rounds" / name
    for each in records:
        assert (kept / each).read_bytes() == (this.folder / each).read_bytes()
    assert json.loads((kept / "standings.json").read_bytes())["complete"]


def _counted(ask: Callable[..., Any], asked: list[str]) -> Callable[..., Any]:
    def asking(*parts: str, **more: Any) -> Any:
        asked.append("records" if "records" in parts else "other")
        return ask(*parts, **more)

    return asking


def test_signed_records_from_hand_to_hand(world: World, tmp_path: Path) -> None:
    """Authors send the records that they signed, once; the organiser fetches them with their
    signatures, as seedlock spot-check takes them."""
    key = keys.new(tmp_path / "key.pem", None)
    mine = submission(tmp_path / "mine", name="signed", more=f'signing_key = "{key}"')
    folder = world.open("authors", timedelta(days=1), "authors")
    assert world.seedlock("board", "publish", folder, token="organiser").status == 0
    assert world.seedlock("submit", mine, "--round", "authors").status == 0
    digest = source.look(mine).digest
    this = Round(folder)
    now = datetime.now(timezone.utc)
    entry = {"name": "signed", "digest": digest, "visibility": "private"}
    steps.freeze_round(this, [entry], now, early=True)
    steps.draw_round(this, None, now)
    assert world.seedlock("board", "publish", folder, token="organiser").status == 0
    record = tmp_path / "record.json"
    record.write_bytes(authors_record(this.seeds()[1], digest))
    words = ("submit", "--round", "authors", "--records", record)

    unsigned = world.seedlock(*words)
    drawn, private = this.digest("draw"), keys.load(tmp_path / "key.pem", None)
    signature.sign(record, record.read_bytes(), drawn, this.policy.digest, private)
    first, again = world.seedlock(*words), world.seedlock(*words)
    fetched = world.seedlock("board", "fetch", folder, "--records", token="organiser")

    assert (unsigned.status, "say seedlock sign" in unsigned.err) == (2, True)
    assert first.lines == [
        f"{record}: signed, seed index 1",
        "1 of 1 sent; the server has all of them",
    ]
    assert again.lines == ["0 of 1 sent; the server has all of them"]
    assert fetched.status == 0, fetched.err
    here = folder / "returned" / "signed-1.json"
    assert signature.verified(here, here.read_bytes()).public_key == key


def test_another_teams_name(world: World, tmp_path: Path) -> None:
    """A name that another team has is refused, and it is said why."""
    mine = submission(tmp_path / "mine", name="taken")
    yours = submission(tmp_path / "yours", name="taken", program="print(3)\n")

    assert world.seedlock("submit", mine, "--round", "small").status == 0
    refused = world.seedlock("submit", yours, "--round", "small", token="theirs")
    assert refused.status == 78
    assert "the name taken is another team's in this round" in refused.err


def test_a_policy_is_asked_before_anything_is_sent(world: World, tmp_path: Path) -> None:
    """What does not fit the policy is refused on the author's machine."""
    folder = submission(tmp_path / "mine", name="large", more="")
    text = (folder / "submission.toml").read_text()
    (folder / "submission.toml").write_text(text + '[limits]\nmemory = "64g"\n')

    done = world.seedlock("submit", folder, "--round", "small")

    assert done.status == 78
    assert "limit memory is" in done.err and "the policy allows" in done.err


class Wire:
    """A way to the server that is cut after so many bytes of the author's.

    Args:
        port: of the server.
        most: bytes that pass.
    """

    def __init__(self, port: int, most: int) -> None:
        self._port, self._most = port, most
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                inner, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(inner,), daemon=True).start()

    def _pass(self, inner: socket.socket) -> None:
        outer = socket.create_connection(("127.0.0.1", self._port))
        back = threading.Thread(target=_copy, args=(outer, inner), daemon=True)
        back.start()
        passed = 0
        while data := inner.recv(4096):
            passed += len(data)
            if passed > self._most:
                break
            outer.sendall(data.replace(f":{self.port}".encode(), f":{self._port}".encode()))
        for each in (inner, outer):
            each.shutdown(socket.SHUT_RDWR)  # a thread still reads
            each.close()

    def close(self) -> None:
        """Take no more."""
        self._listener.close()


def _copy(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(4096):
            other.sendall(data)
    except OSError:
        pass


def large(folder: Path, name: str) -> Path:
    """Return a submission of some MiB that don't pack."""
    made = submission(folder, name=name)
    (made / "weights.bin").write_bytes(random.Random(5).randbytes(4 << 20))
    return made


def test_a_lost_connection(world: World, tmp_path: Path) -> None:
    """A connection that is lost in the middle is said, leaves nothing half, and the same command
    again hands in."""
    folder = large(tmp_path / "mine", "lost")
    port = int(world.served.url.rpartition(":")[2])
    wire = Wire(port, 1 << 20)
    lost = world.seedlock(
        "submit", folder, "--round", "small", "--server", f"http://127.0.0.1:{wire.port}"
    )
    wire.close()

    assert lost.status == 78
    assert "was lost after" in lost.err and "say it again" in lost.err
    assert "lost" not in listed(world)
    assert world.seedlock("submit", folder, "--round", "small").status == 0
    assert "lost" in listed(world)


def listed(world: World) -> list[str]:
    """Return the names of the uploads that the organiser sees."""
    token = (world.folder / "organiser.token").read_text().strip()
    answer = requests.get(
        f"{world.served.url}/api/v1/rounds/small/submissions",
        headers={"Authorization": f"Bearer {token}"}, timeout=30,
    )  # fmt: skip
    return [each["name"] for each in answer.json()["uploads"]]


def test_ctrl_c(world: World, tmp_path: Path) -> None:
    """Ctrl-C in the middle of sending ends with 130 and leaves nothing, here or there."""
    folder = large(tmp_path / "mine", "stopped")
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    # Answers the first questions as the server does, and then takes the archive without an end.
    half = Half(listener, world.served.url)
    words = [sys.executable, "-m", "seedlock", "submit", str(folder), "--round", "small",
             "--server", f"http://127.0.0.1:{port}"]  # fmt: skip
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(
            REPRO_BOARD_TOKEN_FILE=str(world.folder / "ours.token"), TMPDIR=str(tmp_path / "t")
        ),
    )  # fmt: skip
    assert half.sending.wait(60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    listener.close()

    assert (process.returncode, out) == (130, "")
    assert [line.partition(":")[0] for line in err.splitlines()] in ([], ["handed in"])
    assert not (tmp_path / "t").exists() or not list((tmp_path / "t").iterdir())
    assert "stopped" not in listed(world)


class Half:
    """A server that answers what is asked, by the real one, and is slow to take what is sent.

    Attributes:
        sending: set once a body comes.
    """

    def __init__(self, listener: socket.socket, url: str) -> None:
        self.sending = threading.Event()
        self._listener, self._url = listener, url
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        taken = []
        while True:
            try:
                inner, _ = self._listener.accept()
            except OSError:
                return
            taken.append(inner)
            while head := _head(inner):
                if head.startswith("POST"):
                    self.sending.set()
                    break
                path, lines = head.split(" ")[1], head.split("\r\n")[1:]
                given = dict(line.split(": ", 1) for line in lines if ": " in line)
                token = next(value for key, value in given.items() if key == "Authorization")
                answer = requests.get(
                    self._url + path, headers={"Authorization": token}, timeout=30
                )
                inner.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                    + str(len(answer.content)).encode() + b"\r\n\r\n" + answer.content
                )  # fmt: skip


def _head(inner: socket.socket) -> str:
    text = b""
    while not text.endswith(b"\r\n\r\n"):
        data = inner.recv(1)
        if not data:
            return ""
        text += data
    return text.decode("latin-1")
