"""Sealed runs in containers: what a program tries, what comes of it, and what the engine says."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from seedlock.errors import NotSealed
from seedlock.evaluation import runs
from seedlock.evaluation.container_engine import Image, look_up
from seedlock.evaluation.runs import FINISHED, LIMITED, TIMED_OUT
from seedlock.evaluation.sealing import docker, guarantees, inspection, sealed
from seedlock.evaluation.sealing.sealed import Sealed
from tests.evaluation.sealing.course import Course
from tests.image import engine

PYTHON = "/usr/bin/python3"

STUBBORN = "import signal\nsignal.signal(15, signal.SIG_IGN)\n"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "LOOK", 0.0)
    monkeypatch.setattr(sealed, "WEIGH", 0.0)
    monkeypatch.setattr(runs, "GRACE", 0.2)


@pytest.fixture(name="base")
def base_fixture(image: str) -> Image:
    """What the engine knows of the image."""
    return look_up({**os.environ, "DOCKER": engine.client()}, image)


def left_over(made: Sealed) -> list[str]:
    """Return containers of a sealed run that are there, in whatever state."""
    wanted = (f"--filter=label={docker.LABEL}", f"--filter=name={made.order.name}")
    return engine.docker("ps", "--all", *wanted, "--format={{.Names}}").stdout.split()


def test_each_promise_is_tried(base: Image, tmp_path: Path) -> None:
    """What is promised is refused, each in its way, and the engine says the same."""
    course = Course(tmp_path, base)

    made, result = course.attempts(PYTHON)

    assert result["network"] == {
        "address": "ENETUNREACH", "name": "gaierror", "loopback": "ECONNREFUSED",
        "abstract": "ECONNREFUSED", "raw": "EPERM", "interfaces": ["lo"],
    }  # fmt: skip
    allowed = {"/output/x", "/reports/x", "/tmp/x", "/dev/shm/x", "/tmp/home/x"}
    written = result["written"]
    assert {place for place, came in written.items() if came == "written"} == allowed
    refused = {place: came for place, came in written.items() if place not in allowed}
    assert refused.pop("/dev/x") in ("EACCES", "EROFS")
    assert set(refused.values()) == {"EROFS"}
    assert (result["device"], result["too large"]) == ("EPERM", "EFBIG")
    read = result["read"]
    assert (read["secret"], read["home"], read["own home"]) == ("ENOENT", "ENOENT", ["x"])
    assert (read["data"], read["source"]) == ("digits", "source")
    assert not {"API_TOKEN", "MXNET_SECRET", "EDITOR"} & set(result["variables"])
    assert (result["kill"], result["processes"] < 8) == ("ESRCH", True)
    rights = result["rights"]
    assert rights.pop("ptrace") == "done"  # of its own children only; it sees no others
    assert set(rights.values()) == {"EPERM"}, rights
    status = result["status"]
    assert int(status.pop("Uid")) != 0
    assert {int(status.pop(name), 16) for name in list(status) if name.startswith("Cap")} == {0}
    assert status == {"NoNewPrivs": "1", "Seccomp": "2"}
    assert max(result["temporary"]) <= 128 << 20
    count, error = result["forks"]
    assert (error, 20 < count < 40) == ("EAGAIN", True)
    assert guarantees.lacking(made.guarantees()) == []
    hit = made.limit_hit()
    assert hit is not None and hit.limit == "processes"
    assert left_over(made) == []


def test_memory_runs_out(base: Image, tmp_path: Path) -> None:
    """The kernel ends one of several processes that take too much together; that is a limit, also
    where the program goes on."""
    program = (
        "import os\nheld = bytearray(b'x') * (100 << 20)\n"
        "if os.fork(): os.wait()\nelse: more = bytearray(b'x') * (200 << 20)"
    )
    course = Course(tmp_path, base)

    made = course.carry_out(PYTHON, "-Ic", program)

    assert course.run is not None and course.run.status == LIMITED
    hit = made.limit_hit()
    assert hit is not None and hit.limit == "memory"
    assert guarantees.lacking(made.guarantees()) == []
    assert left_over(made) == []


def test_time_and_disk_run_out(base: Image, tmp_path: Path) -> None:
    """One that does not hear TERM is killed and removed; what held is known all the same."""
    wait = "open('/output/gathered', 'w')\nwhile True: signal.pause()"
    write = "for n in range(9): open(f'/output/{n}', 'wb').write(bytes(1 << 20))\nsignal.pause()"
    for name, program, status in (("time", wait, TIMED_OUT), ("disk", write, LIMITED)):
        (tmp_path / name).mkdir()
        course = Course(tmp_path / name, base)

        made = course.carry_out(PYTHON, "-Ic", STUBBORN + program, out_of_time=True, time="10m")

        assert course.run is not None
        assert course.run.status == status, course.run.last_lines()
        assert guarantees.lacking(made.guarantees()) == []
        assert left_over(made) == []
        if status == LIMITED:
            hit = made.limit_hit()
            assert hit is not None and hit.limit == "disk"


def test_a_container_that_never_starts(base: Image, tmp_path: Path) -> None:
    """No promise is called kept of what was not there."""
    course = Course(tmp_path, base)
    order = course.order([PYTHON], {}, {})
    made = docker.seal(base, replace(order, readable=()), os.environ)
    words = ["--entrypoint", "/no-such-program"]
    at = made.argv.index(base.digest)

    ended = subprocess.run(
        made.argv[:at] + words + made.argv[at:], capture_output=True, check=False
    )
    made.close(ended.returncode, "")

    assert guarantees.lacking(made.guarantees()) == list(guarantees.PROMISES)
    assert left_over(made) == []


def test_a_weakened_container_is_found_out(base: Image, tmp_path: Path) -> None:
    """What was changed behind seedlock's back is not called kept; asked of real containers."""
    course = Course(tmp_path, base)
    order = course.order(["true"], {}, {})
    made = docker.seal(base, order, os.environ)
    at = made.argv.index(base.digest)
    weakened: dict[str, list[str]] = {
        "network": [],
        "memory": ["--memory-swap", "1g"],
        "processors": ["--cpus", "0.5", "--cpuset-cpus", ""],
        "processes": ["--pids-limit", "0"],
        "home": ["--env", f"HOME={course.home}"],
        "environment": ["--env", "API_TOKEN=1"],
        "capabilities": ["--cap-add", "SYS_PTRACE"],
        "seccomp": ["--security-opt", "seccomp=unconfined"],
        "reads": ["--volume", f"{course.home}:/x:ro"],
        "root_read_only": ["--read-only=false"],
    }
    about = docker.information(base.client)
    for promise, words in weakened.items():
        kept = made.argv[2:at]
        if promise == "network":  # which is named once only
            kept = ["bridge" if word == "none" and before == "--network" else word
                    for before, word in zip(["", *kept], kept, strict=False)]  # fmt: skip
        argv = [base.client, "create", *kept, *words, *made.argv[at:]]
        subprocess.run(argv, check=True, capture_output=True)
        inspected = engine.docker("container", "inspect", order.name).stdout
        engine.docker("rm", "--force", "--volumes", order.name)
        (order.folder / docker.ID_FILE).unlink()

        found = inspection.seen(made.expected, about, *json.loads(inspected))

        assert promise in guarantees.lacking(found), promise
    assert set(guarantees.PROMISES) - set(weakened) == {"time"}


