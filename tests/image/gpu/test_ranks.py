"""NCCL with two ranks: sums of gradients across GPUs, in the order that NCCL_ALGO=Ring fixes."""

from __future__ import annotations

import pytest

from tests.image.gpu.conftest import Run

LAUNCH = (
    "-m", "torch.distributed.run", "--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0",
    "--local-addr=127.0.0.1", "--nproc-per-node=2",
)  # fmt: skip


def test_two_ranks_repeat_and_hear_the_seed(run: Run, device: str) -> None:
    """Data-parallel training on two GPUs: equal weights under one seed, others under another."""
    if device == "cuda":
        import torch

        if torch.cuda.device_count() < 2:
            pytest.skip(f"needs two GPUs, here: {torch.cuda.device_count()}")

    said = [run("ranks", seed=seed, launch=LAUNCH).stdout.splitlines() for seed in (7, 7, 8)]
    # Beside what the back end says about its connections, in no order.
    first, again, other = ([line for line in lines if line.startswith("digest ")] for lines in said)

    assert len(first) == 1
    assert first == again
    assert first != other
