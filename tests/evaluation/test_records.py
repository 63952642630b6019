"""records.py: a run of which something is missing must not be judged."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.records import Records, steps_so_far

END = {"kind": "end", "events": 1, "left_out": 0}


def report(
    folder: Path, name: str, status: str = "finished", lineage: str = "", seed: int = 7,
    settings: dict[str, Any] | None = None, **more: Any,
) -> None:  # fmt: skip
    """Write a report."""
    content = {
        "status": status, "process": {"lineage": lineage},
        "settings": {"seed": seed, **(settings or {})}, **more,
    }  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(content))


def trace(folder: Path, name: str, *events: dict[str, Any], algorithm: str = "xxh3") -> None:
    """Write a trace."""
    lines = [{"kind": "trace", "schema": 1, "algorithm": algorithm}, *events]
    (folder / f"{name}.trace.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in lines))


def test_a_whole_run_has_no_fault(tmp_path: Path) -> None:
    """Reports that finished, under the right seed, each with a trace to its end."""
    for name, lineage in (("1-a", ""), ("2-b", "0")):
        report(tmp_path, name, lineage=lineage)
        trace(tmp_path, name, END)

    records = Records(tmp_path)

    assert records.faults(7, traced=True) == []
    assert records.algorithm() == "xxh3"


FAULTS = {
    "no report": "left a report",
    "a broken report": "can't be read",
    "no first process": "first process left no report",
    "a killed process": "was killed",
    "another seed": "under the seed 8",
    "no trace": "left no trace",
    "no header": "no header",
    "no end": "has no end",
    "two algorithms": "different algorithms",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_missing_is_a_fault(fault: str, tmp_path: Path) -> None:
    """Each by itself, beside a process of which all is there."""
    if fault != "no report":
        report(tmp_path, "1-a", lineage="0" if fault == "no first process" else "")
        trace(tmp_path, "1-a", END)
    if fault == "a broken report":
        (tmp_path / "2-b.json").write_text('{"status": "finis')
    if fault in ("a killed process", "another seed", "no trace", "no end", "two algorithms"):
        status = "running" if fault == "a killed process" else "finished"
        report(tmp_path, "2-b", status, "0", 8 if fault == "another seed" else 7)
        if fault != "no trace":
            last = [] if fault == "no end" else [END]
            way = "blake2b" if fault == "two algorithms" else "xxh3"
            trace(tmp_path, "2-b", *last, algorithm=way)
    if fault == "no header":
        report(tmp_path, "2-b", lineage="0")
        (tmp_path / "2-b.trace.jsonl").write_text('{"kind":')

    found = Records(tmp_path).faults(7, traced=True)

    assert len(found) == 1
    assert FAULTS[fault] in found[0]


SPOILT = {
    "a number that JSON has no word for": '{"process": {}, "usage": NaN}',
    "an infinite number": '{"process": {}, "settings": {"x": 1e999}}',
    "no process": '{"settings": {"seed": 7}}',
    "a process that is a word": '{"process": "first"}',
    "settings that are a number": '{"process": {}, "settings": 5}',
    "reads without their number": '{"process": {}, "reads": {"files": []}}',
    "a name that no file has": '{"process": {}, "reads": {"files": ["a\\u0000"], "more": 0}}',
    "half a character": '{"process": {}, "reads": {"files": ["\\ud800"], "more": 0}}',
    "a lock without a digest": '{"process": {}, "lock": {"drift": {}}}',
    "less than no memory": (
        '{"process": {}, "usage": {"user_s": 1, "system_s": 1, "peak_memory_bytes": -1}}'
    ),
    "a site without a line": '{"process": {}, "entropy": [{"function": "a"}]}',
    "a library that is a list": '{"process": {}, "libraries": {"torch": []}}',
    "a place without end": f'{{"process": {{"lineage": "{"0/" * 1000}"}}}}',
    "deep": "[" * 200_000,
    "deep in a free key": f'{{"process": {{}}, "settings": {{"x": {"[" * 50}{"]" * 50}}}}}',
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_report_that_seedlock_did_not_write_is_none(spoilt: str, tmp_path: Path) -> None:
    """A program can write there what it likes; no reader of reports meets another shape."""
    report(tmp_path, "1-a")
    (tmp_path / "x.json").write_text(SPOILT[spoilt])

    records = Records(tmp_path)

    assert list(records.reports) == ["1-a"]
    assert records.faults(7, traced=False) == ["the report x.json can't be read"]


def test_only_plain_files_are_read(tmp_path: Path) -> None:
    """A pipe would be waited for, a link leads to what is another's."""
    report(tmp_path, "1-a")
    os.mkfifo(tmp_path / "x.json")
    os.mkfifo(tmp_path / "y.trace.jsonl")
    (tmp_path / "z.json").symlink_to(tmp_path / "1-a.json")

    records = Records(tmp_path)

    assert records.broken == ["x.json", "z.json", "y.trace.jsonl"]
    assert steps_so_far(tmp_path) == 0


