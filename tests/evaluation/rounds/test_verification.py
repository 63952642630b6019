"""Drills: each way to cheat is tried, and verify names it; without it, the same round is proven."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from seedlock.errors import BadRound
from seedlock.evaluation.rounds import formats, merkle, steps, verification
from seedlock.evaluation.rounds.canonical import canonical, sha256
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.claims import verdict
from seedlock.evaluation.rounds.formats import DRAW, FREEZE, OPENING, REVEAL, STEPS
from seedlock.evaluation.rounds.hidden_seeds import Secret, derive, hkdf
from seedlock.evaluation.rounds.policy import from_dict
from seedlock.evaluation.rounds.verification import Seen
from tests.evaluation.recording.test_record import BEGUN, ENDED
from tests.evaluation.rounds import made_rounds
from tests.evaluation.rounds.made_rounds import (
    ENTRIES,
    FROZEN,
    LOOKED,
    NO_BEACON,
    NUMBER,
    POLICY,
    REVEAL_BY,
    SIGNATURES,
    entry,
)  # fmt: skip


@pytest.fixture(name="done", scope="module")
def done_fixture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Seen]:
    """A round that was carried out honestly, and what somebody noted."""
    folder = tmp_path_factory.mktemp("done") / "round"
    return folder, made_rounds.revealed(folder)[1]


@pytest.fixture(name="copied")
def copied_fixture(done: tuple[Path, Seen], tmp_path: Path) -> Path:
    """A copy of it, without what is private, as it is published."""
    return Path(
        shutil.copytree(done[0], tmp_path / "round", ignore=shutil.ignore_patterns("private"))
    )


@pytest.fixture(name="seen")
def seen_fixture(done: tuple[Path, Seen]) -> Seen:
    """What somebody noted."""
    return done[1]


NOTHING = Seen(keys=frozenset({made_rounds.PUBLIC_KEY}))
"""Somebody who noted nothing."""


def look(folder: Path, seen: Seen, at: datetime = LOOKED) -> tuple[str, str]:
    """Return the verdict's word, and what is said about all that is not proven."""
    found = verification.verify(folder, at, seen)
    said = "\n".join(f"{each.about}: {each.said}" for each in found if each.state != "proven")
    return verdict(found)[0], said


def change(folder: Path, step: str, **content: Any) -> None:
    """Change keys of a step's file."""
    path = formats.file_of(folder, step)
    path.write_text(json.dumps({**json.loads(path.read_text()), **content}))


def of(folder: Path, step: str) -> Any:
    """Return the content of a step's file."""
    return json.loads(formats.file_of(folder, step).read_text())


def link(folder: Path) -> None:
    """Make each file name the one before as it is now, as a careful cheat would."""
    for before, step in pairwise(STEPS):
        if formats.file_of(folder, step).exists():
            change(folder, step, **{before: sha256(formats.file_of(folder, before).read_bytes())})


def forge(folder: Path, secret: Secret | None = None) -> None:
    """Compute all that follows from policy and list anew: a cheat who knows the secret."""
    secret = secret or Secret(bytes.fromhex(of(folder, REVEAL)["secret"]))
    rules = from_dict(of(folder, OPENING)["policy"])
    change(
        folder, OPENING, policy_digest=rules.digest, commitment=secret.commitment(rules.canonical)
    )
    leaves = [formats.leaf(each) for each in of(folder, FREEZE)["submissions"]]
    root = merkle.root(leaves)
    beacon = bytes.fromhex(of(folder, DRAW)["beacon"]["randomness"])
    seeds = derive(secret, beacon, root, rules.seeds)
    change(folder, FREEZE, root=root.hex())
    change(folder, DRAW, seeds_commitment=secret.seeds_commitment(seeds))
    texts = [str(each) for each in seeds]
    change(folder, REVEAL, secret=secret.exposed().hex(), seeds=texts)
    link(folder)
    shutil.rmtree(folder / "runs")
    ledger = made_rounds.Ledger(Round(folder), of(folder, FREEZE)["submissions"])
    for each in of(folder, FREEZE)["submissions"]:
        for index, seed in enumerate(seeds):
            ledger.attempt(each, index, 1, "done", runs=(folder, seed))
    ledger.write(folder)
    change(folder, REVEAL, ledger={"events": len(ledger.events), "head": ledger.events[-1]["hash"]})


def test_an_honest_round_is_proven(copied: Path, seen: Seen) -> None:
    """The control of all drills: nothing is left open, nothing is wrong."""
    assert look(copied, seen) == ("PROVEN", "")


