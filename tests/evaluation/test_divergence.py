"""Where two runs first part."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from seedlock.errors import NotComparable
from seedlock.evaluation.divergence import (
    Divergence,
    first_divergence,
    first_result_divergence,
)
from seedlock.evaluation.traces import Run
from tests.evaluation.made_traces import Event, child, event, op, step, write_process, write_run


def parted(
    tmp_path: Path, a: dict[str, list[Event]], b: dict[str, list[Event]], results: bool = False
) -> Divergence | None:
    """Return where two runs with these places part."""
    runs = Run(write_run(tmp_path / "a", **a)), Run(write_run(tmp_path / "b", **b))
    return (first_result_divergence if results else first_divergence)(*runs)


def test_the_event_is_described(tmp_path: Path) -> None:
    """Index, step, kind, operation, line, both events, the fields, the events before."""
    events = [step(n) for n in range(40)]
    other = [*events]
    other[37] = step(37, "ff", loss="0x1p+0")

    found = parted(tmp_path, {"first": events}, {"first": other})

    assert found is not None
    assert (found.place, found.index, found.step, found.kind, found.op, found.at) == (
        "", 37, 37, "step", "SGD.step", "train.py:20",
    )  # fmt: skip
    assert (found.first, found.second) == (events[37], other[37])
    assert found.differs == ("digest", "loss")
    assert found.before == tuple(events[34:37])
    assert found.places == ()
    assert json.loads(json.dumps(found.as_dict()))["index"] == 37


def test_equal_runs_part_nowhere(tmp_path: Path) -> None:
    """Also with children, and with processes that wrote nothing."""
    places = {"first": [child("0"), step(0)], "p0": [op(0)], "p1": []}

    assert parted(tmp_path, places, places) is None


@pytest.mark.parametrize(("parent_parts_at", "root"), [(0, ""), (2, "0"), (3, "0"), (None, "0")])
def test_what_parts_first_is_a_matter_of_causation(
    tmp_path: Path, parent_parts_at: int | None, root: str
) -> None:
    """A child that was started before its parent parted is the cause, else its parent is."""
    parent = [step(0), child("0"), step(1), step(2)]
    other = [*parent]
    for at in range(len(parent)):
        if parent_parts_at is not None and at >= parent_parts_at and at != 1:
            other[at] = step(parent[at]["step"], "ff")

    found = parted(
        tmp_path, {"first": parent, "p0": [op(0)]}, {"first": other, "p0": [op(0, digest="ff")]}
    )

    assert found is not None
    assert found.place == root
    assert found.places == (() if parent_parts_at is None else ("" if root else "0",))


def test_among_siblings_the_first_started_counts(tmp_path: Path) -> None:
    """Not the one whose place comes first, and a grandchild before its parents."""
    first = [child("1"), child("0"), step(0)]
    a = {"first": first, "p0": [op(0)], "p1": [child("1/0"), op(0)], "p1_0": [op(0)]}
    b = {
        "first": [*first[:2], step(0, "ff")],
        "p0": [op(0, digest="ff")],
        "p1": [child("1/0"), op(0, digest="ff")],
        "p1_0": [op(0, digest="ff")],
    }

    found = parted(tmp_path, a, b)

    assert found is not None
    assert found.place == "1/0"
    assert set(found.places) == {"", "0", "1"}


def test_a_grandchild_is_known_by_the_child_between(tmp_path: Path) -> None:
    """Where a place between left no differing events, its start still orders the grandchild."""
    first = [child("0"), step(0)]
    a = {"first": first, "p0": [child("0/0")], "p0_0": [op(0)]}
    b = {"first": [child("0"), step(0, "ff")], "p0": [child("0/0")], "p0_0": [op(0, digest="ff")]}

    found = parted(tmp_path, a, b)

    assert found is not None
    assert found.place == "0/0"


@pytest.mark.parametrize(("kind", "root"), [("unseeded", "task.0.1"), ("op", "")])
def test_a_task_comes_first_if_something_was_brought_in(
    tmp_path: Path, kind: str, root: str
) -> None:
    """When a task was handed out is not in the trace; what came in from outside is."""
    for name, digest in (("a", "00"), ("b", "ff")):
        task = [event("place", text="task.0.1"), {**op(0, digest=digest), "kind": kind}]
        write_process(tmp_path / name, [step(0, digest)], pid=1)
        write_process(tmp_path / name, task, place="pool.0.0", pid=2)

    found = first_divergence(Run(tmp_path / "a"), Run(tmp_path / "b"))

    assert found is not None
    assert found.place == root


def test_what_a_task_drew_is_evidence_for_what_its_parent_got(tmp_path: Path) -> None:
    """The task itself differs in nothing else."""
    for name, digest in (("a", "00"), ("b", "ff")):
        draw = event("entropy", op="os.urandom", at="train.py:4", digest=digest)
        write_process(tmp_path / name, [step(0, digest)], pid=1)
        write_process(tmp_path / name, [event("place", text="task.0.1"), draw],
                      place="pool.0.0", pid=2)  # fmt: skip

    found = first_divergence(Run(tmp_path / "a"), Run(tmp_path / "b"))

    assert found is not None
    assert (found.place, found.kind) == ("", "step")
    assert found.causes[0].text == "os.urandom draws from the system at train.py:4"


def test_tasks_that_a_terminated_worker_lost_are_no_difference(tmp_path: Path) -> None:
    """Its pool ended it before it wrote them down."""
    task = [event("place", text="task.0.0"), op(0)]
    write_process(tmp_path / "a", task, place="pool.0.0")
    write_process(tmp_path / "b", [], place="pool.0.0", ended=False)
    write_process(tmp_path / "c", [], place="pool.0.0")

    lost = first_divergence(Run(tmp_path / "a"), Run(tmp_path / "b"))
    missing = first_divergence(Run(tmp_path / "a"), Run(tmp_path / "c"))

    assert lost is not None and missing is not None
    assert (lost.cut, missing.cut) == (True, False)


def test_tasks_are_compared_whoever_took_them(tmp_path: Path) -> None:
    """Two workers in one run, one in the other, and the tasks in another order."""
    task = [[event("place", text=f"task.0.{n}"), op(0, digest=f"0{n}")] for n in range(4)]
    back = event("place", text="pool.0.0")
    write_process(tmp_path / "a", [*task[0], *task[2]], place="pool.0.0", pid=1)
    write_process(tmp_path / "a", [*task[3], *task[1]], place="pool.0.1", pid=2)
    write_process(tmp_path / "b", [*task[1], *task[0], *task[3], *task[2], back],
                  place="pool.0.0", pid=1)  # fmt: skip

    assert first_divergence(Run(tmp_path / "a"), Run(tmp_path / "b")) is None


@pytest.mark.parametrize("events", [[], [op(0)]])
def test_a_missing_process_is_a_divergence(tmp_path: Path, events: list[Event]) -> None:
    """Even one in which nothing happened; which run has none is told."""
    a: dict[str, list[Event]] = {"first": [child("0")], "p0": events}
    b: dict[str, list[Event]] = {"first": [child("0")]}

    found = parted(tmp_path / "1", a, b)
    other = parted(tmp_path / "2", b, a)

    assert found is not None and other is not None
    assert (found.place, found.missing) == ("0", "second")
    assert (other.place, other.missing) == ("0", "first")
    assert found.first == (events[0] if events else None)


def test_a_trace_that_was_cut_is_told_from_one_that_ended(tmp_path: Path) -> None:
    """A killed process did not do less, it was not let; what else differs counts first."""
    events = [step(0), step(1)]
    write_process(tmp_path / "a", events)
    write_process(tmp_path / "b", events[:1], ended=False)
    write_process(tmp_path / "c", events[:1])

    a, b, c = (Run(tmp_path / name) for name in "abc")
    cut, ended = first_divergence(a, b), first_divergence(a, c)

    assert cut is not None and ended is not None
    assert (cut.cut, cut.index, cut.second) == (True, 1, None)
    assert (ended.cut, ended.index, ended.second) == (False, 1, None)

    for folder, digest in (("a", "00"), ("b", "ff")):
        write_process(tmp_path / folder, [op(0, digest=digest)], place="0", pid=101)
    certain = first_divergence(Run(tmp_path / "a"), Run(tmp_path / "b"))

    assert certain is not None
    assert (certain.place, certain.cut, certain.places) == ("0", False, ("",))


@pytest.mark.parametrize(
    ("name", "value"), [("mode", "step"), ("algorithm", "blake2b"), ("steps", [3, 4])]
)
def test_traces_taken_otherwise_are_not_compared(tmp_path: Path, name: str, value: object) -> None:
    """What differs, what is allowed, and the cure; equal digests would say nothing."""
    write_process(tmp_path / "a", [step(0)])
    write_process(tmp_path / "b", [step(0)], **{name: value})  # type: ignore[arg-type]

    with pytest.raises(NotComparable, match=rf"have {name} .*; allowed: equal ones; run both"):
        first_divergence(Run(tmp_path / "a"), Run(tmp_path / "b"))


def test_a_deaf_program_has_no_result_that_differs(tmp_path: Path) -> None:
    """Seeds and generators' states may: that alone changes no result."""
    a = [event("seed", text="1"), step(0, rng={"python": "1"})]
    b = [event("seed", text="2"), step(0, rng={"python": "2"})]

    assert parted(tmp_path / "1", {"first": a}, {"first": b}, results=True) is None
    assert parted(tmp_path / "2", {"first": a}, {"first": b}) is not None

    found = parted(tmp_path / "3", {"first": a}, {"first": [b[0], step(0, "ff")]}, results=True)
    assert found is not None
    assert (found.index, found.kind) == (1, "step")


