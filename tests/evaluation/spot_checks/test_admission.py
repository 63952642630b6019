"""Which records are a round's: each fault is found and named, an honest record has none."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from seedlock.evaluation.spot_checks.admission import admit
from seedlock.evaluation.spot_checks.returned import Standing
from tests.evaluation.spot_checks.authors_round import World, open_round, unfinished

CLEAN: dict[str, Any] = {"class": "done", "exit_status": 0, "notes": [], "reasons": []}


def admitted(world: World, toleranced: bool = False) -> list[Standing]:
    """What `admit` says of all records."""
    return admit(world.records, world.terms(), toleranced, {})


def faults(world: World, toleranced: bool = False) -> str:
    """The faults of `mine`; those of `yours` are none."""
    found = {each.name: each.faults for each in admitted(world, toleranced)}
    assert found.pop("yours") == []
    return "\n".join(found["mine"])


def test_an_honest_record_has_no_fault(honest: World) -> None:
    """Each seed's index is found, and all records can be drawn."""
    for each in admitted(honest):
        assert each.faults == []
        assert [of.seed_index for of in each.returned] == [0, 1]
        assert all(of.replayable for of in each.returned)


def test_how_threads_wait_is_no_fault(world: World) -> None:
    """It decides how long a run takes, and nothing that a replay compares."""
    world.edit("mine", 0, lambda content: content["environment"].update(OMP_WAIT_POLICY="PASSIVE"))
    world.sign("mine", 0)

    assert faults(world) == ""


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("seed", 7, "its seed 7 is none of the round's"),
        ("seed", 7.0, "its seed 7.0 is none of the round's"),
        ("command", ["python", "train.py", "--cheat"], "its command is"),
        ("level", "seed", "its level is seed; the round's is portable"),
        ("level", "strict", "its level is strict; the round's is portable"),
        ("scheme", "mine/1", "its seeds were derived by mine/1"),
        ("processes", [], "no report"),
        ("outcome", {**CLEAN, "class": "interrupted"}, "ended as interrupted"),
        ("outcome", {**CLEAN, "class": "infrastructure"}, "ended as infrastructure"),
        ("environment", {"REPRO_SEED": "1", "REPRO_HINT": "0.1"}, "with REPRO_HINT set"),
        ("environment", {"OMP_NUM_THREADS": "8"}, "with OMP_NUM_THREADS set"),
        ("submission", {"name": "yours", "digest": f"sha256:{'1' * 64}", "visibility": "private"},
         "it names the submission yours"),
        ("image", {"name": "i", "id": f"sha256:{'1' * 64}", "network": True}, "had a network"),
    ],
)  # fmt: skip
def test_what_a_record_says_has_to_be_the_rounds(
    world: World, key: str, value: object, said: str
) -> None:
    """Signed again after each change, so that nothing but the content speaks against it."""
    world.edit("mine", 0, lambda content: content.update({key: value}))
    world.sign("mine", 0)

    assert said in faults(world)