def test_without_notes_it_is_said_what_rests_on_them(copied: Path) -> None:
    """Files don't show when they were published."""
    word, said = look(copied, NOTHING)

    assert word == "CONDITIONAL"
    assert "--seen opening=" in said
    assert "--seen freeze=" in said
    assert "--seen ledger=" in said


def test_a_receipt_is_as_good_as_a_noted_freeze(copied: Path, seen: Seen) -> None:
    """It names the same file."""
    given = replace(seen, digests={OPENING: seen.digests[OPENING]})

    assert look(copied, given)[0] == "PROVEN"
    assert look(copied, replace(given, receipts=[]))[0] == "CONDITIONAL"


def test_a_network_of_the_organisers_own_is_named(copied: Path, seen: Seen) -> None:
    """Whoever has its key could choose."""
    word, said = look(copied, replace(seen, keys=frozenset()))

    assert word == "CONDITIONAL"
    assert "could choose" in said


def test_forging_without_a_change_is_seen_too(copied: Path, seen: Seen) -> None:
    """The control of what `forge` makes: it holds together, until it is held against a note."""
    forge(copied)

    assert look(copied, NOTHING)[0] == "CONDITIONAL"
    word, said = look(copied, seen)
    assert word == "WRONG"
    assert "chain was made anew" in said


# An organiser who wants other seeds


def test_another_secret(copied: Path, seen: Seen) -> None:
    """The commitment does not fit."""
    secret = Secret(hashlib.sha256(b"another").digest())
    commitment = of(copied, OPENING)["commitment"]
    forge(copied, secret)
    change(copied, OPENING, commitment=commitment)
    link(copied)

    word, said = look(copied, NOTHING)
    assert word == "WRONG"
    assert "seeds: the commitment does not fit" in said


def test_another_secret_with_its_commitment(copied: Path, seen: Seen) -> None:
    """Then opening.json is another one."""
    forge(copied, Secret(hashlib.sha256(b"another").digest()))

    assert look(copied, NOTHING)[0] == "CONDITIONAL"
    word, said = look(copied, seen)
    assert word == "WRONG"
    assert "opening.json is not the file that was noted" in said
    assert "receipt" in said


@pytest.mark.parametrize("noted", ["revealed", "committed"])
def test_another_counter(copied: Path, noted: str) -> None:
    """Seeds 1 to 3 instead of 0 to 2 don't follow."""
    drawn, revealed = of(copied, DRAW), of(copied, REVEAL)
    secret = Secret(bytes.fromhex(revealed["secret"]))
    salt = bytes.fromhex(drawn["beacon"]["randomness"]) + bytes.fromhex(of(copied, FREEZE)["root"])
    seeds = [
        int.from_bytes(
            hkdf(secret.exposed(), salt, b"seedlock hidden seed 1" + n.to_bytes(8, "big"), 8), "big"
        )
        for n in (1, 2, 3)
    ]
    change(copied, REVEAL, seeds=[str(each) for each in seeds])
    if noted == "committed":
        change(copied, DRAW, seeds_commitment=secret.seeds_commitment(seeds))
        link(copied)

    word, said = look(copied, NOTHING)
    assert word == "WRONG"
    assert "not those that follow from secret, beacon and root" in said


def test_grinding(copied: Path, seen: Seen) -> None:
    """A dummy is added until the seeds please: without a note it holds together, and is not
    called proven; with the digest or one author's receipt it is wrong."""
    change(copied, FREEZE, submissions=sorted([*ENTRIES, entry("dummy-17")], key=formats.leaf))
    forge(copied)

    assert look(copied, NOTHING)[0] == "CONDITIONAL"
    word, said = look(copied, replace(NOTHING, receipts=seen.receipts))
    assert word == "WRONG"
    assert "receipt of ours leads to another root" in said
    assert "freeze.json is not the file that was noted" in look(copied, seen)[1]


def test_seeds_that_stay_hidden_but_change(copied: Path) -> None:
    """draw.json commits to them."""
    change(copied, DRAW, seeds_commitment="0" * 64)
    link(copied)

    assert "draw.json commits to other seeds" in look(copied, NOTHING)[1]


# An organiser who adds or drops a submission


def added(entries: list[Any]) -> list[Any]:
    """Somebody more."""
    return sorted([*entries, entry("late")], key=formats.leaf)


def dropped(entries: list[Any]) -> list[Any]:
    """Somebody less."""
    return [each for each in entries if each["name"] != "ours"]


def replaced(entries: list[Any]) -> list[Any]:
    """Another content under the same name."""
    return sorted(
        [{**each, "digest": entry("late")["digest"]} if each["name"] == "ours" else each
         for each in entries], key=formats.leaf,
    )  # fmt: skip