def test_an_engine_that_is_not_there(base: Image, tmp_path: Path) -> None:
    """The run is refused with a line; nothing was started."""
    course = Course(tmp_path, replace(base, client="/bin/false"))

    with pytest.raises(NotSealed, match=r"allowed: .*#not-sealed"):
        course.carry_out(PYTHON)


def test_seedlock_is_in_force_inside(base: Image, tmp_path: Path) -> None:
    """A framework runs in a sealed container under the seed and leaves its report."""
    course = Course(tmp_path, base)
    program = "import torch; print(torch.compiler is not None, torch.randn(3).sum().item())"

    made = course.carry_out(
        "python", "-c", program, memory="2g", processes="512", disk="1g",
        variables={"REPRO_SEED": "7", "REPRO_REPORT": "/reports"},
    )  # fmt: skip

    assert course.run is not None
    assert course.run.status == FINISHED, course.run.last_lines()
    assert guarantees.lacking(made.guarantees()) == []
    assert len(list((course.folder / "reports").glob("*.json"))) == 1


TAKES = """
import json, os, resource, subprocess, time
subprocess.run(["sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"])
with open("/tmp/held", "wb") as file: file.write(bytes(90 << 20))
held = bytearray(b"x") * (60 << 20)
used = sum(resource.getrusage(each)[:2][n] for n in (0, 1)
           for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps([used, sorted(os.sched_getaffinity(0))]))
open("/output/gathered", "w").close()
while not os.path.exists("/output/gathered.seen"): time.sleep(0.05)
"""


def test_what_it_takes_is_counted_and_its_processors_are_its_own(
    base: Image, tmp_path: Path
) -> None:
    """By the kernel: of a shell that leaves no report, and of files in memory; as many processors
    are seen as were allowed, and another run at the same time starts on others."""
    course = Course(tmp_path, base)
    (tmp_path / "other").mkdir()
    other = docker.seal(base, Course(tmp_path / "other", base).order(["true"], {}, {}), os.environ)
    try:
        made = course.carry_out(PYTHON, "-Ic", TAKES, processors="1", disk="1g")
    finally:
        other.close(None, "")

    assert course.run is not None and course.run.status == FINISHED
    used, processors = json.loads((course.folder / "stdout.txt").read_text())
    taken = made.taken()
    assert taken is not None
    # The groups count in hundredths, and a little later than the program itself.
    assert taken.user + taken.system > used - 0.05
    assert 150 << 20 < taken.peak <= 256 << 20
    assert made.processors is not None and other.processors is not None
    assert processors == made.processors.numbers and len(processors) == 1
    if len(os.sched_getaffinity(0)) > 1:
        assert made.processors.numbers != other.processors.numbers
    assert guarantees.lacking(made.guarantees()) == []