@pytest.mark.parametrize(
    ("argv", "command", "whole"),
    [
        (["python", "train.py"], ["/usr/bin/python3.11", "train.py"], True),
        (["python", "-S", "train.py"], ["python", "-c", "pass"], False),
        (["python3.11", "train.py"], ["python", "train.py", "--more"], False),
        (["python", "train.py", "{output}/x"], ["python", "train.py", "/output/x"], True),
        (["sh", "train.sh"], ["python", "train.py"], True),
    ],
)
def test_the_commands_own_process_has_a_report(
    argv: list[str], command: list[str], whole: bool, tmp_path: Path
) -> None:
    """That of another first process does not stand for it; a shell's is any."""
    content = {
        "status": "finished", "process": {"lineage": "", "command": command},
        "settings": {"seed": 7},
    }  # fmt: skip
    (tmp_path / "1-a.json").write_text(json.dumps(content))

    found = Records(tmp_path).faults(7, traced=False, argv=argv)

    assert [each[:33] for each in found] == ([] if whole else ["the command's own process left no"])


def test_traces_are_not_asked_for_where_none_were_made(tmp_path: Path) -> None:
    """--trace off needs reports only."""
    report(tmp_path, "1-a")

    assert Records(tmp_path).faults(7, traced=False) == []


def test_a_worker_that_its_pool_ended_is_a_note(tmp_path: Path) -> None:
    """Pools terminate their workers; any other process that was killed is a fault."""
    report(tmp_path, "1-a")
    trace(tmp_path, "1-a", END)
    report(tmp_path, "2-b", "running", "pool.0.1")
    trace(tmp_path, "2-b")

    records = Records(tmp_path)

    assert records.faults(7, traced=True) == []
    assert "pool.0.1" in records.notes()[0]


def test_gaps_and_sites_come_once(tmp_path: Path) -> None:
    """However many processes have them."""
    site = {"where": "a.py:1", "function": "random.seed", "policy": "keep", "given": ["1"]}
    for name in ("1-a", "2-b"):
        report(
            tmp_path, name, gaps=["one"], user_seeds=[site], libraries={"numpy": {"gaps": ["two"]}}
        )

    records = Records(tmp_path)

    assert records.gaps() == ["one", "two"]
    assert records.sites("user_seeds") == [site]


def test_steps_are_counted_from_the_end_of_a_trace(tmp_path: Path) -> None:
    """While it grows, also with half a line at its end."""
    assert steps_so_far(tmp_path) == 0
    trace(tmp_path, "1-a", *({"kind": "step", "step": n} for n in range(30)))
    assert steps_so_far(tmp_path) == 30
    with (tmp_path / "1-a.trace.jsonl").open("a") as file:
        file.write('{"kind":"batch","step":30}\n{"kind":"st')
    assert steps_so_far(tmp_path) == 30


def test_a_process_under_other_settings_than_were_asked_for_is_a_fault(tmp_path: Path) -> None:
    """Each setting that decides what is locked, and no other."""
    asked = {"seed": 7, "level": "strict", "user_seeds": "mix", "trace": "step"}
    report(tmp_path, "1-a", settings={"level": "strict", "user_seeds": "mix", "trace": None})
    assert Records(tmp_path).faults(7, traced=False, asked=asked) == []

    report(tmp_path, "2-b", lineage="0", settings={"level": "watch", "user_seeds": "keep"})

    assert Records(tmp_path).faults(7, traced=False, asked=asked) == [
        "the process at place 0 ran with level watch, and strict was asked for",
        "the process at place 0 ran with user_seeds keep, and mix was asked for",
    ]
