"""Drills with spot checks: an organiser who makes none, takes one back or picks the records."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from seedlock.errors import BadRound
from seedlock.evaluation.rounds import formats, lots, standing, steps, verification
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.claims import verdict
from seedlock.evaluation.rounds.formats import REVEAL
from tests.evaluation.rounds import made_rounds
from tests.evaluation.rounds.made_rounds import LOOKED, REVEALED

POLICY = f'train = "authors"\nspot_checks = 0.5\n{made_rounds.POLICY}'

RESULT, SECOND = "spot-check.json", "spot-check-2.json"


def result(this: Round) -> dict[str, Any]:
    """Return what a spot check of all records comes to, all of them honest."""
    frozen = this.freeze()["submissions"]
    runs = [(each["digest"], index) for each in frozen for index in range(this.policy.seeds)]
    picked = lots.chosen(this.secret(None).exposed(), this.salt(), runs, Fraction(1, 2))
    return {
        "format": "seedlock-spot-check", "version": 1, "draw": this.digest("draw"),
        "policy": this.policy.digest, "fraction": "1/2",
        "submissions": [
            {
                "name": each["name"], "digest": each["digest"], "faults": [],
                "records": [
                    {"seed_index": index, "class": "done", "faults": [], "sha256": "0" * 64,
                     "chosen": (each["digest"], index) in picked}
                    for index in range(this.policy.seeds)
                ],
            }
            for each in frozen
        ],
    }  # fmt: skip


def reveal(this: Round) -> None:
    """Reveal a round, and publish it: nobody has what is private."""
    steps.reveal_round(this, None, REVEALED)
    shutil.rmtree(this.folder / "private")


@pytest.fixture(name="drawn", scope="module")
def drawn_fixture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A round whose seeds are drawn, and the result of a spot check of it."""
    this = made_rounds.drawn(tmp_path_factory.mktemp("drawn") / "round", POLICY)
    return this.folder, result(this)


@pytest.fixture(name="this")
def this_fixture(drawn: tuple[Path, dict[str, Any]], tmp_path: Path) -> Round:
    """A copy of the round, without a result."""
    return Round(shutil.copytree(drawn[0], tmp_path / "round"))


@pytest.fixture(name="checked")
def checked_fixture(this: Round, drawn: tuple[Path, dict[str, Any]]) -> Round:
    """A copy with a spot check."""
    (this.folder / RESULT).write_text(json.dumps(drawn[1]))
    return this


def look(this: Round) -> tuple[str, list[str]]:
    """Return the verdict's word, and what is said of spot checks."""
    seen = made_rounds.seen_of(this, [])
    found = verification.verify(this.folder, LOOKED, seen)
    return verdict(found)[0], [
        f"{each.state}: {each.said}" for each in found if each.about == "spot checks"
    ]


def test_an_honest_spot_check_is_proven(checked: Round) -> None:
    """The control of all drills. What the authors tried besides is in no ledger, so that the round
    as a whole is conditional."""
    before = look(checked)
    reveal(checked)

    assert before == (
        "INCOMPLETE",
        ["not yet: that the right records were replayed can be proven after the reveal"],
    )
    assert look(checked) == (
        "CONDITIONAL", ["proven: 3 records were replayed, those that secret and beacon say"],
    )  # fmt: skip


def test_a_promise_that_nobody_kept(this: Round) -> None:
    """Said until the reveal, when it can be kept, and for ever after it."""
    said = "the policy promised that 1/2 of the records is replayed, and no result of a spot check"
    assert "seedlock spot-check, 0.5 of the records" in standing.look(this, LOOKED)["next"]
    assert look(this) == ("INCOMPLETE", [f"not yet: {said} is here"])

    reveal(this)

    assert look(this) == ("CONDITIONAL", [f"if: {said} is here"])


def test_a_result_that_is_removed_after_the_reveal(checked: Round) -> None:
    """reveal.json has its digest; another file in its place is found as well."""
    reveal(checked)
    raw = (checked.folder / RESULT).read_text()
    (checked.folder / RESULT).unlink()
    removed = look(checked)
    (checked.folder / RESULT).write_text(raw + " ")
    replaced = look(checked)

    assert removed == ("WRONG", [f"wrong: {RESULT} was there at the reveal and is not here"])
    assert replaced[0] == "WRONG"
    assert replaced[1][0] == f"wrong: {RESULT} is not the file that was there at the reveal"


