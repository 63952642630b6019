"""Two processes that train a model which they share (Hogwild): their turns are not fixed."""

import torch


def train(model, barrier, target):
    barrier.wait()
    for _ in range(20_000):
        model.weight.mul_(0.9999).add_(0.0001 * target)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    torch.manual_seed(42)
    processes = torch.multiprocessing.get_context("fork")
    model, barrier = torch.nn.Linear(1, 1), processes.Barrier(2)
    model.share_memory()
    workers = [processes.Process(target=train, args=(model, barrier, x)) for x in (-1.0, 1.0)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(model.weight.item())
