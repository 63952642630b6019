"""torch.seed() takes a number from the system."""

import torch

torch.seed()
print(torch.rand(3).tolist())
