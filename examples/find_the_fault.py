"""A small network in PyTorch with one fault: noise from the system enters the batch of step 37.

Run it under `seedlock verify` to see the fault found.
"""

import os
import pathlib

import torch
from torch import nn

torch.manual_seed(3)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

for step in range(60):
    x = torch.randn(32, 8)
    if step == 37:
        x += torch.frombuffer(bytearray(os.urandom(256)), dtype=torch.uint8).view(32, 8) / 2550
    loss = (model(x) - x.sum(1, keepdim=True)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

folder = pathlib.Path(os.environ.get("REPRO_OUTPUT", "."))
torch.save(model.state_dict(), folder / "model.pt")
