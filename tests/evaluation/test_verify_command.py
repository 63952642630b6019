"""seedlock verify on small programs, by files alone; test_verify_traces.py is about traces."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.interpreter import Done, environment, run

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")

CLEAN = """
import json, os, random
loss = random.random()
print(f"loss {loss:.3f} in 3.2s", os.getpid())
with open(os.environ["REPRO_OUTPUT"] + "/metrics.json", "w") as file:
    json.dump({"loss": loss}, file)
"""
CLOCK = CLEAN.replace("loss = random.random()", "import time; loss = random.random() + time.time()")
STAMPED = CLEAN.replace('{"loss": loss}', '{"loss": loss, "seconds": __import__("time").time()}')
DEAF = CLEAN.replace("loss = random.random()", "random.seed(42); loss = random.random()")
CONSTANT = CLEAN.replace("random.random()", "0.5")


def verify(
    folder: Path, code: str, *options: str, arguments: tuple[str, ...] = (), **variables: str
) -> tuple[Done, dict[str, Any]]:
    """Verify a program, without traces; return what was printed and the result."""
    program = folder / "train.py"
    program.write_text(code)
    done = run(
        [SEEDLOCK, "verify", "--trace", "off", "--output", str(folder / "runs"), *options, "--",
         sys.executable, str(program), *arguments],
        cwd=folder, check=False, **variables,
    )  # fmt: skip
    file = folder / "runs" / "verify.json"
    return done, json.loads(file.read_text()) if file.exists() else {}


def test_a_program_that_only_prints(tmp_path: Path) -> None:
    """There is nothing to compare unless --stdout counts what it prints, times aside."""
    printing = "import random; print(f'loss {random.random()} in {SECONDS}s')"
    code = "import time; SECONDS = time.time() % 60\n" + printing
    (tmp_path / "other").mkdir()

    done, _ = verify(tmp_path / "other", code)
    assert done.status == 4
    assert "--stdout" in done.out

    done, result = verify(tmp_path, code, "--stdout")
    assert done.status == 0, done.out
    assert result["verdicts"] == {"repeatable": "REPEATABLE", "seed": "HEARS THE SEED"}


def test_what_is_printed_can_count(tmp_path: Path) -> None:
    """With --stdout a line that differs makes a program unrepeatable."""
    done, _ = verify(tmp_path, "import os; print('loss', os.urandom(4).hex())", "--stdout")

    assert done.status == 1
    assert "stdout" in done.out


def test_a_good_program(tmp_path: Path) -> None:
    """Repeatable and hearing the seed is status 0; runs lie in folders of their own, beside the
    result and the page."""
    done, result = verify(tmp_path, CLEAN)

    assert done.status == 0, done.out + done.err
    assert done.lines[0].split(maxsplit=1)[0] == "REPEATABLE"
    assert done.lines[1].startswith("HEARS THE SEED")
    assert result["verdicts"] == {"repeatable": "REPEATABLE", "seed": "HEARS THE SEED"}
    assert [(each["name"], each["seed"]) for each in result["runs"]] == [
        ("A-1", 7), ("A-2", 7), ("B-1", 8)
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "A-1", "A-2", "B-1", "report.html", "verify.json"
    ]  # fmt: skip
    assert "A-1 (seed 7) finished after" in done.err


def test_a_clock_in_a_result(tmp_path: Path) -> None:
    """Status 1, with the key path, both values and what to do."""
    done, result = verify(tmp_path, CLOCK)

    (found,) = [each for each in result["comparisons"][0]["findings"] if each["metric"]]
    assert done.status == 1
    assert done.out.startswith("NOT REPEATABLE")
    assert (found["file"], found["where"]) == ("metrics.json", "loss")
    assert "metrics.json, loss: the value looks like a clock's time" in done.out


def test_a_time_stamp_is_advice_only(tmp_path: Path) -> None:
    """A time that says that it is one makes no run unrepeatable."""
    done, result = verify(tmp_path, STAMPED)

    assert done.status == 0
    assert "metrics.json, seconds: a time is written into a result; leave it out" in done.out
    assert result["comparisons"][0]["findings"][0]["kind"] == "time stamp"


def test_a_deaf_program(tmp_path: Path) -> None:
    """Status 3, with the line of the constant seed that counts as written; the same program
    hears the seed where seeds are mixed."""
    done, _ = verify(tmp_path, DEAF, REPRO_USER_SEEDS="keep")

    assert done.status == 3
    assert "SEED-DEAF" in done.lines[1]
    assert "train.py:3: random.seed(42)" in done.lines[1]
    (tmp_path / "mixed").mkdir()
    assert verify(tmp_path / "mixed", DEAF)[0].status == 0


def test_a_program_without_random_numbers(tmp_path: Path) -> None:
    """It is deaf, too, and it is said why."""
    done, _ = verify(tmp_path, CONSTANT)

    assert done.status == 3
    assert "no random number reaches the results" in done.out


def test_nothing_to_compare(tmp_path: Path) -> None:
    """A program that leaves nothing is not called repeatable."""
    done, result = verify(tmp_path, "print(1)")

    assert done.status == 4
    assert "nothing to compare" in done.out
    assert result["verdicts"] == {"repeatable": "UNKNOWN", "seed": "UNKNOWN"}


@pytest.mark.parametrize("option", ["-S", "-I"])
def test_a_process_that_bypasses_seedlock(option: str, tmp_path: Path) -> None:
    """-S closes both doors: no report, invalid, though the files are equal. -I does not."""
    program = tmp_path / "train.py"
    program.write_text(CLEAN)

    done = run(
        [SEEDLOCK, "verify", "--trace", "off", "--output", str(tmp_path / "runs"), "--",
         sys.executable, option, str(program)],
        check=False,
    )  # fmt: skip

    assert done.status == (4 if option == "-S" else 0), done.out
    assert ("no process left a report" in done.out) == (option == "-S")


def test_a_killed_child_makes_a_run_invalid(tmp_path: Path) -> None:
    """What it did last is not known, so that nothing is said of the run."""
    code = CLEAN + (
        "import signal, subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'import os; os.kill(os.getpid(), 9)'])\n"
    )

    done, result = verify(tmp_path, code)

    assert done.status == 4
    assert result["reasons"] == ["A-1: the process at place 0 was killed, or lives on: "
                                 "its report says running"]  # fmt: skip
    assert [each["status"] for each in result["runs"]] == ["finished", "not started", "not started"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise ValueError('no data')", "exit status 1"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
    ],
)
def test_a_failing_program(code: str, reason: str, tmp_path: Path) -> None:
    """Status 5, the last lines of stderr, and no further run."""
    done, result = verify(tmp_path, code)

    assert done.status == 5
    assert reason in done.lines[0]
    assert ("ValueError: no data" in done.out) == ("ValueError" in code)
    assert result["runs"][1]["status"] == "not started"


def test_a_timeout(tmp_path: Path) -> None:
    """Status 5; the run was ended."""
    done, result = verify(tmp_path, "import time; time.sleep(600)", "--timeout", "1")

    assert done.status == 5
    assert "did not end within the timeout" in done.out
    assert result["runs"][0]["status"] == "timed out"


def test_ctrl_c(tmp_path: Path) -> None:
    """All processes end, the result says so, status 130."""
    program = tmp_path / "train.py"
    program.write_text(
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork() == 0: os.setsid()\n"
        "open(f'pid-{os.getpid()}', 'w').close()\n"
        "print('up', flush=True)\n"
        "time.sleep(600)\n"
    )
    verifying = subprocess.Popen(
        [SEEDLOCK, "verify", "--output", "runs", "--", sys.executable, str(program)],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while len(list(tmp_path.glob("pid-*"))) < 2:
        assert verifying.poll() is None
        time.sleep(0.01)
    verifying.send_signal(signal.SIGINT)
    verifying.send_signal(signal.SIGINT)  # may be merged with the first, or end the grace
    out, _ = verifying.communicate(timeout=600)

    assert verifying.returncode == 130
    assert out.startswith("INTERRUPTED")
    assert json.loads((tmp_path / "runs" / "verify.json").read_text())["outcome"] == "interrupted"
    for mark in tmp_path.glob("pid-*"):
        assert not Path("/proc", mark.name.removeprefix("pid-")).exists()


def test_declared_files(tmp_path: Path) -> None:
    """A file that the program writes in its working folder is compared, and stays."""
    code = (
        "import random, sys\n"
        "open('weights.txt', 'w').write(str(random.random()))\n"
        "open(sys.argv[1] + '/seen', 'w').write('x')\n"
    )

    done, result = verify(tmp_path, code, "--declare", "weights.txt", arguments=("{output}",))

    assert done.status == 0
    assert result["comparisons"][0]["files"] == 2
    assert (tmp_path / "weights.txt").exists()
    assert (tmp_path / "runs" / "A-1" / "declared" / "weights.txt").exists()
    assert (tmp_path / "runs" / "A-1" / "output" / "seen").exists()


def test_a_file_that_nobody_compares_is_named(tmp_path: Path) -> None:
    """It may differ in each run of a program that is repeatable in all else."""
    code = CLEAN + "open('model.bin', 'wb').write(os.urandom(8))\n"

    done, result = verify(tmp_path, code)

    assert done.status == 0
    assert result["notes"] == [
        "not compared: model.bin, written in this folder during the first run; name it with "
        "--declare, or write it to {output}"
    ]
    assert result["notes"][0] in done.out
    (tmp_path / "model.bin").unlink()
    (tmp_path / "runs").rename(tmp_path / "before")
    done, result = verify(tmp_path, code, "--declare", "model.bin")
    assert done.status == 1 and result["notes"] == []


def test_a_declared_file_that_is_not_written(tmp_path: Path) -> None:
    """It may not be taken for the run's: invalid."""
    (tmp_path / "weights.txt").write_text("old")

    done, result = verify(tmp_path, CLEAN, "--declare", "weights.txt")

    assert done.status == 4
    assert "declared file weights.txt: not written" in result["reasons"][0]
    assert (tmp_path / "weights.txt").read_text() == "old"


