"""What authors hand in: taken whole or not at all, and shown to nobody else."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedlock.evaluation.replaying import bundle_tar, manifest
from seedlock.evaluation.replaying.manifest import Entry
from seedlock.evaluation.rounds import steps
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.leaderboard import archive
from seedlock.leaderboard.configuration import Limits
from tests.leaderboard.conftest import START, Site, bearer
from tests.leaderboard.handing_in import DAY, at, hand_in, opened, packed, put, submission


class Open:
    """A server with an open round and two teams.

    Attributes:
        site: the server.
        round: the organiser's folder.
        organiser, ours, theirs, reviewer: tokens.
    """

    def __init__(self, folder: Path, limits: Limits | None = None, where: str = "") -> None:
        self.site = Site(folder / "board", where, limits)
        self.round: Round = opened(folder / "round")
        self.organiser = self.site.token("organiser")
        self.reviewer = self.site.token("reviewer")
        self.ours, self.theirs = self.site.token("author", "ours"), self.site.token("author", "th")
        answer = put(self.site, self.organiser, "small", self.round.folder / "opening.json")
        assert answer.status_code == 200, answer.text

    def listed(self, token: str) -> list[str]:
        """Return the names of the uploads that a token sees."""
        answer = self.site.client.get("/api/v1/rounds/small/submissions", headers=bearer(token))
        assert answer.status_code == 200, answer.text
        return [each["name"] for each in answer.json()["uploads"]]

    def left(self) -> list[Path]:
        """Return the files that the server keeps of uploads, accepted or not."""
        folder = self.site.configuration.folder
        assert not list((folder / "tmp").iterdir())
        return [path for path in (folder / "files").rglob("*") if path.is_file()]


@pytest.fixture(name="board")
def _board(tmp_path: Path, where: str) -> Open:
    return Open(tmp_path, where=where)


def test_what_is_handed_in_is_there(board: Open, tmp_path: Path) -> None:
    """An accepted archive has the digest that its author saw, and comes back byte for byte."""
    raw, handed = packed(submission(tmp_path / "mine"))

    answer = hand_in(board.site, board.ours, "small", raw, digest=handed.digest)

    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["name"], told["digest"], told["uploads_left"]) == ("mine", handed.digest, 19)
    assert told["deadline"] == "2026-09-22T14:13:20Z"
    back = board.site.client.get(
        f"/api/v1/rounds/small/uploads/{told['number']}/archive", headers=bearer(board.ours)
    )
    assert back.content == raw
    assert [path.name for path in board.left()] == [told["archive_sha256"]]


def test_the_same_again_changes_nothing(board: Open, tmp_path: Path) -> None:
    """Who lost the answer says it again: it is there once, and costs no upload."""
    raw, _ = packed(submission(tmp_path / "mine"))
    first = hand_in(board.site, board.ours, "small", raw)
    again = hand_in(board.site, board.ours, "small", raw)

    assert (again.status_code, again.json()["already"]) == (200, True)
    assert again.json()["number"] == first.json()["number"]
    assert again.json()["uploads_left"] == 19


def test_nobody_else_sees_it(board: Open, tmp_path: Path) -> None:
    """An upload is its team's, the organisers' and the reviewers', by list and by number."""
    raw, _ = packed(submission(tmp_path / "mine"))
    number = hand_in(board.site, board.ours, "small", raw).json()["number"]
    address = f"/api/v1/rounds/small/uploads/{number}/archive"
    ask = board.site.client.get

    assert board.listed(board.ours) == board.listed(board.organiser) == ["mine"]
    assert board.listed(board.reviewer) == ["mine"]
    assert board.listed(board.theirs) == []
    assert ask(address, headers=bearer(board.theirs)).status_code == 404
    assert ask(address).status_code == 401
    assert ask("/api/v1/rounds/small/submissions").status_code == 401
    unknown = ask("/api/v1/rounds/small/uploads/9999/archive", headers=bearer(board.theirs))
    assert unknown.json() == ask(address, headers=bearer(board.theirs)).json()
    gone = board.site.client.delete(address.removesuffix("/archive"), headers=bearer(board.theirs))
    assert gone.status_code == 404


def test_after_the_deadline(board: Open, tmp_path: Path) -> None:
    """Too late is too late by the server's clock, and it is said by how much."""
    raw, _ = packed(submission(tmp_path / "mine"))
    board.site.clock.seconds = START + DAY + 200
    answer = hand_in(board.site, board.ours, "small", raw)

    assert answer.status_code == 409
    assert "0:03:20 too late" in answer.json()["detail"]
    assert "by the server's clock" in answer.json()["detail"]
    assert board.left() == []


