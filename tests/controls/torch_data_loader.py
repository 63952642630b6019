"""Persistent DataLoader workers that draw from NumPy and random, over two epochs."""

import random

import numpy as np
from torch.utils.data import DataLoader, Dataset


class Noise(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return np.random.rand() + random.random()


loader = DataLoader(Noise(), batch_size=2, num_workers=2, persistent_workers=True)
print(*[x for _epoch in range(2) for batch in loader for x in batch.tolist()])
