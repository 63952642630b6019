"""bubblewrap.py: what a program tries in a sandbox, and what comes of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from seedlock.errors import NotSealed
from seedlock.evaluation import runs
from seedlock.evaluation.runs import FAILED, FINISHED, LIMITED
from seedlock.evaluation.sealing import guarantees, sealed
from tests.evaluation.sealing.course import Course

NOT_KEPT = ("memory", "processors")
"""What the kernel does not give a process without a control group of its own."""

HOG = """
import os, signal
for _ in range(4):
    if os.fork() == 0:
        held = bytearray(b"x") * (100 << 20)
        signal.pause()
signal.pause()
"""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "LOOK", 0.0)
    monkeypatch.setattr(sealed, "WEIGH", 0.0)
    monkeypatch.setattr(runs, "GRACE", 0.2)


def test_each_promise_is_tried(bwrap: str, tmp_path: Path) -> None:
    """What is promised is refused, each in its way, and the record says what is not promised."""
    course = Course(tmp_path)

    made, result = course.attempts(sys.executable, accept=NOT_KEPT)

    assert result["network"] == {
        "address": "ENETUNREACH", "name": "gaierror", "loopback": "ECONNREFUSED",
        "abstract": "ECONNREFUSED", "raw": "EPERM", "interfaces": ["lo"],
    }  # fmt: skip
    allowed = {"/output/x", "/reports/x", "/tmp/x", "/dev/shm/x", "/tmp/home/x"}
    written = result["written"]
    assert {place for place, came in written.items() if came == "written"} == allowed
    refused = {place: came for place, came in written.items() if place not in allowed}
    assert refused.pop("/proc/sys/kernel/hostname") in ("EACCES", "EROFS", "EPERM")
    assert set(refused.values()) == {"EROFS"}
    assert (result["device"], result["too large"]) == ("EPERM", "EFBIG")
    read = result["read"]
    assert (read["secret"], read["home"]) == ("ENOENT", "ENOENT")
    assert (read["data"], read["source"]) == ("digits", "source")
    assert set(result["variables"]) - {"LC_CTYPE"} == {  # which Python sets itself (PEP 538)
        "HOME", "LOGNAME", "OMP_NUM_THREADS", "PATH", "PWD", "REPRO_OUTPUT", "TMPDIR", "USER",
    }  # fmt: skip
    assert (result["kill"], result["processes"] < 8) == ("ESRCH", True)
    rights = result["rights"]
    # There is no root in its namespace, and what a process opened is not for others.
    assert (rights.pop("setuid"), rights.pop("chown")) == ("EINVAL", "EINVAL")
    assert rights.pop("setns") in ("EACCES", "EPERM")
    assert set(rights.values()) == {"EPERM"}, rights
    status = result["status"]
    assert int(status.pop("Uid")) != 0
    assert {int(status.pop(name), 16) for name in list(status) if name.startswith("Cap")} == {0}
    assert status == {"NoNewPrivs": "1", "Seccomp": "2"}
    assert max(result["temporary"]) <= 128 << 20
    count, error = result["forks"]
    assert (error, 20 < count < 40) == ("EAGAIN", True)
    assert guarantees.lacking(made.guarantees()) == list(NOT_KEPT)
    assert course.run is not None
    assert (course.run.status, made.limit_hit()) == (FINISHED, None)


def test_processes_that_take_too_much_together(bwrap: str, tmp_path: Path) -> None:
    """They are ended, and the run says for what."""
    course = Course(tmp_path)

    made = course.carry_out(sys.executable, "-Ic", HOG, accept=NOT_KEPT)

    assert course.run is not None and course.run.status == LIMITED
    hit = made.limit_hit()
    assert hit is not None and hit.limit == "memory"
    assert course.run.survivors == []


@pytest.mark.parametrize(
    ("program", "limit"),
    [
        ("held = bytearray(b'x') * (512 << 20)\nimport signal; signal.pause()", "memory"),
        ("import os\nwhile os.fork(): pass\nimport signal; signal.pause()", "processes"),
        ("import os\nfor n in range(9): open(f'/output/{n}', 'wb').write(bytes(1 << 20))", "disk"),
        ("open('/tmp/x', 'wb').write(bytes(1 << 20) * 200)", "disk"),
        (
            "import os; os.chdir('/output')\nfor n in range(25): os.mkdir('d' * 200); "
            "os.chdir('d' * 200); open('x', 'wb').write(bytes(1 << 20))",
            "disk",
        ),
    ],
)
def test_a_limit_is_told_from_a_fault(bwrap: str, tmp_path: Path, program: str, limit: str) -> None:
    """The kernel refuses, or what was written is too much; the run came to that limit."""
    course = Course(tmp_path)

    made = course.carry_out(sys.executable, "-Ic", program, accept=NOT_KEPT, memory="384m")

    assert course.run is not None and course.run.status == LIMITED
    hit = made.limit_hit()
    assert hit is not None and hit.limit == limit


def test_a_fault_is_not_a_limit(bwrap: str, tmp_path: Path) -> None:
    """A program that fails by itself failed."""
    course = Course(tmp_path)

    made = course.carry_out(sys.executable, "-Ic", "import signal; 1/0", accept=NOT_KEPT)

    assert course.run is not None
    assert (course.run.status, course.run.exit_status, made.limit_hit()) == (FAILED, 1, None)


def test_what_nobody_accepted_stops_the_run(bwrap: str, tmp_path: Path) -> None:
    """The line names what can't be kept, why, and what to do; nothing was started."""
    course = Course(tmp_path)

    with pytest.raises(NotSealed, match=r"does not keep processors \(.*\); .*#not-sealed") as told:
        course.carry_out(sys.executable, "-c", "", accept=["memory"])

    assert "accept processors" in str(told.value)
    assert course.run is None


def test_a_machine_without_bubblewrap(tmp_path: Path) -> None:
    """The line names what is missing."""
    with pytest.raises(NotSealed, match=r"no bwrap on PATH; allowed: .*#not-sealed"):
        Course(tmp_path).carry_out(sys.executable, environ={"PATH": str(tmp_path)})


def test_seedlock_is_in_force_inside(bwrap: str, tmp_path: Path) -> None:
    """The environment's own interpreter runs under the seed and leaves its report."""
    course = Course(tmp_path)
    environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    course.carry_out(
        "python", "-c", "pass", accept=NOT_KEPT, environ=environ,
        variables={"REPRO_SEED": "7", "REPRO_REPORT": "/reports"},
    )  # fmt: skip

    assert course.run is not None
    assert course.run.status == FINISHED, course.run.last_lines()
    assert len(list((course.folder / "reports").glob("*.json"))) == 1
