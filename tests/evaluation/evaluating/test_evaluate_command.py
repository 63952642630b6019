"""`seedlock evaluate` on this machine: real submissions, a real sandbox, a real ledger."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.scores.round_results import look
from seedlock.evaluation.scores.standings import of_round
from tests.evaluation.evaluating.made_round import (
    ANOTHER,
    GOOD,
    SEALED,
    SEEDLOCK,
    UNSEALED,
    MadeRound,
    make,
)
from tests.interpreter import run

WAITING = """
import os, time, seedlock
open(os.environ["REPRO_OUTPUT"] + "/up", "w").write(str(os.getpid()))
while not os.path.exists({go!r}):
    time.sleep(0.02)
seedlock.log_metric("loss", 1.0)
"""
"""A program that goes on when a file is there; unsealed, it sees it."""

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


def until(evaluating: subprocess.Popen[str], piece: str) -> str:
    """Return what an evaluation says up to a line with `piece`."""
    assert evaluating.stderr is not None
    said = ""
    for line in evaluating.stderr:
        said += line
        if piece in line:
            return said
    raise AssertionError(f"it ended without {piece!r}: {said}")


def supervisor(made: MadeRound, name: str, attempt: int) -> int:
    """Return the worker that has an attempt of a program that waits, once that is up."""
    up = made.folder / "runs" / name / f"0-{attempt}" / "run" / "output" / "up"
    end = time.monotonic() + 60
    while not (up.is_file() and up.read_text()):
        assert time.monotonic() < end, "the program did not start"
        time.sleep(0.01)
    line = Path("/proc", up.read_text(), "stat").read_text()
    return int(line.rpartition(")")[2].split()[1])


def test_a_round(bwrap: str, tmp_path: Path) -> None:
    """Each submission under each seed; failures of authors and limits count and are never tried
    again, whatever status they end with; no seed is seen by anybody."""
    made = make(
        tmp_path,
        {
            "good": GOOD,
            "another": ANOTHER,
            "failing": "raise ValueError('no')",
            "again": "raise SystemExit(75)",
            "silent": "print('no metric')",
            "slow": "import time; time.sleep(600)",
        },
        more='[limits]\ntime = "2s"\n',
    )

    done = made.evaluate(*SEALED, "--json")

    states = {name: [each[2] for each in ends] for name, ends in made.ends().items()}
    assert states == {
        "good": ["done", "done"],
        "another": ["done", "done"],
        "failing": ["author-failure", "author-failure"],
        "again": ["author-failure", "author-failure"],
        "silent": ["author-failure", "author-failure"],
        "slow": ["limit", "limit"],
    }
    assert made.record("again", 0)["outcome"]["exit_status"] == 75
    seeds = made.seeds()
    for name in made.submissions:
        for index in (0, 1):
            record = made.record(name, index)
            assert record["seed"] == seeds[index]
            assert (record["round"]["seed_index"], record["round"]["attempt"]) == (index, 1)
            assert record["guarantees"]["network"]["held"]
    assert made.record("good", 0)["metrics"] != made.record("good", 1)["metrics"]
    exported = (made.folder / "ledger.jsonl").read_text()
    for seed in seeds:
        assert str(seed) not in done.err + done.out + exported
    assert stat.S_IMODE((made.folder / "runs").stat().st_mode) == 0o700
    assert json.loads(done.out)["counts"]["done"] == 4
    assert made.left() == []
    made.verify()
    board = of_round(made.folder)
    assert board.complete and board.content["problems"] == []
    assert all(each["hardware"] is None for each in board.content["submissions"])  # private
    machines = {each.name: each.hardware for each in look(Round(made.folder)).submissions}
    assert (machines["good"] or "").endswith("processors")
    for each in board.content["submissions"]:
        assert [run["state"] for run in each["runs"]] == states[each["name"]]
        values = each["scores"]["loss"]["values"]
        for index, value in enumerate(values):
            assert value == made.record(each["name"], index)["metrics"]["final"].get("loss")


def test_saying_it_again_changes_nothing(tmp_path: Path) -> None:
    """A round that is complete stays as it is."""
    made = make(tmp_path, {"another": ANOTHER}, seeds=1)
    made.evaluate(*UNSEALED)
    before = (made.folder / "ledger.jsonl").read_bytes()

    made.evaluate(*UNSEALED)

    assert (made.folder / "ledger.jsonl").read_bytes() == before


def test_what_is_not_frozen_is_refused_by_name(tmp_path: Path) -> None:
    """A file that was changed after the freeze, and a submission that came later."""
    made = make(tmp_path, {"good": GOOD, "another": ANOTHER})
    (made.submissions["good"] / "train.py").write_text(GOOD + "\n")
    done = made.evaluate(*UNSEALED, check=False)
    later = made.submissions.pop("good")
    text = (later / "submission.toml").read_text()
    (later / "submission.toml").write_text(text.replace('"good"', '"later"'))
    made.submissions["later"] = later
    late = made.evaluate(*UNSEALED, check=False)

    assert (done.status, late.status) == (78, 78)
    assert "'good'" in done.err and "not-frozen" in done.err
    assert "'later'" in late.err and "was not frozen" in late.err
    assert not (made.folder / "ledger.db").exists()


def test_the_ledger_tells_nothing_that_a_private_author_wrote(tmp_path: Path) -> None:
    """The ledger is published. Why a run failed may name the author's files: a private
    submission's record says it, and nothing else."""
    reads = "import seedlock, os\nopen(os.environ['REPRO_OUTPUT'] + '/metrics.jsonl', 'w')"
    made = make(tmp_path, {"mine": reads}, seeds=1)

    made.evaluate(*UNSEALED)

    (event,) = made.events("ended")
    assert event["content"]["class"] == "metrics" and event["content"]["reasons"] == []
    assert made.record("mine", 0)["outcome"]["reasons"]


