"""Backward passes of all kinds on the device: hooks, checkpoints, passes within each other, errors,
a part on the CPU, CUDA graphs. Seeds nothing, prints the gradients' sum."""

import sys

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

device = sys.argv[1]
places = nn.Embedding(20, 16)  # stays on the CPU
model = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 4)).to(device)
seen = []


class Halved(torch.autograd.Function):
    @staticmethod
    def forward(_ctx, x):
        return x * 0.5

    @staticmethod
    def backward(_ctx, slope):
        return slope.tan()


class Within(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            x.square().sum().backward()
        return slope * x.grad


def doubled(slope):
    return slope.atan()


def refused(slope):
    raise ValueError("planted")


def inputs():
    return torch.randn(8, 16, device=device)


def total(value):
    return value.square().sum()


def hook():
    x = inputs().requires_grad_()
    x.register_hook(doubled)
    return total(model(x))


def mixed():
    return total(model(places(torch.randint(0, 20, (8,))).to(device)))


def twice():
    x = inputs().requires_grad_()
    (slope,) = torch.autograd.grad(total(model(x)), x, create_graph=True)
    return total(slope)


def autocast():
    with torch.autocast(device):
        return total(model(inputs())).float()


WAYS = {
    "function": lambda: total(Halved.apply(model(inputs()))),
    "hook": hook,
    "reentrant checkpoint": lambda: total(
        checkpoint(model, inputs().requires_grad_(), use_reentrant=True)
    ),
    "checkpoint": lambda: total(checkpoint(model, inputs(), use_reentrant=False)),
    "within": lambda: Within.apply(model(inputs())).sum(),
    "mixed": mixed,
    "twice": twice,
    "autocast": autocast,
}
for way, make in WAYS.items():
    make().backward()
    seen.append(way)

failing = inputs().requires_grad_()
failing.register_hook(refused)
try:
    total(model(failing)).backward()
except ValueError as problem:
    seen.append(str(problem))

if device == "cuda":
    still = inputs()
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        total(model(still)).backward()
    torch.cuda.current_stream().wait_stream(side)
    model.zero_grad(set_to_none=True)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        total(model(still)).backward()
    graph.replay()
    seen.append("captured")

print(seen, sum(each.grad.double().sum() for each in model.parameters()).item().hex())
