"""A policy with pseudonyms: no published byte has a private submission's name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from seedlock.errors import BadRound
from seedlock.evaluation.rounds import handed_in, receipt, steps, verification
from seedlock.evaluation.rounds.canonical import now
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.claims import WRONG
from seedlock.evaluation.rounds.verification import Seen
from tests.evaluation.evaluating.made_round import (
    GOOD,
    PATH,
    POLICY,
    SEEDLOCK,
    SUBMISSION,
    UNSEALED,
)
from tests.interpreter import run

NAME = "unspoken-method"
PUBLISHED = ("policy.toml", "opening.json", "freeze.json", "draw.json", "ledger.jsonl",
             "reveal.json")  # fmt: skip


@pytest.fixture(name="handed", scope="module")
def handed_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a policy and two submissions, one of them private."""
    folder = tmp_path_factory.mktemp("pseudonyms")
    text = POLICY.format(seeds=1, retries=0)
    (folder / "policy.toml").write_text('private = "pseudonyms"\n' + text)
    for name, visibility in ((NAME, "private"), ("open-method", "public")):
        place = folder / "submissions" / name
        place.mkdir(parents=True)
        given = SUBMISSION.format(name=name, image="conference/repro-base")
        (place / "submission.toml").write_text(given.replace("private", visibility))
        (place / "train.py").write_text(GOOD)
    return folder


@pytest.fixture(name="frozen", scope="module")
def frozen_fixture(handed: Path) -> Round:
    """The round of it, frozen."""
    this = steps.open_round(handed / "frozen", handed / "policy.toml", now())
    entries = handed_in.gather(handed / "submissions", this.policy)
    steps.freeze_round(this, entries, now(), early=True)
    return this


def test_a_whole_round(handed: Path) -> None:
    """Freeze, ledger, runs, board and export know the pseudonym only; the proof holds."""
    folder, site = handed / "round", handed / "site"
    private, public = handed / "submissions" / NAME, handed / "submissions" / "open-method"
    for words in (
        ("round", "open", "--policy", handed / "policy.toml", folder),
        ("round", "freeze", "--early", "--submissions", handed / "submissions", folder),
        ("round", "draw", folder),
        ("evaluate", folder, private, public, *UNSEALED),
        ("round", "reveal", folder),
        ("board", "export", folder, "-o", site, "--records"),
    ):
        run([SEEDLOCK, *map(str, words)], PATH=PATH)
    proven = run([SEEDLOCK, "board", "verify", str(site)], check=False, PATH=PATH)

    assert proven.status == 5, proven.out  # no beacon: CONDITIONAL
    frozen = {each["visibility"]: each for each in Round(folder).freeze()["submissions"]}
    digest = frozen["private"]["digest"]
    pseudonym = f"private-{digest.removeprefix('sha256:')[:12]}"
    assert frozen["private"]["name"] == pseudonym
    assert frozen["public"]["name"] == "open-method"
    assert (folder / "runs" / pseudonym / "0-1.json").is_file()
    board = json.loads((site / "board.json").read_text())
    assert {each["name"] for each in board["submissions"]} == {pseudonym, "open-method"}
    files = [folder / each for each in PUBLISHED]
    files += [path for path in site.rglob("*") if path.is_file()]
    for path in files:
        assert NAME not in str(path.relative_to(handed)), path
        assert NAME.encode() not in path.read_bytes(), path


def test_its_author_finds_it_by_digest(frozen: Round) -> None:
    """The receipt of a digest is the one of the pseudonym."""
    (entry,) = (each for each in frozen.freeze()["submissions"] if each["name"] != "open-method")

    assert receipt.make(frozen, entry["digest"]) == receipt.make(frozen, entry["name"])
    with pytest.raises(BadRound):
        receipt.make(frozen, NAME)


def test_a_name_that_slipped_in_is_named(handed: Path, tmp_path: Path) -> None:
    """Of a list with a private submission's own name verify says WRONG."""
    folder = tmp_path / "round"
    this = steps.open_round(folder, handed / "policy.toml", now())
    entries = handed_in.gather(handed / "submissions", this.policy)
    own = [{**each, "name": NAME} if each["visibility"] == "private" else each for each in entries]
    steps.freeze_round(this, own, now(), early=True)

    wrong = [each for each in verification.verify(folder, now(), Seen()) if each.state == WRONG]

    assert [each.about for each in wrong] == ["submissions"]
    assert "promised a pseudonym" in wrong[0].said


def test_nobody_takes_a_pseudonym_for_a_name(handed: Path, tmp_path: Path) -> None:
    """A submission that is called like one does not fit."""
    folder = tmp_path / "submissions"
    shutil.copytree(handed / "submissions", folder)
    told = folder / "open-method" / "submission.toml"
    told.write_text(told.read_text().replace("open-method", "private-0123456789AB"))
    this = steps.open_round(tmp_path / "round", handed / "policy.toml", now())

    with pytest.raises(BadRound, match="looks like a pseudonym"):
        handed_in.gather(folder, this.policy)