def test_each_run_is_locked_as_by_seedlock_run(tmp_path: Path) -> None:
    """Seed, level and the user's own settings reach the program, none of verify's environment's
    does, and no place in verify's family: a run draws what `seedlock run` gives."""
    code = (
        "import json, os, random\n"
        "kept = {k: v for k, v in os.environ.items() if k.startswith(('REPRO', '_SEED'))}\n"
        "kept.update(draw=random.random(), hash=hash('a'))\n"
        "json.dump(kept, open(os.environ['REPRO_OUTPUT'] + '/x.json', 'w'))\n"
    )
    _, result = verify(
        tmp_path, code, "--seeds", "3", "4", "--level", "warn",
        REPRO_SEED="99", REPRO_REPORT=str(tmp_path / "elsewhere"), REPRO_USER_SEEDS="keep",
        REPRO_OUTPUT="/nowhere", PYTHONHASHSEED="0",
    )  # fmt: skip
    seen = json.loads((tmp_path / "runs" / "A-2" / "output" / "x.json").read_text())
    plain = run(
        [SEEDLOCK, "run", "--seed", "3", "--level", "warn", sys.executable, "-c",
         "import random; print(random.random(), hash('a'))"],
    )  # fmt: skip

    assert result["seeds"] == [3, 4]
    assert [str(seen["draw"]), str(seen["hash"])] == plain.out.split()
    assert (seen["REPRO_SEED"], seen["REPRO_LEVEL"]) == ("3", "warn")
    assert seen["REPRO_USER_SEEDS"] == "keep"
    assert seen["REPRO_REPORT"] == str(tmp_path / "runs" / "run" / "reports")
    assert "_SEEDLOCK_LINEAGE" not in seen


