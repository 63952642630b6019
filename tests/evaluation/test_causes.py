"""Guesses from evidence."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation import nondeterministic
from seedlock.evaluation.causes import causes
from seedlock.evaluation.elements import Element
from seedlock.evaluation.evidence import Cause, Evidence
from seedlock.evaluation.nondeterministic import listed

EQUAL: dict[str, Any] = {
    "environment": {"PYTHONHASHSEED": "5"},
    "machine": {
        "python": "3.11.7",
        "cpu": {"model": "A", "instruction_sets": ["avx2"]},
        "threads": {"usable": 2},
        "gpu": {"devices": []},
    },
    "libraries": {"numpy": {"version": "2.2.6"}},
    "gaps": [],
}


def guessed(
    first: dict[str, Any] | None,
    second: dict[str, Any] | None,
    differs: tuple[str, ...] = ("digest",),
    reports: tuple[dict[str, Any], dict[str, Any]] = (EQUAL, EQUAL),
    **others: Any,
) -> tuple[Cause, ...]:
    """Return the guesses about two events at train.py:12."""
    for event in (first, second):
        if event is not None:
            event.setdefault("at", "train.py:12")
    return causes(Evidence(first, second, differs, reports, cwd="/home/author", **others))


def changed(**keys: Any) -> dict[str, Any]:
    """Return a report that differs from `EQUAL` in keys of its machine facts."""
    return {**EQUAL, "machine": {**EQUAL["machine"], **keys}}


@pytest.mark.parametrize(
    ("kind", "differs", "word", "cure"),
    [
        ("seed", ("text",), "a clock, a process id or system entropy", "constant"),
        ("unseeded", ("text",), "a generator without a seed", "give it a seed"),
        ("entropy", ("digest",), "os.urandom draws from the system", "REPRO_ENTROPY=lock"),
        ("listing", ("digest",), "the order or the content of a folder", "sort"),
    ],
)
def test_what_comes_from_outside_is_named_with_its_line(
    kind: str, differs: tuple[str, ...], word: str, cure: str
) -> None:
    """The likeliest guess, its evidence and its cure."""
    first = {"kind": kind, "op": "os.urandom", "text": "1", "digest": "2"}
    second = {**first, "text": "3", "digest": "4"}

    cause = guessed(first, second, differs)[0]

    assert word in cause.text
    assert "train.py:12" in cause.text
    assert "1 and 3" in cause.evidence or "2 and 4" in cause.evidence
    assert cure in cause.cure
    assert cause.guess


def test_a_clock_as_a_seed_is_told_once() -> None:
    """The reports have it as a gap as well, each with its number; another line is still named."""
    reports = tuple(
        {**EQUAL, "gaps": [f"{place} seeds with a clock: random.seed({number})"
                           for place in ("/home/author/train.py:12", "/home/author/data.py:3")]}
        for number in (17, 18)
    )  # fmt: skip
    first = {"kind": "seed", "op": "random.seed", "text": "17"}

    found = guessed(first, {**first, "text": "18"}, ("text",), (reports[0], reports[1]))

    assert [cause.text.partition(" ")[0] for cause in found] == [
        "a",
        *["/home/author/data.py:3"] * 2,
    ]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("loss = loss + time.time() * 1e-9", "a clock is read"),
        ("x = perf_counter()", "a clock is read"),
        ("stamp = datetime.now().timestamp()", "a clock is read"),
        ("torch.manual_seed(os.getpid())", "a process id is read"),
        ("print('time.time()', timeline(x))", ""),
    ],
)
def test_a_clock_on_the_line_is_named(line: str, what: str) -> None:
    """What the line reads is the likeliest cause; text and other names are none."""
    event = {"kind": "step", "op": "SGD.step", "digest": "1"}

    texts = [each.text for each in guessed(event, {**event, "digest": "2"}, source=line)]

    assert texts[:1] == ([f"{what} at train.py:12"] if what else [])


def test_equal_evidence_gives_no_guess() -> None:
    """Nothing is said where nothing speaks for it."""
    op = {"kind": "op", "op": "aten.mul.Tensor"}

    assert guessed(op, {**op}) == ()
    assert guessed(op, {**op}, reports=({}, {})) == ()


def test_different_root_seeds_are_no_guess() -> None:
    """It says so first, and doesn't blame the hash seed that comes of it."""
    other = {**EQUAL, "environment": {"PYTHONHASHSEED": "6"}}

    found = guessed({"kind": "op"}, {"kind": "op"}, reports=(EQUAL, other), seeds=(7, 8))

    assert len(found) == 1
    assert (found[0].guess, found[0].evidence) == (False, "REPRO_SEED 7 and 8")


