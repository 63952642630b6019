"""A torch.Generator() that nobody seeds starts at PyTorch's own constant."""

import torch

print(torch.rand(3, generator=torch.Generator()).tolist())
