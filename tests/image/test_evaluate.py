"""`seedlock evaluate` in containers of the image."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from seedlock.evaluation.engines.base import Unit, write_unit
from seedlock.evaluation.recording import source
from seedlock.evaluation.sealing.limits import Limits
from tests.evaluation.evaluating.made_round import ANOTHER, GOOD, SEEDLOCK, MadeRound, make
from tests.image import engine
from tests.interpreter import run

WAITING = """
import time
open("/output/up", "w").close()
time.sleep(600)
"""

ON_DOCKER = ("--engine", "docker")


def containers(made: MadeRound) -> list[str]:
    """Return the containers of a round's runs, and what they are of."""
    words = ("ps", "--all", "--format", '{{.ID}} {{.Label "org.seedlock.unit"}}')
    return [line for line in engine.docker(*words).stdout.splitlines() if str(made.folder) in line]


def family(leader: int) -> list[int]:
    """Return a process and all that descend from it now."""
    found = [leader]
    for pid in found:
        children = Path("/proc", str(pid), "task", str(pid), "children")
        try:
            found += [int(each) for each in children.read_text().split()]
        except OSError:
            continue
    return found


def test_a_round_in_containers(image: str, docker: str, tmp_path: Path) -> None:
    """The same ends as on the machine itself; a status that the engine fails with gets nobody
    another try, and nothing is left behind."""
    programs = {"good": GOOD, "again": "raise SystemExit(75)", "client": "raise SystemExit(125)"}
    made = make(tmp_path, programs, image=image, DOCKER=docker)

    done = made.evaluate(*ON_DOCKER)

    states = {name: [each[2] for each in ends] for name, ends in made.ends().items()}
    assert states == {
        "good": ["done", "done"],
        "again": ["author-failure"] * 2,
        "client": ["author-failure"] * 2,
    }
    record = made.record("good", 1)
    assert record["seed"] == made.seeds()[1]
    assert all(each["held"] for each in record["guarantees"].values())
    assert record["host"]["engine"] not in (None, "unknown")
    for seed in made.seeds():
        assert str(seed) not in done.err
    assert containers(made) == []
    made.verify()


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_killed_leaves_no_container(
    image: str, docker: str, tmp_path: Path, whole: bool
) -> None:
    """A container ends with its worker; where evaluation and worker are killed together, at the
    next start. Meanwhile nobody but the user sees the seed."""
    more = '[limits]\ntime = "3s"\n'
    made = make(tmp_path, {"mine": WAITING}, 1, 1, more, image, DOCKER=docker)
    evaluating = made.begin(*ON_DOCKER)
    up = made.folder / "runs" / "mine" / "0-1" / "run" / "output" / "up"
    end = time.monotonic() + 60
    while not up.exists():
        assert time.monotonic() < end and evaluating.poll() is None
        time.sleep(0.05)
    there = family(evaluating.pid)
    shown = b""
    for pid in there:
        with suppress(FileNotFoundError):  # a client of the engine's that has ended meanwhile
            shown += Path("/proc", str(pid), "cmdline").read_bytes()
    for pid in there if whole else there[2:3]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    evaluating.communicate(timeout=60)
    left = containers(made)
    made.evaluate(*ON_DOCKER)

    (seed,) = made.seeds()
    assert b"docker" in shown and str(seed).encode() not in shown
    assert len(left) == (1 if whole else 0)
    first = "interrupted" if whole else "infrastructure"
    assert made.ends()["mine"] == [(0, 1, first), (0, 2, "limit")]
    assert containers(made) == []
    made.verify()


def test_an_image_that_is_gone_is_no_authors_failure(
    image: str, docker: str, tmp_path: Path
) -> None:
    """The machine lacks what it should have: another attempt may do."""
    made = make(tmp_path, {"mine": ANOTHER}, image=image, DOCKER=docker)
    of = made.submissions["mine"]
    here = tmp_path / "runs"
    unit = Unit(
        "sample", f"sha256:{'0' * 64}", source.look(of).digest, "mine", str(of), 0, 1, 7, "strict",
        Limits().as_dict(), str(here / "0-1"), str(here / "0-1.json"),
        metrics=(("loss", "min", ""),), image=f"sha256:{'0' * 64}",
    )  # fmt: skip
    held = engine.docker("image", "inspect", "--format", "{{.Id}}", image).stdout.strip()
    gone = write_unit(tmp_path / "units", unit)
    there = write_unit(tmp_path / "units", replace(unit, image=held, attempt=2))

    lacking = run([SEEDLOCK, "unit", str(gone)], check=False, DOCKER=docker)
    having = run([SEEDLOCK, "unit", str(there)], check=False, DOCKER=docker)

    assert (lacking.status, having.status) == (75, 0)
    assert "No such image" in lacking.err
    assert gone.stat().st_mode & 0o777 == 0o600
