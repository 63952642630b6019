"""portable/table.py: what `make portable-table` prints."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.portable.machines import Traced, traced
from tests.portable.table import AGAIN, Runs, cell, compared, seen


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ({"float32": ""}, "equal"),
        ({"float32": "", "float64": ""}, "equal"),
        ({"float32": "`mm`"}, "float32 differs: `mm`"),
        ({"float32": "`mm`", "float64": "`mm`"}, "differs: `mm`"),
        ({"float32": "`mm`", "float64": ""}, "float32 differs: `mm`; float64 equal"),
        ({"float32": "a run failed"}, "float32: a run failed"),
    ],
)
def test_a_cell_says_of_which_types_it_speaks(found: dict[str, str], text: str) -> None:
    """Without a type it holds for all that were run; a run that failed is never `equal`."""
    assert cell(found) == text


def test_each_run_is_held_against_the_native_one(tmp_path: Path) -> None:
    """A model in NumPy parts where another seed first shows, and is equal under the same."""
    seeds = iter(("7", "7", "8"))

    def run(machine: str, folder: Path, program: str, *words: str, **given: str) -> Traced:
        return traced(machine, folder, program, *words, **given, REPRO_SEED=next(seeds))

    runs = Runs(tmp_path, run)
    given = (runs, AGAIN, "numpy", "float64", "portable", False)

    assert seen(*given) == ""
    assert seen(*given) == "`convolution`"


def test_a_trace_that_is_not_whole_equals_none(tmp_path: Path) -> None:
    """A run that ended early would agree with any other as far as it went."""
    whole = traced("native", tmp_path / "whole", "train_numpy.py", REPRO_LEVEL="portable")
    shutil.copytree(whole.folder, tmp_path / "cut")
    (trace,) = (tmp_path / "cut").glob("*.trace.jsonl")
    trace.write_bytes(b"".join(trace.read_bytes().splitlines(keepends=True)[:-3]))

    with pytest.raises(AssertionError, match="not whole"):
        compared(whole, Traced(whole.out, tmp_path / "cut"))