def test_no_seal_no_run(bwrap: str, tmp_path: Path) -> None:
    """A promise that can't be kept is accepted by name, or nothing is started."""
    made = make(tmp_path, {"another": ANOTHER})

    done = made.evaluate("--engine", "process", check=False)

    assert done.status == 78
    assert "memory" in done.err and "not-sealed" in done.err
    assert not (made.folder / "ledger.db").exists()


def test_a_submission_that_is_rejected_fails_and_is_not_dropped(tmp_path: Path) -> None:
    """The organiser's word is in the ledger, and all its seeds are ended."""
    made = make(tmp_path, {"another": ANOTHER, "good": GOOD}, seeds=2)

    made.evaluate(*UNSEALED, "--reject", "good")

    assert [each[2] for each in made.ends()["good"]] == ["author-failure"] * 2
    reasons = [each["content"]["reasons"] for each in made.events("ended")]
    assert reasons.count(["rejected by the organiser"]) == 2
    made.verify()


def test_a_supervisor_that_is_killed_is_the_machines_failure(tmp_path: Path) -> None:
    """Each attempt is shown, another follows as long as the policy lets it, and the program does
    not live on."""
    go = tmp_path / "go"
    made = make(tmp_path, {"mine": WAITING.format(go=str(go))}, seeds=1, retries=1)
    evaluating = made.begin(*UNSEALED)
    os.kill(supervisor(made, "mine", 1), signal.SIGKILL)
    until(evaluating, "infrastructure")
    assert len(made.left()) <= 1
    os.kill(supervisor(made, "mine", 2), signal.SIGKILL)
    _, said = evaluating.communicate(timeout=60)

    assert evaluating.returncode == 75
    assert "its supervisor was ended by SIGKILL" in said
    assert made.ends()["mine"] == [(0, 1, "infrastructure"), (0, 2, "infrastructure")]
    assert made.left() == []
    made.verify()


def test_another_attempt_after_the_machine_failed(tmp_path: Path) -> None:
    """It ends as the program does, and the failure stays in the ledger."""
    go = tmp_path / "go"
    made = make(tmp_path, {"mine": WAITING.format(go=str(go))}, seeds=1, retries=1)
    evaluating = made.begin(*UNSEALED)
    os.kill(supervisor(made, "mine", 1), signal.SIGKILL)
    go.touch()
    evaluating.communicate(timeout=60)

    assert evaluating.returncode == 0
    assert made.ends()["mine"] == [(0, 1, "infrastructure"), (0, 2, "done")]


@pytest.mark.parametrize("asks", [1, 2])
def test_ctrl_c(tmp_path: Path, asks: int) -> None:
    """What runs ends, goes back to the queue where everybody sees it, and is carried out by the
    next call. A second one does not wait for a program that does not listen."""
    go = tmp_path / "go"
    program = (STUBBORN if asks > 1 else "") + WAITING.format(go=str(go))
    made = make(tmp_path, {"mine": program}, seeds=1)
    evaluating = made.begin(*UNSEALED)
    supervisor(made, "mine", 1)
    for count in range(asks):
        evaluating.send_signal(signal.SIGINT)
        until(evaluating, "interrupted;" if count == 0 else "(at once)")
    evaluating.communicate(timeout=60)
    go.touch()
    again = made.evaluate(*UNSEALED)

    assert evaluating.returncode == 130
    assert made.ends()["mine"] == [(0, 1, "interrupted"), (0, 2, "done")]
    assert "1 of 1 runs ended: done 1" in again.err
    assert made.left() == []


