"""Children: siblings draw different numbers, and each the same ones in the next run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PACKAGE, interpreter_of, make_environment
from tests.interpreter import python, reports
from tests.test_startup import interpreters

DRAW = "import random, json, sys; print(json.dumps([*sys.argv[1:], random.random()]), flush=True)"

STARTS = """
import asyncio, json, multiprocessing, os, pty, subprocess, sys, threading
from multiprocessing.pool import ThreadPool

EARLY = "early" in sys.argv
if EARLY:
    import random
if "numpy" in sys.argv:
    import numpy.random
PY, HERE = sys.executable, os.path.dirname(os.path.abspath(__file__))
COMMAND = [PY, os.path.join(HERE, "draw.py")]
LINE = " ".join(COMMAND)

def draws():
    import random
    found = [random.random(), random.Random().random()]
    if "numpy" in sys.argv:
        found += [numpy.random.rand(), numpy.random.default_rng().random()]
    return found

def read(start):
    r, w = os.pipe()
    start(w)
    os.close(w)
    with os.fdopen(r) as file:
        return json.loads(file.read().splitlines()[-1])

def forked(body):
    def start(w):
        pid = os.fork()
        if pid == 0:
            body(w)
            os._exit(0)
        os.waitpid(pid, 0)
    return lambda: read(start)

def say(w):
    os.write(w, json.dumps(draws()).encode())

def generations(w):
    own = draws()
    os.write(w, json.dumps([own, forked(say)(), forked(say)(), draws()]).encode())

def in_thread(w):
    def body():
        pid = os.fork()
        if pid == 0:
            say(w)
            os._exit(0)
        os.waitpid(pid, 0)
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()

def terminal():
    pid, fd = os.forkpty()
    if pid == 0:
        print(json.dumps(draws()), flush=True)
        os._exit(0)
    text = b""
    try:
        while True:
            text += os.read(fd, 1000)
    except OSError:
        pass
    os.waitpid(pid, 0)
    return json.loads(text)

def put(queue, deep):
    found = draws()
    if deep:
        found = [found, process(deep)(), process(deep)()]
    queue.put(found)

def process(method, deep=""):
    def started():
        context = multiprocessing.get_context(method)
        queue = context.SimpleQueue()
        child = context.Process(target=put, args=(queue, deep))
        child.start()
        found = queue.get()
        child.join()
        return found
    return started

def run(**options):
    return lambda: json.loads(subprocess.run(COMMAND, stdout=-1, **options).stdout)

def shell(**options):
    return lambda: json.loads(subprocess.run(LINE, shell=True, stdout=-1, **options).stdout)

def popen():
    with os.popen(LINE) as file:
        return json.load(file)

def to(w):
    os.dup2(w, 1)
    os.set_inheritable(1, True)

def replaced(replace):
    return forked(lambda w: (to(w), replace()))

def with_stdout(start):
    def started(w):
        saved = os.dup(1)
        to(w)
        try:
            start()
        finally:
            os.dup2(saved, 1)
            os.close(saved)
    return lambda: read(started)

def spawned_terminal():
    found = []
    def keep(fd):
        found.append(os.read(fd, 1000))
        return b""
    saved, null = os.dup(1), os.open(os.devnull, os.O_RDWR)
    in_saved = os.dup(0)
    os.dup2(null, 0)
    pty.spawn(COMMAND, keep, lambda fd: b"")
    os.dup2(in_saved, 0)
    return json.loads(b"".join(found))

async def from_loop():
    child = await asyncio.create_subprocess_exec(*COMMAND, stdout=-1)
    return json.loads((await child.communicate())[0])

def without(prefix):
    return {name: value for name, value in os.environ.items() if not name.startswith(prefix)}

