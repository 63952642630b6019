"""`seedlock reference` on real models: measured, held against a lock that hurts, ended, resumed."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation import process_groups, reference_command
from seedlock.evaluation.reference import stored
from seedlock.evaluation.reference.reference_errors import BadReference
from tests.evaluation.reference.made_reference import HURT, SOUND, Made, make
from tests.interpreter import REPOSITORY

SEEDS = 3


@dataclass(frozen=True)
class Planted:
    """Models that were measured under a sound lock.

    Attributes:
        made: them.
        stored: the measurement's folder.
    """

    made: Made
    stored: Path

    def content(self) -> dict[str, Any]:
        """Return what was stored."""
        return stored.read(self.stored)


@pytest.fixture(scope="module", name="planted")
def planted_fixture(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Measure three models under three seeds each."""
    made = make(tmp_path_factory.mktemp("planted"), SEEDS)
    place = made.folder / "stored"
    made.reference_run("measure", SOUND, "--output", str(place))
    return Planted(made, place)


def test_what_is_stored(planted: Planted) -> None:
    """Each model has each seed, with value, curve, bits, time and memory; nothing names a place."""
    content = planted.content()
    texts = [each.read_bytes() for each in (planted.stored / "traces").iterdir()]
    home = str(planted.made.folder).encode()

    assert sorted(content["models"]) == ["plain-line", "rate-line", "sample-line"]
    assert content["packages"]["tinyopt"] == "1.0.0"
    assert content["host"]["cpu"]["model"]
    for model in content["models"].values():
        assert [each["outcome"] for each in model["runs"]] == ["done"] * SEEDS
        assert len({each["trace"]["digest"] for each in model["runs"]}) == SEEDS
        for each in model["runs"]:
            assert each["metric"] == each["curve"][-1][1]
            assert each["wall_s"] > 0 and each["processor_s"] > 0 and each["peak_memory_bytes"] > 0
    assert content["models"]["plain-line"]["runs"][0]["converged"] == 1
    assert len(texts) == 6
    for text in (*texts, (planted.stored / stored.NAME).read_bytes()):
        assert home not in text and str(REPOSITORY).encode() not in text
    assert not list((planted.made.folder / "work").glob("*/ledger.db"))


def test_planted_regressions(planted: Planted) -> None:
    """A wrong learning rate and a corrupted sample are each caught, at the line where results part;
    the model that uses none of them has equal bits. test_framework_release.py has releases."""
    words = ("--stored", str(planted.stored), "--json")
    done = planted.made.reference_run("check", HURT, *words, check=False)
    assert done.status == 1, done.err
    result = json.loads(done.out)
    models = result["models"]

    assert result["verdict"] == "FAIL"
    assert result["changes"]["packages"] == {
        "tinydata": ["1.0.0", "1.0.1"],
        "tinyopt": ["1.0.0", "1.0.1"],
    }
    assert result["changes"]["lock"] == ["cpu.lock"]
    assert models["plain-line"]["verdict"] == "EQUAL BITS"
    for name, place in (("rate-line", "rate_line.py:15"), ("sample-line", "sample_line.py:15")):
        first = models[name]["first"]
        assert models[name]["verdict"] == "FAIL"
        assert models[name]["judgement"]["equal_bits"] == []
        assert (first["kind"], first["op"], first["at"]) == ("checkpoint", "epoch 1", place)
    assert "3 of 3 runs missed the target, 0 had; one may" in models["rate-line"]["reasons"]
    assert "missed the target" in models["sample-line"]["reasons"][0]


def test_nothing_changed(planted: Planted) -> None:
    """The same lock gives equal bits and status 0; what was left out is told."""
    done = planted.made.reference_run(
        "check", SOUND, "--stored", str(planted.stored), "--models", "plain-line",
        "--seeds", "1",
    )  # fmt: skip

    assert done.lines[0] == "EQUAL BITS"
    assert "compared are seeds 1 to 1 only" in done.lines
    assert "compared are these models only: plain-line" in done.lines


