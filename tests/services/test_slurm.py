"""The engine slurm against a real Slurm of two nodes."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from seedlock.errors import NoSlurm
from seedlock.evaluation.engines.base import Ended, Unit
from seedlock.evaluation.engines.slurm import SlurmEngine
from seedlock.evaluation.engines.slurm_commands import Client, Row, Site
from seedlock.evaluation.evaluating.session import Options, evaluate
from tests.evaluation.evaluating.made_round import GOOD, MadeRound, make
from tests.services.slurm import Slurm, processes

SITE = Site(look=0.05, ask=0.3, shown=1.0)

WAITING = """
import os, time, seedlock
with open(os.environ["REPRO_OUTPUT"] + "/up", "a") as file:
    file.write("up")
seedlock.log_metric("loss", 1.0)
while not os.path.exists(os.environ.get("GO", "/nowhere")):
    time.sleep(0.02)
"""

PROGRAMS = {
    "good": GOOD,
    "failing": "raise SystemExit(42)",
    "again": "raise SystemExit(75)",
    "slow": "import time; time.sleep(600)",
    "waiting": WAITING,
}


@pytest.fixture(name="made", scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> MadeRound:
    return make(tmp_path_factory.mktemp("round"), PROGRAMS)


@pytest.fixture(name="engine")
def _engine(slurm: Slurm, tmp_path: Path) -> Iterator[SlurmEngine]:
    engine = SlurmEngine(100, slurm.environ, tmp_path / "runs", SITE)
    yield engine
    engine.close()

    assert not left_over(tmp_path / "runs")


@pytest.fixture(name="unit")
def _unit(made: MadeRound, tmp_path: Path) -> Callable[..., Unit]:
    from seedlock.evaluation.recording import source
    from seedlock.evaluation.sealing.limits import Limits

    def unit(name: str, index: int = 0, seconds: float = 60.0, seed: int = 7) -> Unit:
        output = tmp_path / "runs" / name / f"{index}-1"
        folder = made.submissions[name]
        return Unit(
            "sample", f"sha256:{'0' * 64}", source.look(folder).digest, name, str(folder), index,
            1, seed, "strict", Limits(2**30, 1.0, 512, seconds, 2**27).as_dict(), str(output),
            f"{output}.json", sealed=False, metrics=(("loss", "min", ""),),
        )  # fmt: skip

    return unit


def ends(engine: SlurmEngine, number: int, seconds: float = 60.0) -> dict[str, Ended]:
    """Return how so many units ended, by their titles."""
    found: dict[str, Ended] = {}
    end = time.monotonic() + seconds
    while len(found) < number:
        assert time.monotonic() < end, found
        found.update({each.unit.title: each for each in engine.poll(0.2)})
    return found


def up(engine: SlurmEngine, unit: Unit) -> None:
    """Wait until a unit's program runs."""
    path = Path(unit.output) / "run" / "output" / "up"
    end = time.monotonic() + 60
    while not path.exists():
        assert not engine.poll(0.05) and time.monotonic() < end


def left_over(runs: Path) -> list[Path]:
    """Return what the engine has left in its folder."""
    return [path for path in (runs / ".slurm").rglob("*") if not path.is_dir()]