WAYS = {
    "fork": forked(say),
    "fork, generations": forked(generations),
    "fork in a thread": lambda: read(in_thread),
    "forkpty": terminal,
    "Process fork": process("fork"),
    "Process spawn": process("spawn"),
    "Process forkserver": process("forkserver"),
    "Process spawn, nested": process("spawn", "spawn"),
    "Process forkserver, nested fork": process("forkserver", "fork"),
    "Process fork, nested spawn": process("fork", "spawn"),
    "run": run(),
    "run, no environment": run(env={}),
    "run, environment without the seed": lambda: run(env=without("REPRO"))(),
    "run, a copy of an old environment": run(env=dict(os.environ)),
    "run, PYTHONHASHSEED changed": run(env={**os.environ, "PYTHONHASHSEED": "0"}),
    "run, close_fds=False": run(close_fds=False),
    "run, preexec_fn": run(preexec_fn=draws),
    "run, shell": shell(),
    "check_output": lambda: json.loads(subprocess.check_output(COMMAND)),
    "Popen": lambda: json.loads(subprocess.Popen(COMMAND, stdout=-1).communicate()[0]),
    "system": with_stdout(lambda: os.system(LINE)),
    "popen": popen,
    "execv": replaced(lambda: os.execv(PY, COMMAND)),
    "execve": replaced(lambda: os.execve(PY, COMMAND, {})),
    "execvp": replaced(lambda: os.execvp(PY, COMMAND)),
    "execvpe": replaced(lambda: os.execvpe(os.path.basename(PY), COMMAND,
                                           {"PATH": "/nowhere:" + os.path.dirname(PY)})),
    "execl": replaced(lambda: os.execl(PY, *COMMAND)),
    "spawnv": with_stdout(lambda: os.spawnv(os.P_WAIT, PY, COMMAND)),
    "spawnve": with_stdout(lambda: os.spawnve(os.P_WAIT, PY, COMMAND, {})),
    "spawnvp": with_stdout(lambda: os.spawnvp(os.P_WAIT, PY, COMMAND)),
    "posix_spawn": with_stdout(
        lambda: os.waitpid(os.posix_spawn(PY, COMMAND, os.environ), 0)),
    "posix_spawnp": with_stdout(lambda: os.waitpid(os.posix_spawnp(PY, COMMAND, {}), 0)),
    "pty.spawn": spawned_terminal,
    "asyncio": lambda: asyncio.run(from_loop()),
}

if __name__ == "__main__":
    before = dict(os.environ)
    found = {}
    for name, way in WAYS.items():
        found[name] = [way(), way()]
    found["environment"] = [{name: value for name, value in os.environ.items()
                             if before.get(name) != value}, len(before) - len(os.environ)]
    if "seedlock" in sys.modules:
        import seedlock
        found["gaps"] = [gap for gap in seedlock.report()["gaps"] if "PYTHONHASH" not in gap]
    print(json.dumps(found))
"""

NAMES = [line.split('"')[1] for line in STARTS.splitlines() if line.startswith('    "')]


def prepared(folder: Path) -> Path:
    """Write the programs into a folder; return the one that starts the others."""
    (folder / "draw.py").write_text(DRAW)
    (folder / "starts.py").write_text(STARTS)
    return folder / "starts.py"


@pytest.fixture(scope="module", name="runs")
def _runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the children of two equal runs, of one under another seed and of a plain one drew."""
    program = str(prepared(tmp_path_factory.mktemp("starts")))
    return {
        "a": python(program, "early", "numpy", REPRO_SEED="7").json(),
        "again": python(program, "early", "numpy", REPRO_SEED="7").json(),
        "b": python(program, "early", "numpy", REPRO_SEED="8").json(),
        "plain": python(program, "early", "numpy").json(),
    }


def flat(found: Any) -> list[float]:
    """Return all numbers in nested lists."""
    return [each for part in found for each in flat(part)] if type(found) is list else [found]


@pytest.mark.parametrize("way", NAMES)
def test_siblings_differ_and_each_is_repeated(runs: dict[str, Any], way: str) -> None:
    """A == A', A != B, and no number of a child is one of its sibling's."""
    drawn = flat(runs["a"][way])

    assert runs["again"][way] == runs["a"][way]
    assert len(set(drawn)) == len(drawn)
    assert not set(flat(runs["b"][way])) & set(drawn)


def test_all_children_of_a_run_differ(runs: dict[str, Any]) -> None:
    """Whatever way they are started."""
    drawn = [number for way in NAMES for number in flat(runs["a"][way])]

    assert len(set(drawn)) == len(drawn)


def test_control_plain_children(runs: dict[str, Any]) -> None:
    """Without a seed, forked siblings draw the same from NumPy; the rest differs in each run."""
    siblings = runs["plain"]["fork"]

    assert siblings[0][2] == siblings[1][2]
    assert not set(flat(runs["plain"]["run"])) & set(flat(runs["a"]["run"]))


