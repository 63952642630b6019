"""A new measurement against the stored one, on measurements made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.reference import check_text, checking
from seedlock.evaluation.reference.checking import Side
from seedlock.evaluation.rounds.canonical import sha256
from tests.evaluation.made_traces import Event, op, step
from tests.evaluation.reference.made_measurement import (
    VALUES,
    measurement,
    model,
    plain,
    run,
    side,
)

BEFORE = measurement(numpy_line=plain())


def check(folder: Path, after: dict[str, Any], before: dict[str, Any] = BEFORE) -> dict[str, Any]:
    """Return the result of a check; its lines can be made of it too."""
    sides = side(folder / "before", before), side(folder / "after", after)
    result = checking.check(*sides, folder)
    assert list(check_text.lines(result, sides[0].content, sides[1].content))
    return result


def of_line(result: dict[str, Any]) -> dict[str, Any]:
    """Return what a result says of the model."""
    found: dict[str, Any] = result["models"]["numpy-line"]
    return found


def test_equal_bits(tmp_path: Path) -> None:
    """The same bits under each seed are EQUAL BITS, on another processor with other locks too."""
    after = measurement(numpy_line=plain())
    after["host"]["cpu"]["model"] = "another processor"
    after["lock"]["cpu.lock"] = sha256(b"another")
    after["packages"] = {"numpy": "2.2.7", "new": "1"}

    result = check(tmp_path, after)

    assert (result["verdict"], result["exit_status"]) == ("EQUAL BITS", 0)
    assert of_line(result)["first"] is None
    assert result["changes"]["processor"] == ["some processor", "another processor"]
    assert result["changes"]["packages"] == {"new": [None, "1"], "numpy": ["2.2.6", "2.2.7"]}
    assert result["changes"]["lock"] == ["cpu.lock"]


def test_equal_distribution(tmp_path: Path) -> None:
    """Other bits and values that are not told apart pass, with the loss that would have shown."""
    after = measurement(numpy_line=plain("b", [*VALUES[1:], VALUES[0]]))

    result = check(tmp_path, after)

    assert (result["verdict"], result["exit_status"]) == ("EQUAL DISTRIBUTION", 0)
    assert of_line(result)["judgement"]["smallest_loss"] > 0
    assert of_line(result)["first"]["note"] == "there is no trace (stored)"


def test_a_collapsed_run_is_shown_and_decides_nothing(tmp_path: Path) -> None:
    """One of ten passes, and nobody who reads the check can miss it."""
    before = side(tmp_path / "before", measurement(numpy_line=plain()))
    content = measurement(numpy_line=plain("b", [*VALUES[:9], 0.1]))
    after = side(tmp_path / "after", content)

    result = checking.check(before, after, tmp_path)
    lines = list(check_text.lines(result, before.content, after.content))

    assert (result["verdict"], result["exit_status"]) == ("EQUAL DISTRIBUTION", 0)
    told = "seed 10 stands apart: it came to 0.1, the stored runs to 0.95 to 0.975"
    assert of_line(result)["remarks"] == [told]
    assert f"  decides nothing: {told}" in lines


def test_a_loss_of_accuracy(tmp_path: Path) -> None:
    """Values that are told apart FAIL."""
    after = measurement(numpy_line=plain("b", [each - 0.05 for each in VALUES]))

    result = check(tmp_path, after)

    assert (result["verdict"], result["exit_status"]) == ("FAIL", 1)
    assert "value worse by 0.05" in of_line(result)["reasons"][0]
    assert of_line(result)["remarks"] == []


def test_the_first_line_names_what_failed_first(tmp_path: Path) -> None:
    """Verdict, framework, model, step, operation and line: of the first model that FAILs."""
    worse = [each - 0.05 for each in VALUES]

    def side_of(name: str, mark: str, bits: str, values: list[float]) -> Side:
        events: list[Event] = [op(1, "aten.add.Tensor", mark), step(1, mark)]
        content = measurement(
            numpy_line=plain(), torch_line=plain(bits, values) | {"framework": "torch"}
        )
        return side(
            tmp_path / name, content, step=("torch-line", events[1:]), op=("torch-line", events)
        )  # fmt: skip

    sides = side_of("before", "00", "a", VALUES), side_of("after", "11", "b", worse)
    result = checking.check(*sides, tmp_path)
    first, *_ = check_text.lines(result, sides[0].content, sides[1].content)

    assert first == "FAIL: torch, torch-line, step 1, op aten.add.Tensor at train.py:20"


@pytest.mark.parametrize(
    "others",
    [
        {"trace": None},
        {"trace": {**run(1, 0.95)["trace"], "results": 0}},
        {"curve": [[1, 0.9501]]},
        {"converged": None},
        {"metric": 0.9500000000000001},
    ],
    ids=["no trace", "no results", "curve", "epoch", "last bit"],
)
def test_what_is_no_equal_run(tmp_path: Path, others: dict[str, Any]) -> None:
    """Bits are equal only if traces with results, curve, value and epoch are."""
    runs = [run(seed, value) for seed, value in enumerate(VALUES, 1)]
    runs[0] |= others

    result = check(tmp_path, measurement(numpy_line=model(runs)))

    assert of_line(result)["judgement"]["equal_bits"] == list(range(2, 11))
    assert result["verdict"] != "EQUAL BITS"


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({"outcome": "author-failure", "metric": None, "reasons": ["exit status 1"]},
         "seed 3 failed, which it had not: author-failure: exit status 1"),
        ({"outcome": "metrics", "metric": "NaN", "reasons": ["metric accuracy is nan"]},
         "seed 3 failed, which it had not: metrics: metric accuracy is nan"),
    ],
    ids=["crash", "nan"],
)  # fmt: skip
def test_a_failed_run_is_never_dropped(tmp_path: Path, others: dict[str, Any], told: str) -> None:
    """One run that crashes or ends in NaN is a FAIL, if all others are equal; if it had failed
    before as well."""
    runs = [run(seed, value) for seed, value in enumerate(VALUES, 1)]
    runs[2] |= {"trace": None, "curve": [], "converged": None, **others}
    after = measurement(numpy_line=model(runs))

    result = check(tmp_path / "new", after)
    again = check(tmp_path / "old", after, after)

    assert result["exit_status"] == again["exit_status"] == 1
    assert told in of_line(result)["reasons"]
    assert "seed 3 failed, as it had" in of_line(again)["reasons"][-1]


def test_a_machine_that_nobody_described_is_no_other_one(tmp_path: Path) -> None:
    """Where no program came far enough to tell of it, nothing is said about the machine."""
    after = measurement(numpy_line=plain("b"))
    after["host"] = {}

    found = check(tmp_path, after)["changes"]

    assert (found["processor"], found["instruction_sets"], found["system"]) == (None, None, None)


def test_a_model_that_one_side_lacks(tmp_path: Path) -> None:
    """A model that is new, or is no more, is named and not compared; status 4."""
    both = measurement(numpy_line=plain(), numpy_more=plain())

    gone = check(tmp_path / "gone", BEFORE, both)
    new = check(tmp_path / "new", both)

    assert gone["verdict"] == new["verdict"] == checking.NOT_COMPARED
    assert gone["exit_status"] == new["exit_status"] == 4
    assert gone["models"]["numpy-more"]["reasons"] == ["the new measurement does not have it"]
    assert new["models"]["numpy-more"]["reasons"] == ["the stored measurement does not have it"]
    assert of_line(gone)["verdict"] == of_line(new)["verdict"] == "EQUAL BITS"


@pytest.mark.parametrize(
    ("key", "value"),
    [("level", "strict"), ("scheme", "seedlock/2"), ("target", 0.5), ("metric", "loss"),
     ("direction", "min"), ("task", "curve"), ("framework", "torch")],
)  # fmt: skip
def test_what_is_not_comparable_is_named(tmp_path: Path, key: str, value: Any) -> None:
    """Another level, derivation or task is no basis of a comparison."""
    after = measurement(numpy_line=plain())
    (after if key in after else after["models"]["numpy-line"])[key] = value

    result = check(tmp_path, after)

    assert result["exit_status"] == 4
    assert of_line(result)["verdict"] == checking.NOT_COMPARED
    assert f"another {key}: stored " in of_line(result)["reasons"][0]


def test_another_program(tmp_path: Path) -> None:
    """Another program may FAIL, and with equal bits it is not called equal."""
    after = measurement(numpy_line=plain())
    after["models"]["numpy-line"]["program"] = sha256(b"another")
    worse = measurement(numpy_line=plain("b", [each - 0.05 for each in VALUES]))
    worse["models"]["numpy-line"]["program"] = sha256(b"another")

    equal, failed = check(tmp_path / "equal", after), check(tmp_path / "worse", worse)

    assert (equal["verdict"], equal["exit_status"]) == (checking.NOT_COMPARED, 4)
    assert "(what it came to: EQUAL BITS)" in of_line(equal)["reasons"][0]
    assert failed["verdict"] == "FAIL"
    assert "another program" in of_line(failed)["reasons"][-1]


def test_other_seeds(tmp_path: Path) -> None:
    """Seeds that both have are compared, and the others are told of."""
    after = measurement(numpy_line=model([run(seed, VALUES[seed - 1]) for seed in (1, 2)]))
    after["seeds"] = 2
    sides = side(tmp_path / "before", BEFORE), side(tmp_path / "after", after)

    result = checking.check(*sides, tmp_path)
    lines = list(check_text.lines(result, sides[0].content, sides[1].content))

    assert result["seeds"] == {"compared": 2, "stored": 10, "measured": 2}
    assert of_line(result)["judgement"]["seeds"] == 2
    assert "compared are seeds 1 to 2 only" in lines
