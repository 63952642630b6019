"""torch.cuda, torch.xpu and torch.mps with the author's numbers; on generators of the CPU."""

import torch

# Where there is no such device, a generator of the CPU stands in for that of the device.
cuda, xpu, mps = (torch.Generator() for _ in range(3))
torch.cuda.default_generators, torch.xpu.default_generators = (cuda,), (xpu,)
torch.mps._default_mps_generator, torch._C._has_mps = mps, True
for module in (torch.cuda.random, torch.xpu.random):
    module.current_device = lambda: 0


def start(device):
    """Make the calls that wait for the device, as its start does."""
    for waiting in device._lazy_seed_tracker.get_calls():
        if waiting:
            waiting[0]()


torch.cuda.manual_seed(1)
start(torch.cuda)
torch.xpu.manual_seed(2)
start(torch.xpu)
torch.mps.manual_seed(3)
torch._C._has_mps = False
print([torch.rand(1, generator=generator).item() for generator in (cuda, xpu, mps)])
