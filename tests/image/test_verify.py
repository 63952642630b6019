"""`seedlock verify --container`: runs in the image, started, compared and ended from outside."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.container_engine import Image, start
from tests.image import engine
from tests.image.tracked import TrackedContainer
from tests.interpreter import Done, environment, run

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")

TRAIN = """
import json, os, shutil, socket, torch
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    loss = model(torch.randn(8, 4)).pow(2).mean()
    optimizer.zero_grad(); loss.backward(); optimizer.step()
torch.save(model.state_dict(), os.environ["REPRO_OUTPUT"] + "/model.pt")
print(json.dumps({
    "ids": [os.getuid(), os.getgid()],
    "may write": os.access("/submission", os.W_OK),
    "links": [name for _, name in socket.if_nameindex()],
    "host": socket.gethostbyname(socket.gethostname()),
    "shared": shutil.disk_usage("/dev/shm").total,
    "variables": sorted(name for name in os.environ if name in ("SECRET", "REPRO_TRACE")),
    "home": os.access(os.path.expanduser("~"), os.W_OK),
}))
"""

WRITE = """
import json, os, random, time
with open(os.environ["REPRO_OUTPUT"] + "/metrics.json", "w") as file:
    json.dump({"loss": random.random() + CLOCK}, file)
"""
CLOCK = WRITE.replace("CLOCK", "time.time_ns() % 10**9")
CLEAN = WRITE.replace("CLOCK", "0")

STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(os.environ["REPRO_OUTPUT"] + "/ready", "w").close()
while True:
    time.sleep(60)
"""


def command(image: str, folder: Path, *words: str) -> list[str]:
    """Return a command line that verifies something in the image."""
    return [SEEDLOCK, "verify", "--container", image, "--output", str(folder / "runs"), *words]


def verify(image: str, folder: Path, *words: str, **variables: str) -> tuple[Done, dict[str, Any]]:
    """Verify something in the image; return what was printed and the result."""
    variables = {"DOCKER": engine.client(), **variables}
    done = run(command(image, folder, *words), cwd=folder, check=False, **variables)
    file = folder / "runs" / "verify.json"
    return done, json.loads(file.read_text()) if file.exists() else {}


def containers() -> list[str]:
    """Return the names of verify's containers that are there, in whatever state."""
    words = ("ps", "--all", "--filter=name=seedlock-verify", "--format={{.Names}}")
    return engine.docker(*words).stdout.split()


def test_a_mounted_program(image: str, recipe: engine.Recipe, tmp_path: Path) -> None:
    """The author's folder stands read-only where the image looks for it; the runs have no network,
    are not root's, leave whole records of the image's lock, and files that can be removed."""
    code = tmp_path / "a, b"
    code.mkdir()
    (code / "train.py").write_text(TRAIN)

    done, result = verify(
        image, tmp_path, "--mount", f"{code.name}:/submission", "--", "python", "train.py",
        SECRET="1",
    )  # fmt: skip

    assert done.status == 0, done.out + done.err
    assert result["image"]["name"] == image
    assert result["image"]["id"].startswith("sha256:")
    assert (result["comparisons"][0]["results"], result["comparisons"][0]["files"]) == (3, 1)
    first = tmp_path / "runs" / "A-1"
    inside = json.loads((first / "stdout.txt").read_text())
    user = 1000 if os.getuid() == 0 else os.getuid()
    assert inside == {
        "ids": [user, os.getgid() or 1000], "may write": False, "links": ["lo"],
        "host": "127.0.0.1", "shared": 2 << 30, "variables": ["REPRO_TRACE"], "home": True,
    }  # fmt: skip
    (report,) = (json.loads(path.read_text()) for path in first.glob("reports/*.json"))
    (trace,) = first.glob("reports/*.trace.jsonl")
    header = json.loads(trace.read_text().splitlines()[0])
    lock = (engine.ROOT / "version-lock" / recipe.constraints).read_bytes()
    assert report["lock"]["sha256"] == hashlib.sha256(lock).hexdigest()
    assert report["lock"]["drift"] == {}
    assert (header["algorithm"], header["cwd"]) == ("sha256", "/submission")
    assert containers() == []
    shutil.rmtree(tmp_path / "runs")