CHANGES = [added, dropped, replaced]


@pytest.mark.parametrize("how", CHANGES)
def test_the_list_is_changed(copied: Path, how: Callable[[list[Any]], list[Any]]) -> None:
    """The root does not fit."""
    change(copied, FREEZE, submissions=how(of(copied, FREEZE)["submissions"]))

    word, said = look(copied, NOTHING)
    assert word == "WRONG"
    assert "submissions: the root is not that of" in said


@pytest.mark.parametrize("how", CHANGES)
def test_the_list_is_changed_with_its_root(
    copied: Path, how: Callable[[list[Any]], list[Any]]
) -> None:
    """The draw was of another list, and the seeds don't follow."""
    entries = how(of(copied, FREEZE)["submissions"])
    root = merkle.root([formats.leaf(each) for each in entries]).hex()
    change(copied, FREEZE, submissions=entries, root=root)

    word, said = look(copied, NOTHING)
    assert word == "WRONG"
    assert "draw.json was written for another freeze.json" in said
    assert "not those that follow" in said


@pytest.mark.parametrize("how", CHANGES)
def test_the_list_is_changed_with_all_that_follows(
    copied: Path, seen: Seen, how: Callable[[list[Any]], list[Any]]
) -> None:
    """Each author's receipt shows it, that of somebody who stayed as well."""
    change(copied, FREEZE, submissions=how(of(copied, FREEZE)["submissions"]))
    forge(copied)

    assert look(copied, NOTHING)[0] == "CONDITIONAL"
    assert look(copied, replace(NOTHING, receipts=seen.receipts))[0] == "WRONG"
    assert look(copied, replace(NOTHING, digests=seen.digests))[0] == "WRONG"


def test_a_name_twice_in_the_list(copied: Path) -> None:
    """With another content: which of them would count?"""
    twice = {**entry("ours"), "digest": entry("late")["digest"]}
    change(copied, FREEZE, submissions=sorted([*ENTRIES, twice], key=formats.leaf))
    leaves = [formats.leaf(each) for each in of(copied, FREEZE)["submissions"]]
    change(copied, FREEZE, root=merkle.root(leaves).hex())

    assert "stands twice in freeze.json" in look(copied, NOTHING)[1]


def test_the_list_out_of_order(copied: Path) -> None:
    """An order of one's own would be a choice of seeds."""
    entries = list(reversed(of(copied, FREEZE)["submissions"]))
    change(copied, FREEZE, submissions=entries)
    forge(copied)

    assert "not in its order" in look(copied, NOTHING)[1]


@pytest.mark.parametrize("how", ["dropped", "added", "renamed", "fewer"])
def test_the_ledger_has_another_list(copied: Path, how: str) -> None:
    """Each frozen submission is in it, under each seed, and nobody else."""
    ours, theirs = ENTRIES
    listed = {
        "dropped": [theirs], "added": [ours, theirs, entry("late")],
        "renamed": [ours, {**theirs, "name": "others"}], "fewer": [ours, theirs],
    }[how]  # fmt: skip
    ledger = made_rounds.Ledger(Round(copied), listed)
    if how == "fewer":
        ledger.events[1]["content"]["seeds"] = 2
        made_rounds.chain(ledger.events)
    ledger.write(copied)
    change(copied, REVEAL, ledger={"events": len(ledger.events), "head": ledger.events[-1]["hash"]})

    word, said = look(copied, NOTHING)
    expected = {
        "dropped": "submission ours was frozen and is not in the ledger",
        "added": "submission late is in the ledger and was not frozen",
        "renamed": "submission theirs has another name in the ledger",
        "fewer": "submission ours has 2 seeds in the ledger, 3 in the policy",
    }
    assert word == "WRONG"
    assert expected[how] in said


# An organiser who changes the policy

NEW: dict[str, Any] = {
    "seeds": 4,
    "deadline": "2026-12-01T12:00:01Z",
    "reveal_by": "2027-04-01T12:00:00Z",
    "retries": 3,
    "level": "portable",
    "derivation": "seedlock hidden seed 2",
    "name": "other-2026",
    "image.name": "conference/other",
    "image.lock": None,
    "data.digits": f"sha256:{'9' * 64}",
    "metrics.accuracy.direction": "min",
    "metrics.accuracy.unit": "%",
    "limits.memory": 2**30,
    "limits.processors": "4",
    "limits.processes": 64,
    "limits.seconds": "60",
    "limits.disk": 2**30,
    "scores.failed": "apart",
    "spot_checks": "0.1",
    "beacon.round": 1001,
    "beacon.genesis": made_rounds.NETWORK.genesis + 30,
    "beacon.period": 29,
    "beacon.name": "mine",
}


