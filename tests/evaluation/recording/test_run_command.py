"""`seedlock run --record`: what the record says, and how the command ends."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from seedlock.errors import BadRecord
from seedlock.evaluation.recording.record import load
from tests.interpreter import Done, environment, run

CLEAN = """
import os, sys, numpy, seedlock
weights = numpy.random.rand(4)
for step in range(3):
    weights += numpy.random.rand(4)
    seedlock.log_metric("loss", weights.sum(), step)
seedlock.checkpoint("weights", weights)
numpy.save(os.environ["REPRO_OUTPUT"] + "/weights.npy", weights)
print("trained")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a program that trains."""
    (tmp_path / "train.py").write_text(CLEAN)
    tmp_path.chmod(0o755)  # root's sealed runs are nobody's
    return tmp_path


def recorded(folder: Path, *options: str, program: str = "train.py", **variables: str) -> Done:
    """Run the program with a record."""
    words = [sys.executable, "-m", "seedlock", "run", "--record", "run.json", *options, "--"]
    variables = {"REPRO_SEED": "7", **variables}
    return run([*words, sys.executable, program], cwd=folder, check=False, **variables)


def content(folder: Path) -> dict[str, Any]:
    """Return the record, which fits its schema."""
    return load(folder / "run.json")


def test_the_record_describes_the_run(folder: Path) -> None:
    """Command, seed, source, versions, machine, metrics, outputs, trace, what it took."""
    secret = {"OMP_NUM_THREADS": "1", "CUDA_API_KEY": "geheim-7", "EDITOR": "geheim-8"}
    done = recorded(folder, "--metric", "loss:min:nats", **secret)

    assert done.status == 0, done.err
    assert done.out == "trained\n"
    found = content(folder)
    assert found["status"] == "complete"
    assert found["outcome"]["class"] == "done"
    assert found["command"] == [sys.executable, "train.py"]
    assert (found["seed"], found["level"], found["settings"]["user_seeds"]) == (7, "strict", "mix")
    assert found["source"]["files"] == 1 and found["source"]["changed"] == []
    assert found["metrics"]["declared"] == [{"name": "loss", "direction": "min", "unit": "nats"}]
    assert [step for step, _ in found["metrics"]["series"]["loss"]] == [0, 1, 2]
    assert [each["path"] for each in found["outputs"]] == ["metrics.jsonl", "weights.npy"]
    assert (found["trace"]["mode"], found["trace"]["results"]) == ("step", 1)
    assert found["trace"]["digest"].startswith("sha256:")
    assert found["environment"]["OMP_NUM_THREADS"] == "1"
    assert "geheim" not in (folder / "run.json").read_text()
    assert (found["version"], found["scheme"], found["submission"]) == (1, "seedlock/1", None)
    assert found["lock"] is None or found["lock"]["sha256"]
    assert found["processes"][0]["libraries"]["numpy"]["version"]
    assert found["usage"]["user_s"] > 0 and found["usage"]["peak_memory_bytes"] > 1 << 20
    assert ("gpu_s" in found["usage"]) <= bool(found["host"]["gpu"]["devices"])
    assert found["usage"]["wall_s"] > 0 and "energy_j" in found["usage"]
    host = found["host"]
    assert host["cpu"]["model"] and host["cpu"]["instruction_sets"] and host["kernel"]
    assert host["threads"]["OMP_NUM_THREADS"] == "1" and host["memory_bytes"] > 1 << 20
    assert host["engine"] is None and (host["gpu"]["devices"] or host["gpu"]["reason"])
    assert (folder / found["artifacts"] / "run" / "output" / "weights.npy").is_file()


def test_equal_seeds_equal_digests(folder: Path, tmp_path: Path) -> None:
    """Of outputs and of the trace; another seed gives others."""
    digests = []
    for number, seed in enumerate(("7", "7", "8")):
        recorded(folder, "--output", f"out{number}", REPRO_SEED=seed)
        found = content(folder)
        digests.append((found["trace"]["digest"], found["outputs"]))
        (folder / "run.json").unlink()

    assert digests[0] == digests[1]
    assert digests[0][0] != digests[2][0]
    assert digests[0][1] != digests[2][1]


ENDS: dict[str, tuple[str, tuple[str, ...], int, str, str]] = {
    "fails": ("raise SystemExit(3)", (), 3, "author-failure", "exit status 3"),
    "dies": ("import os; os.kill(os.getpid(), 9)", (), 137, "author-failure", "SIGKILL"),
    "dies by a signal without a name": (
        "import os; os.kill(os.getpid(), 35)", (), 163, "author-failure", "ended by signal 35",
    ),
    "no metric": ("pass", ("--metric", "loss:min"), 65, "metrics", "loss is missing"),
    "changes its source": ("open('new.py', 'w').close()", (), 66, "changed", "new.py changed"),
    "rewrites its parameters": ("open('train.py', 'a').write('#')", (), 66, "changed", "train.py"),
    "too long": ("import time; time.sleep(60)", ("--timeout", "1"), 124, "limit", "more than 1 s"),
    "child not locked": (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', "
        "'import os; os.kill(os.getpid(), 9)'])",
        (), 70, "not-locked", "was killed",
    ),
    "child at another level": (
        "import os, subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'], "
        "env={**os.environ, 'REPRO_LEVEL': 'seed'})",
        (), 70, "not-locked", "ran with level seed, and strict was asked for",
    ),
    "output of an odd name": (
        r"import os; open(os.environ['REPRO_OUTPUT'] + '/a\\b', 'w').close()",
        (), 70, "not-locked", "can't have a digest",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_each_end_has_its_class(folder: Path, name: str) -> None:
    """In the record, in the exit status, and on stderr with the reason."""
    code, options, status, kind, reason = ENDS[name]
    (folder / "train.py").write_text(code)

    done = recorded(folder, *options)

    assert done.status == status, done.err
    found = content(folder)
    assert found["status"] == "complete"
    assert found["outcome"]["class"] == kind
    assert any(reason in each for each in found["outcome"]["reasons"])
    assert kind in done.err and reason in done.err


def test_reads_outside_are_listed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A data set that nobody declared."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "data.txt"
    elsewhere.write_text("1")
    (folder / "own.txt").write_text("1")
    (folder / "train.py").write_text(f"open('own.txt').close(); open({str(elsewhere)!r}).close()")

    recorded(folder)

    assert content(folder)["reads"]["files"] == [str(elsewhere)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--metric", "loss"), "allowed: NAME:max"),
        (("--timeout", "soon"), "allowed: a number of seconds"),
        (("--source", "nowhere"), "no such folder"),
        (("--network",), "with --container only"),
        (("--output", "full"), "is not empty"),
    ],
)
def test_bad_options_start_nothing(folder: Path, options: tuple[str, ...], said: str) -> None:
    """One line, no run, no record."""
    (folder / "full").mkdir()
    (folder / "full" / "mine").touch()

    done = recorded(folder, *options)

    assert done.status in (2, 78)
    assert said in done.err
    assert done.out == ""
    assert not (folder / "run.json").exists()
    assert not (folder / "run").exists()


def test_options_of_a_record_need_one(folder: Path) -> None:
    """`--metric` alone would be lost."""
    words = [
        sys.executable,
        "-m",
        "seedlock",
        "run",
        "--seed",
        "7",
        "--metric",
        "a:max",
        "--",
        "true",
    ]

    done = run(words, cwd=folder, check=False)

    assert done.status == 2
    assert "without --record" in done.err


def test_another_file_is_not_overwritten(folder: Path) -> None:
    """Somebody's notes are no record."""
    (folder / "run.json").write_text("mine")

    done = recorded(folder)

    assert done.status == 78
    assert (folder / "run.json").read_text() == "mine"


