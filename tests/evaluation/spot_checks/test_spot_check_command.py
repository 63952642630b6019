"""`seedlock spot-check`: who passes, who is found out, and what is said."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import Any

from seedlock.evaluation.rounds import steps
from seedlock.leaderboard import withheld
from seedlock.leaderboard.export_layout import told_of_private
from tests.evaluation.spot_checks.authors_round import World, at, make, seedlock

RESULT = "spot-check.json"


def standings(world: World, name: str = RESULT) -> dict[str, str]:
    """How the submissions stand, by a result."""
    content = json.loads((world.round / name).read_text())
    return {each["name"]: each["standing"] for each in content["submissions"]}


def test_honest_authors_pass(bwrap: str, world: World) -> None:
    """All records are replayed at level portable, sealed, and come out bit for bit; the result is
    in the round's folder, the replays are nobody else's, no submission's folder was written to.
    Where the seal can't keep a promise that nobody gave up, nothing is said."""
    before = {path: path.stat().st_mtime_ns for path in world.folder.glob("submissions/*/*")}

    refused = world.check("--fraction", "1", sealed=True)
    assert refused.status == 78 and "not-sealed" in refused.err
    assert not (world.round / RESULT).exists()
    accepted = ("--accept", "memory", "--accept", "processors")
    done = world.check("--fraction", "1", *accepted, sealed=True)

    assert done.status == 0, done.out + done.err
    assert "4 of 4 records were drawn" in done.out
    assert done.out.count(": IDENTICAL") == 4
    assert standings(world) == {"mine": "passed", "yours": "passed"}
    made = world.round / "private" / "spot-check-2"
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    replayed = json.loads((made / "mine-0" / "replay" / "record.json").read_text())
    assert replayed["level"] == "portable"
    assert replayed["guarantees"]["network"]["held"]
    now = {path: path.stat().st_mtime_ns for path in world.folder.glob("submissions/*/*")}
    assert now == before


def test_an_edited_metric_is_found_although_it_was_signed_again(world: World) -> None:
    """The signature is good: only the replay tells. It marks this submission and no other."""

    def better(content: dict[str, Any]) -> None:
        content["metrics"]["final"]["loss"] /= 2

    world.edit("mine", 1, better)
    world.sign("mine", 1)

    done = world.check("--fraction", "1", "--json")

    assert done.status == 1, done.out + done.err
    result = json.loads(done.out)
    mine = next(each for each in result["submissions"] if each["name"] == "mine")
    (found,) = [each for each in mine["records"] if each["seed_index"] == 1]
    assert found["verdict"] == "DIFFERENT"
    assert any(reason.startswith("metric loss: recorded ") for reason in found["reasons"])
    assert standings(world) == {"mine": "marked", "yours": "passed"}
    kept = world.round / "private" / "spot-check-1" / "result.json"
    assert json.loads(kept.read_text()) == result
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    # The submission is private.
    assert "metric loss" not in (world.round / RESULT).read_text()
    assert told_of_private(world.this) == []
    assert not withheld.holds_private_reasons(world.round, RESULT)
    (world.round / RESULT).write_bytes(kept.read_bytes())
    assert told_of_private(world.this) == [f"{RESULT}, submission mine"]
    assert withheld.holds_private_reasons(world.round, RESULT)