def test_a_run_that_did_less_is_named() -> None:
    """Another branch, or a failure."""
    assert "the second run did less" in guessed({"kind": "op"}, None, ())[0].text


@pytest.mark.parametrize(
    ("batches", "parts", "rng", "word"),
    [
        ((["a", "b"], ["b", "a"]), ("1 2", "3 4"), True, "another order"),
        ((["a"], ["b"]), ("1 2", "2 1"), True, "same arrays in another order"),
        ((["a"], ["b"]), ("1 2", "3 4"), False, "something else than the process's generators"),
    ],
)
def test_batches_in_another_order_point_to_workers_or_folders(
    batches: tuple[list[str], list[str]], parts: tuple[str, str], rng: bool, word: str
) -> None:
    """Or to something that the parent's generators don't tell of."""
    events = [{"kind": "batch", "parts": each} for each in parts]
    differs = ("digest", "parts", *(("rng",) if rng else ()))

    assert word in guessed(events[0], events[1], differs, batches=batches)[0].text


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("for word in set(words):", True),
        ("for word in {'a', 'b'}:", True),
        ("for name in {first, second}:", True),
        ("config.set(name)", False),
        ("print(f'{loss}')", False),
        ("table = {'a': 1}", False),
        ("empty = {}", False),
    ],
)
def test_a_set_in_the_line_points_to_its_order(source: str, told: bool) -> None:
    """Displays and calls of set; not braces of format strings and dictionaries."""
    found = guessed({"kind": "op"}, {"kind": "op"}, source=source)

    assert any("a set is iterated" in cause.text for cause in found) == told


def test_a_set_on_the_way_to_the_line_is_named_with_its_own() -> None:
    """Before what is said of every batch that differs."""
    batch = {"kind": "batch", "parts": "1"}
    iterated = ("train.py:9", "x = [table[name] for name in names]")

    cause = guessed(batch, {**batch, "parts": "2"}, source="fit(x)", iterated=iterated)[0]

    assert "a set is iterated at train.py:9" in cause.text
    assert iterated[1] in cause.evidence


def test_orders_that_nothing_locked_are_named_where_nothing_else_is_found() -> None:
    """By their lines, once each, and those that are locked or never ran not at all."""
    rows = ((3, "locked", 1), (5, "text locked", None), (6, "open", 0), (7, "open", 2))
    sites = [
        {
            "where": f"train.py:{line}", "function": "list", "line": f"x{line}", "policy": policy,
            "times": times,
        }
        for line, policy, times in rows
    ]  # fmt: skip
    report = {**EQUAL, "hash_order": {"sites": sites, "files": 1, "more": 0}}
    seed = {"kind": "seed", "text": "1"}

    found = guessed({"kind": "op"}, {"kind": "op"}, reports=(report, report))
    other = guessed(seed, {**seed, "text": "2"}, ("text",), reports=(report, report))

    places = [cause.text.split(" at ")[1] for cause in found]
    assert places[:2] == ["train.py:5 (list)", "train.py:7 (list)"]
    assert not any("hashes" in cause.text for cause in other)


def test_another_hash_seed_under_one_root_seed_is_named() -> None:
    """Then the interpreter did not take seedlock's."""
    other = {**EQUAL, "environment": {"PYTHONHASHSEED": "6"}}

    found = guessed({"kind": "op"}, {"kind": "op"}, reports=(EQUAL, other), seeds=(7, 7))

    assert "PYTHONHASHSEED was 5 and 6" in found[0].evidence


@pytest.mark.parametrize(
    ("report", "word"),
    [
        (changed(threads={"usable": 4}), "the number of threads"),
        (changed(cpu={"model": "A", "instruction_sets": ["avx512f"]}), "the instruction sets"),
        (changed(cpu={"model": "B", "instruction_sets": ["avx2"]}), "the processor"),
        (changed(gpu={"devices": [{"name": "H100"}]}), "the GPU"),
        ({**EQUAL, "libraries": {"numpy": {"version": "2.0.0"}}}, "versions differ: numpy"),
        (changed(python="3.12.1"), "versions differ: python"),
    ],
)
def test_machines_and_versions_that_differ_are_named(report: dict[str, Any], word: str) -> None:
    """From both reports, and alone if nothing else differs."""
    found = guessed({"kind": "op"}, {"kind": "op"}, reports=(EQUAL, report))

    assert len(found) == 1
    assert word in found[0].text


