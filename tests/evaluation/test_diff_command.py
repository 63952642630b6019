"""`seedlock diff`: what it prints and how it ends."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import pytest

from tests.evaluation.made_traces import Event, child, event, op, step, write_process, write_run
from tests.interpreter import REPOSITORY, Done, python, run

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")


def diff(*arguments: Path | str) -> Done:
    """Run the installed command."""
    return run([SEEDLOCK, "diff", *map(str, arguments)], check=False)


def test_equal_runs_are_counted(tmp_path: Path) -> None:
    """Status 0, and how much was compared."""
    for name in "ab":
        write_run(tmp_path / name, first=[child("0"), step(0), step(1)], p0=[op(0)])

    done = diff(tmp_path / "a", tmp_path / "b")

    assert (done.status, done.err) == (0, "")
    assert done.out == "EQUAL: 2 processes, 4 events, 2 optimizer steps compared\n"


def test_the_first_difference_is_shown(tmp_path: Path) -> None:
    """Event, line with its source, element, values, events before, and guesses as guesses."""
    for name, last in (("a", b"\0\0\x80\x3f"), ("b", b"\1\0\x80\x3f")):
        events = [
            step(11, parts="00", names=["linear.weight"]),
            step(12, last[:1].hex(), parts="00", kept=[[0, 24]]),
        ]
        write_process(tmp_path / name, events, values=struct.pack("<5f", *range(5)) + last)
        (tmp_path / name / "train.py").write_text("\n" * 19 + "optimizer.step()\n")

    done = diff(tmp_path / "a", tmp_path / "b", "--context", "1")

    assert (done.status, done.err) == (1, "")
    assert done.lines == [
        "DIFFERENT: event 1 of the first process, step 12: step SGD.step",
        "  at train.py:20: optimizer.step()",
        "  differs in: digest",
        f"  A: step SGD.step float32[2,3] digest {'00' * 16}",
        f"  B: step SGD.step float32[2,3] digest {'01' * 16}",
        "  first in array 0 (linear.weight), float32[2,3], element [1, 2] (5)",
        "    A: 0x3f800000 = 1.0",
        "    B: 0x3f800001 = 1.0000001",
        "    apart: 1 ulp",
        "    1 elements differ, at most 1 apart",
        "  before it:",
        f"    step SGD.step float32[2,3] digest {'00' * 16} train.py:20",
        "guess: a sum was taken in another order: a race between threads, or another number of "
        "them",
        "  evidence: the results are 1 ulp apart and all events before are equal",
        "  to confirm or cure: run once with OMP_NUM_THREADS=1: if the runs are equal then, it is "
        "the threads",
    ]


def test_json_holds_everything(tmp_path: Path) -> None:
    """For machines: verdict, divergence, what was compared."""
    write_run(tmp_path / "a", first=[event("seed", op="random.seed", text="1")])
    write_run(tmp_path / "b", first=[event("seed", op="random.seed", text="2")])

    done = diff(tmp_path / "a", tmp_path / "b", "--json")
    content = json.loads(done.out)

    assert (done.status, content["verdict"]) == (1, "different")
    assert content["divergence"]["differs"] == ["text"]
    assert content["divergence"]["causes"][0]["guess"] is True
    assert content["compared"]["a"]["events"] == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [((step(0), True), (step(0), False)), ((None, True), (None, True)), ((step(0), False),) * 2],
)
def test_what_is_not_fully_traced_is_never_equal(
    tmp_path: Path, first: tuple[Event | None, bool], second: tuple[Event | None, bool]
) -> None:
    """Status 4 and why: a process was killed, or nothing was traced."""
    for name, (one, ended) in (("a", first), ("b", second)):
        write_process(tmp_path / name, [one] if one else [], ended=ended)

    done = diff(tmp_path / "a", tmp_path / "b")

    assert done.status == 4
    assert done.lines[0].startswith("INVALID: ")
    assert "did not come to its end" in done.out or "hold no events" in done.out


def test_a_run_that_was_cut_is_not_called_different(tmp_path: Path) -> None:
    """It shows where, and does not tell what it can't know."""
    write_process(tmp_path / "a", [step(0), step(1)])
    write_process(tmp_path / "b", [step(0)], ended=False)

    done = diff(tmp_path / "a", tmp_path / "b")

    assert done.status == 4
    assert "cut off here" in done.out
    assert "INVALID" in done.out


