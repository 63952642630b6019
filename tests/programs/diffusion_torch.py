"""A toy denoising diffusion model for points in the plane.

Like the one-file DDPM repositories: torch.manual_seed(0), a torch.Generator() for the noise that
nobody seeds, data from np.random.RandomState(0), and samples drawn at the end.
"""

import hashlib

import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
T = 40
betas = torch.linspace(1e-4, 0.08, T)
alphas_bar = torch.cumprod(1 - betas, 0)


def make_moons(n, rng):
    angle = np.pi * rng.rand(n)
    upper = rng.rand(n) < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], axis=1) + 0.05 * rng.randn(n, 2)


class Denoiser(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.time = nn.Embedding(T, hidden)
        self.inp = nn.Linear(2, hidden)
        self.net = nn.Sequential(
            nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 2)
        )

    def forward(self, x, t):
        return self.net(self.inp(x) + self.time(t))


data = torch.tensor(make_moons(512, np.random.RandomState(0)), dtype=torch.float32)
generator = torch.Generator()
model = Denoiser()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

for _step in range(150):
    x0 = data[torch.randint(len(data), (64,), generator=generator)]
    t = torch.randint(T, (64,), generator=generator)
    eps = torch.randn(x0.shape, generator=generator)
    a = alphas_bar[t, None]
    loss = nn.functional.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * eps, t), eps)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

with torch.no_grad():
    x = torch.randn(128, 2, generator=generator)
    for t in reversed(range(T)):
        beta, a = betas[t], alphas_bar[t]
        x = (x - beta / (1 - a).sqrt() * model(x, torch.full((128,), t))) / (1 - beta).sqrt()
        if t:
            x = x + beta.sqrt() * torch.randn(x.shape, generator=generator)

print(f"loss {loss.item():.4f} spread {x.std().item():.4f}")
digest = hashlib.sha256(x.numpy().tobytes())
for p in model.parameters():
    digest.update(p.numpy(force=True).tobytes())
print("result", digest.hexdigest())
