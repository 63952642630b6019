"""A character-level language model with data loader workers.

Like the small GPT and "makemore" trainers: a fixed torch.manual_seed(1337) on top, a Dataset that
corrupts its input with NumPy, and a DataLoader with two workers.
"""

import hashlib

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

# hyperparameters
batch_size, block_size, n_embd = 32, 16, 32
max_epochs, learning_rate = 2, 3e-3

torch.manual_seed(1337)

text = "the quick brown fox jumps over the lazy dog while five boxing wizards look on. " * 12
chars = sorted(set(text))
stoi = {ch: i for i, ch in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text], dtype=torch.long)


class CharDataset(Dataset):
    """Windows of text; a few input characters are replaced by others."""

    def __len__(self):
        return len(data) - block_size

    def __getitem__(self, idx):
        x = data[idx : idx + block_size].clone()
        y = data[idx + 1 : idx + block_size + 1]
        noisy = np.random.rand(block_size) < 0.05
        x[torch.from_numpy(noisy)] = int(np.random.randint(len(chars)))
        return x, y


class CharModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(len(chars), n_embd)
        self.pos = nn.Embedding(block_size, n_embd)
        self.attn = nn.MultiheadAttention(n_embd, 4, batch_first=True)
        self.ln = nn.LayerNorm(n_embd)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(n_embd, len(chars))
        self.register_buffer("mask", torch.triu(torch.ones(block_size, block_size), 1).bool())

    def forward(self, x):
        h = self.tok(x) + self.pos.weight
        h = h + self.attn(h, h, h, attn_mask=self.mask, need_weights=False)[0]
        return self.head(self.drop(self.ln(h)))


def main():
    loader = DataLoader(CharDataset(), batch_size=batch_size, shuffle=True, num_workers=2)
    model = CharModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    for epoch in range(max_epochs):
        for x, y in loader:
            loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")

    digest = hashlib.sha256()
    for p in model.parameters():
        digest.update(p.detach().numpy().tobytes())
    print("result", digest.hexdigest())


if __name__ == "__main__":
    main()