def test_a_result_that_is_removed_before_the_reveal(checked: Round) -> None:
    """A later one shows it; where there is none, and nobody has a copy, nothing does."""
    shutil.copy(checked.folder / RESULT, checked.folder / SECOND)
    (checked.folder / RESULT).unlink()

    word, said = look(checked)

    assert word == "WRONG"
    assert f"wrong: {RESULT} is not here, and a later result is" in said


def test_a_result_that_came_after_the_reveal(
    this: Round, drawn: tuple[Path, dict[str, Any]]
) -> None:
    """Then everybody knew which records it would draw. Beside one that came in time it is no
    fault."""
    late = Round(shutil.copytree(this.folder, this.folder.with_name("late")))
    reveal(late)
    (this.folder / RESULT).write_text(json.dumps(drawn[1]))
    reveal(this)
    (late.folder / RESULT).write_text(json.dumps(drawn[1]))
    (this.folder / SECOND).write_text(json.dumps(drawn[1]))

    word, said = look(late)
    assert word == "CONDITIONAL"
    assert said[-1].startswith("if: reveal.json names no result: that all records were in before")
    assert [each[:6] for each in look(this)[1]] == ["proven"]


def unmark(content: dict[str, Any]) -> None:
    """Say that other records were drawn."""
    for of in content["submissions"]:
        for each in of["records"]:
            each["chosen"] = not each["chosen"]


FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "was drawn and not replayed": unmark,
    "its fraction is 1/4; the policy promised 1/2": lambda of: of.update(fraction="1/4"),
    "it is of another round": lambda of: of.update(draw="sha256:" + "0" * 64),
    "the submission ours was frozen and is not in it": lambda of: of["submissions"].pop(),
    "is not whole": lambda of: of.pop("submissions"),
    "is no result of a spot check": lambda of: of.update(version=2),
}


@pytest.mark.parametrize("said", FAULTS)
def test_a_result_of_something_else(
    this: Round, drawn: tuple[Path, dict[str, Any]], said: str
) -> None:
    """Each fault is named, whoever made it; what can be seen without the secret is seen before the
    reveal too."""
    content = json.loads(json.dumps(drawn[1]))
    FAULTS[said](content)
    (this.folder / RESULT).write_text(json.dumps(content))
    before = look(this)
    if "is no result" not in said:
        reveal(this)

    word, found = look(this)

    assert word == "WRONG"
    assert any(said in each for each in found), found
    assert before[0] == ("INCOMPLETE" if FAULTS[said] is unmark else "WRONG")


def test_a_reveal_names_results_only(this: Round) -> None:
    """A file that is none is no proof later on."""
    (this.folder / RESULT).write_text("{}")

    with pytest.raises(BadRound, match="is no result of a spot check"):
        reveal(this)
    assert not this.has(REVEAL)


@pytest.mark.parametrize("value", [None, 7, "x", {}, [7], ["sha256:0"], [[]], ["\ud800"]])
def test_a_reveal_with_something_else_for_digests(checked: Round, value: Any) -> None:
    """Strangers' files don't make verify fail."""
    reveal(checked)
    path = formats.file_of(checked.folder, REVEAL)
    path.write_text(json.dumps({**json.loads(path.read_text()), "spot_checks": value}))

    assert look(checked)[0] == "WRONG"


def test_a_reveal_of_before_is_read(checked: Round) -> None:
    """Without the key nothing is bound, and that is said."""
    reveal(checked)
    path = formats.file_of(checked.folder, REVEAL)
    content = json.loads(path.read_text())
    assert len(content.pop("spot_checks")) == 1
    path.write_text(json.dumps(content))

    word, said = look(checked)
    assert word == "CONDITIONAL"
    assert said[-1].startswith("if: reveal.json names no result")


def test_where_nothing_was_promised_nothing_is_said(tmp_path: Path) -> None:
    """Nor where organisers train, whose reveal has no such key."""
    this = made_rounds.drawn(tmp_path / "authors", f'train = "authors"\n{made_rounds.POLICY}')
    reveal(this)
    other, _ = made_rounds.revealed(tmp_path / "organisers")

    assert look(this) == ("CONDITIONAL", [])
    assert look(other)[1] == []
    assert "spot_checks" not in other.reveal()