def test_what_a_terminated_worker_lost_is_not_called_a_difference(tmp_path: Path) -> None:
    """Equal, if nothing is missing, with the number of such workers; else not to be told."""
    task = event("place", text="task.0.0")
    for name, events in (("a", [op(0), op(0)]), ("b", [op(0)]), ("c", [op(0)])):
        write_process(tmp_path / name, [task, *events], place="pool.0.0", ended=False)

    equal = diff(tmp_path / "b", tmp_path / "c")
    lost = diff(tmp_path / "a", tmp_path / "b")

    assert equal.status == 0
    assert "1 workers were terminated by their pool" in equal.out
    assert lost.status == 4
    assert "INVALID" in lost.out


@pytest.mark.parametrize("slug", ["unreadable-trace", "not-comparable"])
def test_bad_input_ends_with_78(tmp_path: Path, slug: str) -> None:
    """One line on stderr, as everywhere."""
    write_process(tmp_path / "a", [step(0)])
    if slug == "not-comparable":
        write_process(tmp_path / "b", [step(0)], mode="step")

    done = diff(tmp_path / "a", tmp_path / "b")

    assert (done.status, done.out, done.err.count("\n")) == (78, "", 1)
    assert done.err.endswith(f"[docs/messages.md#{slug}]\n")


def test_what_is_not_there_is_not_said_to_hold_no_trace(tmp_path: Path) -> None:
    """The name is wrong then, and no run has to be made again; an empty folder is told apart."""
    write_process(tmp_path / "a", [step(0)])
    (tmp_path / "empty").mkdir()

    gone = diff(tmp_path / "a", tmp_path / "gone")
    empty = diff(tmp_path / "a", tmp_path / "empty")

    assert (gone.status, empty.status) == (78, 78)
    assert "gone is not there; allowed: " in gone.err and "REPRO_TRACE=step" not in gone.err
    assert "empty holds no trace; allowed: " in empty.err


def test_folders_of_a_run_and_of_a_replay_are_taken(tmp_path: Path) -> None:
    """Their reports lie below them."""
    write_process(tmp_path / "run-a" / "reports", [step(0)])
    write_process(tmp_path / "again" / "run" / "reports", [step(0, digest="other")])

    assert diff(tmp_path / "run-a", tmp_path / "again").status == 1


@pytest.mark.parametrize("arguments", [[], ["a"], ["a", "b", "--context", "-1"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    """As argparse has it."""
    assert diff(*arguments).status == 2


def test_nothing_in_a_trace_moves_the_cursor(tmp_path: Path) -> None:
    """What strangers' programs wrote is shown with its control characters replaced."""
    for name, text in (("a", "\x1b[2J1"), ("b", "\x1b[2J2")):
        write_run(tmp_path / name, first=[event("seed", op="x\ny", text=text)])

    done = diff(tmp_path / "a", tmp_path / "b")

    assert done.status == 1
    assert "\x1b" not in done.out
    assert "?[2J1" in done.out


def test_reading_a_trace_takes_no_memory_of_its_size(tmp_path: Path) -> None:
    """200 000 events, 30 MB, are compared within 20 MB more than two events are."""
    done = python(
        str(REPOSITORY / "benchmarks" / "trace_memory.py"), "--events", "200000", "--json",
        cwd=tmp_path,
    )  # fmt: skip
    found = done.json()

    assert found["index"] == found["planted"]
    assert found["bytes"] > 25e6
    assert found["growth_mib"] < 20
    assert found["peak_mib"] < 200
