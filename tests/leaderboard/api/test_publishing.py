"""A whole round goes to the server; what nobody may see yet is not shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedlock.leaderboard import kept_rounds, publish_command
from tests.evaluation.rounds import made_rounds
from tests.evaluation.rounds.made_rounds import ENTRIES, Ledger, drawn, read_events, write_events
from tests.leaderboard.conftest import Site, bearer
from tests.leaderboard.handing_in import put

ROUND = "made-2026"
STEPS = ("opening.json", "policy.toml", "freeze.json", "draw.json", "ledger.jsonl", "reveal.json")


class World:
    """A server and a round that was carried out to its end, on the organiser's machine.

    The round has a public submission, `ours`, and a private one, `theirs`.
    """

    def __init__(self, folder: Path, where: str = "") -> None:
        self.site = Site(folder / "board", where)
        self.organiser = self.site.token("organiser")
        self.reviewer = self.site.token("reviewer")
        self.round, _ = made_rounds.revealed(folder / "round")
        self.folder = self.round.folder

    def put(self, *names: str) -> None:
        """Publish files, all of which have to be taken."""
        for name in names:
            answer = put(self.site, self.organiser, ROUND, self.folder / name)
            assert answer.status_code == 200, (name, answer.text)

    def put_records(self) -> list[str]:
        """Publish the records; return their paths."""
        lacking = self.get("lacking-records", self.organiser).json()["records"]
        for number, each in enumerate(lacking, 1):
            answer = self.site.client.put(
                f"/api/v1/rounds/{ROUND}/records/{each['record'].removeprefix('runs/')}",
                content=(self.folder / each["record"]).read_bytes(), headers=bearer(self.organiser),
                params={"more": str(number < len(lacking)).lower()},
            )  # fmt: skip
            assert answer.status_code == 200, answer.text
        return [each["record"] for each in lacking]

    def get(self, what: str, token: str | None = None, **parameters: Any) -> Any:
        """Ask for something of the round."""
        headers = bearer(token) if token else {}
        address = f"/api/v1/rounds/{ROUND}/{what}".rstrip("/")
        return self.site.client.get(address, headers=headers, params=parameters)


@pytest.fixture(name="world")
def _world(tmp_path: Path, where: str) -> World:
    return World(tmp_path, where)


def test_a_whole_round(world: World) -> None:
    """What an organiser publishes is shown, and the server's verification of it is the
    command's."""
    world.put(*STEPS)
    records = world.put_records()
    told = world.get("").json()

    assert len(records) == 6  # the attempt that the machine failed left none
    assert [each["name"] for each in told["files"]] == [
        "policy.toml", "opening.json", "freeze.json", "draw.json", "reveal.json", "ledger.jsonl",
    ]  # fmt: skip
    assert told["revision"] == 7
    assert told["policy_digest"] == world.round.policy.digest
    board = world.get("board").json()
    assert board["complete"] and board["revealed"]
    assert board["seeds"] == [str(each) for each in world.round.seeds()]
    assert {each["name"]: each["ok"] for each in board["submissions"]} == {"ours": 3, "theirs": 3}
    verdict = world.site.client.post(f"/api/v1/rounds/{ROUND}/verify").json()
    assert verdict["verdict"] == "CONDITIONAL"
    assert not [each for each in verdict["findings"] if each["state"] not in ("proven", "if")]
    assert world.get("ceremony").json()["standing"]["steps"].keys() == {
        "opening", "freeze", "draw", "reveal",
    }  # fmt: skip


def test_again_changes_nothing(world: World) -> None:
    """Who was interrupted publishes all of it again; the revision stays."""
    world.put(*STEPS)
    world.put_records()
    before = world.get("").json()["revision"]
    world.put(*STEPS)

    assert world.put_records() == []
    assert world.get("").json()["revision"] == before


def test_nothing_is_overwritten(world: World) -> None:
    """A step is published once; another opening under the same name is refused."""
    world.put("opening.json", "freeze.json")
    other = json.loads((world.folder / "freeze.json").read_text())
    other["early"] = True
    (world.folder / "freeze.json").write_text(json.dumps(other))
    answer = put(world.site, world.organiser, ROUND, world.folder / "freeze.json")

    assert answer.status_code == 409
    assert world.get("files/freeze.json").json()["early"] is False


