"""reporting.py: one JSON file per process, from its start to its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.interpreter import environment, python, reports


def test_a_report_tells_the_whole_lock(tmp_path: Path) -> None:
    """Seed, level, derived seeds, libraries with versions and ranges, environment, machine and
    packages against the lock are in one file that says it finished."""
    python("-c", "import numpy; numpy.random.rand()", REPRO_SEED="7", REPRO_REPORT=str(tmp_path))

    (report,) = reports(tmp_path)
    assert report["schema"] == 6
    assert report["status"] == "finished"
    assert report["settings"]["seed"] == 7
    assert report["settings"]["level"] == "strict"
    assert report["seeds"]["numpy"] == 4258865938
    library = report["libraries"]["numpy"]
    assert library["version"].split(".")[0] == "2"
    assert library["supported"] == ["1.23", "2.5"]
    assert library["seeds"] == {"numpy": 4258865938}
    assert report["libraries"]["python"]["gaps"]
    assert report["environment"]["OMP_DYNAMIC"] == "FALSE"
    assert report["machine"]["cpu"]["model"]
    assert report["machine"]["threads"]["usable"] >= 1
    assert "devices" in report["machine"]["gpu"]
    assert report["lock"]["drift"] == {}
    assert len(report["lock"]["sha256"]) == 64


def test_generator_digests_at_start_and_exit(tmp_path: Path) -> None:
    """A generator that was drawn from has another digest at exit, one that was not the same."""
    for code in ("import random", "import random; random.random()"):
        python("-c", code, REPRO_SEED="7", REPRO_REPORT=str(tmp_path))

    untouched, drawn = (each["libraries"]["python"] for each in reports(tmp_path))
    assert untouched["digest_seeded"] == untouched["digest_now"] == drawn["digest_seeded"]
    assert drawn["digest_now"] != drawn["digest_seeded"]


def test_a_report_says_running_until_the_process_ends(tmp_path: Path) -> None:
    """It is there while user code runs, and a killed process leaves it as it was."""
    child = subprocess.Popen(
        [sys.executable, "-c", "print('up', flush=True); import time; time.sleep(600)"],
        env=environment(REPRO_SEED="7", REPRO_REPORT=str(tmp_path)),
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.readline()
    (running,) = reports(tmp_path)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()

    assert running["status"] == "running"
    assert reports(tmp_path) == [running]


def test_an_unhandled_exception_finishes_the_report(tmp_path: Path) -> None:
    """A program that fails has come to its end, too."""
    done = python("-c", "1 / 0", check=False, REPRO_SEED="7", REPRO_REPORT=str(tmp_path))

    assert done.status == 1
    assert reports(tmp_path)[0]["status"] == "finished"


def test_each_process_has_a_report_of_its_own(tmp_path: Path) -> None:
    """A child process writes its own file, with its place in the family; a forked one leaves its
    parent's alone."""
    code = (
        "import os, subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'pass'], check=True)\n"
        "child = os.fork()\n"
        "if child == 0: sys.exit(0)\n"
        "os.waitpid(child, 0)"
    )
    python("-c", code, REPRO_SEED="7", REPRO_REPORT=str(tmp_path))

    found = reports(tmp_path)
    assert [each["status"] for each in found] == ["finished"] * 3
    assert [each["process"]["lineage"] for each in found] == ["", "0", "1"]
    assert {each["process"]["parent"] for each in found[1:]} == {found[0]["process"]["pid"]}


def test_forked_processes_have_the_machine_from_their_parent(tmp_path: Path) -> None:
    """Each would take tens of milliseconds to ask NVML again as it ends, workers above all."""
    code = (
        "import os\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    from seedlock import machine\n"
        "    machine.gpu = None\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
    )
    python("-c", code, REPRO_SEED="7", REPRO_REPORT=str(tmp_path))

    parent, child = reports(tmp_path)
    assert (parent["status"], child["status"]) == ("finished", "finished")
    assert parent["machine"]["gpu"] == child["machine"]["gpu"]