def test_ctrl_c_completes_the_record(folder: Path) -> None:
    """Interrupted, with what there is; no process is left."""
    (folder / "train.py").write_text("print('go', flush=True); import time; time.sleep(60)")
    words = [sys.executable, "-m", "seedlock", "run", "--record", "run.json", "--"]
    process = subprocess.Popen(
        [*words, sys.executable, "train.py"], cwd=folder, env=environment(REPRO_SEED="7"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "go\n"

    process.send_signal(signal.SIGINT)
    process.communicate()

    assert process.returncode == 130
    assert content(folder)["outcome"]["class"] == "interrupted"


def test_kill_at_any_moment_leaves_no_half_record(folder: Path) -> None:
    """No record, or one that says it is incomplete, or the whole; at 20 moments of any kind."""
    seen = set()
    (folder / "train.py").write_text("import seedlock; seedlock.log_metric('a', 1)")
    words = [sys.executable, "-m", "seedlock", "run", "--record", "run.json", "--output"]
    for number in range(20):
        (folder / "run.json").unlink(missing_ok=True)
        process = subprocess.Popen(
            [*words, f"out{number}", "--", sys.executable, "train.py"],
            cwd=folder, env=environment(REPRO_SEED="7"), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if number % 2:  # half of them once there is a record
            while process.poll() is None and not (folder / "run.json").exists():
                time.sleep(0.005)
        time.sleep(random.random() * (0.2 if number % 2 else 0.8))
        with contextlib.suppress(ProcessLookupError):  # it ended before the record was looked for
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        try:
            seen.add(load(folder / "run.json")["status"])
        except BadRecord as problem:
            assert "No such file" in str(problem)
            seen.add("none")

    assert seen <= {"none", "running", "complete"}
    assert seen != {"none"}


def test_json(folder: Path) -> None:
    """The record on stdout, behind what the program printed."""
    (folder / "train.py").write_text("pass")

    done = recorded(folder, "--json")

    assert json.loads(done.out)["outcome"]["class"] == "done"


@pytest.fixture
def pinned(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lock file beside the program that pins a set in a folder elsewhere; the set."""
    data = tmp_path_factory.mktemp("sets") / "digits"
    data.mkdir()
    data.parent.chmod(0o755)
    (data / "train.txt").write_text("1 2 3")
    words = [sys.executable, "-m", "seedlock", "data", "add", "digits", f"mount:{data}"]
    run(words, cwd=folder)
    return data


READS_DATA = """
import os
print(open(os.environ["REPRO_DATA"] + "/digits/train.txt").read())
"""


def test_declared_data_is_given_and_verified(folder: Path, pinned: Path) -> None:
    """By its name in REPRO_DATA; the record has its digest, and it is no stranger."""
    (folder / "train.py").write_text(READS_DATA)

    done = recorded(folder, "--data", "data.lock")

    assert (done.status, done.out) == (0, "1 2 3\n"), done.err
    found = content(folder)
    assert [each["name"] for each in found["data"]] == ["digits"]
    assert found["data"][0]["verified_before"] and found["data"][0]["verified_after"]
    assert found["reads"]["files"] == []


def test_data_that_is_another_starts_nothing(folder: Path, pinned: Path) -> None:
    """Expected and got; no record."""
    (pinned / "train.txt").write_text("1 2 4")

    done = recorded(folder, "--data", "data.lock")

    assert done.status == 78
    assert "expected sha256:" in done.err and "got sha256:" in done.err
    assert not (folder / "run.json").exists()


def test_data_that_changes_during_the_run(folder: Path, pinned: Path) -> None:
    """The run does not count."""
    (folder / "train.py").write_text(f"open({str(pinned)!r} + '/more.txt', 'w').close()")

    done = recorded(folder, "--data", "data.lock")

    assert done.status == 66
    assert content(folder)["outcome"]["class"] == "changed"
    assert not content(folder)["data"][0]["verified_after"]


ACCEPTED = ("--accept", "memory", "--accept", "processors")
"""What bubblewrap does not keep."""


def test_a_sealed_run_says_what_held(folder: Path, pinned: Path, bwrap: str) -> None:
    """Its data and its source are there, read-only; the record has each promise."""
    (folder / "train.py").write_text(
        READS_DATA + "import seedlock; seedlock.log_metric('loss', 1)\n"
        "try: open('new.py', 'w')\nexcept OSError: print('read-only')\n"
    )

    done = recorded(folder, "--sealed", "--data", "data.lock", "--metric", "loss:min", *ACCEPTED)

    assert done.status == 0, done.err
    assert done.out == "1 2 3\nread-only\n"
    found = content(folder)
    assert found["guarantees"]["network"] == {"held": True, "by": "bubblewrap", "note": ""}
    assert not found["guarantees"]["memory"]["held"]
    assert found["reads"] == {"files": [], "more": 0, "complete": True, "by": "the seal"}
    assert found["limits"]["processes"] > 0
    assert [each["path"] for each in found["outputs"]] == ["metrics.jsonl"]


def test_a_promise_that_can_not_be_kept_starts_nothing(folder: Path, bwrap: str) -> None:
    """Without an engine nobody limits memory for good."""
    done = recorded(folder, "--sealed")

    assert done.status == 78
    assert "memory" in done.err and "accept" in done.err
    assert done.out == ""


def test_a_limit_of_a_sealed_run(folder: Path, bwrap: str) -> None:
    """Its time is over."""
    (folder / "train.py").write_text("import time; time.sleep(60)")

    done = recorded(folder, "--sealed", "--limit", "time=1", *ACCEPTED)

    assert done.status == 124
    assert content(folder)["outcome"]["class"] == "limit"
    assert content(folder)["limits"]["seconds"] == 1.0