def test_what_comes_to_its_end_too_late(board: Open, tmp_path: Path) -> None:
    """An upload that began in time and ended too late is not taken."""
    raw, _ = packed(submission(tmp_path / "mine"))

    def slowly() -> Iterator[bytes]:
        yield raw[:100]
        board.site.clock.seconds = START + DAY + 1
        yield raw[100:]

    answer = board.site.client.post(
        "/api/v1/rounds/small/submissions", content=slowly(),
        headers={**bearer(board.ours), "Content-Type": "application/gzip"},
    )  # fmt: skip

    assert answer.status_code == 409, answer.text
    assert board.left() == []


def test_after_the_freeze(board: Open, tmp_path: Path) -> None:
    """A frozen list takes nothing more, and the freeze says what it leaves out."""
    raw, _ = packed(submission(tmp_path / "mine"))
    assert hand_in(board.site, board.ours, "small", raw).status_code == 201
    other = {"name": "other", "digest": f"sha256:{'7' * 64}", "visibility": "public"}
    steps.freeze_round(board.round, [other], at(START), early=True)
    answer = put(board.site, board.organiser, "small", board.round.folder / "freeze.json")
    assert answer.json()["left_out"] == ["mine"]
    assert answer.json()["not_handed_in"] == ["other"]

    raw, _ = packed(submission(tmp_path / "mine", program="print(2)\n"))
    late = hand_in(board.site, board.ours, "small", raw)
    assert (late.status_code, late.json()["detail"]) == (409, "the list of submissions is frozen")


def test_a_name_belongs_to_its_team(board: Open, tmp_path: Path) -> None:
    """The name that a team used first is nobody else's, in any spelling of its letters."""
    raw, _ = packed(submission(tmp_path / "a"))
    hand_in(board.site, board.ours, "small", raw)
    same, _ = packed(submission(tmp_path / "b", program="print(2)\n"))
    other, _ = packed(submission(tmp_path / "c", name="MINE"))

    assert hand_in(board.site, board.theirs, "small", same).status_code == 409
    assert hand_in(board.site, board.theirs, "small", other).status_code == 409
    assert hand_in(board.site, board.ours, "small", other).status_code == 409
    assert board.listed(board.organiser) == ["mine"]
    assert len(board.left()) == 1


def test_the_last_counts(board: Open, tmp_path: Path) -> None:
    """A new upload replaces the one before; taken back, the one before counts again."""
    numbers = []
    for text in ("print(1)\n", "print(2)\n"):
        raw, _ = packed(submission(tmp_path / "mine", program=text))
        numbers.append(hand_in(board.site, board.ours, "small", raw).json()["number"])

    def counting() -> list[int]:
        asked = board.site.client.get(
            "/api/v1/rounds/small/submissions", headers=bearer(board.ours)
        )
        return [each["number"] for each in asked.json()["uploads"] if each["counts"]]

    assert counting() == [numbers[1]]
    gone = board.site.client.delete(
        f"/api/v1/rounds/small/uploads/{numbers[1]}", headers=bearer(board.ours)
    )
    assert gone.status_code == 204
    assert counting() == [numbers[0]]


def test_quotas(tmp_path: Path) -> None:
    """A team has so many uploads for a round, and so many bytes; another team has its own."""
    board = Open(tmp_path, Limits(rate=0, submissions=2))
    for number in range(3):
        raw, _ = packed(submission(tmp_path / "mine", program=f"print({number})\n"))
        answer = hand_in(board.site, board.ours, "small", raw)
    assert answer.status_code == 409
    assert "2 uploads" in answer.json()["detail"]
    theirs, _ = packed(submission(tmp_path / "theirs", name="theirs"))
    assert hand_in(board.site, board.theirs, "small", theirs).status_code == 201

    small = Open(tmp_path / "second", Limits(rate=0, team_bytes=len(raw) + 10))
    assert hand_in(small.site, small.ours, "small", raw).status_code == 201
    more, _ = packed(submission(tmp_path / "more", name="more"))
    assert hand_in(small.site, small.ours, "small", more).status_code == 413


def bombs() -> dict[str, bytes]:
    """Return small archives that unpack to much: a long list of files, and a list of long ones."""
    long, much = io.BytesIO(), io.BytesIO()
    writer = bundle_tar.Writer(long)
    writer.add(Entry(manifest.FILE, 20 << 20, ""), [bytes(1 << 20)] * 20)
    writer.finish()
    entries = [Entry(f"source/{name}", 600 << 20, f"sha256:{'0' * 64}") for name in ("a", "b")]
    text = manifest.encoded(manifest.manifest_of(entries))
    writer = bundle_tar.Writer(much)
    writer.add(Entry(manifest.FILE, len(text), ""), [text])
    writer.finish()
    return {"long": long.getvalue(), "much": much.getvalue()}