def test_the_order(world: World) -> None:
    """What comes before what it belongs to is refused, and names what lacks."""
    assert put(world.site, world.organiser, ROUND, world.folder / "freeze.json").status_code == 422
    world.put("opening.json")
    for name in ("draw.json", "reveal.json", "ledger.jsonl"):
        answer = put(world.site, world.organiser, ROUND, world.folder / name)
        assert answer.status_code == 422, name
        assert "publish freeze.json first" in answer.text
    elsewhere = put(world.site, world.organiser, "other", world.folder / "opening.json")
    assert elsewhere.status_code == 422
    strange = world.site.client.put(
        f"/api/v1/rounds/{ROUND}/files/secret.json", content=b"{}", headers=bearer(world.organiser)
    )
    assert strange.status_code == 422
    assert [each["name"] for each in world.get("").json()["files"]] == ["opening.json"]


def test_a_ledger_only_grows(world: World) -> None:
    """The old ledger is the new one's beginning, or the new one is refused."""
    world.put("opening.json", "freeze.json", "draw.json")
    events = read_events(world.folder)
    write_events(world.folder, events[:9])
    world.put("ledger.jsonl")
    write_events(world.folder, events)
    grown = put(world.site, world.organiser, ROUND, world.folder / "ledger.jsonl").json()
    write_events(world.folder, events[:9])
    shrunk = put(world.site, world.organiser, ROUND, world.folder / "ledger.jsonl")
    events[4]["time"] = "2026-12-02T00:00:59.000Z"
    made_rounds.chain(events)
    write_events(world.folder, events)
    changed = put(world.site, world.organiser, ROUND, world.folder / "ledger.jsonl")

    assert grown["how"] == "grown"
    assert (shrunk.status_code, changed.status_code) == (409, 409)


