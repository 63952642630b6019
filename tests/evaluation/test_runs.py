"""runs.py, watching.py, process_groups.py, container_engine.py: whatever a run starts ends with it.

Programs say through files how far they are; nothing waits for a time to pass but for the kernel.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from seedlock.evaluation import container_engine, process_groups, runs, watching
from seedlock.evaluation.runs import FAILED, FINISHED, INTERRUPTED, TIMED_OUT, Run
from seedlock.evaluation.watching import Interruption, watch

STUBBORN = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
for way in ("child", "session", "orphan"):
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if way != "child":
            os.setsid()
        if way == "orphan" and os.fork():
            os._exit(0)
        if way == "orphan":
            # Without a trace of the run in its environment.
            os.execve(sys.executable, [sys.executable, "-c", f'''
import os, pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path({str(folder / way)!r}).write_text(str(os.getpid()))
while True: time.sleep(60)'''], {})
        (folder / way).write_text(str(os.getpid()))
        while True:
            time.sleep(60)
while len(list(folder.iterdir())) < 3:
    time.sleep(0.01)
(folder / "ready").touch()
if len(sys.argv) > 2:
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "DRAIN", 0.2)
    monkeypatch.setattr(runs, "GRACE", 0.2)


def made(folder: Path, *argv: str, timeout: float | None = None, name: str = "A-1") -> Run:
    """Return a run in a folder that is there."""
    place = folder / name
    place.mkdir(parents=True)
    return Run(name, 7, place, list(argv), dict(os.environ), timeout)


def carried_out(*planned: Run, jobs: int = 1, stop_when: Path | None = None) -> list[str]:
    """Carry out runs; interrupt them once `stop_when` is there. Return the order of starts."""
    started: list[str] = []

    def show(_: Sequence[Run]) -> None:
        if stop_when is not None and stop_when.exists() and not interruption.count:
            os.kill(os.getpid(), signal.SIGINT)

    with Interruption() as interruption:
        watch(
            planned,
            jobs,
            interruption,
            show,
            lambda run: started.append(run.name),
            lambda run: run.status == FINISHED,
        )
    return started


def lives(pid: int) -> bool:
    """Tell whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def pids(folder: Path) -> list[int]:
    """Return the process ids that programs wrote down."""
    return [int(path.read_text()) for path in folder.iterdir() if path.name != "ready"]


def test_a_run_that_ends_well(tmp_path: Path) -> None:
    """Its output lies in files, it leads its own session, and reads nothing."""
    code = "import os, sys; print(os.getsid(0) == os.getpid(), repr(sys.stdin.read()))"
    run = made(tmp_path, sys.executable, "-c", code)

    carried_out(run)

    assert (run.status, run.exit_status) == (FINISHED, 0)
    assert (run.folder / "stdout.txt").read_text() == "True ''\n"
    assert run.seconds > 0


@pytest.mark.parametrize(("code", "status"), [("exit(3)", 3), ("import os; os.kill(0, 9)", -9)])
def test_a_run_that_fails(code: str, status: int, tmp_path: Path) -> None:
    """Its exit status or signal is known, and no further run is started."""
    run = made(tmp_path, sys.executable, "-c", code)
    later = made(tmp_path, sys.executable, "-c", "", name="A-2")

    started = carried_out(run, later)

    assert (run.status, run.exit_status) == (FAILED, status)
    assert started == ["A-1"]


def test_a_command_that_can_not_start(tmp_path: Path) -> None:
    """It failed, and stderr says why."""
    run = made(tmp_path, str(tmp_path))

    carried_out(run)

    assert run.status == FAILED
    assert "Permission denied" in run.last_lines()[0]


def test_no_process_survives_its_run(tmp_path: Path) -> None:
    """Children that ignore TERM, that left the session, and that left their parents too, end when
    the first process has ended by itself; what had to be ended is named."""
    marks = tmp_path / "marks"
    marks.mkdir()
    run = made(tmp_path, sys.executable, "-c", STUBBORN, str(marks))

    carried_out(run)

    assert run.status == FINISHED
    assert len(pids(marks)) == 3
    assert not any(map(lives, pids(marks)))
    assert len(run.left_over) == 3
    assert run.survivors == []


def test_an_interrupt_ends_all_processes(tmp_path: Path) -> None:
    """Ctrl-C ends the runs under way with all that they started, and starts none further."""
    marks = tmp_path / "marks"
    marks.mkdir()
    run = made(tmp_path, sys.executable, "-c", STUBBORN, str(marks), "wait")
    later = made(tmp_path, sys.executable, "-c", "", name="A-2")

    started = carried_out(run, later, stop_when=marks / "ready")

    assert run.status == INTERRUPTED
    assert started == ["A-1"]
    assert not any(map(lives, pids(marks)))


def test_a_timeout_ends_all_processes(tmp_path: Path) -> None:
    """A run that takes too long is ended like one that was interrupted."""
    marks = tmp_path / "marks"
    marks.mkdir()
    run = made(tmp_path, sys.executable, "-c", STUBBORN, str(marks), "wait", timeout=1)

    carried_out(run)

    assert run.status == TIMED_OUT
    assert not any(map(lives, pids(marks)))


