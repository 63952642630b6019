"""A run's folder, ordered by places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seedlock.errors import BadTrace
from seedlock.evaluation.container_engine import Mount
from seedlock.evaluation.processes import Place
from seedlock.evaluation.recording.trace_digest import digest_of_traces
from seedlock.evaluation.traces import Run
from tests.evaluation.made_traces import child, event, op, step, write_process, write_run


def kinds(run: Run, place: Place) -> list[str]:
    """Return what a place's events did."""
    stream = run.streams[place]
    return [str(each.get("op")) for each in stream.before(stream.size, stream.events)]


def test_events_are_counted_by_place(tmp_path: Path) -> None:
    """Processes, places, events and steps; `end` and the header are none of them."""
    run = Run(write_run(tmp_path, first=[child("0"), step(0), step(1)], p0=[op(0), step(0)]))

    assert (len(run.processes), run.events, run.steps) == (2, 5, 3)
    assert run.streams[Place("")].events == 3
    assert list(run.streams[Place("")].children) == ["0"]
    assert run.troubles() == []
    assert run.seed == 7


def test_a_folder_above_the_reports_and_a_single_trace_are_runs_too(tmp_path: Path) -> None:
    """`seedlock verify` keeps reports beside other output."""
    trace = write_process(tmp_path / "reports", [step(0)])

    assert Run(tmp_path).events == Run(trace).events == Run(str(tmp_path / "reports")).events == 1
    assert Run(trace).troubles() == []


def test_tasks_belong_to_their_place_whoever_took_them(tmp_path: Path) -> None:
    """A process's events go with the place that it had then, also when it comes back to one."""
    task = [event("place", text=f"task.0.{n}") for n in range(3)]
    worker = event("place", text="pool.0.0")
    own = event("seed", op="random.seed", text="1")
    write_process(tmp_path, [own, task[0], op(0, "a"), worker, own, task[2], op(0, "c"), worker],
                  place="pool.0.0", pid=1)  # fmt: skip
    write_process(tmp_path, [own, task[1], op(0, "b"), op(0, "b")], place="pool.0.1", pid=2)

    run = Run(tmp_path)

    assert kinds(run, Place("task.0.0")) == ["a"]
    assert kinds(run, Place("task.0.1")) == ["b", "b"]
    assert kinds(run, Place("task.0.2")) == ["c"]
    assert kinds(run, Place("pool.0.0")) == ["random.seed", "random.seed"]
    assert [place.path for place in sorted(run.streams, key=lambda each: each.order)] == [
        "pool.0.0", "pool.0.1", "task.0.0", "task.0.1", "task.0.2",
    ]  # fmt: skip


def test_processes_that_share_a_place_are_numbered_by_their_start(tmp_path: Path) -> None:
    """Not by the process id, which the name begins with."""
    write_process(tmp_path, [op(0, "late")], place="0", pid=7, start=0x18EA53E7B1259F00)
    write_process(tmp_path, [op(0, "early")], place="0", pid=900)

    run = Run(tmp_path)

    assert kinds(run, Place("0")) == ["early"]
    assert kinds(run, Place("0", 1)) == ["late"]
    assert Place("0", 1).name == "0 (2)"


def test_places_are_sorted_as_numbers() -> None:
    """The tenth child comes after the second."""
    paths = ["0/10", "0/2", "", "10", "2", "0"]

    assert sorted(paths, key=lambda path: Place(path).order) == ["", "0", "0/2", "0/10", "2", "10"]


@pytest.mark.parametrize("cut", [b"", b'{"kind":"op","st', b'{"kind":"end","events":3'])
def test_a_killed_process_is_marked(tmp_path: Path, cut: bytes) -> None:
    """Whole lines count, half a line does not, and the run is no longer fully traced."""
    write_process(tmp_path, [step(0), step(1)], ended=False, cut=cut)

    run = Run(tmp_path)

    assert run.events == 2
    assert not run.processes[0].ended
    assert "did not come to its end" in run.troubles()[0]


@pytest.mark.parametrize("content", [b"", b'{"kind":"trace","sch'])
def test_a_process_killed_before_its_header_is_marked(tmp_path: Path, content: bytes) -> None:
    """It stands where its report says."""
    trace = write_process(tmp_path, [], place="0")
    trace.write_bytes(content)

    run = Run(tmp_path)

    assert (run.processes[0].ended, run.processes[0].place) == (False, "0")
    assert len(run.troubles()) == 2


def test_a_worker_may_be_terminated(tmp_path: Path) -> None:
    """Pools do so with all of them; half a line is a trouble all the same."""
    task = event("place", text="task.0.0")
    write_process(tmp_path, [task, op(0)], place="pool.0.0", pid=1, ended=False)
    write_process(tmp_path, [op(0)], place="0", pid=2, ended=False)
    write_process(tmp_path, [task, op(0)], place="pool.0.2", pid=3, ended=False, cut=b"{")

    run = Run(tmp_path)

    assert [process.ended for process in run.processes] == [False] * 3
    assert [process.terminated for process in run.processes] == [True, False, False]
    assert [text.split()[2] for text in run.troubles()] == ["'0')", "'pool.0.2')"]


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    """A report without a trace, a trace without a report, traces without events."""
    trace = write_process(tmp_path, [])
    (tmp_path / "9-18.json").write_text('{"process": {}}')
    (tmp_path / "metrics.json").write_text("[1]")
    trace.with_name(trace.name.replace(".trace.jsonl", ".json")).unlink()

    troubles = Run(tmp_path).troubles()

    assert [text.split(" left ")[-1] for text in troubles] == [
        "a report and no trace", "a trace and no report", "its traces hold no events",
    ]  # fmt: skip