def wait(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def row_of(slurm: Slurm, where: str) -> Row:
    """Return what Slurm says of a unit, by the engine's id for it."""
    token, _, index = where.split()[1].rpartition("_")
    return Client(slurm.environ).rows([token])[token, int(index)]


def outcome(unit: Unit) -> dict[str, Any]:
    """Return the outcome in a unit's record."""
    content: dict[str, Any] = json.loads(Path(unit.record).read_text())["outcome"]
    return content


def test_an_array(slurm: Slurm, unit: Callable[..., Unit], tmp_path: Path) -> None:
    """Units become one array that Slurm throttles, and each way to end is read back; what the
    author's program ended with gets it no other try."""
    site = Site(throttle=2, look=0.05, ask=0.3)
    throttled = SlurmEngine(100, slurm.environ, tmp_path / "runs", site)
    units = [unit("good"), unit("failing"), unit("again"), unit("slow", seconds=0.5)]
    wheres = [throttled.start(each) for each in units]
    throttled.poll()
    token = wheres[0].split()[1].rpartition("_")[0]
    shown = slurm.run("scontrol", "show", "job", "--oneliner")
    found = ends(throttled, 4)
    throttled.close()

    assert wheres == [f"slurm {token}_{index}" for index in range(4)]
    assert f"JobName={token}" in shown and "ArrayTaskThrottle=2" in shown
    assert [outcome(each)["class"] for each in units] == [
        "done", "author-failure", "author-failure", "limit"
    ], [outcome(each) for each in units]  # fmt: skip
    statuses = [found[each.title].exit_status for each in units]
    assert statuses == [0, 42, 42, 124]


def test_a_requeued_index(engine: SlurmEngine, slurm: Slurm, unit: Callable[..., Unit]) -> None:
    """`scontrol requeue` interrupts a run; the second start runs nothing and says what the first
    left."""
    waiting = unit("waiting")
    where = engine.start(waiting)
    up(engine, waiting)
    job = row_of(slurm, where).job
    slurm.run("scontrol", "requeue", job)
    wait(lambda: row_of(slurm, where)[1:3] == ("PENDING", 1))
    # Slurm would wait until the first start's credential has expired.
    slurm.run("scontrol", "update", f"JobId={job}", "StartTime=now")
    wait(lambda: row_of(slurm, where).state == "FAILED")
    found = ends(engine, 1)[waiting.title]

    assert found.exit_status == 130
    assert outcome(waiting)["class"] == "interrupted"
    assert (Path(waiting.output) / "run" / "output" / "up").read_text() == "up"


def test_stopping(engine: SlurmEngine, slurm: Slurm, unit: Callable[..., Unit]) -> None:
    """One under way is interrupted, and one that had not begun ends at once."""
    waiting, never = unit("waiting"), unit("waiting", 1)
    engine.start(waiting)
    up(engine, waiting)
    engine.start(never)
    engine.stop(never, at_once=False)
    engine.stop(waiting, at_once=False)
    found = ends(engine, 2)

    assert {each.exit_status for each in found.values()} == {130}
    assert outcome(waiting)["class"] == "interrupted"
    assert not Path(never.record).exists()


def test_a_cancelled_index(engine: SlurmEngine, slurm: Slurm, unit: Callable[..., Unit]) -> None:
    """What somebody cancels in Slurm was interrupted, also before it began."""
    slurm.run("scontrol", "update", "PartitionName=main", "State=DOWN")
    try:
        where = engine.start(unit("good"))
        engine.poll()
        slurm.run("scancel", f"--name={where.split()[1].rpartition('_')[0]}")
        found = ends(engine, 1)["good/0-1"]
    finally:
        slurm.run("scontrol", "update", "PartitionName=main", "State=UP")

    assert found.exit_status == 130
    assert "CANCELLED" in found.note


def test_what_slurm_refuses(slurm: Slurm, unit: Callable[..., Unit], tmp_path: Path) -> None:
    """Slurm's own words come in one line, and no unit is left on the disk."""
    engine = SlurmEngine(1, slurm.environ, tmp_path / "runs", Site(("--partition=gold",)))
    engine.start(unit("good"))
    (found,) = engine.poll()
    with pytest.raises(OSError, match=r"sbatch says: .*invalid partition") as refused:
        engine.start(unit("good"))
    engine.close()

    assert found.exit_status == 130 and found.note == str(refused.value)
    assert "\n" not in found.note
    assert not list((tmp_path / "runs").rglob("*.json"))


@pytest.mark.usefixtures("slurm")
def test_a_controller_that_is_away(unit: Callable[..., Unit], tmp_path: Path) -> None:
    """A unit that ends is seen; one that is to begin waits, and can be stopped; nobody waits for
    ever."""
    go = tmp_path / "go"
    waiting, later = replace(unit("waiting"), variables={"GO": str(go)}), unit("waiting", 1)
    slurm = Slurm()
    try:
        engine = SlurmEngine(100, slurm.environ, tmp_path / "runs", replace(SITE, retry=0.5))
        engine.start(waiting)
        up(engine, waiting)
        slurm.stop_controller()
        go.touch()
        engine.start(later)
        first = ends(engine, 1)
        engine.stop(later, at_once=False)
        second = engine.poll()
        engine.close()
    finally:
        slurm.stop()

    assert first[waiting.title].exit_status == 0
    assert [(each.unit, each.exit_status) for each in second] == [(later, 130)]
    assert not left_over(tmp_path / "runs")


def test_no_slurm(tmp_path: Path) -> None:
    """A machine without Slurm is told so."""
    with pytest.raises(NoSlurm, match="no sbatch on PATH"):
        SlurmEngine(1, {"PATH": str(tmp_path)}, tmp_path)


def options(made: MadeRound, **more: Any) -> Options:
    """Return what `seedlock evaluate --engine slurm --unsealed` asks for."""
    return Options(
        made.folder, tuple(made.submissions.values()), None, "slurm", None, (), frozenset(), False,
        (), more.pop("site", SITE), **more,
    )  # fmt: skip


def test_evaluating(slurm: Slurm, tmp_path: Path) -> None:
    """A round on Slurm; nothing that Slurm or the system shows of its jobs has a seed."""
    made = make(tmp_path, {"good": GOOD, "failing": "raise SystemExit(42)"})
    shown: list[str] = []
    done = threading.Event()

    def look() -> None:
        shown.append(slurm.run("scontrol", "show", "job", "--oneliner", check=False))
        shown.append(slurm.run("squeue", "--states=all", "--Format=ALL", check=False))
        shown.append(slurm.run("ps", "-eo", "args"))
        for pid, _, variables in processes():
            # A run's own environment has its seed, and only its user reads that.
            if "SLURM_JOB_ID" in variables:
                shown.append(f"{pid} {variables}")

    def keep_looking() -> None:
        while not done.wait(0.1):
            look()

    looking = threading.Thread(target=keep_looking)
    looking.start()
    try:
        ended = evaluate(options(made), slurm.environ, Console(quiet=True))
    finally:
        done.set()
        looking.join()
    look()

    assert ended.status.counts["done"] == 2 and ended.status.counts["author-failure"] == 2
    made.verify()
    everything = "\n".join(shown)
    assert "seedlock-" in everything
    assert not [seed for seed in made.seeds() if str(seed) in everything]
    places = [each["content"]["where"] for each in made.events("running")]
    assert len(places) == 4 and all(each.startswith("slurm seedlock-") for each in places)
    assert not left_over(made.folder / "runs")


def test_a_node_whose_daemon_dies(slurm: Slurm, tmp_path: Path) -> None:
    """Slurm queues the run again, which ends the attempt for no fault of the author's, and another
    one follows, as the ledger says. The first's program goes on where nobody can reach it; what it
    comes to later does not count."""
    made = make(tmp_path, {"waiting": WAITING}, seeds=1)
    runs = made.folder / "runs" / "waiting"
    killed: list[str] = []

    def kill() -> None:
        wait((runs / "0-1" / "run" / "output" / "up").exists)
        killed.extend(slurm.run("squeue", "--noheader", "--states=R", "--format=%N").split())
        slurm.kill_node(killed[0], daemon_only=True)
        wait((runs / "0-2" / "run" / "output" / "up").exists)
        (tmp_path / "go").touch()

    environ = {**slurm.environ, "GO": str(tmp_path / "go")}
    killing = threading.Thread(target=kill)
    killing.start()
    try:
        evaluate(options(made), environ, Console(quiet=True))
        wait(lambda: not made.left())
    finally:
        killing.join()
        slurm.start_node(killed[0])
        wait(lambda: slurm.state(killed[0]) == "idle")

    first, second = made.events("ended")
    assert first["content"]["class"] == "infrastructure"
    (reason,) = first["content"]["reasons"]
    assert "queued it again" in reason and killed[0] in reason
    assert second["attempt"] == 2 and second["content"]["class"] == "done"
    assert [path.name for path in runs.glob("*.json*")] == ["0-2.json"]
    made.verify()


def test_an_evaluation_that_is_killed(slurm: Slurm, tmp_path: Path) -> None:
    """The next one cancels its jobs first, and what came to its end in between counts."""
    made = make(tmp_path, {"waiting": WAITING, "good": GOOD}, seeds=1)
    environ = {**slurm.environ, "GO": str(tmp_path / "go")}
    evaluating = subprocess.Popen(
        made.words("--engine", "slurm", "--unsealed"), env=environ, stderr=subprocess.DEVNULL
    )
    wait((made.folder / "runs" / "waiting" / "0-1" / "run" / "output" / "up").exists)
    evaluating.kill()
    evaluating.wait()
    wait((made.folder / "runs" / "good" / "0-1.json").exists)
    (tmp_path / "go").touch()
    ended = evaluate(options(made), environ, Console(quiet=True))

    assert [each[1:] for each in made.ends()["good"]] == [(1, "done")]
    assert ended.status.counts["running"] == ended.status.counts["queued"] == 0
    assert not slurm.run("squeue", "--noheader").strip()
    assert not made.left() and not left_over(made.folder / "runs")
    made.verify()


def test_ctrl_c(slurm: Slurm, tmp_path: Path) -> None:
    """Jobs are cancelled, their runs queued again, and nothing is left behind."""
    made = make(tmp_path, {"waiting": WAITING}, seeds=2)
    evaluating = subprocess.Popen(
        made.words("--engine", "slurm", "--unsealed"), env=slurm.environ, stderr=subprocess.DEVNULL
    )
    wait((made.folder / "runs" / "waiting" / "0-1" / "run" / "output" / "up").exists)
    evaluating.send_signal(signal.SIGINT)

    assert evaluating.wait(60) == 130
    assert not slurm.run("squeue", "--noheader").strip()
    assert not made.left()
    assert not left_over(made.folder / "runs")
