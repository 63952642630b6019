"""The trace of a process: what is written, when, and that equal runs write equal lines."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.interpreter import Done, python, reports
from tests.traces import by_place, events, lines, trace_files


def traced(
    tmp_path: Path, code: str, name: str = "run", check: bool = True, **variables: str
) -> tuple[Path, Done]:
    """Run a program with a trace; return the folder of its reports."""
    program = tmp_path / "program.py"
    program.write_text(code)
    folder = tmp_path / name
    given = {"REPRO_SEED": "7", "REPRO_TRACE": "step", "REPRO_REPORT": str(folder), **variables}
    return folder, python(str(program), cwd=tmp_path, check=check, **given)


def test_a_trace_says_what_happened_in_order(tmp_path: Path) -> None:
    """Header, seeds with what was given, generators without one, entropy, listings, end."""
    folder, _ = traced(
        tmp_path,
        "import os, random, secrets, seedlock\n"
        "random.seed(42)\n"
        "random.Random()\n"
        "secrets.token_bytes(8)\n"
        "os.listdir('.')\n"
        "seedlock.checkpoint('mine', [1.5, 2])\n",
    )

    (file,) = trace_files(folder)
    header, *found, end = lines(file)
    assert header == {
        "kind": "trace",
        "schema": 1,
        "mode": "step",
        "algorithm": "xxh3",
        "steps": None,
        "place": "",
        "cwd": str(tmp_path),
        "seed": 7,
    }
    assert [(each["kind"], each["op"], each["at"]) for each in found] == [
        ("seed", "random.seed", "program.py:2"),
        ("unseeded", "random.Random", "program.py:3"),
        ("entropy", "secrets.token_bytes", "program.py:4"),
        ("listing", "os.listdir", "program.py:5"),
        ("checkpoint", "mine", "program.py:6"),
    ]
    assert found[0]["text"] == "42"
    assert found[1]["text"].isdecimal()
    assert set(found[4]["rng"]) == {"python"}
    assert len(found[4]["parts"].split()) == 2
    assert end == {"kind": "end", "events": 5, "left_out": 0}
    assert file.name.replace(".trace.jsonl", ".json") in {each.name for each in folder.iterdir()}


def test_equal_runs_have_equal_traces(tmp_path: Path) -> None:
    """Byte for byte; under another seed the streams differ and the given seeds do not."""
    code = (
        "import random, numpy, seedlock\n"
        "random.seed(1)\n"
        "numpy.random.default_rng()\n"
        "seedlock.checkpoint('draw', numpy.random.rand(3))\n"
    )
    one, two = (traced(tmp_path, code, name)[0] for name in ("one", "two"))
    other, _ = traced(tmp_path, code, "other", REPRO_SEED="8")

    first, second, third = (trace_files(folder)[0].read_bytes() for folder in (one, two, other))
    assert first == second
    assert first != third
    assert events(one, "seed") == events(other, "seed")
    assert events(one, "unseeded") != events(other, "unseeded")


def test_a_value_is_written_as_the_digest_tells_it(tmp_path: Path) -> None:
    """Types and shapes, the parts with their names once, single numbers as text."""
    folder, done = traced(
        tmp_path,
        "import numpy as np, seedlock\n"
        "w, b = np.zeros((2, 3), 'f4'), np.float32(0.5)\n"
        "for _ in range(2):\n"
        "    seedlock.checkpoint('model', {'w': w, 'b': b})\n"
        "seedlock.checkpoint('loss', b)\n"
        "print(seedlock.digest(b))\n",
    )

    model, again, loss = events(folder, "checkpoint")
    assert model["what"] == "float32[2,3] float32[]"
    assert model["names"] == ["w", "b"]
    assert again == {key: value for key, value in model.items() if key not in ("names", "rng")}
    assert loss["text"] == "0x1.0000000000000p-1"
    assert done.lines == [f"xxh3:{loss['digest']}"]
    assert model["parts"].split()[1] == loss["digest"][:8]


def test_children_and_tasks_have_places_of_their_own(tmp_path: Path) -> None:
    """What a worker does in a task belongs to the task, whoever takes it."""
    code = (
        "import subprocess, sys, numpy, seedlock\n"
        "from multiprocessing import Pool\n"
        "def task(i):\n"
        "    seedlock.checkpoint('task', numpy.random.rand())\n"
        "if __name__ == '__main__':\n"
        "    with Pool(WORKERS) as pool:\n"
        "        pool.map(task, range(6), chunksize=1)\n"
        "    subprocess.run([sys.executable, '-c', 'import seedlock; seedlock.checkpoint(1, 2)'])\n"
    )
    two, _ = traced(tmp_path, code.replace("WORKERS", "2"), "two")
    three, _ = traced(tmp_path, code.replace("WORKERS", "3"), "three")

    found = by_place(two)
    assert {place for place in found if place.startswith("task")} == {
        f"task.0.{index}" for index in range(6)
    }
    assert len({found[f"task.0.{index}"][0]["digest"] for index in range(6)}) == 6
    assert [each["text"] for each in events(two, "child")] == ["0"]
    tasks = {place: each for place, each in found.items() if place.startswith("task")}
    assert tasks == {
        place: each for place, each in by_place(three).items() if place.startswith("task")
    }


def test_a_forked_child_writes_a_trace_of_its_own(tmp_path: Path) -> None:
    """No line of the parent's stands in it, or twice in the parent's."""
    folder, _ = traced(
        tmp_path,
        "import os, seedlock\n"
        "seedlock.checkpoint('before', 1)\n"
        "child = os.fork()\n"
        "seedlock.checkpoint('both', 2)\n"
        "if child:\n"
        "    os.waitpid(child, 0)\n"
        "else:\n"
        "    os._exit(0)\n",
    )

    found = by_place(folder)
    assert [each["op"] for each in found[""]] == ["before", "", "both"]
    assert [each["op"] for each in found["0"]] == ["both"]
    assert all(lines(file)[-1]["kind"] == "end" for file in trace_files(folder))


def test_threads_are_left_out_and_counted(tmp_path: Path) -> None:
    """Events of another thread have no order: they are counted, and the report says so."""
    folder, _ = traced(
        tmp_path,
        "import threading, seedlock\n"
        "thread = threading.Thread(target=lambda: seedlock.checkpoint('there', 1))\n"
        "thread.start(); thread.join()\n"
        "seedlock.checkpoint('here', 1)\n",
    )

    assert [each["op"] for each in events(folder)] == ["here"]
    assert lines(trace_files(folder)[0])[-1] == {"kind": "end", "events": 1, "left_out": 1}
    (report,) = reports(folder)
    assert "the trace leaves out 1 events of other threads" in report["gaps"]


def test_a_killed_process_has_no_end(tmp_path: Path) -> None:
    """Its trace can't pass for a whole one."""
    folder, done = traced(
        tmp_path,
        "import os, signal, seedlock\n"
        "seedlock.checkpoint('x', 1)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n",
        check=False,
    )

    assert done.status == -signal.SIGKILL
    assert lines(trace_files(folder)[0])[-1]["kind"] != "end"