def test_a_clock_in_a_result(image: str, tmp_path: Path) -> None:
    """A clock's time in a result ends with status 1 and names the key."""
    done, result = verify(image, tmp_path, "--", "python", "-c", CLOCK)

    assert done.status == 1, done.out + done.err
    findings = result["comparisons"][0]["findings"]
    assert [(each["file"], each["where"]) for each in findings] == [("metrics.json", "loss")]


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["python", "-S", "-c", CLEAN], id="-S"),
        pytest.param(["sh", "-c", "date > /output/date"], id="no Python"),
        pytest.param(["env", "-u", "REPRO_SEED", "python", "-c", CLEAN], id="no seed"),
    ],
)
def test_what_bypasses_seedlock(image: str, tmp_path: Path, argv: list[str]) -> None:
    """Nothing is said of a run without a report, and no further one starts."""
    done, result = verify(image, tmp_path, "--", *argv)

    assert done.status == 4, done.out + done.err
    assert "no process left a report" in done.out
    assert [each["status"] for each in result["runs"]] == ["finished", "not started", "not started"]


def test_a_command_that_the_image_does_not_have(image: str, tmp_path: Path) -> None:
    """It is a failed run, with what the image said."""
    done, result = verify(image, tmp_path, "--", "no-such-command")

    assert (done.status, result["runs"][0]["exit_status"]) == (5, 127)
    assert "no-such-command: not found" in done.out


def test_a_timeout_leaves_no_container(image: str, tmp_path: Path) -> None:
    """One that does not hear TERM is killed, and removed."""
    done, result = verify(image, tmp_path, "--timeout", "2", "--", "python", "-c", STUBBORN)

    assert done.status == 5, done.out + done.err
    assert result["runs"][0]["status"] == "timed out"
    assert containers() == []


@pytest.mark.parametrize("moment", ["begins", "runs"])
def test_an_interrupt_leaves_no_container(image: str, tmp_path: Path, moment: str) -> None:
    """Ctrl-C ends a container that the engine still makes, and one that runs; twice means at
    once."""
    words = command(image, tmp_path, "--", "python", "-c", STUBBORN)
    process = subprocess.Popen(
        words, cwd=tmp_path, env=environment(DOCKER=engine.client()),
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert "A-1 (seed 7) running" in process.stderr.readline()
    ready = tmp_path / "runs" / "run" / "output" / "ready"
    while moment == "runs" and not ready.exists():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    if moment == "runs":
        process.send_signal(signal.SIGINT)
    process.communicate()

    assert process.returncode == 130
    assert containers() == []


def test_a_user_that_the_image_does_not_know(image: str, tmp_path: Path) -> None:
    """Under any ids a run is locked and traced, and what it writes belongs to them."""
    if os.getuid() != 0:
        pytest.skip(
            "only root can give folders away; the tests above run under the caller's own ids"
        )
    folders = {tmp_path / "output": "/output", tmp_path / "reports": "/reports"}
    for folder in folders:
        folder.mkdir()
        os.chown(folder, 12345, 54321)
    variables = {
        "REPRO_SEED": "7", "REPRO_REPORT": "/reports", "REPRO_TRACE": "step",
        "REPRO_OUTPUT": "/output",
    }  # fmt: skip
    words = start(
        Image(engine.client(), image, image, "12345:54321"), "seedlock-verify-user", variables,
        folders, ["python", "-c", TRAIN],
    )  # fmt: skip

    subprocess.run(words, check=True)

    written = [path for folder in folders for path in folder.iterdir()]
    assert sorted(path.suffix for path in written) == [".json", ".jsonl", ".pt"]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in written} == {(12345, 54321)}


def test_no_engine_answers(image: str, tmp_path: Path) -> None:
    """The engine's own words, status 2, and nothing is made."""
    done, _ = verify(image, tmp_path, "--", "python", DOCKER_HOST=f"unix://{tmp_path}/none")

    assert (done.status, done.out) == (2, "")
    assert "Cannot connect to the Docker daemon" in done.err
    assert [*tmp_path.iterdir()] == []


def test_verify_and_diff_in_the_image(container: TrackedContainer) -> None:
    """The organiser's half works there: the frameworks bring what it needs, or it would say so."""
    script = (
        'seedlock verify --output /output/runs -- python -c "$0" && '
        "seedlock diff /output/runs/A-1 /output/runs/A-2"
    )

    code = f"{CLEAN}import seedlock; seedlock.checkpoint('end', 1.0)"
    told = container.run("sh", "-c", script, code).stdout

    assert told.startswith("REPEATABLE")
    assert "EQUAL: 1 processes" in told