@pytest.mark.parametrize(
    ("name", "value"),
    [("user_seeds", "keep"), ("streams", "same"), ("threads", 2), ("lock", "warn"),
     ("entropy", "lock"), ("tf32", None)],
)  # fmt: skip
def test_settings_are_those_of_every_run_of_the_round(
    world: World, name: str, value: object
) -> None:
    """Policies that change what a seed decides are not the author's to choose."""
    world.edit("mine", 0, lambda content: content["settings"].update({name: value}))
    world.sign("mine", 0)

    assert f"its setting {name} is {value}" in faults(world)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda of: of["metrics"].update(declared=[]), "does not declare the metric loss:min"),
        (lambda of: of["source"].update(working_folder=".."), "it ran in the folder .."),
        (unfinished, "it says running"),
        (lambda of: of["processes"][0].update(status="running"), "did not come to its end"),
    ],
)
def test_other_ways_around_are_found(
    world: World, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    """A metric that is not declared, another folder, a run that says done and can't be compared."""
    world.edit("mine", 0, change)
    world.sign("mine", 0)

    assert said in faults(world)


def test_the_lock_and_the_data_are_the_rounds(honest: World) -> None:
    """Where the policy names them."""
    terms = dataclasses.replace(honest.terms(), lock="1" * 64)
    found = admit(honest.records, terms, False, {})

    assert all("its lock is " in "".join(each.faults) for each in found)


def test_data_is_the_submissions_and_the_rounds(world: World) -> None:
    """What data.lock pins, all of it and nothing else; and by the digest that the policy names."""
    one, other = (f"sha256:{digit * 64}" for digit in "12")
    described = {"name": "digits", "sha256": one, "size": 1, "kind": "file",
                 "licence": "unknown", "verified_before": True, "verified_after": True}  # fmt: skip
    world.edit("mine", 0, lambda content: content.update(data=[described]))
    world.sign("mine", 0)
    terms = world.terms()
    digest = next(each.digest for each in terms.frozen.values() if each.name == "mine")

    for pinned, policy, said in (
        ({"digits": one}, {"digits": one}, ""),
        ({"digits": one}, {}, ""),
        ({"digits": one}, {"digits": other}, "its data digits is not the round's"),
        ({"digits": one}, {"faces": one}, "its data digits is not the round's"),
        ({"digits": other}, {}, "its data is not what the submission's data.lock pins"),
        ({}, {}, "its data is not what the submission's data.lock pins"),
    ):
        entry = dataclasses.replace(terms.frozen[digest], data=pinned)
        changed = dataclasses.replace(terms, frozen={**terms.frozen, digest: entry}, data=policy)
        (mine, _) = admit(world.records, changed, False, {})
        first = next(each for each in mine.returned if each.seed_index == 0)
        assert said in "".join(first.faults) and bool(said) == bool(first.faults)


def test_a_signature_of_another_key_is_refused(world: World) -> None:
    """Also of another author of the same round: the frozen submission names its key."""
    world.sign("mine", 0, by="yours")

    assert "it was signed with ed25519:" in faults(world)


def test_a_signature_for_another_round_is_refused(world: World) -> None:
    """The same submissions, policy and seeds' number; only the draw is another."""
    other = open_round(world.folder / "other", world.submissions, "portable")
    assert other.policy.digest == world.this.policy.digest
    world.sign("mine", 0, draw=other.digest("draw"))

    assert "it was signed for another draw" in faults(world)


def test_a_changed_or_missing_signature_is_refused(world: World) -> None:
    """Both are named."""
    path = world.record("mine", 0)
    content = json.loads(path.with_name(f"{path.name}.sig").read_text())
    content["draw"] = f"sha256:{'0' * 64}"
    path.with_name(f"{path.name}.sig").write_text(json.dumps(content))
    world.record("mine", 1).with_name("mine-1.json.sig").unlink()

    found = faults(world)

    assert "does not fit what it says" in found
    assert "mine-1.json.sig can't be read" in found


def test_a_seed_that_is_missing_or_double_is_named(world: World) -> None:
    """A record that is gone, and one that is there twice under two names."""
    world.record("mine", 1).unlink()
    assert faults(world) == "no record for seed index 1"
    shutil.copy(world.record("mine", 0), world.folder / "records" / "mine-0-again.json")
    path = world.record("mine", 0).with_name("mine-0.json.sig")
    shutil.copy(path, path.with_name("mine-0-again.json.sig"))

    assert "2 records for seed index 0: mine-0-again.json, mine-0.json" in faults(world)


def test_a_submission_without_any_record_is_refused(world: World) -> None:
    """It is not left out."""
    for index in (0, 1):
        world.record("mine", index).unlink()

    assert faults(world).splitlines() == [f"no record for seed index {index}" for index in (0, 1)]


def test_a_record_of_no_submission_is_a_stranger(world: World) -> None:
    """And so is a file that is no record: each stands by itself, and its submission lacks it."""
    world.edit("mine", 0, lambda of: of["source"].update(digest=f"sha256:{'1' * 64}"))
    world.sign("mine", 0)
    world.record("mine", 1).write_text("{}")

    mine, yours, *strangers = admitted(world)

    assert yours.faults == []
    assert mine.faults == ["no record for seed index 0", "no record for seed index 1"]
    assert ["".join(each.faults) for each in strangers] == [
        "its source is none of the frozen submissions",
        next(iter(strangers[1].faults)),
    ]
    assert "is no record of a run" in strangers[1].faults[0]


def test_a_failed_run_counts_and_is_not_drawn_where_it_can_not_be_replayed(world: World) -> None:
    """An author's failure is replayed as any run; one that came to a limit is a result that needs
    no proof, since it gains its author nothing."""
    world.edit("mine", 0, lambda of: of.update(outcome={**CLEAN, "class": "limit"}))
    world.edit("mine", 1, lambda of: of.update(outcome={**CLEAN, "class": "author-failure"}))
    for index in (0, 1):
        world.sign("mine", index)

    (mine, _) = admitted(world)

    assert mine.faults == []
    assert [each.replayable for each in mine.returned] == [False, True]


def test_a_tolerance_allows_records_below_level_portable(world: World) -> None:
    """At the round's own level; the level of another round is refused all the same."""
    terms = dataclasses.replace(world.terms(), level="strict")
    for index in (0, 1):
        world.edit("mine", index, lambda of: of.update(level="strict"))
        world.edit("mine", index, lambda of: of["settings"].update(level="strict", threads=None))
        world.sign("mine", index)

    (without, _), (with_one, _) = (admit(world.records, terms, each, {}) for each in (False, True))

    assert "another machine's bits may differ" in "".join(without.faults)
    assert with_one.faults == []


def test_no_record_takes_the_place_of_one_that_was_taken(world: World) -> None:
    """Who knows which records were drawn could change the others; one that was refused for a fault
    may come again."""
    terms = world.terms()
    before = {
        (str(each.digest), int(of.seed_index or 0)): str(of.sha256)
        for each in admitted(world)
        for of in each.returned
    }
    assert all(not each.faults for each in admit(world.records, terms, False, before))
    world.edit("mine", 0, lambda of: of["metrics"]["final"].update(loss=0.0))
    world.sign("mine", 0)

    mine, yours = admit(world.records, terms, False, before)

    assert "an earlier spot check took another record" in "".join(mine.faults)
    assert yours.faults == []
    assert all(not each.faults for each in admit(world.records, terms, False, {}))