def test_jobs_run_beside_each_other(tmp_path: Path) -> None:
    """Two runs that wait for each other's sign end only together."""
    code = (
        "import pathlib, sys, time\n"
        "own, other = map(pathlib.Path, sys.argv[1:])\n"
        "own.touch()\n"
        "while not other.exists(): time.sleep(0.01)\n"
    )
    signs = [str(tmp_path / name) for name in "ab"]
    pair = [
        made(tmp_path, sys.executable, "-c", code, *order, name=name)
        for order, name in ((signs, "A-1"), (signs[::-1], "A-2"))
    ]

    carried_out(*pair, jobs=2)

    assert [run.status for run in pair] == [FINISHED, FINISHED]


def test_a_run_beside_one_that_failed_is_ended(tmp_path: Path) -> None:
    """Nobody waits an hour for a run that is of no use any more."""
    failing = made(tmp_path, sys.executable, "-c", "exit(1)")
    other = made(tmp_path, sys.executable, "-c", "import time; time.sleep(600)", name="A-2")

    carried_out(failing, other, jobs=2)

    assert (failing.status, other.status) == (FAILED, runs.ENDED)


def test_signals_are_ours_only_while_we_watch() -> None:
    """Afterwards Ctrl-C is Python's again."""
    before = [signal.getsignal(number) for number in watching.SIGNALS]
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGTERM)

    assert interruption.count == 1
    assert [signal.getsignal(number) for number in watching.SIGNALS] == before


def test_other_processes_are_left_alone() -> None:
    """Neither this one nor its parent belongs to a run that is none."""
    assert process_groups.living(2**22, "no such mark") == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_children_of_the_caller_are_left_alone(jobs: int, tmp_path: Path) -> None:
    """What the calling program started before is no run's: neither ended nor waited for."""
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    ended = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert {living.pid, ended.pid} <= process_groups.children()
    detached = "import os\nos.fork() or (os.setsid(), __import__('time').sleep(600))"

    first, second = (
        made(tmp_path, sys.executable, "-c", detached, name=name) for name in ("A-1", "B-1")
    )
    carried_out(first, second, jobs=jobs)

    assert [each.status for each in (first, second)] == [FINISHED, FINISHED]
    assert living.poll() is None
    assert ended.wait() == 3
    living.communicate(b"\n", timeout=30)
    assert living.returncode == 0


ENGINE = """#!{python}
import json, os, pathlib, signal, subprocess, sys, time
folder = pathlib.Path({folder!r})
words = sys.argv[1:]
with (folder / "log").open("a") as file:
    file.write(json.dumps(words) + "\\n")
if words[0] == "run":
    (folder / "asked").touch()
    while not (folder / "may start").exists():
        time.sleep(0.01)
    # A container outlives its client, as an engine's own do.
    container = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                                 start_new_session=True)
    (folder / "container.new").write_text(str(container.pid))
    (folder / "container.new").rename(folder / "container")
    sys.exit(container.wait())
elif words[0] in ("kill", "rm"):
    number = "KILL" if words[0] == "rm" else words[words.index("--signal") + 1]
    try:
        os.kill(int((folder / "container").read_text()), signal.Signals["SIG" + number])
    except (FileNotFoundError, ProcessLookupError):
        (folder / "may start").touch()
        sys.exit("Error: No such container: name")
"""


def in_container(folder: Path) -> Run:
    """Return a run of an engine whose containers never end by themselves."""
    client = folder / "docker"
    client.write_text(ENGINE.format(python=sys.executable, folder=str(folder)))
    client.chmod(0o755)
    place = folder / "A-1"
    place.mkdir()
    image = container_engine.Image(str(client), "image", "sha256:1", "1000")
    argv = container_engine.start(image, "name", {}, {place: "/output"}, ["python", "x.py"])
    return Run("A-1", 7, place, argv, dict(os.environ), None, (str(client), "name"))


def asked(folder: Path) -> list[list[str]]:
    """Return what the engine was asked for, in order."""
    return [json.loads(line) for line in (folder / "log").read_text().splitlines()]


def test_a_container_ends_with_its_run(tmp_path: Path) -> None:
    """It is told to end, killed and removed by its name: killing the client would leave it."""
    run = in_container(tmp_path)
    (tmp_path / "may start").touch()

    carried_out(run, stop_when=tmp_path / "container")

    assert run.status == INTERRUPTED
    assert not lives(int((tmp_path / "container").read_text()))
    assert ["kill", "--signal", "TERM", "name"] in asked(tmp_path)
    assert asked(tmp_path)[-1] == ["rm", "--force", "--volumes", "name"]


def test_a_container_that_is_still_being_made_ends_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client lives until the container is there, and is told again then."""
    monkeypatch.setattr(runs, "GRACE", 60.0)
    run = in_container(tmp_path)

    carried_out(run, stop_when=tmp_path / "asked")

    assert not lives(int((tmp_path / "container").read_text()))
    assert asked(tmp_path).count(["kill", "--signal", "TERM", "name"]) >= 2
