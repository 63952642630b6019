"""Children of torch.multiprocessing.spawn that draw from PyTorch."""

import torch


def draw(rank, queue):
    queue.put((rank, torch.rand(1).item()))


if __name__ == "__main__":
    queue = torch.multiprocessing.get_context("spawn").SimpleQueue()
    torch.multiprocessing.spawn(draw, args=(queue,), nprocs=2)
    print(*[number for _rank, number in sorted(queue.get() for _ in range(2))])
