"""`seedlock status`, as somebody says it."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seedlock import cli
from seedlock.evaluation.ledger.ledger import Ledger
from seedlock.evaluation.ledger.status_text import duration
from tests.evaluation.ledger.conftest import _template  # noqa: F401
from tests.evaluation.ledger.made import Clock, fill
from tests.interpreter import environment

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")


def made(folder: Path) -> Ledger:
    """Return a ledger in which one run is done, one failed, one runs, and three wait."""
    clock = Clock()
    ledger = Ledger.open(folder, clock=clock)
    fill(ledger, "one", "two\x1b[2J", seeds=3)
    for outcome in ("done", "author-failure"):
        (lease,) = ledger.lease("w", 10**9)
        ledger.begin(lease, "x")
        clock.move(90)
        ledger.finish(lease, outcome)
    (lease,) = ledger.lease("w", 10**9)
    ledger.begin(lease, "x")
    return ledger


def test_a_table_and_the_totals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line per submission; how much is done, and what is left."""
    made(tmp_path).close()

    assert cli.main(["status", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["submission", "done", "running", "queued", "failed", "retries"],
        ["one", "1", "1", "1", "0", "0"],
        ["two?[2J", "0", "0", "2", "1", "0"],
    ]
    assert re.fullmatch(
        r"round sample: 6 runs: 1 done, 1 running, 3 queued, 1 failed by the author's program; "
        r"about 5 min 15 s left, to \d{4}-\d\d-\d\d \d\d:\d\d UTC",
        lines[-1],
    )


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for programs."""
    with made(tmp_path) as ledger:
        expected = ledger.status().to_json()

    assert cli.main(["status", str(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    moving = {"time", "estimated_end"}
    assert {name: value for name, value in said.items() if name not in moving} == {
        name: value for name, value in expected.items() if name not in moving
    }
    assert said["submissions"][0]["counts"]["running"] == 1


def test_watching_ends_with_the_round(tmp_path: Path) -> None:
    """Without a terminal it prints a line per change, and the last one when all is done."""
    with made(tmp_path) as ledger:
        watching = subprocess.Popen(
            [SEEDLOCK, "status", str(tmp_path), "--watch", "--every", "0.01"],
            stdout=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
        assert watching.stdout is not None
        assert "1 done, 1 running, 3 queued" in watching.stdout.readline()
        ledger.finish(ledger.held()[0].lease, "limit")
        for lease in ledger.lease("w", 60, limit=9):
            ledger.finish(lease, "done")
        last = watching.stdout.read().splitlines()[-1]

    assert watching.wait() == 0
    assert last == (
        "round sample: 6 runs: 4 done, 0 running, 0 queued, 1 failed by the author's program, "
        "1 at a limit; complete"
    )


@pytest.mark.parametrize("terminal", [False, True])
def test_ctrl_c_is_clean(terminal: bool, tmp_path: Path) -> None:
    """Status 130 and no traceback, on a terminal too; the cursor is there again."""
    made(tmp_path).close()
    outer, inner = pty.openpty() if terminal else os.pipe()
    watching = subprocess.Popen(
        [SEEDLOCK, "status", str(tmp_path), "--watch", "--every", "60"],
        stdout=inner, stderr=subprocess.PIPE, env=environment(TERM="xterm", COLUMNS="100"),
    )  # fmt: skip
    os.close(inner)
    seen = b""
    while b"3 queued" not in seen:
        assert select.select([outer], [], [], 60)[0]
        seen += os.read(outer, 65536)
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=60)
    while True:
        try:
            part = os.read(outer, 65536)
        except OSError:  # what a terminal without its other end says
            break
        if not part:
            break
        seen += part
    os.close(outer)

    assert (watching.returncode, err) == (130, b"")
    assert b"Traceback" not in seen
    if terminal:
        assert b"two?[2J" in seen
        assert seen.rindex(b"\x1b[?25h") > seen.rindex(b"\x1b[?25l")


def test_a_wrong_time_between_looks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2 and one line."""
    assert cli.main(["status", str(tmp_path), "--watch", "--every", "0"]) == 2

    assert "--every '0'; allowed: a number of seconds above 0" in capsys.readouterr().err


def test_durations() -> None:
    """The largest two units."""
    said = [duration(each) for each in (0.2, 59, 60, 3661, 7200, 90000, 200000)]

    assert said == [
        "a second", "59 s", "1 min", "1 h 1 min", "2 h", "1 d 1 h", "2 d 7 h"
    ]  # fmt: skip