def test_a_program_that_writes_down_where_it_ran(tmp_path: Path) -> None:
    """Its folder has one path in all runs, so that arguments and variables in a result, here in a
    pickle, are no difference."""
    code = (
        "import os, pickle, random, sys\n"
        "pickle.dump((sys.argv, dict(os.environ), random.random()), open(sys.argv[1], 'wb'))\n"
    )

    done, result = verify(tmp_path, code, arguments=("{output}/config.pkl",))

    assert result["comparisons"][0]["findings"] == []
    assert done.status == 0
    assert result["runs"][1]["folder"] == str(tmp_path / "runs" / "A-2")


def test_more_replicates_and_jobs(tmp_path: Path) -> None:
    """Each further replicate is compared with the first."""
    done, result = verify(tmp_path, CLEAN, "--replicates", "3", "--jobs", "2")

    assert done.status == 0
    assert [(each["first"], each["second"]) for each in result["comparisons"]] == [
        ("A-1", "A-2"), ("A-1", "A-3"), ("A-1", "B-1")
    ]  # fmt: skip


def test_json_and_html(tmp_path: Path) -> None:
    """--json prints what verify.json holds, --html names another file."""
    page = tmp_path / "page.html"

    done, result = verify(tmp_path, CLEAN, "--json", "--html", str(page))

    assert json.loads(done.out) == result
    assert result["schema"] == 1
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert not (tmp_path / "runs" / "report.html").exists()


