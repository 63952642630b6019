"""Train with dropout, shuffling and noise drawn on the device, whole or in two halves. Prints JSON.

`resume.py DEVICE FOLDER whole|resumed|forgotten`: whole trains four epochs and keeps the second's
checkpoint in the folder; the others go on from that, with the generators' state in it or without.
"""

import hashlib
import json
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import seedlock

device, checkpoint, how = sys.argv[1], Path(sys.argv[2]) / "epoch-2.pt", sys.argv[3]
features = torch.randn(128, 10)
data = TensorDataset(features, (features.sum(dim=1) > 0).long())
loader = DataLoader(data, batch_size=16, shuffle=True)
layers = nn.Linear(10, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 2)
model = nn.Sequential(*layers).to(device)
optimizer = torch.optim.Adam(model.parameters())
begin = 0
if how != "whole":
    held = torch.load(checkpoint)
    model.load_state_dict(held["model"])
    optimizer.load_state_dict(held["optimizer"])
    begin = 2
    if how == "resumed":
        seedlock.load_state_dict(held["generators"])
for epoch in range(begin, 4):
    for batch, target in loader:
        optimizer.zero_grad()
        noise = torch.randn(batch.shape, device=device)
        nn.functional.cross_entropy(model(batch.to(device) + noise), target.to(device)).backward()
        optimizer.step()
    if how == "whole" and epoch == 1:
        held = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(held | {"generators": seedlock.state_dict()}, checkpoint)

digest = hashlib.sha256()
for parameter in model.parameters():
    digest.update(parameter.detach().cpu().numpy().tobytes())

state = seedlock.state_dict()
plain = torch.rand(4, device=device).tolist()
seedlock.load_state_dict(json.loads(json.dumps(state)))
with seedlock.isolate():
    torch.rand(100, device=device)
isolated = torch.rand(4, device=device).tolist()
print(json.dumps({"digest": digest.hexdigest(), "plain": plain, "isolated": isolated}))
