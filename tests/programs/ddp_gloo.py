"""Data-parallel training of two processes on the CPU.

Like the DistributedDataParallel tutorials: torchrun starts the ranks, gloo connects them, each
rank has its own shard and adds its own noise. Start with

    torchrun --standalone --nproc_per_node 2 ddp_gloo.py
"""

import hashlib

import numpy as np
import torch
import torch.distributed as dist
import torch.nn as nn
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler


def make_dataset():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(512, 16, generator=generator)
    w = torch.randn(16, 1, generator=generator)
    return TensorDataset(x, torch.tanh(x @ w))


def main():
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    torch.manual_seed(1234)

    dataset = make_dataset()
    sampler = DistributedSampler(dataset)
    loader = DataLoader(dataset, batch_size=32, sampler=sampler)
    model = DDP(nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

    for epoch in range(3):
        sampler.set_epoch(epoch)
        for x, y in loader:
            noise = torch.from_numpy(np.random.normal(0, 0.1, x.shape)).float()
            loss = nn.functional.mse_loss(model(x + noise), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    seen = [torch.zeros(()) for _ in range(dist.get_world_size())]
    dist.all_gather(seen, noise.abs().sum())
    if rank == 0:
        digest = hashlib.sha256()
        for p in model.parameters():
            digest.update(p.detach().numpy().tobytes())
        print(f"loss {loss.item():.4f} noise of the ranks {[round(s.item(), 3) for s in seen]}")
        print("result", digest.hexdigest(), flush=True)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