ENGINE = """#!{python}
import os, sys
words = sys.argv[1:]
if words[:2] == ["image", "inspect"]:
    if words[-1] != "image":
        sys.exit("Error: No such image: " + words[-1])
    print("sha256:1 1000")
elif words[0] == "run":
    mounts, variables = {{}}, {{}}
    for option, value in zip(words, words[1:]):
        if option == "--mount":
            _, source, target, *_ = (
                each.strip('"').partition("=")[2] for each in value.split(",")
            )
            mounts[target] = source
        if option == "-e":
            name, _, value = value.partition("=")
            variables[name] = value
    def inside(text):
        return next((text.replace(place, folder) for place, folder in mounts.items()
                     if text.startswith(place)), text)
    command = [inside(each) for each in words[words.index("sha256:1") + 1:]]
    kept = {{name: inside(value) for name, value in variables.items()}}
    os.execve(command[0], command, {{"PATH": os.environ["PATH"], **kept}})
"""


def test_a_container(tmp_path: Path) -> None:
    """The image's command gets its seed, its folders and no other variable of this process."""
    client = tmp_path / "docker"
    client.write_text(ENGINE.format(python=sys.executable))
    client.chmod(0o755)
    code = CLEAN.replace("loss}", "loss, 'secret': os.environ.get('SECRET')}")

    done, result = verify(
        tmp_path, code, "--container", "image", arguments=("{output}/x",),
        DOCKER=str(client), SECRET="1", REPRO_LOCK_FILE="/of/this/machine",
    )  # fmt: skip
    assert done.status == 0, done.out + done.err
    assert result["image"] == {"name": "image", "id": "sha256:1"}
    metrics = json.loads((tmp_path / "runs" / "B-1" / "output" / "metrics.json").read_text())
    assert metrics["secret"] is None


