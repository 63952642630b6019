"""PyTorch's default generator, never seeded."""

import torch

print(torch.rand(3).tolist())
