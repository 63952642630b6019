"""seedlock board replayed, by a reviewer at a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedlock.evaluation.file_digests import digest_of
from tests.leaderboard.large_round import Shape, make
from tests.leaderboard.served import serving
from tests.leaderboard.work import Organiser, Person

NAME = "few"


@pytest.fixture(scope="module", name="reviewer")
def _reviewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """Somebody who replays; beside the token's file lies the round."""
    folder = tmp_path_factory.mktemp("reviewed")
    make(folder / NAME, Shape(2, 2, NAME))
    with serving(folder / "board", "--rate", "0") as served:
        organiser = Organiser(served, folder)
        organiser.publish(folder / NAME)
        yield organiser.issue(folder / "reviewer", "reviewer")


def result(reviewer: Person, folder: Path, verdict: str, place: int) -> tuple[Path, str]:
    """Write what a replay of a published record came to; return it and the submission's name."""
    record = sorted((reviewer.file.parent / NAME / "runs").rglob("*.json"))[place]
    path = folder / f"{verdict}.json"
    digest = digest_of(record).digest
    path.write_text(
        json.dumps({"verdict": verdict, "record": "elsewhere.json", "record_sha256": digest})
    )
    return path, record.parent.name


def level(reviewer: Person, name: str) -> str:
    """Return how far the board says that a submission was checked."""
    answer = reviewer.ask("GET", f"rounds/{NAME}/submissions/{name}").json()
    return str(answer["submission"]["verification"])


def test_a_replay_is_told(reviewer: Person, tmp_path: Path) -> None:
    """The record's own digest says which run it is, and the board shows what it came to."""
    same, name = result(reviewer, tmp_path, "IDENTICAL", 0)
    other, marked = result(reviewer, tmp_path, "DIFFERENT", -1)

    done = reviewer.command("board", "replayed", same, "--round", NAME)
    told = reviewer.command("board", "replayed", other, "--round", NAME, "--json")

    assert done.lines[0].startswith(f"{name}, seed index ")
    assert level(reviewer, name) == "replayed-identical"
    assert json.loads(told.out)["verdict"] == "different"
    assert level(reviewer, marked) == "marked"


def test_what_is_no_replay_of_this_round_is_refused(reviewer: Person, tmp_path: Path) -> None:
    """Of a record that was changed, of another one than is meant or does not say of which, a record
    that is gone, a replay without a verdict, and no replay at all."""
    words = ("board", "replayed")
    good, _ = result(reviewer, tmp_path, "IDENTICAL", 0)
    none, _ = result(reviewer, tmp_path, "MISMATCH", 0)
    changed, stale = tmp_path / "changed", tmp_path / "stale"
    first, second = sorted((reviewer.file.parent / NAME / "runs").rglob("*.json"))[:2]
    changed.write_bytes(first.read_bytes() + b" ")
    of = {"verdict": "IDENTICAL", "record": str(first)}
    stale.write_text(json.dumps({**of, "record_sha256": digest_of(changed).digest}))
    old = tmp_path / "old"
    old.write_text(json.dumps(of))
    before = reviewer.ask("GET", f"rounds/{NAME}/replays").json()

    for more, status, said in (
        ((stale,), 78, "no run of few has the record"),
        ((good, "--record", second), 2, "replay this one"),
        ((old,), 2, "older seedlock, which does not say of which record"),
        ((good, "--record", tmp_path / "gone"), 2, "is not there"),
        ((none,), 2, "says MISMATCH, which tells nothing"),
        ((changed,), 2, "is no result of a replay"),
    ):
        done = reviewer.command(*words, *more, "--round", NAME, check=False)
        assert (done.status, said in done.err) == (status, True), done.err
    assert reviewer.ask("GET", f"rounds/{NAME}/replays").json() == before