def test_a_full_disk(tmp_path: Path) -> None:
    """Status 74; no run is counted as failed for it, and the same command goes on afterwards."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=6m", "seedlock", str(disk)]
    if subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a file system")
    try:
        # Asked for as a whole, room is refused before any of it is taken.
        room = 'os.posix_fallocate(os.open(os.environ["REPRO_OUTPUT"] + "/x", 66), 0, 1_700_000)\n'
        program = f"import os\n{room}{ANOTHER}"
        made = make(tmp_path, {"large": program}, seeds=4)
        made.folder = Path(shutil.move(made.folder, disk / "round"))
        done = made.evaluate(*UNSEALED, check=False)
        before = made.ends()["large"]
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        made.evaluate(*UNSEALED)

        assert done.status == 74
        assert "No space left on device" in done.err
        assert {state for _, _, state in before} <= {"done", "interrupted", "queued"}
        ends = made.ends()["large"]
        assert [index for index, _, state in ends if state == "done"] == [0, 1, 2, 3]
        assert {state for _, _, state in ends} <= {"done", "interrupted", "queued"}
        made.verify()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_one_evaluation_at_a_time_and_machine(tmp_path: Path) -> None:
    """A second one waits for the first, and finds nothing left."""
    go = tmp_path / "go"
    made = make(tmp_path, {"mine": WAITING.format(go=str(go))}, seeds=1)
    first = made.begin(*UNSEALED)
    supervisor(made, "mine", 1)
    second = made.begin(*UNSEALED)
    until(second, "waiting for another evaluation")
    go.touch()
    first.communicate(timeout=60)
    second.communicate(timeout=60)

    assert (first.returncode, second.returncode) == (0, 0)
    assert made.ends()["mine"] == [(0, 1, "done")]


def test_bad_options(tmp_path: Path) -> None:
    """What is not allowed is said before anything is looked at."""
    for words, said in (
        (["--jobs", "0"], "--jobs"),
        (["--gpus", "0,0"], "--gpus"),
        (["--gpus", "0,00"], "--gpus"),
        (["--gpus", ""], "--gpus"),
        (["--unsealed"], "--unsealed"),
    ):
        done = run([SEEDLOCK, "evaluate", str(tmp_path), str(tmp_path), *words], check=False)

        assert done.status == 2
        assert said in done.err and "allowed" in done.err


@pytest.mark.parametrize(
    ("given", "gpus", "said"),
    [
        ("auto", 2, "opening.json is not there"),
        ("1,0", 2, "opening.json is not there"),
        ("GPU-5a", 1, "opening.json is not there"),
        ("auto", 0, "no GPU is seen here (the driver has none)"),
        ("0,2", 2, "allowed: numbers below 2"),
        ("99999999999999999999", 1, "allowed: numbers below 1"),
    ],
)
def test_gpus_that_are_not_here(
    nvml: str, tmp_path: Path, given: str, gpus: int, said: str
) -> None:
    """Runs that found none would fail for good; so nothing is started."""
    words = ["evaluate", str(tmp_path), str(tmp_path), "--engine", "process", "--gpus", given]

    done = run([SEEDLOCK, *words], check=False, LD_LIBRARY_PATH=nvml, COUNT=str(gpus))

    assert said in done.err
    assert done.status == (78 if "opening.json" in said else 2)


def test_a_reveal_names_the_whole_ledger_and_ends_the_evaluation(tmp_path: Path) -> None:
    """An export that is behind, as after an evaluation that was killed, would cut its end off, and
    runs under seeds that are public are none of the round's: verification would say WRONG of
    either, for good."""
    made = make(tmp_path, {"another": ANOTHER}, seeds=1)
    made.evaluate(*UNSEALED)
    exported = made.folder / "ledger.jsonl"
    lines = exported.read_bytes().splitlines(keepends=True)
    exported.write_bytes(b"".join(lines[:-1]))
    reveal = [SEEDLOCK, "round", "reveal", str(made.folder)]

    behind = run(reveal, check=False)

    assert behind.status == 2 and "is not the whole ledger" in behind.err
    assert not (made.folder / "reveal.json").exists()
    run([SEEDLOCK, "ledger", "export", str(made.folder), "-o", str(exported)])
    assert run(reveal).status == 0
    before = len(made.events("ended"))
    again = made.evaluate(*UNSEALED, check=False)
    assert again.status == 78 and "was revealed" in again.err
    assert len(made.events("ended")) == before