def with_changed(policy: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a policy with one field changed."""
    changed: dict[str, Any] = json.loads(json.dumps(policy))
    *path, last = key.split(".")
    table = changed
    for each in path:
        table = table[each]
    assert table[last] != NEW[key]
    table[last] = NEW[key]
    return changed


def leaves_of(policy: dict[str, Any], where: str = "") -> set[str]:
    """Return the names of all fields."""
    names: set[str] = set()
    for key, value in policy.items():
        names |= leaves_of(value, f"{where}{key}.") if isinstance(value, dict) else {where + key}
    return names


def test_every_field_is_tried(copied: Path) -> None:
    """But for those that allow one value, and who trains, which has a test of its own."""
    fields = leaves_of(of(copied, OPENING)["policy"])

    assert fields - set(NEW) == {"train", "beacon.public_key", "beacon.scheme"}


@pytest.mark.parametrize("key", NEW)
def test_a_changed_policy(copied: Path, seen: Seen, key: str) -> None:
    """The field is named, the commitment does not fit, and a note shows even a new commitment."""
    policy = with_changed(of(copied, OPENING)["policy"], key)
    if key == "derivation":
        change(copied, OPENING, policy=policy)
        with pytest.raises(Exception, match="policy is missing, unknown or of another form"):
            look(copied, seen)
        return
    change(copied, OPENING, policy=policy, policy_digest=sha256(canonical(policy)))
    link(copied)
    word, said = look(copied, NOTHING)
    assert word == "WRONG"
    assert f"policy.toml and opening.json differ in {key}:" in said
    assert "the commitment does not fit" in said

    (copied / "policy.toml").unlink()
    assert "the commitment does not fit" in look(copied, NOTHING)[1]

    forge(copied)
    for step in (FREEZE, DRAW, REVEAL):
        change(copied, step, round=policy["name"])
    link(copied)
    word, said = look(copied, replace(NOTHING, digests={OPENING: seen.digests[OPENING]}))
    assert word == "WRONG"
    assert "opening.json is not the file that was noted" in said


def test_another_digest_of_the_policy(copied: Path) -> None:
    """What people quote is that of the policy."""
    change(copied, OPENING, policy_digest=f"sha256:{'0' * 64}")
    link(copied)

    assert "another policy than its digest says" in look(copied, NOTHING)[1]


def test_seeds_that_are_published(tmp_path: Path, copied: Path) -> None:
    """Where authors train, with the draw, and those that were drawn; else not."""
    this, seen = made_rounds.revealed(tmp_path / "authors", 'train = "authors"\n' + POLICY)
    assert look(this.folder, seen) == ("PROVEN", "")

    seeds = of(this.folder, DRAW)["seeds"]
    change(this.folder, DRAW, seeds=[*seeds[:2], "7"])
    link(this.folder)
    assert "published seeds are not those that were drawn" in look(this.folder, NOTHING)[1]
    change(this.folder, DRAW, seeds=None)
    link(this.folder)
    assert "published, or hidden, against the policy" in look(this.folder, NOTHING)[1]
    change(copied, DRAW, seeds=of(copied, REVEAL)["seeds"])
    link(copied)
    assert "published, or hidden, against the policy" in look(copied, NOTHING)[1]


def test_a_changed_policy_file(copied: Path, seen: Seen) -> None:
    """The one that people read is compared with the one that counts."""
    (copied / "policy.toml").write_text(POLICY.replace("seeds = 3", "seeds = 5"))
    assert "differ in seeds" in look(copied, seen)[1]

    (copied / "policy.toml").write_text("seeds = ")
    assert look(copied, seen)[0] == "WRONG"


def test_another_number_of_seeds(copied: Path, seen: Seen) -> None:
    """Fewer, more, and one twice."""
    seeds = of(copied, REVEAL)["seeds"]
    for given in (seeds[:2], [*seeds, "1"]):
        change(copied, REVEAL, seeds=given)
        word, said = look(copied, seen)
        assert word == "WRONG"
        assert f"{len(given)} seeds are revealed, the policy says 3" in said
    change(copied, REVEAL, seeds=[seeds[0], seeds[0], seeds[2]])
    assert look(copied, seen)[0] == "WRONG"


# An organiser who hides an attempt or touches the ledger


def test_a_hidden_attempt(copied: Path, seen: Seen) -> None:
    """Attempt 2 without attempt 1, though the chain was made anew."""
    events = made_rounds.read_events(copied)
    first = (ENTRIES[0]["digest"], 1, 1)
    about = ("submission", "seed_index", "attempt")
    hidden = [each for each in events if tuple(each[key] for key in about) != first]
    assert len(hidden) == len(events) - 3
    made_rounds.chain(hidden)
    made_rounds.write_events(copied, hidden)

    word, said = look(copied, NOTHING)
    assert word == "WRONG"
    assert "an attempt is hidden or made up" in said


def hide(copied: Path) -> None:
    """Leave attempt 1 out and call attempt 2 attempt 1."""
    events = made_rounds.read_events(copied)
    mine = [each for each in events if each["submission"] == ENTRIES[0]["digest"]
            and each["seed_index"] == 1]  # fmt: skip
    for each in mine[:3]:
        events.remove(each)
    for each in mine[3:]:
        each["attempt"] = 1
    for number, each in enumerate(events, 1):
        if each["kind"] == "leased":
            token = number
        elif "token" in each["content"]:
            each["content"]["token"] = token
    made_rounds.chain(events)
    made_rounds.write_events(copied, events)


def test_a_hidden_attempt_under_another_number(copied: Path, seen: Seen) -> None:
    """The head in reveal.json is another; if that is changed too, one that somebody noted is."""
    hide(copied)
    word, said = look(copied, NOTHING)
    assert word == "WRONG"
    assert "the end was cut off" in said

    events = made_rounds.read_events(copied)
    change(copied, REVEAL, ledger={"events": len(events), "head": events[-1]["hash"]})
    assert look(copied, NOTHING)[0] == "CONDITIONAL"
    assert "the chain was made anew" in look(copied, seen)[1]


@pytest.mark.parametrize("number", range(1, 26))
def test_a_deleted_event(copied: Path, number: int) -> None:
    """Each of them, the last one too."""
    events = made_rounds.read_events(copied)
    assert len(events) == 24
    if number < 25:
        del events[number - 1]
    else:
        events.append(events[-1])
    made_rounds.write_events(copied, events)

    assert look(copied, NOTHING)[0] == "WRONG"


@pytest.mark.parametrize(
    ("number", "key", "value"),
    [
        (1, "time", "2026-12-03T00:00:00.000Z"),
        (6, "worker", "x"),
        (6, "content", {}),
        (6, "attempt", 2),
        (6, "hash", "0" * 64),
        (6, "previous", "0" * 64),
        (6, "sequence", 60),
        (6, "more", 1),
    ],
)
def test_an_edited_event(copied: Path, number: int, key: str, value: Any) -> None:
    """The chain does not hold."""
    events = made_rounds.read_events(copied)
    events[number - 1][key] = value
    made_rounds.write_events(copied, events)

    word, said = look(copied, NOTHING)
    assert word == "WRONG"
    assert f"event {number}" in said


def test_an_event_with_a_hash_of_its_own(copied: Path) -> None:
    """The next one does not continue it."""
    events = made_rounds.read_events(copied)
    edited = {**events[5], "worker": "x"}
    edited.pop("hash")
    edited["hash"] = hashlib.sha256(made_rounds.canonical(edited)).hexdigest()
    made_rounds.write_events(copied, [*events[:5], edited, *events[6:]])

    assert "event 7 does not continue the chain" in look(copied, NOTHING)[1]


@pytest.mark.parametrize(
    ("number", "key", "value", "said"),
    [
        (1, "policy", f"sha256:{'0' * 64}", "of another round or another policy"),
        (1, "retries", 3, "allows 3, the policy 2 retries"),
        (1, "freeze", "0" * 64, "of another freeze"),
        (5, "token", 3, "is 'running' where"),
        (6, "token", 3, "by another lease"),
        (6, "class", "unknown", "class 'unknown', which there is not"),
        (6, "state", "limit", "leads to"),
        (6, "next", 2, "leads to"),
    ],
)
def test_an_event_that_says_something_else(
    copied: Path, number: int, key: str, value: Any, said: str
) -> None:
    """With a chain that was made anew, and its head revealed."""
    events = made_rounds.read_events(copied)
    assert events[number - 1]["content"][key] != value
    events[number - 1]["content"][key] = value
    made_rounds.chain(events)
    made_rounds.write_events(copied, events)
    change(copied, REVEAL, ledger={"events": len(events), "head": events[-1]["hash"]})

    word, told = look(copied, NOTHING)
    assert word == "WRONG"
    assert said in told


def test_events_after_the_reveal(copied: Path, seen: Seen) -> None:
    """Runs that are added when everybody knows the seeds don't count."""
    events = made_rounds.read_events(copied)
    head = {"events": len(events) - 3, "head": events[-4]["hash"]}
    change(copied, REVEAL, ledger=head)

    word, said = look(copied, seen)
    assert word == "WRONG"
    assert "events after the reveal, which names 21" in said


def test_an_attempt_too_many(copied: Path) -> None:
    """What an author's program failed at is not tried again."""
    ledger = made_rounds.Ledger(Round(copied))
    ledger.attempt(ENTRIES[0], 0, 1, "author-failure", following=2)
    ledger.write(copied)

    word, said = look(copied, NOTHING)
    assert word == "WRONG"
    assert "class author-failure leads to" in said


def test_a_run_that_has_not_ended(copied: Path, seen: Seen) -> None:
    """Is no hidden one: the round has not come to its end."""
    ledger = made_rounds.Ledger(Round(copied))
    ledger.write(copied)
    change(copied, REVEAL, ledger={"events": 3, "head": ledger.events[-1]["hash"]})

    word, said = look(copied, replace(seen, heads=[]))
    assert word == "INCOMPLETE"
    assert "attempts: submissions under seeds: 6 of 6 have not come to their end" in said


def test_no_ledger(copied: Path, seen: Seen) -> None:
    """Nothing is shown yet."""
    (copied / "ledger.jsonl").unlink()

    word, said = look(copied, seen)
    assert word == "INCOMPLETE"
    assert "ledger.jsonl is not there" in said


# An organiser who never reveals, or reveals late


def test_never_revealed(copied: Path, seen: Seen) -> None:
    """Until the date the round is incomplete, from then on it is void."""
    formats.file_of(copied, REVEAL).unlink()
    assert look(copied, seen)[0] == "INCOMPLETE"
    assert look(copied, seen, REVEAL_BY)[0] == "INCOMPLETE"

    word, said = look(copied, seen, REVEAL_BY + timedelta(seconds=1))
    assert word == "VOID"
    assert "no result of this round counts" in said


def test_revealed_late(copied: Path, seen: Seen) -> None:
    """Void, whenever somebody looks."""
    change(copied, REVEAL, revealed="2027-03-01T12:00:01Z")

    assert look(copied, seen)[0] == "VOID"


@pytest.mark.parametrize("last", [OPENING, FREEZE, DRAW])
def test_before_its_end_a_round_is_incomplete(copied: Path, last: str) -> None:
    """Whatever step it is at, and nothing about it is wrong."""
    for step in STEPS[STEPS.index(last) + 1 :]:
        formats.file_of(copied, step).unlink()
    (copied / "ledger.jsonl").unlink()

    assert look(copied, NOTHING)[0] == "INCOMPLETE"


# The beacon


def test_another_round_of_the_network(copied: Path) -> None:
    """Signed, and not the declared one."""
    signature = SIGNATURES[1001]
    randomness = hashlib.sha256(bytes.fromhex(signature)).hexdigest()
    given = {"network": "tests", "round": 1001, "signature": signature, "randomness": randomness}
    change(copied, DRAW, beacon=given)
    forge(copied)

    assert "not the declared one" in look(copied, NOTHING)[1]


@pytest.mark.parametrize("what", ["signature", "randomness", "dropped"])
def test_a_beacon_of_ones_own(copied: Path, what: str) -> None:
    """No signature of the network's, or another randomness."""
    given = of(copied, DRAW)["beacon"]
    if what == "dropped":
        change(copied, DRAW, beacon=None)
        link(copied)
        assert (
            "the draw has a beacon and the policy none, or the reverse" in look(copied, NOTHING)[1]
        )
        return
    if what == "signature":
        given["signature"] = SIGNATURES[999]
    given["randomness"] = hashlib.sha256(b"mine").hexdigest()
    change(copied, DRAW, beacon=given)
    forge(copied)

    word, said = look(copied, NOTHING)
    assert word == "WRONG"
    assert f"beacon: the {what} is" in said


def test_no_beacon_is_said(tmp_path: Path) -> None:
    """Without one the organiser could try out lists: the round is never called proven."""
    this, seen = made_rounds.revealed(tmp_path / "round", NO_BEACON)

    word, said = look(this.folder, seen)
    assert word == "CONDITIONAL"
    assert "the policy declares no beacon" in said


@pytest.mark.parametrize(
    ("step", "content", "said"),
    [
        (OPENING, {"opened": "2026-12-01T12:00:00Z"}, "opened after its deadline"),
        (FREEZE, {"frozen": "2026-12-01T11:59:59Z"}, "the time of the freeze can't be"),
        (FREEZE, {"frozen": "2026-12-01T13:00:00Z"}, "frozen after the beacon's time"),
        (DRAW, {"drawn": "2026-12-01T12:59:59Z"}, "drawn before the beacon's time"),
        (DRAW, {"drawn": "2026-12-01T12:29:59Z"}, "drawn before the freeze"),
    ],
)
def test_moments_that_cannot_be(
    copied: Path, step: str, content: dict[str, str], said: str
) -> None:
    """What the files themselves say has to be possible."""
    change(copied, step, **content)
    link(copied)

    assert look(copied, NOTHING)[0] == "WRONG"
    assert said in look(copied, NOTHING)[1]


def test_an_early_freeze_is_said(tmp_path: Path) -> None:
    """It is no fault and no secret."""
    this = made_rounds.opened(tmp_path / "round")
    steps.freeze_round(this, ENTRIES, FROZEN - timedelta(days=1), early=True)

    assert "frozen early" in look(this.folder, NOTHING)[1]


# Records


def test_a_record_of_another_seed(copied: Path, seen: Seen) -> None:
    """The ledger's digest shows it; if that was changed too, its seed does."""
    path = copied / "runs" / "ours" / "0-1.json"
    content = {**json.loads(path.read_text()), "seed": 7}
    path.write_text(json.dumps(content))
    assert "another file than the ledger says" in look(copied, seen)[1]

    events = made_rounds.read_events(copied)
    ended = next(each for each in events if each["content"].get("record") == "runs/ours/0-1.json")
    ended["content"]["record_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    made_rounds.chain(events)
    made_rounds.write_events(copied, events)
    change(copied, REVEAL, ledger={"events": len(events), "head": events[-1]["hash"]})
    word, said = look(copied, NOTHING)
    assert word == "WRONG"
    assert "runs/ours/0-1.json: ran under another seed than that of index 0" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"level": "warn"}, "ran at level warn"),
        ({"submission": entry("late")}, "is of another submission"),
        ({"outcome": {"class": "limit", "exit_status": 1, "reasons": [], "notes": []}}, "ended"),
        ({"metrics": {"declared": [], "final": {}, "series": {}}}, "does not declare metric"),
        ({"format": "x"}, "is no record"),
        ({**dict.fromkeys(ENDED.keys() - BEGUN.keys(), "absent"), "status": "running"},
         "says running, the ledger done"),
        ({"data": [{"name": "digits", "sha256": f"sha256:{'0' * 64}", "size": 1, "kind": "file",
                    "licence": "unknown", "verified_before": True, "verified_after": True}]},
         "read other data 'digits'"),
    ],
)  # fmt: skip
def test_a_record_of_something_else(copied: Path, content: dict[str, Any], said: str) -> None:
    """A record is of the submission, under the policy, as the ledger says."""
    path = copied / "runs" / "ours" / "0-1.json"
    record = {**json.loads(path.read_text()), **content}
    path.write_text(json.dumps({key: each for key, each in record.items() if each != "absent"}))
    events = made_rounds.read_events(copied)
    ended = next(each for each in events if each["content"].get("record") == "runs/ours/0-1.json")
    ended["content"]["record_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    made_rounds.chain(events)
    made_rounds.write_events(copied, events)
    change(copied, REVEAL, ledger={"events": len(events), "head": events[-1]["hash"]})

    word, told = look(copied, NOTHING)
    assert word == "WRONG"
    assert said in told


def test_records_that_are_not_here(copied: Path, seen: Seen) -> None:
    """A private submission's need not be published; that they were not seen is said."""
    shutil.rmtree(copied / "runs" / "theirs")

    word, said = look(copied, seen)
    assert word == "CONDITIONAL"
    assert "3 of 6 records are not here" in said


def test_an_end_without_a_record_rests_on_a_word(copied: Path) -> None:
    """An organiser can't fail a submission without showing that nothing else says so."""
    events = made_rounds.read_events(copied)
    ended = next(each for each in events if each["content"].get("record") == "runs/ours/0-1.json")
    ended["content"] |= {
        "class": "limit", "state": "limit", "record": None, "record_sha256": None,
    }  # fmt: skip
    made_rounds.chain(events)
    made_rounds.write_events(copied, events)
    change(copied, REVEAL, ledger={"events": len(events), "head": events[-1]["hash"]})

    word, said = look(copied, NOTHING)
    assert word == "CONDITIONAL"
    assert "1 run(s) ended without a record, by the organiser's word alone" in said
    assert "ours under seed index 0, limit" in said


@pytest.mark.parametrize("path", ["/etc/passwd", "../../secret", "runs/\0", 7])
def test_a_record_that_leads_out(copied: Path, path: Any) -> None:
    """Nothing but the round's folder is read."""
    events = made_rounds.read_events(copied)
    ended = next(each for each in events if each["content"].get("record"))
    ended["content"]["record"] = path
    made_rounds.chain(events)
    made_rounds.write_events(copied, events)
    change(copied, REVEAL, ledger={"events": len(events), "head": events[-1]["hash"]})

    assert "no path below the round's folder" in look(copied, NOTHING)[1]


# An author who guesses


def test_an_author_who_guesses(done: tuple[Path, Seen], tmp_path: Path) -> None:
    """Before the reveal, nothing that is published leads to the seeds: not any published number in
    the secret's place; and a round with the same list and beacon has others."""
    this = Round(done[0])
    seeds = set(this.seeds())
    published = [
        value
        for step in (OPENING, FREEZE, DRAW)
        for value in strings(of(done[0], step))
        if len(value.removeprefix("sha256:")) == 64
    ]
    beacon = bytes.fromhex(this.draw()["beacon"]["randomness"])
    root = bytes.fromhex(this.freeze()["root"])
    guesses = [bytes(32), *(bytes.fromhex(each.removeprefix("sha256:")) for each in published)]
    assert len(guesses) > 8

    for guess in guesses:
        assert not seeds & set(derive(Secret(guess), beacon, root, 1000))
        assert Secret(guess).commitment(this.policy.canonical) != this.opening()["commitment"]
    other = made_rounds.drawn(tmp_path / "round")
    assert other.freeze()["root"] == root.hex()
    assert other.draw()["beacon"] == this.draw()["beacon"]
    assert not seeds & set(other.seeds())


def strings(content: Any) -> list[str]:
    """Return all texts in a JSON value."""
    if isinstance(content, dict):
        return [text for each in content.values() for text in strings(each)]
    if isinstance(content, list):
        return [text for each in content for text in strings(each)]
    return [content] if isinstance(content, str) else []


# Strangers' files


@pytest.mark.parametrize("step", [FREEZE, DRAW, REVEAL])
@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"format": "x"}', '{"a": 1, "a": 2}'])
def test_a_file_that_is_none(copied: Path, step: str, text: str) -> None:
    """Named, and the rest is looked at all the same."""
    formats.file_of(copied, step).write_text(text)

    assert look(copied, NOTHING)[0] == "WRONG"


