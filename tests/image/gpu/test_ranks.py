"""NCCL with two ranks: sums of gradients across GPUs, in the order that NCCL_ALGO=Ring fixes."""

from __future__ import annotations

import pytest

from tests.image.gpu.conftest import Run

LAUNCH = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


def test_two_ranks_repeat_and_hear_the_seed(run: Run, device: str) -> None:
    """Data-parallel training on two GPUs: equal weights under one seed, others under another."""
    if device == "cuda":
        import torch

        if torch.cuda.device_count() < 2:
            pytest.skip(f"needs two GPUs, here: {torch.cuda.device_count()}")

    first, again, other = (run("ranks", seed=seed, launch=LAUNCH).stdout for seed in (7, 7, 8))

    assert first.startswith("digest ")
    assert first == again
    assert first != other
