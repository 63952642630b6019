"""Two ranks that sum gradients of their own data, over NCCL (or gloo on the CPU). Seeds nothing."""

import hashlib
import os
import sys

import torch
import torch.distributed as dist
from torch import nn


def main():
    cuda = sys.argv[1] == "cuda"
    rank = int(os.environ["RANK"])
    device = torch.device("cuda", rank) if cuda else torch.device("cpu")
    dist.init_process_group("nccl" if cuda else "gloo")
    model = nn.parallel.DistributedDataParallel(
        nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 8)).to(device)
    )
    optimizer = torch.optim.Adam(model.parameters())
    torch.manual_seed(rank)  # each rank its own data, decided by the outside seed too
    for _ in range(20):
        optimizer.zero_grad()
        loss = model(torch.randn(256, 64, device=device)).pow(2).mean()
        loss.backward()
        optimizer.step()
    digest = hashlib.sha256()
    for tensor in model.state_dict().values():
        digest.update(tensor.cpu().numpy().tobytes())
    dist.destroy_process_group()
    if rank == 0:
        print("digest", digest.hexdigest())


if __name__ == "__main__":
    main()
