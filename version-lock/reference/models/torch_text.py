"""The next character in PyTorch: embedding, GRU, softmax. Seeds nothing."""

import math

import torch
from tasks import text
from torch import nn
from torch.utils.data import DataLoader

import seedlock


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(text.SYMBOLS, text.EMBEDDING)
        self.recurrent = nn.GRU(text.EMBEDDING, text.HIDDEN, batch_first=True)
        self.output = nn.Linear(text.HIDDEN, text.SYMBOLS)
        nn.init.normal_(self.embedding.weight)
        for layer in (self.recurrent, self.output):
            for name, parameter in layer.named_parameters():
                if name.startswith("weight"):
                    nn.init.xavier_uniform_(parameter)
                else:
                    nn.init.zeros_(parameter)

    def forward(self, windows):
        logits = self.output(self.recurrent(self.embedding(windows[:, :-1]))[0])
        return nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())


data = text.load()
test_windows = torch.from_numpy(data.test_windows)
loader = DataLoader(torch.from_numpy(data.windows), batch_size=text.BATCH, shuffle=True)
model = Reader()
optimizer = torch.optim.Adam(model.parameters(), lr=text.RATE)

for epoch in range(1, text.EPOCHS + 1):
    for batch in loader:
        optimizer.zero_grad()
        loss = model(batch)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        bits = model(test_windows).item() / math.log(2)
    seedlock.log_metric("bits_per_character_by_epoch", bits, step=epoch)
seedlock.log_metric("bits_per_character", bits)
print(f"bits_per_character {bits:.4f}")
