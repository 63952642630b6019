"""policy.toml: what may stand in it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seedlock.errors import BadPolicy
from seedlock.evaluation.rounds.beacon import QUICKNET
from seedlock.evaluation.rounds.policy import SAMPLE, Policy, from_dict
from seedlock.evaluation.rounds.policy_file import read
from tests.evaluation.rounds.made_rounds import NO_BEACON, POLICY, PUBLIC_KEY, moment

LEAST = 'name = "a"\nseeds = 1\ndeadline = 2026-12-01T12:00:00Z\nbeacon = "none"\n'
METRIC = '[metrics.accuracy]\ndirection = "max"\n'


def given(folder: Path, text: str | bytes) -> Policy:
    """Return the policy of a text."""
    path = folder / "policy.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


def test_the_sample(tmp_path: Path) -> None:
    """It is read, and is what docs/rounds.md shows."""
    found = given(tmp_path, SAMPLE)

    assert found.network == QUICKNET
    assert found.beacon_time is not None
    assert timedelta(0) < found.beacon_time - found.deadline < timedelta(hours=2)
    assert SAMPLE in (Path(__file__).parents[3] / "docs" / "rounds.md").read_text()


def test_defaults(tmp_path: Path) -> None:
    """Those of the documents, all of them written out in what the commitment binds."""
    found = given(tmp_path, LEAST + METRIC)

    assert (found.retries, found.level, found.train, found.failed) == (
        2, "strict", "organiser", "worst",
    )  # fmt: skip
    assert found.reveal_by - found.deadline == timedelta(days=365)
    assert found.limits.memory == 8 << 30
    assert json.loads(found.canonical)["limits"]["seconds"] == "86400"
    assert (found.image, dict(found.data), found.network, found.spot_checks) == (
        None,
        {},
        None,
        "0",
    )


@pytest.mark.parametrize("text", [SAMPLE, POLICY, NO_BEACON, LEAST + METRIC])
def test_there_and_back(tmp_path: Path, text: str) -> None:
    """What stands in opening.json is the whole policy."""
    found = given(tmp_path, text)

    assert from_dict(json.loads(found.canonical)) == found
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", found.digest)
    assert not re.search(rb":-?[0-9]+\.", found.canonical)


@pytest.mark.parametrize(
    "text",
    [
        NO_BEACON.replace("2026-12-01T12:00:00Z", "2026-12-01T13:00:00+01:00"),
        NO_BEACON.replace('memory = "4g"', 'memory = "4096m"\nprocessors = 2.0\ntime = "24h"'),
        NO_BEACON.replace("retries = 2", 'level = "strict"\n# a remark'),
    ],
)
def test_equal_policies_have_equal_digests(tmp_path: Path, text: str) -> None:
    """However they are written."""
    assert given(tmp_path, text).digest == given(tmp_path, NO_BEACON).digest


def test_paired_is_said_or_not_there(tmp_path: Path) -> None:
    """A policy without the key has the digest that it had before there was one."""
    plain = given(tmp_path, LEAST + METRIC)
    said = given(tmp_path, LEAST + METRIC + '[scores]\ncompare = "independent"\n')
    paired = given(tmp_path, LEAST + METRIC + '[scores]\ncompare = "paired"\n')

    assert plain.digest == said.digest
    assert plain.digest == (
        "sha256:239785f9111768843a6867f1d8a9fd09d8bc12bed33a70be4341030fcb07bf2d"
    )
    assert b"compare" not in plain.canonical
    assert from_dict(json.loads(paired.canonical)) == paired
    assert paired.digest != plain.digest
    for word in ("independent", "both"):
        with pytest.raises(ValueError, match=r"policy|compare"):
            from_dict({**paired.as_dict(), "scores": {"failed": "worst", "compare": word}})


def test_pseudonyms_are_said_or_not_there(tmp_path: Path) -> None:
    """A policy without the key has the digest that it had before there was one."""
    plain = given(tmp_path, LEAST + METRIC)
    said = given(tmp_path, LEAST + 'private = "named"\n' + METRIC)
    hidden = given(tmp_path, LEAST + 'private = "pseudonyms"\n' + METRIC)

    assert plain.digest == said.digest
    assert b"private" not in plain.canonical
    assert from_dict(json.loads(hidden.canonical)) == hidden
    assert hidden.pseudonyms and hidden.digest != plain.digest
    for word in ("named", "hidden"):
        with pytest.raises(ValueError, match=r"policy|private"):
            from_dict({**hidden.as_dict(), "private": word})


WRONG = [
    ("name", ""),
    ("name", 'name = ""'),
    ("name", 'name = "../x"'),
    ("name", 'name = "-x"'),
    ("name", "name = 3"),
    ("seeds", ""),
    ("seeds", "seeds = 0"),
    ("seeds", "seeds = 10001"),
    ("seeds", "seeds = 3.0"),
    ("seeds", "seeds = true"),
    ("seeds", 'seeds = "3"'),
    ("deadline", ""),
    ("deadline", "deadline = 2026-12-01T12:00:00"),
    ("deadline", "deadline = 2026-12-01"),
    ("deadline", 'deadline = "2026-12-01T12:00:00Z"'),
    ("deadline", "deadline = 2026-12-01T12:00:00.5Z"),
    ("deadline", "deadline = 1960-01-01T12:00:00Z"),
    ("beacon", ""),
    ("beacon", 'beacon = "quicknet"'),
    ("beacon", "beacon = 3"),
    ("retries", "retries = -1"),
    ("retries", "retries = 101"),
    ("level", 'level = "warn"'),
    ("level", "level = []"),
    ("train", 'train = "me"'),
    ("reveal_by", "reveal_by = 2026-12-01T12:00:00Z"),
    ("image", 'image = "x"'),
    ("image.name", 'image = { lock = "x" }'),
    ("image.name", 'image = { name = "-x" }'),
    ("image.lock", 'image = { name = "x", lock = "7" }'),
    ("image.tag", 'image = { name = "x", tag = "y" }'),
    ("data.a", 'data = { a = "7" }'),
    ("data", 'data = { "a/b" = "7" }'),
    ("metrics", ""),
    ("metrics", "metrics = {}"),
    ("metrics.a.direction", "metrics = { a = {} }"),
    ("metrics.a.direction", 'metrics = { a = { direction = "up" } }'),
    ("metrics.a", "metrics = { a = 1 }"),
    ("metrics.a.unit", 'metrics = { a = { direction = "up", unit = 3 } }'),
    ("limits.memory", 'limits = { memory = "1" }'),
    ("limits.memory", "limits = { memory = true }"),
    ("limits.speed", 'limits = { speed = "1" }'),
    ("scores.failed", 'scores = { failed = "best" }'),
    ("scores.x", "scores = { x = 1 }"),
    ("scores.compare", 'scores = { compare = "both" }'),
    ("private", 'private = "hidden"'),
    ("private", 'private = "pseudonyms"\ntrain = "authors"'),
    ("spot_checks", "spot_checks = 0.1"),
    ("spot_checks", 'train = "authors"\nspot_checks = 1.1'),
    ("more", "more = 1"),
]


@pytest.mark.parametrize(("key", "line"), WRONG)
def test_what_is_not_allowed(tmp_path: Path, key: str, line: str) -> None:
    """The key is named, with what is allowed."""
    top = line.partition("=")[0].strip() or key
    lines = [each for each in LEAST.splitlines() if not re.match(rf"{top}\b", each)]
    text = "\n".join([line, *lines, "" if top == "metrics" else METRIC])

    with pytest.raises(BadPolicy, match=r"; allowed: ") as caught:
        given(tmp_path, text)
    assert f": {key}" in str(caught.value)


@pytest.mark.parametrize("number", ["1" * 5000, f"0x{'f' * 5000}", f"[0x{'f' * 5000}]"])
def test_integers_that_nobody_can_print(tmp_path: Path, number: str) -> None:
    """Python reads or writes no decimal number of so many digits."""
    with pytest.raises(BadPolicy, match="; allowed: "):
        given(tmp_path, LEAST.replace("seeds = 1", f"seeds = {number}") + METRIC)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("round = 1000", "round = 0", "beacon.round"),
        ("round = 1000", f"round = {2**60}", "beacon.round"),
        ("round = 1000", f"round = {2**53}", "beacon.round"),
        ("round = 1000", "round = 880", "881 or later: it comes after the deadline"),
        ("round = 1000", "round = 1", "881 or later"),
        ("period = 30", "period = 0", "beacon.period"),
        ("genesis = 1796100030", "genesis = -1", "beacon.genesis"),
        ("genesis = 1796100030", "", "beacon.genesis"),
        ('network = "tests"', "network = 3", "beacon.network"),
        ('network = "tests"', 'network = "quicknet"', "beacon."),
        (PUBLIC_KEY, "", "beacon.public_key"),
        (PUBLIC_KEY, PUBLIC_KEY.upper(), "beacon.public_key"),
        (PUBLIC_KEY, "00" * 96, "a point of G2"),
        (PUBLIC_KEY, "c0" + "00" * 95, "a point of G2"),
        ("reveal_by = 2027-03-01T12", "reveal_by = 2026-12-01T13", "reveal_by"),
        ("period = 30", 'period = 30\nhash = "x"', "beacon.hash"),
    ],
)
def test_beacons_that_are_none(tmp_path: Path, old: str, new: str, said: str) -> None:
    """One that is not after the deadline, or of a network that is none."""
    assert old in POLICY
    with pytest.raises(BadPolicy) as caught:
        given(tmp_path, POLICY.replace(old, new))

    assert said in str(caught.value)


def test_the_first_round_after_the_deadline_is_taken(tmp_path: Path) -> None:
    """The one that the message names, and not the one that comes with the deadline."""
    found = given(tmp_path, POLICY.replace("round = 1000", "round = 881"))

    assert found.beacon_time == moment("2026-12-01T12:00") + timedelta(seconds=30)


@pytest.mark.parametrize("text", [b"\xff", b"a = ", b"[" * 5000, b"x" * (2 << 20)])
def test_what_is_no_toml(tmp_path: Path, text: bytes) -> None:
    """Not UTF-8, broken, nested without end, too large."""
    with pytest.raises(BadPolicy, match="allowed"):
        given(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(BadPolicy, match=r"policy\.toml can't be read"):
        read(tmp_path / "policy.toml")


@pytest.mark.parametrize("key", ["seeds", "retries", "name", "beacon", "metrics"])
def test_a_described_policy_of_another_form(tmp_path: Path, key: str) -> None:
    """What came from a stranger's opening.json is no policy unless it is one."""
    content: dict[str, Any] = given(tmp_path, POLICY).as_dict()
    values: list[Any] = [None, "x", -1, True, [], 10**30, {"a": 1}]
    for value in values:
        if (key, value) in (("beacon", None), ("name", "x")):
            continue
        with pytest.raises((ValueError, KeyError, TypeError, AttributeError, OverflowError)):
            from_dict({**content, key: value})