@pytest.mark.parametrize(("distance", "told"), [(1, True), (64, True), (65, False), (0, False)])
def test_few_ulps_point_to_the_order_of_a_sum(distance: int, told: bool) -> None:
    """Other numbers are farther apart."""
    element = Element(0, dtype="float32", distance=distance, unit="ulp")

    found = guessed({"kind": "op"}, {"kind": "op"}, element=element)

    assert any("another order" in cause.text for cause in found) == told


def test_few_ulps_are_likelier_than_a_gap_elsewhere() -> None:
    """Threads that race for a sum start at another line; what they draw is not the point."""
    gap = "train.py:90 runs the program's code in threads (Thread.start): it depends"
    report = {**EQUAL, "gaps": [gap]}
    element = Element(0, dtype="float32", distance=1, unit="ulp")

    found = guessed({"kind": "op"}, {"kind": "op"}, reports=(report, report), element=element)

    assert "a sum was taken in another order" in found[0].text
    assert found[1].text == gap


def test_operations_on_the_frameworks_own_lists_are_named() -> None:
    """With the list and the switch."""
    op = {"kind": "op", "op": "aten.index_add_.default"}

    found = guessed(op, {**op})

    assert "nondeterministic by the framework's own account" in found[0].text
    assert "use_deterministic_algorithms" in found[0].evidence


@pytest.mark.parametrize(
    ("op", "source"),
    [
        ("aten.index_add_.default", nondeterministic.TORCH),
        ("aten.mul.Tensor", None),
        ("aten.BiasAddGrad.default", None),
        ("tf.BiasAddGrad", nondeterministic.TENSORFLOW),
        ("BiasAddGrad", nondeterministic.TENSORFLOW),
        ("jax.scatter-add", nondeterministic.XLA),
        ("mx.Convolution", nondeterministic.MXNET),
        ("", None),
    ],
)
def test_lists_are_told_apart(op: str, source: str | None) -> None:
    """An operation is looked for in its own framework's list."""
    assert listed(op) == source


def test_torchs_list_holds_what_its_docstring_names() -> None:
    """Each entry stands for an operation that this version's documentation names."""
    found = importlib.util.find_spec("torch")
    assert found is not None and found.origin is not None
    source = Path(found.origin).read_text()
    begin = source.index("def use_deterministic_algorithms(")
    text = re.sub("[^a-z0-9]", "", source[begin : source.index("    Args:", begin)].lower())
    in_prose = {
        "(cudnn|transpose|impl|withindices|forward|backward)": "",
        "convolution": "conv",
        "gridsampler.d": "gridsample",
        "nllloss2d": "nllloss",
        "nanmedian": "median",
        "upsample(linear|bilinear|bicubic|trilinear).*": r"\1",
    }
    for name in nondeterministic.OPERATIONS[nondeterministic.TORCH]:
        plain = name.replace("_", "")
        for ours, theirs in in_prose.items():
            plain = re.sub(ours, theirs, plain)
        assert plain in text or "attention" in name, name  # the notes on randomness have that


@pytest.mark.parametrize(
    ("file", "line", "where"),
    [
        ("/home/author/train.py", 12, "this line"),
        ("train.py", 10, "this line"),
        ("/home/author/train.py", 40, "another line"),
        ("/home/author/data.py", 12, "another line"),
    ],
)
def test_gaps_of_the_reports_are_evidence(file: str, line: int, where: str) -> None:
    """Those that name a line, the near ones first."""
    gap = f"{file}:{line} runs the program's code in threads (Thread.start): it depends"
    report = {**EQUAL, "gaps": [gap, "numpy: nothing with a line"]}

    found = guessed({"kind": "op"}, {"kind": "op"}, reports=(report, report))

    assert [cause.text for cause in found] == [gap]
    assert where in found[0].evidence


@pytest.mark.parametrize(("line", "told"), [(12, True), (90, False)])
def test_what_the_report_counted_at_this_line_is_evidence(line: int, told: bool) -> None:
    """A draw from the system that left no event of its own at this place."""
    site = {"where": f"/home/author/train.py:{line}", "function": "os.urandom", "policy": "system",
            "count": 3}  # fmt: skip
    report = {**EQUAL, "entropy": [site]}

    found = guessed({"kind": "op"}, {"kind": "op"}, reports=(report, report))

    assert any("draws from the system" in cause.text for cause in found) == told


def test_draws_before_are_evidence_the_nearest_first() -> None:
    """Those at the same line, then the latest."""
    drawn = tuple({"op": "uuid.uuid4", "at": f"train.py:{line}"} for line in (3, 12, 5))

    found = guessed({"kind": "op"}, {"kind": "op"}, drawn=drawn)

    assert [cause.text.rpartition(" ")[2] for cause in found] == [
        "train.py:12", "train.py:5", "train.py:3",
    ]  # fmt: skip
