"""Operations with an order of sums that CUDA leaves open: alike in each call and each process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.image.gpu.conftest import Run, last


@pytest.fixture(name="three", scope="module")
def three_fixture(run: Run) -> list[dict[str, Any]]:
    """What the program said under seeds 7, 7 and 8."""
    return [last(run("operations", seed=seed)) for seed in (7, 7, 8)]


def test_calls_on_the_same_input_give_the_same_bits(three: list[dict[str, Any]]) -> None:
    """No operation that ran gave two results in 20 calls: cuDNN's convolutions, cuBLAS on several
    streams, scatter_add, index_add and each form of attention among them."""
    assert [name for name, seen in three[0].items() if seen == "differs"] == []


def test_without_the_lock_some_differ(run: Run, device: str) -> None:
    """The control: atomic additions, left to themselves, take another order in another call, and
    the program sees it. On a GPU only."""
    seen = last(run("operations", seed=None))

    if device == "cuda":
        assert "differs" in (seen["scatter_add"], seen["index_add"])


def test_processes_agree_and_another_seed_does_not(three: list[dict[str, Any]]) -> None:
    """Digests are those of the other process under the seed, and none is that of seed 8."""
    first, again, other = three

    assert first == again
    ran = [name for name, seen in first.items() if not seen.startswith("refused")]
    assert {"convolution backward", "products on several streams", "scatter_add"} <= {*ran}
    assert [name for name in ran if first[name] == other[name]] == []


def test_the_list_of_refused_operations(run: Run, device: str) -> None:
    """Each operation of PyTorch's own list is refused, repeats, or is not there for this device;
    the table is written to refused-operations.md in the folder that SEEDLOCK_TABLES names, if it
    does."""
    table = run("refused").stdout
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    if "SEEDLOCK_TABLES" in os.environ:
        (Path(os.environ["SEEDLOCK_TABLES"]) / "refused-operations.md").write_text(table)

    assert len(rows) > 45
    assert [row for row in rows if row[3] not in ("raises", "repeats", "not there")] == []
    assert len([row for row in rows if row[3] == "not there"]) < 3
    if device == "cuda":
        refused = {
            name.strip("`") for name, _, said, seen in rows if (said, seen) == ("raises",) * 2
        }
        assert {"torch.nn.AvgPool3d", "torch.nn.CTCLoss", "torch.histc"} <= refused
