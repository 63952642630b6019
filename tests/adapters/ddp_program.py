"""Train with DistributedDataParallel over gloo, or alone where no launcher is: says what each
rank drew in rankN.json in the folder that is the argument."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, DistributedSampler

RANK = int(os.environ.get("RANK", "0"))
RANKS = int(os.environ.get("WORLD_SIZE", "1"))


class Augmented:
    """Rows of an index and what the worker draws for it."""

    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> Any:
        drawn = [random.random(), np.random.rand(), torch.rand(()).item()]
        return torch.tensor([float(index), *drawn], dtype=torch.float64)


def train() -> dict[str, Any]:
    """Draw from everything, then train for two epochs."""
    said: dict[str, Any] = {
        "torch": torch.rand(2).tolist(),
        "numpy": np.random.rand(),
        "random": random.random(),
        "unseeded parameters": torch.nn.Linear(2, 1).weight.tolist(),
        "default_rng": np.random.default_rng().random(),
        "generator": torch.rand(1, generator=torch.Generator()).tolist(),
    }
    torch.manual_seed(42)
    model: Any = torch.nn.Linear(4, 1).double()
    said["seeded parameters"] = model.weight.tolist()
    if RANKS > 1:
        model = torch.nn.parallel.DistributedDataParallel(model)
    sampler: Any = DistributedSampler(range(16), RANKS, RANK)
    loader: Any = DataLoader(Augmented(), batch_size=4, sampler=sampler, num_workers=2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    said["rows"] = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        for batch in loader:
            said["rows"] += batch.tolist()
            optimizer.zero_grad()
            (model(batch) ** 2).mean().backward()
            optimizer.step()
    said["result"] = [each.tolist() for each in model.parameters()]
    return said


if __name__ == "__main__":
    if RANKS > 1:
        torch.distributed.init_process_group("gloo")
    Path(sys.argv[1], f"rank{RANK}.json").write_text(json.dumps(train()))
    if RANKS > 1:
        torch.distributed.destroy_process_group()