def test_checkpoint_refuses_what_has_no_content(tmp_path: Path) -> None:
    """The error names the type; nothing is written."""
    folder, done = traced(
        tmp_path,
        "import _thread, seedlock\nseedlock.checkpoint('lock', _thread.allocate_lock())\n",
        check=False,
    )

    assert done.status == 1
    assert "a _thread.lock has no content" in done.err and "#undigestible" in done.err
    assert events(folder) == []


def test_without_a_trace_a_checkpoint_is_nothing() -> None:
    """With a seed and without one; a digest needs neither."""
    code = "import seedlock; seedlock.checkpoint('x', object()); print(seedlock.digest([1]))"

    assert python("-c", code, REPRO_SEED="7").out == python("-c", code).out


def test_a_trace_costs_a_start_without_one_nothing() -> None:
    """No module of the trace is imported."""
    code = "import sys, numpy; print([m for m in sys.modules if 'seedlock.trac' in m])"

    assert python("-c", code, REPRO_SEED="7").lines == ["[]"]


def test_what_a_library_does_at_its_import_is_no_event(tmp_path: Path) -> None:
    """It draws and lists by caches that the first run fills; the report counts it."""
    folder, _ = traced(tmp_path, "import tempfile, uuid, numpy.random, torch\n")

    assert events(folder, "entropy", "listing") == []
    (report,) = reports(folder)
    assert report["entropy"]