def test_a_killed_process_has_said_that_it_ran_threads(tmp_path: Path) -> None:
    """Its report names the line, since threads that draw may be why two runs differ."""
    (tmp_path / "p.py").write_text(
        "import os, signal, threading\n"
        "thread = threading.Thread(target=lambda: None); thread.start(); thread.join()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    folder = tmp_path / "reports"
    python("p.py", cwd=tmp_path, check=False, REPRO_SEED="7", REPRO_REPORT=str(folder))

    (report,) = reports(folder)
    assert report["status"] == "running"
    assert any("p.py:2 runs the program's code in threads" in gap for gap in report["gaps"])


def test_threads_that_write_at_once_leave_a_whole_report(tmp_path: Path) -> None:
    """While others come to new lines that seed."""
    code = (
        "import random, sys, threading\n"
        "sys.setswitchinterval(1e-6)\n"
        "failed = []\n"
        "threading.excepthook = failed.append\n"
        "def work(number):\n"
        "    for each in range(20):\n"
        "        exec(compile('random.seed(1)', f'{number}-{each}', 'exec'))\n"
        "        seedlock.reporting.update_now()\n"
        "import seedlock, seedlock.reporting\n"
        "threads = [threading.Thread(target=work, args=(each,)) for each in range(6)]\n"
        "for each in threads: each.start()\n"
        "for each in threads: each.join()\n"
        "sys.exit(len(failed))"
    )
    python("-c", code, REPRO_SEED="7", REPRO_REPORT=str(tmp_path))

    (report,) = reports(tmp_path)
    assert report["status"] == "finished"
    assert sum(each["count"] for each in report["user_seeds"]) == 120


def test_relative_paths_are_those_of_the_start(tmp_path: Path) -> None:
    """A program that goes into another folder finishes its report where it began it, its children's
    stand beside it, forked or not, and the lock file is the same."""
    (tmp_path / "lock.txt").write_text("# nothing\n")
    code = (
        "import os, subprocess, sys\n"
        "os.mkdir('elsewhere'); os.chdir('elsewhere')\n"
        "subprocess.run([sys.executable, '-c', 'pass'], check=True)\n"
        "child = os.fork()\n"
        "if child: os.waitpid(child, 0)\n"
    )
    python(
        "-c", code, cwd=tmp_path, REPRO_SEED="7", REPRO_REPORT="reports", REPRO_TRACE="step",
        REPRO_LOCK_FILE="lock.txt",
    )  # fmt: skip

    found = reports(tmp_path / "reports")
    assert [each["process"]["lineage"] for each in found] == ["", "0", "1"]
    assert {each["status"] for each in found} == {"finished"}
    assert {each["lock"]["file"] for each in found} == {str(tmp_path / "lock.txt")}
    assert list((tmp_path / "elsewhere").iterdir()) == []


AGAIN = """
import importlib, random, sys
importlib.reload(random)
del sys.modules["random"]
"""


def test_a_library_that_no_hook_saw_is_a_gap(tmp_path: Path) -> None:
    """An import hook of the program's own may find a library without asking seedlock's."""
    code = (
        "import sys\n"
        "from importlib.machinery import PathFinder\n"
        "from importlib.util import module_from_spec\n"
        "spec = PathFinder.find_spec('random')\n"
        "module = sys.modules['random'] = module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
    )
    programs = code, f"import random\n{code}", "import random", f"{AGAIN}import random"
    for program in programs:
        python("-c", program, REPRO_SEED="7", REPRO_REPORT=str(tmp_path))

    past, second, *seen = ("; ".join(each["gaps"]) for each in reports(tmp_path))
    assert "python was imported past seedlock" in past and "nothing of it is locked" in past
    assert "python was imported past seedlock" in second and "copy before is not locked" in second
    assert not any("past seedlock" in each for each in seen)


def test_a_report_loads_no_module_that_waits_to_be_loaded(tmp_path: Path) -> None:
    """Whoever asks a lazy module for anything loads it, with all that it does."""
    (tmp_path / "late.py").write_text("print('loaded'); raise ImportError('not here')")
    code = (
        "import sys\n"
        "from importlib.util import LazyLoader, find_spec, module_from_spec\n"
        "for name in ('late', 'torch', 'random'):\n"
        "    spec = find_spec(name)\n"
        "    spec.loader = LazyLoader(spec.loader)\n"
        "    sys.modules[name] = module_from_spec(spec)\n"
        "    spec.loader.exec_module(sys.modules[name])\n"
    )
    folder = tmp_path / "reports"
    done = python("-c", code, cwd=tmp_path, REPRO_SEED="7", REPRO_REPORT=str(folder))

    (report,) = reports(folder)
    assert (report["status"], report["libraries"], done.out) == ("finished", {}, "")
    assert not any("past seedlock" in gap for gap in report["gaps"])


def test_a_process_without_a_folder_has_a_report(tmp_path: Path) -> None:
    """One whose working folder was removed, which Python takes."""
    gone, folder = tmp_path / "gone", tmp_path / "reports"
    gone.mkdir()
    code = (
        "import os, subprocess, sys\n"
        "os.rmdir(os.getcwd())\n"
        "subprocess.run([sys.executable, '-c', 'pass'], check=True)\n"
    )
    python("-c", code, cwd=gone, REPRO_SEED="7", REPRO_REPORT=str(folder))

    assert [each["status"] for each in reports(folder)] == ["finished", "finished"]


def test_no_report_is_written_unless_asked_for(tmp_path: Path) -> None:
    """REPRO_REPORT unset leaves no file."""
    python("-c", "pass", cwd=tmp_path, REPRO_SEED="7")

    assert list(tmp_path.iterdir()) == []


def test_secrets_and_other_variables_stay_out(tmp_path: Path) -> None:
    """Only listed variables are recorded, and none whose name speaks of a secret."""
    python(
        "-c", "pass", REPRO_SEED="7", REPRO_REPORT=str(tmp_path),
        NVIDIA_API_KEY="hidden-1", HOME="/hidden-2", CUDA_TOKEN="hidden-3",
    )  # fmt: skip

    assert "hidden" not in json.dumps(reports(tmp_path)[0]["environment"])


def test_a_report_is_never_half_written(tmp_path: Path) -> None:
    """A reader that looks all the time sees whole JSON only, and no temporary file stays."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import random"],
        env=environment(REPRO_SEED="7", REPRO_REPORT=str(tmp_path)),
    )
    while child.poll() is None:
        reports(tmp_path)
        time.sleep(0.001)

    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
    assert os.stat(next(tmp_path.iterdir())).st_size > 500
