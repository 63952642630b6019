"""Operations that PyTorch's documentation calls normally nondeterministic, each as a small call.

The names are those of the lists in the docstring of torch.use_deterministic_algorithms, which this
file is checked against (`missing`); each case is large enough for its sums to meet.
"""

from __future__ import annotations

import re
import sys

import torch
from torch import nn
from torch.nn import functional

DEVICE = sys.argv[1] if len(sys.argv) > 1 else "cuda"


def data(*shape, **options):
    """Return normal numbers on the device."""
    return torch.randn(*shape, device=DEVICE, **options)


def places(count, below):
    """Return `count` indices below `below`, most of them more than once."""
    return torch.randint(0, below, (count,), device=DEVICE)


def slopes(function, *inputs):
    """Return the gradients of `inputs` under random slopes of the outputs."""
    for each in inputs:
        each.requires_grad_()
    output = function(*inputs)
    output.backward(torch.randn_like(output))
    return [each.grad for each in inputs]


def layer(made, *shape):
    """Return the gradients of a layer's input and parameters."""
    made = made.to(DEVICE)
    given = data(*shape, requires_grad=True)
    output = made(given)
    output.backward(torch.randn_like(output))
    return [given.grad, *(each.grad for each in made.parameters())]


def unpooled(pool, unpool, *shape):
    """Return what max-unpooling makes of a pooled input with overlapping windows."""
    pooled, indices = pool(data(*shape))
    return [unpool(pooled, indices)]


def resized(mode, *shape):
    return slopes(lambda x: functional.interpolate(x, scale_factor=2.5, mode=mode), data(*shape))


def sparse_dense():
    ones = (torch.rand(4, 64, 64, device=DEVICE) > 0.5).float()
    return [torch.bmm((ones * data(4, 64, 64)).to_sparse(), data(4, 64, 32))]


def indexed(accumulate):
    return [
        torch.zeros(64, device=DEVICE).index_put(
            (places(20000, 64),), data(20000), accumulate=accumulate
        )
    ]


def put(accumulate):
    zeros = torch.zeros(64, device=DEVICE)
    return [zeros.put_(places(20000, 64), data(20000), accumulate=accumulate)]


def reduced(how):
    ones = torch.ones(64, device=DEVICE)
    return [ones.scatter_reduce(0, places(20000, 64), data(20000), reduce=how)]


def ctc():
    scores = data(50, 16, 20, requires_grad=True)
    targets = torch.randint(1, 20, (16, 30), device=DEVICE)
    lengths = torch.full((16,), 50), torch.randint(10, 30, (16,))
    loss = functional.ctc_loss(scores.log_softmax(2), targets, *lengths)
    loss.backward()
    return [scores.grad]


def bag():
    made = nn.EmbeddingBag(10, 16, mode="max").to(DEVICE)
    output = made(torch.randint(0, 10, (512, 32), device=DEVICE))
    output.backward(torch.randn_like(output))
    return [made.weight.grad]


def nll():
    scores = data(8, 10, 32, 32, requires_grad=True)
    wanted = torch.randint(0, 10, (8, 32, 32), device=DEVICE)
    loss = nn.NLLLoss()(scores.log_softmax(1), wanted)
    loss.backward()
    return [loss.detach(), scores.grad]


def sampled():
    grid = torch.rand(2, 64, 64, 2, device=DEVICE) * 2 - 1
    return slopes(
        lambda x: functional.grid_sample(x, grid, align_corners=False), data(2, 8, 16, 16)
    )


def quantized():
    made = torch.quantize_per_tensor(torch.randn(8), 0.1, 0, torch.quint8).to(DEVICE)
    return [made.resize_(16).int_repr()]


