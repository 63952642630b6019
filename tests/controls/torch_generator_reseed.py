"""A torch.Generator that takes a number from the system by its seed()."""

import torch

generator = torch.Generator()
generator.seed()
print(torch.rand(3, generator=generator).tolist())
