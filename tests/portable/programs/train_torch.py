"""Dense layers, a convolution, batch norm, attention, dropout and Adam in PyTorch."""

import sys

import torch
from torch import nn

torch.set_default_dtype(getattr(torch, sys.argv[1] if len(sys.argv) > 1 else "float32"))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 16, 3, padding=1)
        self.norm = nn.BatchNorm2d(16)
        self.dense = nn.Linear(64, 64)
        self.attention = nn.MultiheadAttention(64, 4, batch_first=True)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(64, 10)

    def forward(self, images):
        hidden = torch.tanh(self.norm(self.convolution(images)))
        hidden = hidden.reshape(len(images), 16, -1)
        hidden = self.drop(nn.functional.gelu(self.dense(hidden)))
        hidden, _ = self.attention(hidden, hidden, hidden)
        return self.out(hidden.mean(1))


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 3):
    images, labels = torch.randn(8, 3, 8, 8), torch.randint(10, (8,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(images), labels)
    loss.backward()
    optimizer.step()
print(loss.item())
