"""Records that authors signed: each once, for its round and its submission, by the frozen key."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.recording import source
from seedlock.evaluation.rounds import steps
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.formats import DRAW
from seedlock.evaluation.spot_checks import keys, signature
from tests.leaderboard.conftest import START, Site, bearer
from tests.leaderboard.handing_in import (
    at,
    authors_record,
    hand_in,
    opened,
    packed,
    put,
    submission,
)

DAY = 86_400


class World:
    """A server with a round that its authors train, drawn, and their keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = Site(folder / "board")
        self.organiser = self.site.token("organiser")
        self.keys: dict[str, Any] = {}
        self.tokens, self.digests = {}, {}
        self.round: Round = opened(folder / "round", train="authors")
        self.put("opening")
        entries = []
        for name in ("mine", "yours"):
            text = keys.new(folder / f"{name}.pem", None)
            self.keys[name] = keys.load(folder / f"{name}.pem", None)
            made = submission(folder / name, name=name, more=f'signing_key = "{text}"')
            self.tokens[name] = self.site.token("author", name)
            assert (
                hand_in(self.site, self.tokens[name], "small", packed(made)[0]).status_code == 201
            )
            self.digests[name] = source.look(made).digest
            entries.append({"name": name, "digest": self.digests[name], "visibility": "private"})
        steps.freeze_round(self.round, entries, at(START + DAY + 1))
        steps.draw_round(self.round, None, at(START + DAY + 2))
        self.put("freeze")
        self.put("draw")

    def put(self, step: str) -> None:
        """Publish a step."""
        path = self.round.folder / f"{step}.json"
        answer = put(self.site, self.organiser, "small", path)
        assert answer.status_code == 200, answer.text

    def record(self, name: str, index: int, **other: Any) -> bytes:
        """Return the record of a run."""
        seed = self.round.seeds()[index]
        return authors_record(**{"seed": seed, "digest": self.digests[name], **other})

    def signed(self, raw: bytes, name: str, draw: str = "", policy: str = "") -> bytes:
        """Return the signature of a record."""
        path = self.folder / "record.json"
        path.write_bytes(raw)
        own = (self.round.digest(DRAW), self.round.policy.digest)
        return signature.sign(
            path, raw, draw or own[0], policy or own[1], self.keys[name]
        ).read_bytes()  # fmt: skip

    def send(self, raw: bytes, sig: bytes, name: str = "mine") -> Any:
        """Send a record with a signature."""
        return self.site.client.post(
            "/api/v1/rounds/small/signed-records", content=raw,
            headers={**bearer(self.tokens[name]), "Content-Type": "application/json",
                     "Record-Signature": base64.b64encode(sig).decode()},
        )  # fmt: skip


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_signed_record_is_taken_once(world: World) -> None:
    """A record comes to its place with its signature, counts on the board, and is taken once."""
    raw = world.record("mine", 1)
    sig = world.signed(raw, "mine")
    first, again = world.send(raw, sig), world.send(raw, sig)

    assert first.status_code == 201, first.text
    assert (first.json()["submission"], first.json()["seed_index"]) == ("mine", 1)
    place = world.site.configuration.folder / "rounds" / "small" / "runs" / "mine"
    assert (place / "1-1.json").read_bytes() == raw
    assert (place / "1-1.json.sig").read_bytes() == sig
    assert (again.status_code, again.json()["detail"]) == (409, "this record was sent before")
    for name, seen in (("mine", ["mine"]), ("yours", [])):
        told = world.site.client.get(
            "/api/v1/rounds/small/signed-records", headers=bearer(world.tokens[name])
        ).json()
        assert [each["submission"] for each in told["records"]] == seen
    other = world.record("mine", 1, environment={"X": "1"})
    second = world.send(other, world.signed(other, "mine"))
    assert second.status_code == 409
    assert (place / "1-1.json").read_bytes() == raw


def test_signatures_that_are_not_this_ones(world: World) -> None:
    """A signature for another round, by another key, of another file, or of somebody else's
    submission is refused, and nothing of it is kept."""
    raw, theirs = world.record("mine", 0), world.record("yours", 0)
    wrong = f"sha256:{'0' * 64}"
    refused = {
        "draw": world.send(raw, world.signed(raw, "mine", draw=wrong)),
        "policy": world.send(raw, world.signed(raw, "mine", policy=wrong)),
        "key": world.send(raw, world.signed(raw, "yours")),
        "file": world.send(raw, world.signed(raw + b" ", "mine")),
        "team": world.send(theirs, world.signed(theirs, "yours")),
        "seed": world.send(
            other := world.record("mine", 0, seed=12345), world.signed(other, "mine")
        ),
        "half": world.send(
            half := world.record("mine", 0, environment={"X": "\ud800"}),
            world.signed(half, "mine"),
        ),
        "text": world.send(raw, b"{}"),
        "nothing": world.send(b"{}", world.signed(b"{}", "mine")),
    }

    assert {name: each.status_code for name, each in refused.items()} == dict.fromkeys(refused, 422)
    assert "another draw" in refused["draw"].json()["detail"]
    assert "half a character" in refused["half"].json()["detail"]
    assert "was handed in" in refused["key"].json()["detail"]
    assert not (world.site.configuration.folder / "rounds" / "small" / "runs").exists()
    assert world.send(theirs, world.signed(theirs, "yours"), "yours").status_code == 201


def test_only_before_the_reveal(world: World) -> None:
    """After the reveal it is known which records are replayed: none is taken any more."""
    steps.reveal_round(world.round, None, at(START + DAY + 3))
    world.put("reveal")
    raw = world.record("mine", 0)

    assert world.send(raw, world.signed(raw, "mine")).status_code == 409
