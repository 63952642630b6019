"""Forked children that draw from PyTorch's default generator."""

import os

import torch

torch.rand(1)
for _child in range(3):
    if os.fork() == 0:
        print(torch.rand(1).item(), end=" ", flush=True)
        os._exit(0)
    os.wait()
