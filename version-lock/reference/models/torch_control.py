"""A pole on a cart in PyTorch: REINFORCE with one hidden layer. Seeds nothing."""

import torch
from tasks import control
from torch import nn

import seedlock

policy = nn.Sequential(nn.Linear(4, control.HIDDEN), nn.Tanh(), nn.Linear(control.HIDDEN, 2))
for layer in (policy[0], policy[2]):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
optimizer = torch.optim.Adam(policy.parameters(), lr=control.RATE)


@torch.no_grad()
def choose(states):
    return torch.bernoulli(policy(torch.from_numpy(states)).softmax(1)[:, 1]).numpy()


def play(reach):
    starts = torch.empty(control.CARTS, 4).uniform_(-reach, reach)
    return control.play(starts.numpy(), choose)


for epoch in range(1, control.EPOCHS + 1):
    played = play(control.START)
    optimizer.zero_grad()
    logits = policy(torch.from_numpy(played.states))
    losses = nn.functional.cross_entropy(logits, torch.from_numpy(played.actions), reduction="none")
    (losses * torch.from_numpy(played.weights)).sum().backward()
    optimizer.step()
    seedlock.log_metric("mean_return_by_epoch", played.mean_return, step=epoch)
mean_return = play(control.TEST_START).mean_return
seedlock.log_metric("mean_return", mean_return)
print(f"mean_return {mean_return:.2f}")
