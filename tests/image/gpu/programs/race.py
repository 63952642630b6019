"""Train a table on sums over 200,000 rows, which a GPU adds up in no fixed order. Seeds nothing."""

import sys

import torch
from torch import nn

device = sys.argv[1]
rows = torch.randint(0, 16, (200_000,), device=device)
values = torch.randn(200_000, 8, device=device)
table = nn.Parameter(torch.randn(16, 8, device=device))
optimizer = torch.optim.SGD([table], lr=0.1)
for _step in range(5):
    optimizer.zero_grad()
    sums = torch.zeros(16, 8, device=device).index_add(0, rows, values)
    (sums * table).sum().backward()
    optimizer.step()
print(table.sum().item())