def test_events_left_out_are_known(tmp_path: Path) -> None:
    """Threads have no order; the end says how many events that were."""
    trace = write_process(tmp_path, [step(0)], ended=False)
    with trace.open("ab") as file:
        file.write(b'{"kind":"end","events":1,"left_out":5}\n')

    assert Run(tmp_path).processes[0].left_out == 5


@pytest.mark.parametrize(
    "line", [b"junk\n", b"[1]\n", b'{"kind":"op"}\n', b'{"kind":"trace","schema":2}\n', b"\xff\n"]
)
def test_what_is_no_trace_is_refused(tmp_path: Path, line: bytes) -> None:
    """The error names the file and the cure."""
    (tmp_path / "1-18.trace.jsonl").write_bytes(line)

    with pytest.raises(BadTrace, match=r"trace\.jsonl .*; allowed: .*#unreadable-trace\]"):
        Run(tmp_path)


def test_a_folder_without_traces_is_refused(tmp_path: Path) -> None:
    """Also one with reports, and one that is not there."""
    (tmp_path / "1-18.json").write_text('{"process": {}}')

    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadTrace, match="allowed: the folder that REPRO_REPORT named"):
            Run(folder)


def test_long_traces_are_indexed_over_block_borders(tmp_path: Path) -> None:
    """Lines, places and children that lie across blocks of a megabyte."""
    long = "x" * 3000
    events = []
    for number in range(2000):
        events.append(event("place", text=f"task.0.{number % 7}"))
        events += [op(0, f"{number}", what=long), child(f"0/{number}")]
    write_process(tmp_path, events)

    run = Run(tmp_path)

    assert run.events == 4000
    for number in range(7):
        place = Place(f"task.0.{number}")
        stream = run.streams[place]
        assert kinds(run, place)[::2] == [str(n) for n in range(number, 2000, 7)]
        for path, offset in list(stream.children.items())[::50]:
            assert stream.before(offset, 1)[0]["text"] == path


def test_the_line_of_source_is_shown_of_python_files_only(tmp_path: Path) -> None:
    """A trace may be a stranger's, and does not choose which files to show."""
    (tmp_path / "train.py").write_text("import random\nrandom.seed()\n")
    (tmp_path / "secret").write_text("word\n")
    process = Run(write_run(tmp_path, first=[step(0)])).processes[0]

    assert process.source("train.py:2") == "random.seed()"
    assert process.source(f"{tmp_path}/train.py:1") == "import random"
    for at in ("secret:1", "train.py:9", "none.py:1", "train.py", None):
        assert process.source(at) is None


def test_a_containers_lines_are_shown_of_what_was_mounted_only(tmp_path: Path) -> None:
    """The same path on this machine is another file; the innermost mount counts."""
    for name in ("code", "own"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.py").write_text(f"{name} = 1\n")
    write_process(tmp_path, [step(0)], cwd="/submission")
    mounts = [
        Mount(tmp_path / "code", "/submission"),
        Mount(tmp_path / "own", "/submission/own"),
        Mount(tmp_path / "own" / "train.py", "/one.py"),
    ]
    process = Run(tmp_path, mounts).processes[0]

    assert process.source("train.py:1") == "code = 1"
    assert process.source("own/train.py:1") == "own = 1"
    assert process.source("/one.py:1") == "own = 1"
    for at in (f"{tmp_path}/code/train.py:1", "/submissions/train.py:1", "../train.py:1"):
        assert process.source(at) is None
    assert Run(tmp_path, []).processes[0].source(f"{tmp_path}/code/train.py:1") is None


@pytest.mark.parametrize(
    "spoilt",
    [
        '{"kind":"trace","schema":1,"mode":"all"}\n',
        '{"kind":"trace","schema":1,"mode":"step","algorithm":5}\n',
        "[" * 100_000 + "\n",
        "\n",
    ],
)
def test_what_is_no_trace_has_no_digest(spoilt: str, tmp_path: Path) -> None:
    """A program may have written it; a record says so, and no reader falls over it."""
    (tmp_path / "x.trace.jsonl").write_text(spoilt)

    with pytest.raises(BadTrace, match=r"x\.trace\.jsonl holds"):
        digest_of_traces(tmp_path)


def test_odd_numbers_in_a_trace(tmp_path: Path) -> None:
    """A place of more digits than int() takes, and a count that is a word, are just that."""
    lines = [
        {"kind": "trace", "schema": 1, "mode": "step", "algorithm": "xxh3", "place": "9" * 5000},
        {"kind": "end", "events": 0, "left_out": "many"},
    ]
    (tmp_path / "x.trace.jsonl").write_text(
        "".join(f"{json.dumps(each, separators=(',', ':'))}\n" for each in lines)
    )

    found = digest_of_traces(tmp_path)

    assert found is not None and found["results"] == 0
