"""Seeds of the program's own, before the device starts and after. Prints JSON."""

import json
import sys

import torch

device = sys.argv[1]
devices = torch.cuda if device == "cuda" else torch
devices.manual_seed(1)  # the seed waits for the device, if it is CUDA


def draws(generator=None):
    return torch.rand(4, device=device, generator=generator).tolist()


said = {"first": draws(), "kept": devices.initial_seed()}
devices.manual_seed(1)
said["again"] = draws()
devices.manual_seed(2)
said["other"] = draws()
devices.seed()
said["unseeded"] = draws()
said["generators"] = [draws(torch.Generator(device)) for _ in range(2)]
said["seeded"] = draws(torch.Generator(device).manual_seed(3))
print(json.dumps(said))