def strange(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """Return a plain tar.gz with one entry beside submission.toml."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, link
        tar.addfile(entry)
    return made.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"x", b"PK\x03\x04", gzip.compress(b""), gzip.compress(bytes(2048)),
        strange("../../etc/passwd"), strange("/etc/passwd"),
        strange("link", tarfile.SYMTYPE, "/etc/passwd"), strange("d", tarfile.CHRTYPE),
    ],
    ids=["nothing", "text", "zip", "empty", "zeros", "above", "absolute", "link", "device"],
)  # fmt: skip
def test_what_is_no_archive(board: Open, raw: bytes) -> None:
    """What is no submission's archive is refused in one line, and nothing of it stays."""
    answer = hand_in(board.site, board.ours, "small", raw)

    assert answer.status_code in (400, 422), answer.text
    assert board.left() == []
    assert board.listed(board.ours) == []


def test_what_unpacks_to_too_much(board: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bomb is refused by what its first part says, before a file of it is unpacked."""
    monkeypatch.setattr(archive, "unpack", lambda *_: pytest.fail("it was unpacked"))
    answers = {name: hand_in(board.site, board.ours, "small", raw) for name, raw in bombs().items()}

    assert [each.status_code for each in answers.values()] == [422, 422]
    assert "1258291200 bytes" in answers["much"].json()["detail"]
    assert board.left() == []


def test_an_archive_that_was_changed(board: Open, tmp_path: Path) -> None:
    """Another digest than the author saw, a bit that flipped, an end that is missing: refused."""
    raw, handed = packed(submission(tmp_path / "mine"))
    other = hand_in(board.site, board.ours, "small", raw, digest=f"sha256:{'0' * 64}")
    cut = hand_in(board.site, board.ours, "small", raw[:-20])
    flipped = bytearray(raw)
    flipped[len(raw) // 2] ^= 4
    bent = hand_in(board.site, board.ours, "small", bytes(flipped))

    assert handed.digest in other.json()["detail"]
    assert [each.status_code for each in (other, cut, bent)] == [422] * 3
    assert board.left() == []


def test_what_does_not_fit_the_policy(board: Open, tmp_path: Path) -> None:
    """The policy is asked at the door: a metric that lacks, a limit above the round's."""
    folder = submission(tmp_path / "mine")
    text = (folder / "submission.toml").read_text().replace("metrics.loss", "metrics.other")
    (folder / "submission.toml").write_text(text + '[limits]\nmemory = "64g"\n')
    raw, _ = packed(folder)

    answer = hand_in(board.site, board.ours, "small", raw)

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 2
    assert str(tmp_path) not in answer.text


def test_nothing_tells_the_servers_paths(board: Open, tmp_path: Path) -> None:
    """What is wrong is said without where the server unpacked it."""
    folder = submission(tmp_path / "mine")
    text = (folder / "submission.toml").read_text()
    (folder / "submission.toml").write_text(text.replace('visibility = "private"\n', ""))
    raw, _ = packed(folder)

    answer = hand_in(board.site, board.ours, "small", raw)

    assert answer.json()["detail"].startswith("submission.toml: visibility is missing")


@pytest.mark.parametrize("who", ["public", "organiser", "reviewer", "elsewhere", "revoked"])
def test_who_may_not(board: Open, tmp_path: Path, who: str) -> None:
    """Only an author's good token for this round hands in."""
    raw, _ = packed(submission(tmp_path / "mine"))
    token = {
        "organiser": board.organiser, "reviewer": board.reviewer, "revoked": board.ours,
        "elsewhere": board.site.token("author", "ours", round_name="another"), "public": "",
    }[who]  # fmt: skip
    if who == "revoked":
        board.site.revoke(token)
    answer = hand_in(board.site, token, "small", raw)

    assert answer.status_code == (401 if who in ("public", "revoked") else 403)
    assert board.left() == []


def test_withdrawn_archives_go(board: Open, tmp_path: Path) -> None:
    """What was taken back leaves the disk with the next start; what counts stays."""
    kept, _ = packed(submission(tmp_path / "kept", name="kept"))
    gone, _ = packed(submission(tmp_path / "mine"))
    hand_in(board.site, board.ours, "small", kept)
    number = hand_in(board.site, board.ours, "small", gone).json()["number"]
    address = f"/api/v1/rounds/small/uploads/{number}"
    board.site.client.delete(address, headers=bearer(board.ours))

    again = board.site.client.get(f"{address}/archive", headers=bearer(board.ours))
    assert again.status_code == 410
    board.site.database.close()
    Site(board.site.configuration.folder, board.site.configuration.database)
    assert len(board.left()) == 1
