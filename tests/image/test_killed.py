"""What is left of a sealed run in a container when its seedlock is ended from outside: nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from seedlock.evaluation.sealing import docker, supervisor
from tests.evaluation.sealing import killed
from tests.image import engine
from tests.image.test_check import SUBMISSION

RUN = ("run", "--seed", "7", "--record", "r.json", "--sealed", "--limit", "memory=256m")


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path, image: str) -> Path:
    """A folder with a program that waits, as a submission."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for each in (tmp_path, folder):
        each.chmod(0o755)
    (folder / "train.py").write_text(killed.WAITS)
    (folder / "submission.toml").write_text(SUBMISSION)
    (folder / "Dockerfile").write_text(f"FROM {image}\n")
    return folder


def started(folder: Path, image: str) -> subprocess.Popen[bytes]:
    """Start a sealed run in a container."""
    words = (*RUN, "--container", image, "--", "python", "train.py")
    begun = folder / "r" / "run" / "output" / "begun"
    return killed.start(folder, *words, begun=begun, DOCKER=engine.client())


def containers(process: subprocess.Popen[bytes]) -> list[str]:
    """Return the containers that a process of seedlock's made, in whatever state."""
    shown = f'{{{{.ID}}}} {{{{.Label "{supervisor.LABEL}"}}}}'
    lines = engine.docker(
        "ps", "--all", f"--filter=label={supervisor.LABEL}", "--format", shown
    ).stdout.splitlines()
    return [line.split()[0] for line in lines if line.split()[1].split(":")[2] == str(process.pid)]


def wait_for_the_end(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process's containers are gone."""
    end = time.monotonic() + killed.LONG
    while containers(process) and time.monotonic() < end:
        time.sleep(0.1)
    assert containers(process) == []


def test_a_killed_seedlock_leaves_no_container(folder: Path, image: str) -> None:
    """KILL, which nobody can catch; the record says that it goes on, and so proves nothing."""
    process = started(folder, image)
    assert len(containers(process)) == 1

    process.kill()
    process.wait()

    wait_for_the_end(process)
    assert json.loads((folder / "r.json").read_text())["status"] == "running"


def test_what_nobody_watches_is_found_by_its_label(folder: Path, image: str) -> None:
    """The watcher was killed too, as with a whole control group; the next sealed run removes the
    container, and no container of a seedlock that lives."""
    process = started(folder, image)
    other = engine.docker(
        "create", "--label", f"{supervisor.LABEL}={supervisor.identity()}", image, "true"
    ).stdout.strip()
    try:
        for pid in (*killed.children(process.pid), process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()
        assert len(containers(process)) == 1

        docker.remove_abandoned(engine.client())

        assert containers(process) == []
        assert engine.docker("inspect", "--format={{.Id}}", other).stdout.strip() == other
    finally:
        engine.docker("rm", "--force", other)


def test_an_interrupted_check_leaves_nothing(folder: Path) -> None:
    """Ctrl-C during a run: status 130, no container, no points and no page."""
    checked = folder.parent / "checked"
    process = killed.start(
        folder, "check", ".", "--output", str(checked),
        begun=checked / "A-1" / "run" / "output" / "begun", DOCKER=engine.client(),
    )  # fmt: skip
    assert len(containers(process)) == 1

    process.send_signal(signal.SIGINT)

    assert process.wait() == 130
    assert containers(process) == []
    record = json.loads((checked / "A-1.json").read_text())
    assert record["outcome"]["class"] == "interrupted"
    assert not (checked / "check.html").exists()


def test_an_interrupted_build_ends(folder: Path) -> None:
    """Ctrl-C during the build, said to seedlock alone: the engine's client ends too."""
    with (folder / "Dockerfile").open("a") as file:
        file.write("RUN echo be''gun && sleep 600\n")
    checked = folder.parent / "checked"
    printed = checked / "build.txt"
    process = killed.start(
        folder, "check", ".", "--output", str(checked), begun=printed, DOCKER=engine.client()
    )
    while "begun" not in printed.read_text():
        assert process.poll() is None
        time.sleep(0.05)
    started_by = killed.children(process.pid)
    below = [each for pid in started_by for each in killed.children(pid)]
    assert below

    process.send_signal(signal.SIGINT)

    assert process.wait() == 130
    assert not [pid for pid in (*started_by, *below) if Path(f"/proc/{pid}").exists()]
