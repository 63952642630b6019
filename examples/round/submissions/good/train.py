"""Tell two spirals apart with PyTorch. Nothing is seeded; the round's seed decides."""

import math
import os

import torch

import seedlock


def spirals(noise):
    """Return points of shape (400, 2) and which of two spirals each lies on."""
    turn = torch.linspace(0.5, 3.0, 200) * math.pi
    one = torch.stack((turn * turn.cos(), turn * turn.sin()), 1) / 6
    points = torch.cat((one, -one))
    return points + noise * torch.randn_like(points), torch.arange(400) // 200


points, spiral = spirals(noise=0.15)
model = torch.nn.Sequential(
    torch.nn.Linear(2, 32), torch.nn.Tanh(), torch.nn.Linear(32, 32), torch.nn.Tanh(),
    torch.nn.Linear(32, 2),
)  # fmt: skip
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for _ in range(60):
    for batch in torch.randperm(400).split(100):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(points[batch]), spiral[batch])
        loss.backward()
        optimizer.step()
held_out, truth = spirals(noise=0.15)
accuracy = (model(held_out).argmax(1) == truth).double().mean().item()
seedlock.log_metric("accuracy", accuracy)
torch.save(model.state_dict(), os.path.join(os.environ["REPRO_OUTPUT"], "model.pt"))