@pytest.mark.parametrize(
    ("client", "told"),
    [
        ("none", "no container engine: none is not an executable on PATH"),
        ("./docker", "--container other: ./docker says: Error: No such image: other"),
        ("./broken", "no container engine: ./broken: Exec format error"),
    ],
)
def test_no_container_can_be_started(client: str, told: str, tmp_path: Path) -> None:
    """Without a client, an engine or the image, nothing is made or run."""
    for name, text in (("docker", ENGINE.format(python=sys.executable)), ("broken", "x")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    done, result = verify(tmp_path, CLEAN, "--container", "other", DOCKER=client)

    assert (done.status, done.out, result) == (2, "", {})
    assert told in done.err
    assert not (tmp_path / "runs").exists()


def test_a_folder_is_made_where_none_is_given(tmp_path: Path) -> None:
    """A new one with the time in its name."""
    done = run(
        [SEEDLOCK, "verify", "--trace", "off", "--", sys.executable, "-c", "print(1)"],
        cwd=tmp_path, check=False,
    )  # fmt: skip

    (folder,) = tmp_path.iterdir()
    assert (folder / ".gitignore").read_text() == "*\n"
    assert done.status == 4
    assert folder.name.startswith("seedlock-verify-20")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--"],
        ["--seeds", "7", "7", "echo"],
        ["--seeds", "7"],
        ["--replicates", "1", "echo"],
        ["--jobs", "0", "echo"],
        ["--timeout", "-1", "echo"],
        ["--timeout", "nan", "echo"],
        ["--trace", "all", "echo"],
        ["--output", "full", "echo"],
        ["--output", "full/file", "echo"],
        ["--declare", "/etc/hostname", "echo"],
        ["--declare", "../x", "echo"],
        ["--declare", "x", "--jobs", "2", "echo"],
        ["--declare", "x", "--container", "image", "echo"],
        ["--mount", ".:/x", "echo"],
        ["--network", "echo"],
        ["--container", "image", "--mount", ".:x", "echo"],
        ["--container", "image", "--mount", ".:/x", "--mount", "full:/x", "echo"],
        ["no-such-command-here"],
    ],
)
def test_a_wrong_command_line(arguments: list[str], tmp_path: Path) -> None:
    """Status 2, a line that says why, and nothing is made or started."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()

    done = run([SEEDLOCK, "verify", *arguments], cwd=tmp_path, check=False)

    assert (done.status, done.out) == (2, "")
    assert "seedlock verify: " in done.err
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "file"]


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (["--seeds", "7", "1.5"], "bad-seed"),
        (["--seeds", "7", "18446744073709551616"], "bad-seed"),
        (["--level", "tight"], "bad-level"),
    ],
)
def test_a_bad_setting(arguments: list[str], slug: str, tmp_path: Path) -> None:
    """Status 78 and the message of every other way in; nothing is made or started."""
    done = run([SEEDLOCK, "verify", *arguments, "echo"], cwd=tmp_path, check=False)

    assert (done.status, done.out, done.err.count("\n")) == (78, "", 1)
    assert done.err.endswith(f"[docs/messages.md#{slug}]\n")
    assert list(tmp_path.iterdir()) == []


def test_without_its_packages(tmp_path: Path) -> None:
    """One line that names them and the cure; other commands need none."""
    (tmp_path / "hide.py").write_text(
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'rich' else find(name, *a)\n"
        "from seedlock.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    hidden = [sys.executable, str(tmp_path / "hide.py")]

    done = run([*hidden, "verify", "echo"], cwd=tmp_path, check=False)

    assert done.status == 78
    assert "pip install 'seedlock[evaluation]'" in done.err
    assert done.err.endswith("[docs/messages.md#missing-extra]\n")
    assert run([*hidden, "run", "--seed", "7", "true"]).status == 0


def test_help_tells_the_exit_statuses() -> None:
    """One for each verdict."""
    done = run([SEEDLOCK, "verify", "--help"])

    for status in ("0", "1", "2", "3", "4", "5", "78", "130"):
        assert f"\n{status:>5}  " in done.out


def test_seedlock_run_stays_quick() -> None:
    """The command line imports no package of the organiser's half before it is needed."""
    code = (
        "import sys; from seedlock.cli import _parser; _parser();"
        "heavy = {'rich', 'jinja2', 'seedlock.evaluation.verify', 'h5py', 'numpy'};"
        "print(*sorted(heavy & {*sys.modules}))"
    )

    assert run([sys.executable, "-c", code]).out == "\n"


def test_a_page_that_can_not_be_written(tmp_path: Path) -> None:
    """The verdict stands, and it is said."""
    done, result = verify(tmp_path, CLEAN, "--html", str(tmp_path / "no" / "such" / "page.html"))

    assert done.status == 0
    assert "No such file" in done.err
    assert result["outcome"] == "good"


def test_the_environment_is_clean() -> None:
    """These tests do not run under a lock themselves."""
    assert "REPRO_SEED" not in os.environ
