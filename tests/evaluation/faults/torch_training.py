"""A small network in PyTorch with a training loop of its own, and a fault at step 37.

torch_training.py race|augmentation|clock|set|none

The line of a fault ends in `# fault: NAME`. Where it is no operation of PyTorch's, the first line
that uses its value ends in `# uses: NAME`.
"""

import hashlib
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

FAULT = sys.argv[1]
FAULTY_STEP = 37

torch.manual_seed(0)
points = torch.randn(23 * 32, 16)
labels = (points.square().sum(1) > 16).long()
unlabelled = torch.rand(24 * 600, 16)


class Sample:
    def __init__(self, row):
        self.row = row


def sum_by_threads(rows):
    """Sums of smoothed columns: each thread adds its part as soon as it has it."""
    total = torch.zeros(rows.shape[1])
    lock = threading.Lock()

    def add(chunk):
        part = (torch.softmax(chunk @ chunk.T, 1) @ chunk).sum(0)
        with lock:
            total.add_(part)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, rows.split(600)))
    return total


def load_by_threads(rows):
    """One sample for each row, made by whichever thread takes it."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda row: Sample(row.exp().log()), rows))


model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_function = nn.CrossEntropyLoss()

step = 0
for _ in range(2):
    for x, y in DataLoader(TensorDataset(points, labels), batch_size=32, shuffle=True):
        fault = FAULT if step == FAULTY_STEP else "none"
        if fault == "race":
            x = x * len(unlabelled) / sum_by_threads(unlabelled)  # fault: race
        if fault == "augmentation":
            noise = bytearray(os.urandom(512))  # fault: augmentation
            pixels = torch.frombuffer(noise, dtype=torch.uint8).view(32, 16)
            x = x + pixels / 999  # uses: augmentation
        if fault == "clock":
            generator = torch.Generator().manual_seed(time.time_ns())  # fault: clock
            x = x + 0.01 * torch.randn(x.shape, generator=generator)
        if fault == "set":
            samples = {*load_by_threads(x)}  # fault: set
            x = torch.stack([sample.row for sample in samples])  # uses: set
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        step += 1

digest = hashlib.sha256()
for parameter in model.parameters():
    digest.update(parameter.detach().numpy().tobytes())
print(digest.hexdigest())
