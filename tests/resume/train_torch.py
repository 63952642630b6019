"""Train in PyTorch with dropout and shuffling; `train_torch.py FOLDER EPOCHS [resume|forget]`.

Each epoch leaves a checkpoint, by torch.save. `resume` goes on from that of epoch 2 with the
generators' state in it, `forget` without.
"""

import hashlib
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import seedlock

folder, epochs, how = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
features = torch.randn(128, 10)
labels = (features.sum(dim=1) > 0).long()
loader = DataLoader(TensorDataset(features, labels), batch_size=16, shuffle=True)
model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 2))
optimizer = torch.optim.Adam(model.parameters())
begin = 0
if how:
    held = torch.load(folder / "epoch-2.pt")
    model.load_state_dict(held["model"])
    optimizer.load_state_dict(held["optimizer"])
    begin = 2
    if how == ["resume"]:
        seedlock.load_state_dict(held["generators"])

for epoch in range(begin, epochs):
    for batch, target in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(batch), target).backward()
        optimizer.step()
    held = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "generators": seedlock.state_dict(),
    }
    torch.save(held, folder / f"epoch-{epoch + 1}.pt")

digest = hashlib.sha256()
for parameter in model.parameters():
    digest.update(parameter.detach().numpy().tobytes())
sys.stdout.write(digest.hexdigest())