def test_the_policys_part_is_drawn_and_proven(world: World) -> None:
    """Without --fraction, one quarter of four: one record; less is refused. A second check of
    records that were changed after they were signed refuses their submission, replays none of them
    and checks the other one all the same. After the reveal anybody can prove the choice from the
    published files; another choice is found."""
    assert world.check().status == 0
    first = json.loads((world.round / RESULT).read_text())
    chosen = [each["record"] for of in first["submissions"] for each in of["records"]
              if each["chosen"]]  # fmt: skip
    assert len(chosen) == first["chosen"] == 1
    assert sorted(standings(world).values()) == ["not chosen", "passed"]
    world.edit("yours", 0, lambda content: content["metrics"]["final"].update(loss=0.0))
    again = world.check()
    assert again.status == 3 and "1 of 2 records were drawn" in again.out
    assert "it was changed after it was signed" in again.out
    assert "an earlier spot check took another record" in again.out
    assert standings(world, "spot-check-2.json") == {"mine": "passed", "yours": "refused"}
    assert json.loads((world.round / RESULT).read_text()) == first
    refused = world.check("--fraction", "0.2")
    assert refused.status == 2 and "0.25 or more" in refused.err

    steps.reveal_round(world.this, None, at("20:00:00"))
    shutil.rmtree(world.round / "private")
    assert seedlock("spot-check", world.round, "--verify").out.startswith("2 results: ")
    for each in first["submissions"]:
        for record in each["records"]:
            record["chosen"] = not record["chosen"]
    (world.round / RESULT).write_text(json.dumps(first))
    done = seedlock("spot-check", world.round, "--verify")

    assert done.status == 1
    assert "was drawn and not replayed" in done.out
    assert "was replayed and not drawn" in done.out


def test_below_level_portable_a_tolerance_is_needed(tmp_path: Path) -> None:
    """Another machine's bits may differ: without a tolerance the records are refused, with one the
    metrics decide."""
    world = make(tmp_path / "strict", "strict", ("mine",))

    done = world.check()
    assert done.status == 3, done.out + done.err
    assert "allowed: level portable, or --tolerance" in done.out
    done = world.check("--tolerance", "loss=1%")

    assert done.status == 0, done.out + done.err
    assert json.loads((world.round / "spot-check-2.json").read_text())["tolerances"] == {
        "loss": "1%"
    }


def test_what_cannot_be_replayed_is_not_passed(world: World) -> None:
    """A record of a run in an image that is not here: nothing may be said, and that is said. A
    folder of this machine that the record names is not mounted for a stranger's program."""
    image: dict[str, Any] = {"name": "mine", "id": f"sha256:{'ab' * 32}", "network": False}
    image["mounts"] = [{"here": "/etc", "there": "/inside"}]
    for index in (0, 1):
        world.edit("mine", index, lambda content: content.update(image=image))
        world.sign("mine", index)

    done = world.check("--fraction", "1")

    assert done.status == 4, done.out + done.err
    assert standings(world) == {"mine": "unchecked", "yours": "passed"}
    assert "mount /inside: expected /etc, got another machine's" in done.out


def test_a_part_that_is_none_is_refused(honest: World) -> None:
    """Above 0, up to 1, whatever follows from it."""
    done = honest.check("--fraction=1.5")

    assert done.status == 2, done.err
    assert "--fraction" in done.err
    assert not (honest.round / RESULT).exists()


def test_data_is_what_data_lock_pins(bwrap: str, tmp_path: Path) -> None:
    """A sealed replay gets it from the cache, verified; an unsealed one from --data, and says so
    where it is not there."""
    (tmp_path / "digits.bin").write_bytes(bytes(range(64)))
    cache = {"REPRO_DATA_CACHE": str(tmp_path / "cache")}
    world = make(tmp_path / "with", names=("mine",), data=tmp_path / "digits.bin", **cache)
    accepted = ("--accept", "memory", "--accept", "processors")

    done = world.check(*accepted, sealed=True, **cache)
    assert done.status == 0, done.out + done.err
    shutil.rmtree(tmp_path / "cache")
    assert world.check(*accepted, sealed=True, **cache).status == 4
    (tmp_path / "sets").mkdir()
    shutil.copy(tmp_path / "digits.bin", tmp_path / "sets" / "digits")
    assert world.check("--data", tmp_path / "sets").status == 0
    (tmp_path / "sets" / "digits").write_bytes(b"other")
    done = world.check("--data", tmp_path / "sets")

    assert done.status == 4
    assert "data digits: expected sha256:" in done.out
