"""Digests of tensors on the device, of their copies on the CPU, and of NumPy's. Prints JSON."""

import json
import sys

import torch

import seedlock

device = sys.argv[1]
plain = torch.randn(33, 17)
CASES = {
    "float32": plain,
    "float64": plain.double(),
    "float16": plain.half(),
    "bfloat16": plain.bfloat16(),
    "int64": torch.randint(-9, 9, (5, 4, 3)),
    "bool": plain > 0,
    "complex64": torch.complex(plain, -plain),
    "scalar": torch.tensor(-0.0),
    "empty": torch.empty(0, 3),
    "transposed": plain.t(),
    "part": plain[::2, 3:9],
    "expanded": plain[:1].expand(5, -1),
    "conjugated": torch.complex(plain, plain.abs()).conj(),
    "large": torch.randn(1 << 20),
}

seen = {}
for name, value in CASES.items():
    there = value.to(device)
    if name in ("transposed", "part", "expanded"):  # laid out so on the device too
        base = plain.to(device)
        there = {"transposed": base.t(), "part": base[::2, 3:9], "expanded": base[:1].expand(5, -1)}
        there = there[name]
    if name == "conjugated":
        there = torch.complex(plain.to(device), plain.abs().to(device)).conj()
    assert there.device.type == device
    parameter = torch.nn.Parameter(there) if there.is_floating_point() else there
    seen[name] = {
        "device": seedlock.digest(there),
        "parameter": seedlock.digest(parameter),
        "cpu": seedlock.digest(there.cpu()),
    }
    if name != "bfloat16":  # NumPy has none
        seen[name]["numpy"] = seedlock.digest(value.resolve_conj().numpy())
print(json.dumps(seen))