def test_the_element_is_found_with_the_name_that_was_sent_before(tmp_path: Path) -> None:
    """Names are sent once; the event with the same operation and shapes has them."""
    what = "float32[2] float32[3]"
    values = [struct.pack("<5f", *range(5)), struct.pack("<4f", *range(4)) + b"\1\0\x80\x40"]
    for name, data, digest in (("a", values[0], "00"), ("b", values[1], "ff")):
        events = [
            step(0, what="float32[9]", parts="00", names=["other"]),
            step(0, what=what, parts="00 00", names=["bias", "weight"]),
            step(1, digest, what=what, parts=f"00 {digest}", kept=[[0, 8], [8, 12]]),
        ]
        write_process(tmp_path / name, events, values=data)

    found = first_divergence(Run(tmp_path / "a"), Run(tmp_path / "b"))

    assert found is not None and found.element is not None
    element = found.element
    assert (element.name, element.flat, element.distance) == ("weight", 2, 1)
    assert found.as_dict()["element"]["second_bits"] == "0x40800001"


def test_causes_come_with_the_divergence(tmp_path: Path) -> None:
    """The line of source and both reports are looked at."""
    for name, text in (("a", "1763800000"), ("b", "1763800009")):
        report = {"gaps": ["train.py:5 runs the program's code in threads (Thread.start): so"]}
        events = [event("seed", op="random.seed", at="train.py:5", text=text)]
        write_process(tmp_path / name, events, report=report)
        (tmp_path / name / "train.py").write_text("\n" * 4 + "random.seed(int(time.time()))\n")

    found = first_divergence(Run(tmp_path / "a"), Run(tmp_path / "b"))

    assert found is not None
    assert found.source == "random.seed(int(time.time()))"
    assert [cause.text.split()[:2] for cause in found.causes] == [
        ["a", "clock,"],
        ["train.py:5", "runs"],
    ]


def test_the_same_batches_in_another_order_are_recognised(tmp_path: Path) -> None:
    """From the digests of the batches to come."""
    batches = [{**op(0, "DataLoader", digest=f"{n:02x}"), "kind": "batch"} for n in range(6)]
    swapped = [batches[0], batches[3], batches[2], batches[1], *batches[4:]]

    found = parted(tmp_path, {"first": batches}, {"first": swapped})

    assert found is not None
    assert found.index == 1
    assert "another order" in found.causes[0].text
    assert found.causes[0].evidence == "the batch of the first run comes 2 later in the second"


def test_a_draw_in_one_process_does_not_hide_a_result_in_another(tmp_path: Path) -> None:
    """What the system gave counts last, and is no other place that differs then."""
    for name, digest in (("a", "1"), ("b", "2")):
        draw = event("entropy", op="uuid.uuid4", at="train.py:1", digest=digest)
        write_run(tmp_path / name, first=[draw, child("0")], p0=[op(0, digest=f"0{digest}")])

    found = first_divergence(Run(tmp_path / "a"), Run(tmp_path / "b"))

    assert found is not None
    assert (found.place, found.kind, found.places) == ("0", "op", ())
