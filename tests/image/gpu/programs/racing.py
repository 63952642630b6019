"""A training whose backward pass adds 200,000 rows up into few, in no order unless strict.

The forward pass gathers them, which has one order: `racing.py DEVICE gather` or `index_select`.
"""

import sys

import torch

device, how = sys.argv[1:]
ROWS, COLUMNS, PLACES = 16, 4, 200_000


class Table(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rows = torch.nn.Parameter(torch.randn(ROWS, COLUMNS))

    def forward(self, places):
        if how == "gather":
            return torch.gather(self.rows, 0, places[:, None].expand(-1, COLUMNS))
        return torch.index_select(self.rows, 0, places)


table = Table().to(device)
optimizer = torch.optim.SGD(table.parameters(), lr=0.1)
for _step in range(2):
    places = torch.randint(0, ROWS, (PLACES,), device=device)
    targets = torch.randn(PLACES, COLUMNS, device=device)
    optimizer.zero_grad()
    loss = (table(places) - targets).square().mean()
    loss.backward()
    optimizer.step()
print("device", table.rows.device.type)