CASES = {
    "torch.nn.Conv1d": {"": lambda: layer(nn.Conv1d(16, 32, 5), 8, 16, 256)},
    "torch.nn.Conv2d": {"": lambda: layer(nn.Conv2d(16, 32, 3), 8, 16, 48, 48)},
    "torch.nn.Conv3d": {"": lambda: layer(nn.Conv3d(8, 16, 3), 4, 8, 16, 16, 16)},
    "torch.nn.ConvTranspose1d": {"": lambda: layer(nn.ConvTranspose1d(16, 32, 5), 8, 16, 256)},
    "torch.nn.ConvTranspose2d": {"": lambda: layer(nn.ConvTranspose2d(16, 32, 3), 8, 16, 48, 48)},
    "torch.nn.ConvTranspose3d": {"": lambda: layer(nn.ConvTranspose3d(8, 8, 3), 4, 8, 12, 12, 12)},
    "torch.nn.ReplicationPad1d": {"": lambda: layer(nn.ReplicationPad1d(9), 8, 16, 64)},
    "torch.nn.ReplicationPad2d": {"": lambda: layer(nn.ReplicationPad2d(9), 8, 16, 32, 32)},
    "torch.nn.ReplicationPad3d": {"": lambda: layer(nn.ReplicationPad3d(5), 4, 4, 12, 12, 12)},
    "torch.nn.ReflectionPad1d": {"": lambda: layer(nn.ReflectionPad1d(9), 8, 16, 64)},
    "torch.nn.ReflectionPad2d": {"": lambda: layer(nn.ReflectionPad2d(9), 8, 16, 32, 32)},
    "torch.nn.ReflectionPad3d": {"": lambda: layer(nn.ReflectionPad3d(5), 4, 4, 12, 12, 12)},
    "torch.nn.MaxPool3d": {"": lambda: layer(nn.MaxPool3d(3, 1), 4, 4, 16, 16, 16)},
    "torch.nn.AvgPool3d": {"": lambda: layer(nn.AvgPool3d(3, 1), 4, 4, 16, 16, 16)},
    "torch.nn.AdaptiveAvgPool2d": {"": lambda: layer(nn.AdaptiveAvgPool2d(7), 8, 8, 31, 31)},
    "torch.nn.AdaptiveAvgPool3d": {"": lambda: layer(nn.AdaptiveAvgPool3d(5), 4, 4, 17, 17, 17)},
    "torch.nn.AdaptiveMaxPool2d": {"": lambda: layer(nn.AdaptiveMaxPool2d(7), 8, 8, 31, 31)},
    "torch.nn.FractionalMaxPool2d": {
        "": lambda: layer(nn.FractionalMaxPool2d(3, output_ratio=0.9), 8, 8, 32, 32)
    },
    "torch.nn.FractionalMaxPool3d": {
        "": lambda: layer(nn.FractionalMaxPool3d(3, output_ratio=0.5), 2, 4, 16, 16, 16)
    },
    "torch.nn.MaxUnpool1d": {
        "": lambda: unpooled(
            nn.MaxPool1d(3, 2, return_indices=True), nn.MaxUnpool1d(3, 2), 8, 8, 99
        )
    },
    "torch.nn.MaxUnpool2d": {
        "": lambda: unpooled(
            nn.MaxPool2d(3, 2, return_indices=True), nn.MaxUnpool2d(3, 2), 8, 8, 33, 33
        )
    },
    "torch.nn.MaxUnpool3d": {
        "": lambda: unpooled(
            nn.MaxPool3d(3, 2, return_indices=True), nn.MaxUnpool3d(3, 2), 4, 4, 17, 17, 17
        )
    },
    "torch.nn.functional.interpolate": {
        "linear": lambda: resized("linear", 8, 8, 64),
        "bilinear": lambda: resized("bilinear", 8, 8, 32, 32),
        "bicubic": lambda: resized("bicubic", 8, 8, 32, 32),
        "trilinear": lambda: resized("trilinear", 4, 4, 12, 12, 12),
    },
    "torch.nn.NLLLoss": {"2d": nll},
    "torch.nn.CTCLoss": {"": ctc},
    "torch.nn.EmbeddingBag": {"max": bag},
    "torch.bmm": {"sparse-dense": sparse_dense},
    "torch.Tensor.__getitem__": {"": lambda: slopes(lambda x: x[(places(20000, 64),)], data(64))},
    "torch.Tensor.index_put": {
        "accumulate=False": lambda: indexed(False),
        "accumulate=True": lambda: indexed(True),
    },
    "torch.Tensor.put_": {
        "accumulate=False": lambda: put(False),
        "accumulate=True": lambda: put(True),
    },
    "torch.Tensor.scatter_add_": {
        "": lambda: [torch.zeros(64, device=DEVICE).scatter_add_(0, places(20000, 64), data(20000))]
    },
    "torch.Tensor.scatter": {
        "": lambda: [torch.zeros(64, device=DEVICE).scatter(0, places(20000, 64), data(20000))]
    },
    "torch.Tensor.scatter_reduce": {
        how: lambda how=how: reduced(how) for how in ("sum", "mean", "prod")
    },
    "torch.Tensor.index_copy": {
        "": lambda: [torch.zeros(64, device=DEVICE).index_copy(0, places(20000, 64), data(20000))]
    },
    "torch.Tensor.resize_": {"quantized": quantized},
    "torch.gather": {"": lambda: slopes(lambda x: torch.gather(x, 0, places(20000, 64)), data(64))},
    "torch.index_add": {
        "": lambda: [
            torch.index_add(torch.zeros(64, device=DEVICE), 0, places(20000, 64), data(20000))
        ]
    },
    "torch.index_select": {
        "": lambda: slopes(lambda x: torch.index_select(x, 0, places(20000, 64)), data(64, 4))
    },
    "torch.repeat_interleave": {
        "": lambda: slopes(lambda x: torch.repeat_interleave(x, 500), data(64))
    },
    "torch.histc": {"": lambda: [torch.histc(data(100000), 16, -3, 3)]},
    "torch.bincount": {
        "weights": lambda: [torch.bincount(places(20000, 64), weights=data(20000), minlength=64)]
    },
    "torch.median": {"indices": lambda: [*torch.median(data(64, 999).round(decimals=1), 1)]},
    "torch.nn.functional.grid_sample": {"": sampled},
    "torch.cumsum": {"": lambda: [torch.cumsum(data(1000000), 0)]},
}
"""A way to call each operation, in variants where the documentation makes a difference."""


def documented():
    """Return the names in the docstring, each with what it says: `repeats`, `raises` or both."""
    text = torch.use_deterministic_algorithms.__doc__.split("In addition, several")[0]
    first, second = text.split("will throw a\n")[-2:]
    said = {}
    for word, part in (("repeats", first), ("raises", second)):
        for name in re.findall(r"^ +\* :(?:class|func):`([\w.]+)`", part, re.MULTILINE):
            said[name] = word if said.get(name, word) == word else "repeats or raises"
    return said


def missing():
    """Return the names of the docstring that have no case here, and of cases that it lacks."""
    return sorted(documented().keys() ^ CASES.keys())
