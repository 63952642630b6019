"""Digits in PyTorch: a small convolutional network after LeNet-5. Seeds nothing."""

import torch
from tasks import digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import seedlock

data = digits.load()
images = torch.from_numpy(data.images[:, None])
test_images = torch.from_numpy(data.test_images[:, None])
test_labels = torch.from_numpy(data.test_labels)
loader = DataLoader(
    TensorDataset(images, torch.from_numpy(data.labels)), batch_size=digits.BATCH, shuffle=True
)
model = nn.Sequential(
    nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(digits.DROPPED), nn.Linear(64, 10),
)  # fmt: skip
for name, parameter in model.named_parameters():
    if name.endswith("weight"):
        nn.init.xavier_uniform_(parameter)
    else:
        nn.init.zeros_(parameter)
optimizer = torch.optim.Adam(model.parameters(), lr=digits.FIRST_RATE)
schedule = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda done: digits.rate(done + 1) / digits.FIRST_RATE
)

for epoch in range(1, digits.EPOCHS + 1):
    model.train()
    for batch, labels in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(batch), labels)
        loss.backward()
        optimizer.step()
    schedule.step()
    model.eval()
    with torch.no_grad():
        accuracy = (model(test_images).argmax(1) == test_labels).double().mean().item()
    seedlock.log_metric("accuracy_by_epoch", accuracy, step=epoch)
seedlock.log_metric("accuracy", accuracy)
print(f"accuracy {accuracy:.4f}")
