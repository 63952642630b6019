"""Which operations does level strict refuse on this device? Writes a Markdown table.

    REPRO_SEED=7 python tests/image/gpu/programs/refused.py cuda > table.md
    python tests/image/gpu/programs/refused.py cuda --check    # is the list complete?

Each operation of PyTorch's own list is called; one that is not refused is called again on
the same input (20 times on a GPU), and its bits are compared.
"""

import sys

import torch
from torch_cases import CASES, DEVICE, documented, missing

TIMES = 20 if DEVICE == "cuda" else 3


def bits(case):
    """Return what a case computes, as bytes; the same input each time."""
    torch.manual_seed(1)
    results = case()
    return b"".join(each.detach().cpu().contiguous().numpy().tobytes() for each in results)


def seen(case):
    """Return `raises`, `repeats`, `differs`, `not there` for what this device has no code for, or
    the first line of another error."""
    try:
        first = bits(case)
    except NotImplementedError:  # quantised tensors on CUDA (PyTorch 2.11)
        return "not there"
    except RuntimeError as problem:
        told = " ".join(str(problem).splitlines()[0].split())
        return "raises" if "deterministic" in told else f"error: {told[:80]}"
    return "repeats" if all(bits(case) == first for _ in range(TIMES - 1)) else "differs"


def main():
    if missing():
        print("without a case, or no longer documented:", *missing(), file=sys.stderr)
        return 1
    if "--check" in sys.argv:
        return 0
    if torch.get_deterministic_debug_mode() != 2:
        print("refused.py: set REPRO_SEED, so that level strict is in force", file=sys.stderr)
        return 2
    where = torch.cuda.get_device_name() if DEVICE == "cuda" else DEVICE
    print(f"torch {torch.__version__} on {where}, level strict\n")
    print("| operation | case | documented | seen |\n| --- | --- | --- | --- |")
    said = documented()
    for name, cases in sorted(CASES.items()):
        for label, case in cases.items():
            print(f"| `{name}` | {label or '-'} | {said[name]} | {seen(case)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