def test_a_program_sees_its_own_environment(runs: dict[str, Any]) -> None:
    """Starting children changes nothing in os.environ."""
    assert runs["a"]["environment"] == [{}, 0]


def test_children_bring_no_gap(runs: dict[str, Any]) -> None:
    """But for the fork in a thread, whose place can't be ordered among the main thread's."""
    gaps = runs["a"]["gaps"]

    assert len(gaps) == 2, gaps
    assert "several threads started processes" in " ".join(gaps)
    assert "starts.py:" in " ".join(gaps)


@pytest.fixture(scope="module", name="late")
def _late(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the children drew that imported `random` themselves."""
    return python(str(prepared(tmp_path_factory.mktemp("late"))), REPRO_SEED="7").json()


@pytest.mark.parametrize("interpreter", interpreters()[1:])
def test_every_python_gives_children_the_same_places(
    interpreter: str, late: Any, tmp_path: Path
) -> None:
    """The children draw under each CPython what they draw under the tests' own."""
    site_packages = make_environment(tmp_path / "venv", interpreter)
    shutil.copytree(PACKAGE, site_packages / "seedlock")
    shutil.copy(PACKAGE.parent / "a0_seedlock.pth", site_packages)
    program = str(prepared(tmp_path))

    found = python(program, executable=interpreter_of(site_packages), REPRO_SEED="7").json()

    assert found == {**late, "gaps": found["gaps"]}


def test_a_child_does_not_depend_on_when_random_was_imported(
    runs: dict[str, Any], late: Any
) -> None:
    """A fork's `random` draws the same, imported before the fork or after it."""
    assert [each[:2] for each in runs["a"]["fork"]] == late["fork"]


def test_a_child_with_another_seed_is_left_alone(tmp_path: Path) -> None:
    """A program that sets a child's REPRO_SEED means it; the report says so."""
    code = (
        "import os, subprocess, sys, seedlock\n"
        "run = lambda **v: subprocess.run([sys.executable, '-c', "
        "'import random; print(random.random())'], env={**os.environ, **v})\n"
        "run(REPRO_SEED='9', _SEEDLOCK_LINEAGE=''); run(REPRO_LEVEL='seed')\n"
        "print(seedlock.report()['gaps'])"
    )
    done = python("-c", code, REPRO_SEED="7")
    own = python("-c", "import random; print(random.random())", REPRO_SEED="9")

    assert done.lines[0] == own.lines[0]
    assert "started with REPRO_SEED=9" in done.lines[2]
    assert "started with REPRO_LEVEL=seed" in done.lines[2]


def test_what_a_shell_starts_shares_a_place_and_says_so() -> None:
    """A shell hands one place to all that it starts: a gap in each."""
    code = (
        "import os, sys\n"
        "one = sys.executable + ' -c \"import random, seedlock; "
        "print(random.random(), seedlock.report()[\\'gaps\\'])\"'\n"
        "sys.exit(os.system(f'{one}; {one}; true'))"
    )
    first, second = python("-c", code, REPRO_SEED="7").lines

    assert first == second
    assert "started by a program in between" in first


def test_commands_of_a_shell_keep_their_meaning(tmp_path: Path) -> None:
    """os.system runs what it is given, with the status that it has, under quotes in values too."""
    code = (
        "import os\n"
        "os.environ['NAME'] = 'va\"l\\'ue'\n"
        "print(os.waitstatus_to_exitcode(os.system('exit 3')), os.system(''), flush=True)\n"
        "os.system(b'printf %s\\\\\\\\n \"$NAME\"')\n"
        "try:\n os.system(None)\nexcept TypeError as problem: print('TypeError', flush=True)\n"
    )
    plain = python("-c", code)
    seeded = python("-c", code, REPRO_SEED="7", REPRO_REPORT=str(tmp_path / "it's here"))

    assert seeded.out == plain.out


def test_calls_are_refused_as_before() -> None:
    """Bad arguments and missing programs raise the same errors."""
    calls = (
        "os.execv('/nowhere', ['x'])", "os.execvp('nowhere-at-all', ['x'])",
        "os.execve('/nowhere', ['x'], {})", "os.execve('/nowhere', ['x'], {'A': 1})",
        "os.execve('/nowhere', ['x'], 3)", "os.execv('/nowhere', [])",
        "os.posix_spawn('/nowhere', ['x'], {})", "os.posix_spawn('/nowhere', ['x'], [])",
        "subprocess.run(['/nowhere'])", "subprocess.run(['true'], env={'A': 1})",
        "subprocess.run(['true'], env={'A=B': 'x'})", "subprocess.run(['false'], check=True)",
        "os.system('a\\0b')",
    )  # fmt: skip
    code = "import os, subprocess\n" + "".join(
        f"try: {call}\nexcept Exception as e: print(type(e), e.args[:1], e.__context__)\n"
        for call in calls
    )

    assert python("-c", code, REPRO_SEED="7").out == python("-c", code).out


def test_other_programs_run_unharmed(tmp_path: Path) -> None:
    """venv, pip and programs that are not Python, with environments of all kinds."""
    code = (
        "import os, subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'venv', '--without-pip', 'v'], check=True)\n"
        "subprocess.run([sys.executable, '-m', 'pip', '--version'], check=True)\n"
        "os.environ['SEEN'] = 'yes'; os.putenv('UNSEEN', 'yes')\n"
        "print(subprocess.check_output('echo $SEEN $UNSEEN', shell=True), flush=True)\n"
        "print(subprocess.check_output(['/usr/bin/env'], env={b'A': b'\\xff'}).split(b'\\n')[0])\n"
    )
    plain = python("-c", code, cwd=tmp_path)
    seeded = python("-c", code, cwd=tmp_path, REPRO_SEED="7")

    assert seeded.out == plain.out
    assert (tmp_path / "v" / "bin" / "python").exists()


def test_starts_in_many_threads_have_places_of_their_own(tmp_path: Path) -> None:
    """No two get the same place, though they share one environment; which has which is a gap."""
    (tmp_path / "draw.py").write_text(DRAW)
    code = (
        "import subprocess, sys, threading, seedlock\n"
        "run = lambda: print(subprocess.check_output([sys.executable, 'draw.py']))\n"
        "threads = [threading.Thread(target=run) for _ in range(12)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print(seedlock.report()['gaps'])"
    )
    done = python("-c", code, cwd=tmp_path, REPRO_SEED="7")

    assert len(set(done.lines[:-1])) == 12
    assert "several threads started processes" in done.lines[-1]


def test_a_chain_of_programs_draws_anew_each_time() -> None:
    """A program that replaces itself by exec goes on in a place of its own each time."""
    code = (
        "import os, random, sys, seedlock\n"
        "print(seedlock.report()['process']['lineage'], random.random(), flush=True)\n"
        "n = int(sys.argv[1])\n"
        "if n: os.execv(sys.executable, [*sys.orig_argv[:-1], str(n - 1)])"
    )
    done, again = (python("-c", code, "2", REPRO_SEED="7") for _ in range(2))

    assert done.out == again.out
    assert [line.split()[0] for line in done.lines[1:]] == ["exec.1", "exec.2"]
    assert len({line.split()[-1] for line in done.lines}) == 3


def test_each_child_has_a_report(tmp_path: Path) -> None:
    """With its lineage; what ends by os._exit or exec is finished, what is killed is not."""
    (tmp_path / "p.py").write_text(
        "import multiprocessing as mp, os, subprocess, sys, time\n"
        "def nothing(): pass\n"
        "def forever(pipe): pipe.send(1); time.sleep(600)\n"
        "if __name__ == '__main__':\n"
        "    for method in ('fork', 'spawn', 'forkserver'):\n"
        "        p = mp.get_context(method).Process(target=nothing); p.start(); p.join()\n"
        "    pid = os.fork()\n"
        "    if pid == 0: os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "    os.spawnv(os.P_WAIT, sys.executable, [sys.executable, '-c', ''])\n"
        "    subprocess.run([sys.executable, '-c', ''], preexec_fn=nothing)\n"
        "    r, w = mp.Pipe()\n"
        "    p = mp.get_context('fork').Process(target=forever, args=(w,)); p.start()\n"
        "    r.recv(); p.kill(); p.join()\n"
    )
    folder = tmp_path / "reports"
    python("p.py", cwd=tmp_path, REPRO_SEED="7", REPRO_REPORT=str(folder))

    found = {
        report["process"]["lineage"]: report["status"]
        for report in reports(folder)
        if report["process"]["lineage"] != "helper"
    }
    assert found == {
        "": "finished", "0": "finished", "1": "finished", "2": "finished", "3": "finished",
        "4": "finished", "4/exec.1": "finished", "5": "finished", "6": "running",
    }  # fmt: skip


def test_a_child_ends_though_its_report_can_not_be_written(tmp_path: Path) -> None:
    """It says why on stderr, and does not go on with its parent's program."""
    folder = tmp_path / "reports"
    code = (
        "import os, shutil, sys\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    shutil.rmtree(os.environ['REPRO_REPORT'])\n"
        "    try: os._exit(3)\n"
        "    finally: print('goes on', flush=True)\n"
        "os.makedirs(os.environ['REPRO_REPORT'], exist_ok=True)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "os.makedirs(os.environ['REPRO_REPORT'], exist_ok=True)\n"
    )
    done = python("-c", code, REPRO_SEED="7", REPRO_REPORT=str(folder))

    assert done.lines == ["3"]
    assert "FileNotFoundError" in done.err


def test_a_program_that_is_not_there_ends_nothing(tmp_path: Path) -> None:
    """os.execvp looks for it in each folder of PATH, and the program goes on: one end."""
    code = (
        "import os, random\n"
        "try: os.execvp('nowhere-at-all', ['x'])\n"
        "except FileNotFoundError: random.seed(1)\n"
    )
    python("-c", code, REPRO_SEED="7", REPRO_REPORT=str(tmp_path), REPRO_TRACE="step")

    (trace,) = tmp_path.glob("*.trace.jsonl")
    kinds = [json.loads(line)["kind"] for line in trace.read_text().splitlines()]
    assert kinds == ["trace", "seed", "end"]
    assert reports(tmp_path)[0]["status"] == "finished"


def test_asking_for_a_report_moves_no_child() -> None:
    """What seedlock itself starts, as `uname` for the report, takes nobody's place."""
    code = (
        "import subprocess, sys, seedlock\n"
        "REPORT\n"
        "subprocess.run([sys.executable, '-c', 'import random; print(random.random())'])"
    )
    with_report = code.replace("REPORT", "seedlock.report()")
    without = code.replace("REPORT", "")

    assert (
        python("-c", with_report, REPRO_SEED="7").out == python("-c", without, REPRO_SEED="7").out
    )


@pytest.mark.parametrize(("level", "outside"), [("warn", {}), ("strict", {"REPRO_LEVEL": "warn"})])
def test_a_level_chosen_by_lock_holds_for_children(level: str, outside: dict[str, Any]) -> None:
    """seedlock.lock(7, 'warn') locks its children at that level, under that seed, whatever the
    environment says."""
    code = (
        f"import seedlock, subprocess, sys; seedlock.lock(7, {level!r})\n"
        "subprocess.run([sys.executable, '-c', 'import seedlock; r = seedlock.report(); "
        'print(r["settings"]["seed"], r["settings"]["level"], r["process"]["lineage"])\'])'
    )

    assert python("-c", code, **outside).lines == [f"7 {level} 0"]


def test_a_child_without_its_parents_environment_is_locked_as_it_is(tmp_path: Path) -> None:
    """All settings hold for it; one that is given a level of its own is given what that takes."""
    child = (
        "import seedlock\n"
        "held = seedlock.report()['settings']\n"
        "print({name: held[name] for name in ('level', 'threads', 'tf32', 'reads', 'entropy')})"
    )
    code = (
        "import subprocess, sys, seedlock\n"
        f"command = [sys.executable, '-c', {child!r}]\n"
        "for given in ({}, {'REPRO_LEVEL': 'seed'}): subprocess.run(command, env=given)\n"
        "print(seedlock.report()['gaps'])"
    )
    same, other, gaps = python(
        "-c", code, REPRO_SEED="7", REPRO_LEVEL="portable", REPRO_THREADS="3", REPRO_TF32="off",
        REPRO_READS="list", REPRO_ENTROPY="lock", REPRO_REPORT=str(tmp_path),
    ).lines  # fmt: skip

    assert same == str(
        {"level": "portable", "threads": 3, "tf32": "off", "reads": True, "entropy": "lock"}
    )
    assert other == str(
        {"level": "seed", "threads": None, "tf32": "keep", "reads": True, "entropy": "lock"}
    )
    assert "started with REPRO_LEVEL=seed" in gaps and "REPRO_THREADS" not in gaps