STRANGE: tuple[Any, ...] = (None, True, -1, 1.5, 10**400, "x", [], {}, [[]], {"a": None}, "\ud800")


@pytest.mark.parametrize("step", STEPS)
def test_each_key_of_another_kind(copied: Path, step: str) -> None:
    """No file makes verify fail: it is wrong, or no round at all."""
    content = of(copied, step)
    for key in content:
        for value in STRANGE:
            if value == content[key] or (key == "ledger" and value is None):
                continue
            formats.file_of(copied, step).write_text(json.dumps({**content, key: value}))
            try:
                word, said = look(copied, NOTHING)
            except BadRound as problem:
                assert step == OPENING, problem
            else:
                assert word == "WRONG", (key, value, said)


@pytest.mark.parametrize("key", ["seed_index", "attempt", "submission", "content", "kind", "round"])
def test_each_key_of_an_event_of_another_kind(copied: Path, key: str) -> None:
    """With a chain that fits: no ledger makes verify fail."""
    for value in (*STRANGE, 1.0, {"seeds": 10**9}, "ended"):
        for number in (1, 2, 5, 6):
            events = made_rounds.read_events(copied)
            if value == "\ud800" or events[number - 1][key] == value != 1.0:
                continue
            events[number - 1][key] = value
            made_rounds.chain(events)
            kept = (copied / "ledger.jsonl").read_bytes()
            made_rounds.write_events(copied, events)
            assert look(copied, NOTHING)[0] == "WRONG", (number, value)
            (copied / "ledger.jsonl").write_bytes(kept)


def test_a_record_with_a_name_that_no_system_takes(copied: Path) -> None:
    """It is named, and verify goes on."""
    events = made_rounds.read_events(copied)
    ended = next(each for each in events if each["content"].get("record"))
    ended["content"]["record"] = "x" * 5000
    made_rounds.chain(events)
    made_rounds.write_events(copied, events)
    change(copied, REVEAL, ledger={"events": len(events), "head": events[-1]["hash"]})

    assert "can't be read" in look(copied, NOTHING)[1]


def test_lines_without_end(copied: Path) -> None:
    """Nested too deep for any reader."""
    (copied / "ledger.jsonl").write_text("[" * 100_000 + "]" * 100_000 + "\n")

    assert look(copied, NOTHING)[0] == "WRONG"


def test_round_number_is_of_the_tests(copied: Path) -> None:
    """The drills are about the declared round."""
    assert of(copied, DRAW)["beacon"]["round"] == NUMBER
