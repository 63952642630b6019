"""Receipts: what an author holds in hands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedlock.errors import BadRound
from seedlock.evaluation.rounds import receipt, steps
from seedlock.evaluation.rounds.ceremony import Round
from tests.evaluation.rounds import made_rounds
from tests.evaluation.rounds.made_rounds import ENTRIES, FROZEN, entry


@pytest.fixture(name="this")
def this_fixture(tmp_path: Path) -> Round:
    """A round with seven submissions."""
    this = made_rounds.opened(tmp_path / "round")
    steps.freeze_round(this, [*ENTRIES, *(entry(f"s{number}") for number in range(5))], FROZEN)
    return this


def states(given: dict[str, Any], this: Round) -> list[str]:
    """Return what a receipt says."""
    return [each.state for each in receipt.check(given, this)]


def test_each_submission_has_a_receipt(this: Round, tmp_path: Path) -> None:
    """Written, read again, and proven."""
    for each in this.freeze()["submissions"]:
        path = tmp_path / "receipt.json"
        path.write_text(json.dumps(receipt.make(this, each["name"])))
        given = receipt.read(path)

        assert given["submission"]["digest"] == each["digest"]
        assert states(given, this) == ["proven"]


def test_nobody_else_has_one(this: Round) -> None:
    """The names are given."""
    with pytest.raises(BadRound, match="'late' is not among the 7 frozen submissions"):
        receipt.make(this, "late")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("root", "0" * 64),
        ("freeze", "sha256:" + "0" * 64),
        ("opening", "sha256:" + "0" * 64),
        ("index", 0),
        ("size", 6),
        ("path", []),
        ("submission", {key: entry("late")[key] for key in ("name", "digest")}),
    ],
)
def test_a_changed_receipt_is_wrong(this: Round, key: str, value: Any) -> None:
    """Any part of it."""
    given = receipt.make(this, "ours")
    assert given[key] != value

    assert states({**given, key: value}, this) == ["wrong"]


def test_a_receipt_of_another_list(this: Round, tmp_path: Path) -> None:
    """Of which two authors could be given two."""
    other = made_rounds.opened(tmp_path / "other")
    steps.freeze_round(other, [*ENTRIES, entry("late")], FROZEN)

    (found,) = receipt.check(receipt.make(other, "ours"), this)
    assert found.state == "wrong"
    assert "leads to another root" in found.said


@pytest.mark.parametrize("key", sorted(receipt.KEYS))
def test_what_is_no_receipt(this: Round, tmp_path: Path, key: str) -> None:
    """Whatever stands in a stranger's file."""
    path = tmp_path / "receipt.json"
    given = receipt.make(this, "ours")
    strange: list[Any] = [None, True, -1, 10**400, 1.5, "\ud800", [1], {"name": 1, "digest": 2}]
    for value in strange:
        path.write_text(json.dumps({**given, key: value}))
        if key == "round" or (key, value) == ("version", True):  # nothing rests on them
            continue
        with pytest.raises(BadRound, match="no receipt of version 1"):
            receipt.read(path)
    path.write_text(json.dumps({name: given[name] for name in given if name != key}))
    with pytest.raises(BadRound, match="no receipt of version 1"):
        receipt.read(path)
