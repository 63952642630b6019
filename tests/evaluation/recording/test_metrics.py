"""Metrics of a run: what counts, and what is an error of the run."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from seedlock.errors import BadMetric
from seedlock.evaluation.recording.metrics import Metric, declared, read

ACCURACY = [Metric("accuracy", "max")]


def lines(folder: Path, *entries: tuple[str, Any, int | None]) -> None:
    """Write what log_metric writes."""
    text = "".join(
        json.dumps({"name": name, "value": value, "step": step}) + "\n"
        for name, value, step in entries
    )
    (folder / "metrics.jsonl").write_text(text)


def test_the_final_value_is_the_one_without_a_step(tmp_path: Path) -> None:
    """Else that of the largest step, whatever the order of the lines."""
    lines(
        tmp_path,
        ("accuracy", 0.1, 0), ("loss", 3.0, 10), ("loss", 5.0, 2),
        ("accuracy", 0.9, None), ("accuracy", 0.2, 1),
    )  # fmt: skip

    found = read(tmp_path, [*ACCURACY, Metric("loss", "min", "nats")])

    assert found.final == {"accuracy": 0.9, "loss": 3.0}
    assert found.series == {"accuracy": [(0, 0.1), (1, 0.2)], "loss": [(2, 5.0), (10, 3.0)]}
    assert found.problems == []


def test_a_program_that_imports_nothing(tmp_path: Path) -> None:
    """metrics.json is an object of names and numbers."""
    (tmp_path / "metrics.json").write_text('{"accuracy": 0.5, "epochs": 3}')

    found = read(tmp_path, ACCURACY)

    assert found.final == {"accuracy": 0.5, "epochs": 3.0}
    assert found.problems == []


@pytest.mark.parametrize(
    ("jsonl", "whole", "problem"),
    [
        ([], None, "is missing"),
        ([("accuracy", "NaN", None)], None, "is nan"),
        ([("accuracy", "-Infinity", 3)], None, "is -inf"),
        ([("accuracy", 1, None), ("accuracy", 1, None)], None, "written 2 times"),
        ([("accuracy", 1, 4), ("accuracy", 2, 4)], None, "twice for step 4"),
        ([("accuracy", 1, None)], '{"accuracy": 1}', "written 2 times"),
        ([], '{"accuracy": 1, "accuracy": 2}', "written 2 times"),
        ([], '{"accuracy": NaN}', "is nan"),
        ([], '{"accuracy": 1e999}', "is inf"),
        ([], '{"accuracy": true}', "not an object of names and numbers"),
        ([], '{"accuracy": "0.5"}', "not an object of names and numbers"),
        ([], "[1]", "not an object of names and numbers"),
        ([], "", "not an object of names and numbers"),
        ([("accuracy", None, None)], None, "line 1, is not what log_metric writes"),
        ([("accuracy", 1, -1)], None, "line 1, is not what log_metric writes"),
    ],
)
def test_what_is_an_error_of_the_run(
    tmp_path: Path, jsonl: list[tuple[str, Any, int | None]], whole: str | None, problem: str
) -> None:
    """Missing, not a number, written twice in any way, or not readable."""
    if jsonl:
        lines(tmp_path, *jsonl)
    if whole is not None:
        (tmp_path / "metrics.json").write_text(whole)

    found = read(tmp_path, ACCURACY)

    assert any(problem in each for each in found.problems), found.problems


def test_a_line_cut_short_is_an_error(tmp_path: Path) -> None:
    """A process was killed in the middle of it."""
    lines(tmp_path, ("accuracy", 1, None))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"name": "accu')

    assert "middle of a line" in read(tmp_path, ACCURACY).problems[0]


def test_undeclared_metrics_cause_no_error(tmp_path: Path) -> None:
    """They are kept for whoever looks, and do not count."""
    lines(tmp_path, ("accuracy", 1, None), ("other", "NaN", None), ("other", 1, None))

    found = read(tmp_path, ACCURACY)

    assert found.problems == []
    assert math.isnan(found.final["other"])
    assert found.as_dict()["final"]["other"] == "NaN"


def test_no_link_is_followed(tmp_path: Path) -> None:
    """What a program writes does not choose a file of the organiser's."""
    (tmp_path / "elsewhere").write_text('{"accuracy": 1}')
    (tmp_path / "metrics.json").symlink_to("elsewhere")

    found = read(tmp_path, ACCURACY)

    assert "metrics.json is no plain file" in found.problems
    assert "accuracy" not in found.final


@given(some.binary(max_size=200), some.binary(max_size=200))
def test_nothing_that_a_program_writes_raises(jsonl: bytes, whole: bytes) -> None:
    """Whatever lies there, it is a problem of the run or a metric."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "metrics.jsonl").write_bytes(jsonl)
        (Path(folder) / "metrics.json").write_bytes(whole)

        assert read(Path(folder), ACCURACY).problems


def test_declared() -> None:
    """A name, which way is better, and a unit."""
    assert declared(["accuracy:max", "loss:min:nats"]) == [
        Metric("accuracy", "max"),
        Metric("loss", "min", "nats"),
    ]


@pytest.mark.parametrize("given", ["accuracy", "accuracy:up", ":max", "a\nb:max", "x:max:\n"])
def test_what_declares_nothing_is_refused(given: str) -> None:
    """A clear error, and none twice."""
    with pytest.raises(BadMetric, match="allowed: NAME:max"):
        declared([given])
    with pytest.raises(BadMetric, match="given twice"):
        declared(["a:max", "a:min"])
