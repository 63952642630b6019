"""Convolution, batch norm, attention, dropout, embedding and Adam in PyTorch. Seeds nothing."""

import hashlib
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

device = sys.argv[1]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(3, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.places = nn.Embedding(49, 32)
        self.attention = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.2, batch_first=True)
        self.last = nn.Linear(32, 4)

    def forward(self, images):
        found = self.first(images).flatten(2).transpose(1, 2)
        where = torch.arange(found.shape[1], device=found.device)
        return self.last(self.attention(found + self.places(where)).mean(1))


images, labels = torch.randn(256, 3, 16, 16), torch.randint(0, 4, (256,))
loader = DataLoader(TensorDataset(images, labels), batch_size=32, shuffle=True, num_workers=1)
model = Model().to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for _epoch in range(3):
    for batch, target in loader:
        optimizer.zero_grad()
        noise = 0.1 * torch.randn(batch.shape, device=device)
        loss = nn.functional.cross_entropy(model(batch.to(device) + noise), target.to(device))
        loss.backward()
        optimizer.step()

digest = hashlib.sha256()
for tensor in model.state_dict().values():
    digest.update(tensor.cpu().numpy().tobytes())
print("device", next(model.parameters()).device.type)
print("digest", digest.hexdigest())