def test_what_would_be_wrong_is_refused(world: World) -> None:
    """What verify would call WRONG is not taken: a list that was changed, a ledger cut off before
    the head that the reveal names, other seeds."""
    world.put("opening.json")
    frozen = json.loads((world.folder / "freeze.json").read_text())
    good = dict(frozen)
    frozen["submissions"] = frozen["submissions"][:1]
    (world.folder / "freeze.json").write_text(json.dumps(frozen))
    answer = put(world.site, world.organiser, ROUND, world.folder / "freeze.json")
    assert answer.status_code == 422
    assert "added, dropped or changed" in answer.json()["detail"]

    (world.folder / "freeze.json").write_text(
        json.dumps(good, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    )
    world.put("freeze.json", "draw.json")
    write_events(world.folder, read_events(world.folder)[:-1])
    world.put("ledger.jsonl")
    cut = put(world.site, world.organiser, ROUND, world.folder / "reveal.json")
    assert cut.status_code == 422
    assert "cut off" in cut.json()["detail"]


def test_a_draw_that_tells_hidden_seeds(world: World) -> None:
    """A draw with the seeds of a round that hides them is refused, and shown to nobody."""
    world.put("opening.json", "freeze.json")
    content = json.loads((world.folder / "draw.json").read_text())
    content["seeds"] = [str(each) for each in world.round.seeds()]
    (world.folder / "draw.json").write_text(json.dumps(content))
    answer = put(world.site, world.organiser, ROUND, world.folder / "draw.json")

    assert answer.status_code == 422
    assert world.get("files/draw.json").status_code == 404
    kept = world.site.configuration.folder
    assert not [
        path for path in kept.rglob("*")
        if path.is_file() and content["seeds"][0].encode() in path.read_bytes()
    ]  # fmt: skip


def test_no_seed_before_the_reveal(world: World) -> None:
    """Until the reveal no route tells a seed to anybody but organisers; after it, those of public
    submissions are everybody's."""
    world.put(*STEPS[:-1])
    records = world.put_records()
    seeds = [str(each) for each in world.round.seeds()]
    author = world.site.token("author", "ours")
    routes = ["", "board", "board.csv", "ceremony", "ledger", "submissions/ours", "replays",
              "compare?a=ours&b=theirs", "lacking-records", "submissions"]  # fmt: skip
    routes += [f"files/{name}" for name in STEPS]
    routes += [each.replace("runs/", "records/") for each in records]
    for route in routes:
        for token in (None, author, world.reviewer):
            answer = world.get(route, token)
            assert answer.status_code < 500, (route, answer.text)
            assert not [seed for seed in seeds if seed in answer.text], (route, token)
    verdict = world.site.client.post(f"/api/v1/rounds/{ROUND}/verify").text
    assert not [seed for seed in seeds if seed in verdict]
    ours = next(each for each in records if "ours" in each).replace("runs/", "records/")
    theirs = next(each for each in records if "theirs" in each).replace("runs/", "records/")
    assert world.get(ours, world.organiser).status_code == 200

    world.put("reveal.json")
    assert world.get(ours).status_code == 200
    assert world.get("board").json()["seeds"] == seeds
    assert world.get(theirs).status_code == 403
    assert world.get(theirs, author).status_code == 403
    assert world.get(theirs, world.reviewer).status_code == 200
    assert world.get("records/ours/0-9.json").status_code == 404


def test_reasons_of_private_submissions(tmp_path: Path) -> None:
    """Why a private submission's run failed is the organisers' and the reviewers' to read, in no
    file and no route of others."""
    world = World(tmp_path)
    this = drawn(tmp_path / "second" / "round")
    ledger = Ledger(this)
    for each in ENTRIES:
        for index in range(3):
            ledger.attempt(each, index, 1, "author-failure", runs=(this.folder, index))
    for event in ledger.events:
        if event["kind"] == "ended":
            event["content"]["reasons"] = [f"reason of {event['submission'][7:15]}"]
    made_rounds.chain(ledger.events)
    ledger.write(this.folder)
    world.folder = this.folder
    world.put(*STEPS[:-1])
    ours, theirs = (f"reason of {each['digest'][7:15]}" for each in ENTRIES)
    routes = ("", "board", "board.csv", "ledger", "submissions/theirs", "files/ledger.jsonl")

    for route in routes:
        assert theirs not in world.get(route).text, route
        assert theirs not in world.get(route, world.site.token("author", "any")).text, route
    assert ours in world.get("ledger").text
    assert ours in world.get("submissions/ours").text
    assert world.get("files/ledger.jsonl").status_code == 403
    for route in ("ledger", "files/ledger.jsonl", "submissions/theirs"):
        assert theirs in world.get(route, world.reviewer).text, route


def test_what_organisers_say_of_a_private_run_hides_no_ledger(tmp_path: Path) -> None:
    """As that it was interrupted: everybody may have the file, which the proof takes."""
    world = World(tmp_path)
    this = drawn(tmp_path / "second" / "round")
    ledger = Ledger(this)
    for each in ENTRIES:
        for index in range(3):
            ledger.attempt(each, index, 1, "interrupted", following=2)
    for event in ledger.events:
        if event["kind"] == "ended":
            event["content"]["reasons"] = ["interrupted"]
    made_rounds.chain(ledger.events)
    ledger.write(this.folder)
    world.folder = this.folder
    world.put(*STEPS[:-1])

    assert world.get("files/ledger.jsonl").status_code == 200
    events = world.get("ledger").json()["events"]
    assert [each["content"]["reasons"] for each in events if each["kind"] == "ended"] == [
        ["interrupted"]
    ] * 6
    assert not any("withheld" in each for each in events)


def test_a_record_that_the_ledger_does_not_name(world: World) -> None:
    """Records are the ledger's: another file, or one without an event, is refused."""
    world.put(*STEPS[:4])
    address = f"/api/v1/rounds/{ROUND}/records/ours/0-1.json"
    raw = (world.folder / "runs" / "ours" / "0-1.json").read_bytes()
    headers = bearer(world.organiser)
    early = world.site.client.put(address, content=raw, headers=headers)
    world.put("ledger.jsonl")
    other = world.site.client.put(address, content=raw + b" ", headers=headers)
    nobody = world.site.client.put(address, content=raw, headers=bearer(world.reviewer))
    good = world.site.client.put(address, content=raw, headers=headers)

    codes = [each.status_code for each in (early, other, nobody, good)]
    assert codes == [422, 422, 403, 200]


def test_a_batch_of_records_is_taken_whole_or_not_at_all(world: World) -> None:
    """One record that the ledger does not have, or nobody may send, and none is there."""
    world.put(*STEPS)
    lacking = [each["record"] for each in world.get("lacking-records", world.organiser).json()[
        "records"]]  # fmt: skip
    records = [
        {"submission": path.split("/")[1], "file": path.split("/")[2],
         "text": (world.folder / path).read_text()}
        for path in lacking
    ]  # fmt: skip

    def send(records: list[dict[str, str]], token: str = world.organiser) -> Any:
        return world.site.client.post(
            f"/api/v1/rounds/{ROUND}/records", content=json.dumps({"records": records}),
            headers={**bearer(token), "Content-Type": "application/json"},
        )  # fmt: skip

    changed = {**records[-1], "text": records[-1]["text"] + " "}
    half = {**records[-1], "text": "\ud800"}
    outside = {**records[-1], "file": "../0-1.json"}
    refused = [send([*records[:-1], last]) for last in (changed, half, outside, records[0])]
    refused += [send(records, world.reviewer)]
    still = world.get("lacking-records", world.organiser).json()["records"]
    before = world.get("").json()["revision"]
    good, again = send(records), send(records)

    assert [each.status_code for each in refused] == [422, 422, 422, 422, 403]
    assert [each["record"] for each in still] == lacking
    assert good.json() == {"hows": ["new"] * 6, "revision": before + 1}
    assert again.json() == {"hows": ["same"] * 6, "revision": before + 1}
    kept = world.site.configuration.folder / "rounds" / ROUND
    assert all((kept / each).read_bytes() == (world.folder / each).read_bytes() for each in lacking)
    assert world.get("board").json()["complete"]


@pytest.mark.parametrize("who", ["public", "author", "reviewer", "elsewhere"])
def test_who_may_not_publish(world: World, who: str) -> None:
    """Only the round's organisers publish."""
    token = {
        "public": "", "author": world.site.token("author", "ours"), "reviewer": world.reviewer,
        "elsewhere": world.site.token("organiser", round_name="another"),
    }[who]  # fmt: skip
    answer = put(world.site, token, ROUND, world.folder / "opening.json")

    assert answer.status_code == (401 if who == "public" else 403)
    assert world.get("").status_code == 404


def test_a_killed_publication_goes_on(world: World) -> None:
    """A server that was killed between a file and its row brings both together at its start."""
    world.put(*STEPS[:4])
    before = world.get("").json()["revision"]
    folder = world.site.configuration.folder
    kept = folder / "rounds" / ROUND
    (kept / "ledger.jsonl").write_bytes((world.folder / "ledger.jsonl").read_bytes())
    (kept / kept_rounds.STALE).touch()
    world.site.database.close()
    world.site = Site(folder, world.site.configuration.database)

    assert world.get("").json()["revision"] == before + 1
    assert world.get("board").json()["submissions"][0]["unread"] == 3  # records are not here yet
    assert not (kept / kept_rounds.STALE).exists()


@pytest.mark.parametrize("how", ["no JSON", "another version", "missing"])
def test_standings_of_another_seedlock(world: World, how: str) -> None:
    """Those that can't be read are no error of the visitor's, and the next start makes them."""
    world.put(*STEPS[:5])
    folder = world.site.configuration.folder
    file = folder / "rounds" / ROUND / kept_rounds.STANDINGS
    good = file.read_bytes()
    file.unlink()
    if how == "no JSON":
        file.write_bytes(b"{")
    elif how == "another version":
        file.write_bytes(json.dumps({**json.loads(good), "version": 2}).encode())

    page = f"/rounds/{ROUND}"
    for path in (f"/api/v1{page}/board", f"/api/v1{page}/board.csv", page, f"{page}/board.json"):
        assert world.site.client.get(path).status_code == 503, path
    world.site.database.close()
    world.site = Site(folder, world.site.configuration.database)

    assert file.read_bytes() == good
    assert world.get("board").status_code == 200


def test_a_board_in_parts(world: World) -> None:
    """Boards are sorted, filtered and paged; what there is not is said."""
    world.put(*STEPS)
    world.put_records()

    def names(**parameters: Any) -> list[str]:
        answer = world.get("board", **parameters)
        return [each["name"] for each in answer.json()["submissions"]]

    assert names(sort="name") == ["ours", "theirs"]
    assert names(sort="name", order="down") == ["theirs", "ours"]
    assert names(filter="THE") == ["theirs"]
    assert names(filter="' OR 1=1 --") == []
    assert names(page=2) == []
    assert world.get("board", metric="nothing").status_code == 404
    assert world.get("board", sort="1; DROP TABLE rounds").status_code == 422
    lines = world.get("board.csv").text.split("\r\n")
    assert lines[0].startswith("metric,direction") and lines[0].endswith("seed_1,seed_2")
    assert [line.split(",")[3] for line in lines[1:3]] == ["ours", "theirs"]
    assert world.get("compare", a="ours", b="theirs").json()["better"] == {"accuracy": None}
    assert world.get("compare", a="ours", b="nobody").status_code == 404


def test_replays(world: World) -> None:
    """A reviewer's replay of a published record gives the submission its level; one of another
    record is refused."""
    world.put(*STEPS)
    world.put_records()
    digest = world.get("submissions/ours").json()["submission"]["runs"][0]["record_sha256"]
    content = {"submission": "ours", "seed_index": 0, "verdict": "IDENTICAL",
               "record_sha256": digest.removeprefix("sha256:")}  # fmt: skip

    def tell(token: str, **other: Any) -> int:
        answer = world.site.client.post(
            f"/api/v1/rounds/{ROUND}/replays", json={**content, **other}, headers=bearer(token)
        )
        return int(answer.status_code)

    assert tell(world.site.token("author", "ours")) == 403
    assert tell(world.reviewer, record_sha256="0" * 64) == 422
    assert tell(world.reviewer, seed_index=7) == 422
    assert tell(world.reviewer) == 201
    level = world.get("submissions/ours").json()["submission"]["verification"]
    assert level == "replayed-identical"
    assert tell(world.reviewer, verdict="DIFFERENT") == 201
    assert world.get("submissions/ours").json()["submission"]["verification"] == "marked"
    assert [each["verdict"] for each in world.get("replays").json()["replays"]] == [
        "identical", "different",
    ]  # fmt: skip


def test_images(world: World) -> None:
    """Versions of images are published once, by organisers of the whole server."""
    content = {"name": "conference/repro-base", "version": "2026.1",
               "digest": f"sha256:{'1' * 64}", "lock": f"sha256:{'2' * 64}"}  # fmt: skip
    post = world.site.client.post

    assert post("/api/v1/images", json=content, headers=bearer(world.reviewer)).status_code == 403
    assert post("/api/v1/images", json=content, headers=bearer(world.organiser)).status_code == 201
    assert post("/api/v1/images", json=content, headers=bearer(world.organiser)).status_code == 409
    told = world.site.client.get("/api/v1/images").json()["images"]
    assert [(each["version"], each["manifest_sha256"]) for each in told] == [("2026.1", None)]


def test_files_are_sent_in_the_order_in_which_they_follow(tmp_path: Path) -> None:
    """A reveal names the ledger's end and the results of spot checks; the tenth of these comes
    after the ninth."""
    checks = ["spot-check.json", *(f"spot-check-{number}.json" for number in range(2, 12))]
    names = ["opening.json", "policy.toml", "freeze.json", "draw.json", "ledger.jsonl", *checks]
    for name in [*names, "reveal.json", "spot-check-0.json"]:
        (tmp_path / name).touch()

    sent = [path.name for path in publish_command._files(tmp_path)]

    assert sent == [*names, "reveal.json"]
