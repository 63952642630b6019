"""Products of matrices, one after the other, for some seconds."""

import sys
import time

import torch

device, seconds = sys.argv[1], float(sys.argv[2])
factor = torch.randn(2048, 2048, device=device)
until = time.monotonic() + seconds
while time.monotonic() < until:
    product = factor @ factor
    product.sum().item()
print(time.monotonic() > until)