def test_ended_and_killed(planted: Planted, tmp_path: Path) -> None:
    """Ctrl-C leaves nothing behind and stores nothing; that and a kill are gone on from, to the
    same bytes as without."""
    made = make(tmp_path, SEEDS, ("plain-line",))
    output = ("--output", str(tmp_path / "out"), "--jobs", "1")
    for number, status in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        begun = made.begin("measure", SOUND, *output)
        assert begun.stderr is not None
        for line in begun.stderr:
            if " started" in line and ("index 1" in line or number == signal.SIGKILL):
                break
        begun.send_signal(number)
        begun.communicate(timeout=600)
        assert begun.returncode == status
        assert not (tmp_path / "out").exists()
    end = time.monotonic() + 60
    while process_groups.marked(str(tmp_path / "work")):  # the nursery ends what was killed
        assert time.monotonic() < end
        time.sleep(0.05)
    done = made.reference_run("measure", SOUND, *output)

    found = stored.read(tmp_path / "out")["models"]["plain-line"]
    whole = planted.content()["models"]["plain-line"]
    assert "going on with what is there" in done.err
    assert "seed index 0: started" not in done.err
    for name in ("step_trace", "op_trace"):
        assert found[name] == whole[name]
    for one, other in zip(found["runs"], whole["runs"], strict=True):
        assert (one["trace"], one["curve"]) == (other["trace"], other["curve"])


def test_a_run_that_fails(tmp_path: Path) -> None:
    """A model that crashes is stored as failed, and measure says so with status 1. What was under
    way for other programs goes, and nobody else's ledger does."""
    made = make(tmp_path, 1, ("plain-line",))
    others = [tmp_path / "work" / name / "ledger.db" for name in ("0123456789abcdef", "my-round")]
    for each in others:
        each.parent.mkdir(parents=True)
        each.touch()
    program = made.reference / "models" / "plain_line.py"
    program.write_text(
        "import sys\nsys.stderr.write('no room for /srv/mine/a.npz\\n')\nraise SystemExit(3)\n"
    )

    done = made.reference_run("measure", SOUND, "--output", str(tmp_path / "out"), check=False)

    assert done.status == 1
    assert [each.exists() for each in others] == [False, True]
    assert "plain-line, seed 1: author-failure: exit status 3; no room for a.npz" in done.err
    runs = stored.read(tmp_path / "out")["models"]["plain-line"]["runs"]
    assert [(each["outcome"], each["metric"]) for each in runs] == [("author-failure", None)]


def said(*words: str) -> int:
    """Say a command to the command line of this process, for what starts no run; return its exit
    status."""
    import argparse

    parser = argparse.ArgumentParser()
    reference_command.add(parser.add_subparsers())
    options = parser.parse_args(["reference", *words])
    return int(options.command(options))


def test_show(planted: Planted, capsys: pytest.CaptureFixture[str]) -> None:
    """What is stored is shown, as lines and as JSON."""
    statuses = [said("show", str(planted.stored))]
    lines = capsys.readouterr().out.splitlines()
    statuses.append(said("show", str(planted.stored), "--json"))

    assert statuses == [0, 0]
    assert [line.split()[0] for line in lines if "-line" in line] == [
        "plain-line", "rate-line", "sample-line",
    ]  # fmt: skip
    assert json.loads(capsys.readouterr().out) == planted.content()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("measure", "--seeds", "2"), "allowed with --output DIR only"),
        (("measure", "--models", "plain-line"), "allowed with --output DIR only"),
        (("measure", "--jobs", "0"), "--jobs is '0'"),
        (("check", "--seeds", "many"), "--seeds is 'many'"),
        (("measure", "--models", "none", "--output", "out"), "there is no model 'none'"),
        (("measure", "--locks", "nowhere"), "cpu.lock can't be read"),
        (("check", "--stored", "nowhere"), "reference.json can't be read"),
        (("check", "--measured", "nowhere"), "reference.json can't be read"),
        (("show",), "reference.json can't be read"),
        (("page", "--accept", "in a hurry"), "--accept: allowed with --store only"),
        (("page", "--store"), "--store: allowed with --measured DIR only"),
        (("page", "--accept", " "), "--accept is empty"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else None,
)
def test_bad_input(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], told: str,
) -> None:  # fmt: skip
    """What can't be done is said in a line, and nothing is started."""
    monkeypatch.chdir(tmp_path)
    words = [options[0], str(planted.made.reference), *options[1:]]
    if options[0] == "check" and "--stored" not in options:
        words += ["--stored", str(planted.stored)]

    try:
        assert said(*words) == 2
    except BadReference as problem:
        shown = str(problem)
    else:
        shown = capsys.readouterr().err
    assert told in shown
    assert list(tmp_path.iterdir()) == []
