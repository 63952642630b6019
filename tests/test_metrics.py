"""`seedlock.log_metric`: what it writes, and what it refuses."""

from __future__ import annotations

import json
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import seedlock
from tests.interpreter import python


def logged(folder: Path) -> list[object]:
    """Return the lines that were written."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_each_call_writes_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers, arrays of one element, what is not finite."""
    monkeypatch.setenv("REPRO_OUTPUT", str(tmp_path))

    seedlock.log_metric("loss", 0.5, step=0)
    seedlock.log_metric("loss", np.float32(0.25), step=np.int64(1))  # type: ignore[arg-type]
    seedlock.log_metric("accuracy", np.array([1]))
    seedlock.log_metric("bad", float("nan"))

    assert logged(tmp_path) == [
        {"name": "loss", "value": 0.5, "step": 0},
        {"name": "loss", "value": 0.25, "step": 1},
        {"name": "accuracy", "value": 1.0, "step": None},
        {"name": "bad", "value": "NaN", "step": None},
    ]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("", 1.0), ValueError),
        (("two\nlines", 1.0), ValueError),
        (("x" * 201, 1.0), ValueError),
        (("loss", "0.5"), TypeError),
        (("loss", None), TypeError),
        (("loss", np.ones(2)), ValueError),
        (("loss", 1.0, -1), ValueError),
        (("loss", 1.0, 1.5), ValueError),
        (("loss", 1.0, True), ValueError),
    ],
)
@pytest.mark.parametrize("output", [True, False])
def test_what_is_no_metric_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[object, ...],
    error: type[Exception],
    output: bool,
) -> None:
    """With and without a folder, so that a program fails at home and not at the conference."""
    if output:
        monkeypatch.setenv("REPRO_OUTPUT", str(tmp_path))
    else:
        monkeypatch.delenv("REPRO_OUTPUT", raising=False)

    with pytest.raises(error):
        seedlock.log_metric(*arguments)  # type: ignore[arg-type]

    assert not (tmp_path / "metrics.jsonl").exists()


def test_lines_of_threads_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One write each, at the end of the file."""
    monkeypatch.setenv("REPRO_OUTPUT", str(tmp_path))
    threads = [
        threading.Thread(
            target=lambda: list(map(partial(seedlock.log_metric, "x" * 200, 1.0), range(200)))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(logged(tmp_path)) == 800


def test_it_imports_no_framework(tmp_path: Path) -> None:
    """A program that logs a metric pays for nothing else."""
    code = (
        "import seedlock, sys; seedlock.log_metric('a', 1); print(sorted({'numpy', 'torch'} & "
        "set(sys.modules)))"
    )

    assert python("-c", code, REPRO_OUTPUT=str(tmp_path)).out.strip() == "[]"
