"""The first step and operation that differ, on traces made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seedlock.evaluation.reference.first_difference import first_difference
from tests.evaluation.made_traces import Event, event, op, step
from tests.evaluation.reference.made_measurement import measurement, plain, side

MODEL = "numpy-line"


def traces(differing: int | None, number: int = 4, cut: int | None = None) -> dict[str, Any]:
    """Return traces of some steps, each of three operations, the second of which differs in one."""
    steps: list[Event] = []
    operations: list[Event] = []
    for each in range(number):
        mark = "11" if differing is not None and each >= differing else "00"
        operations += [
            op(each, "aten.mul.Tensor"), op(each, "aten.add.Tensor", mark),
            op(each, "aten.sum.default", mark), step(each, mark),
        ]  # fmt: skip
        steps.append(step(each, mark))
    return {"step": (MODEL, steps[:cut]), "op": (MODEL, operations)}


def found(folder: Path, before: dict[str, Any], after: dict[str, Any], seed: int = 1) -> Any:
    """Return the first difference of two measurements with these traces."""
    content = measurement(numpy_line=plain())
    sides = side(folder / "before", content, **before), side(folder / "after", content, **after)
    return first_difference(MODEL, *sides, [seed], folder)


def test_step_and_operation(tmp_path: Path) -> None:
    """Within the stored operations the step, the operation and its call site are named."""
    first = found(tmp_path, traces(None), traces(1))

    assert (first["step"], first["op"], first["at"]) == (1, "SGD.step", "train.py:20")
    assert first["operation"]["op"] == "aten.add.Tensor"
    assert "its first operation:" in first["lines"]
    assert first["note"] == ""


def test_a_step_after_the_stored_operations(tmp_path: Path) -> None:
    """Behind the window the step is named, and how to find the operation."""
    first = found(tmp_path, traces(None), traces(2))

    assert first["step"] == 2
    assert first["operation"] is None
    assert "operations of 2 steps are stored, and this is step 2" in first["note"]
    assert (
        "REPRO_TRACE=op REPRO_TRACE_STEPS=2:3 seedlock run --seed 1 --level portable --report NOW "
        "-- python numpy_line.py" in first["note"]
    )


def test_results_come_first(tmp_path: Path) -> None:
    """A generator that is made in another way is no first difference where results differ too."""
    before, after = traces(None), traces(1)
    after["step"][1].insert(0, event("unseeded", op="default_rng", text="7"))

    first = found(tmp_path, before, after)

    assert (first["step"], first["op"]) == (1, "SGD.step")


def test_equal_traces(tmp_path: Path) -> None:
    """Where all that was traced is equal, that is said."""
    first = found(tmp_path, traces(None), traces(None))

    assert first["step"] is None
    assert "all that was traced is equal" in first["note"]


def test_a_run_that_ended_early(tmp_path: Path) -> None:
    """A run that has fewer steps differs where the other goes on."""
    first = found(tmp_path, traces(None), traces(None, cut=3))

    assert first["step"] == 3


def test_another_seed(tmp_path: Path) -> None:
    """Of a seed without a trace it is said how to find the step."""
    first = found(tmp_path, traces(None), traces(1), seed=4)

    assert (first["seed"], first["step"]) == (4, None)
    assert "REPRO_TRACE=step seedlock run --seed 4 --level portable" in first["note"]


def test_traces_that_were_taken_in_another_way(tmp_path: Path) -> None:
    """Traces with another hash are not compared, and that is said."""
    content = measurement(numpy_line=plain())
    before = side(tmp_path / "before", content, **traces(None))
    after = side(tmp_path / "after", content, algorithm="sha256", **traces(1))

    first = first_difference(MODEL, before, after, [1], tmp_path)

    assert first["step"] is None
    assert "have algorithm xxh3 and sha256" in first["note"]
