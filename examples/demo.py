"""Run five training programs twice under one seed and once under another, and compare the bits.

None of the programs seeds anything. Exit status 0: each gave the same bits twice under the first
seed and other bits under the second; 1: one did not.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

PROGRAMS = ("numpy", "torch", "keras", "mxnet", "jax")


def main() -> int:
    """Run the programs and print a table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs=2, default=("7", "8"), metavar=("A", "B"))
    parser.add_argument("--only", choices=PROGRAMS, nargs="+", default=PROGRAMS)
    options = parser.parse_args()
    first, second = options.seeds
    runs = (first, first, second)
    headings = [f"REPRO_SEED={seed}" for seed in runs]
    print(f"{'program':<22}" + "".join(f"{heading:<18}" for heading in headings), flush=True)
    passed = True
    start = time.monotonic()
    for name in options.only:
        print(f"{f'train_{name}.py':<22}", end="", flush=True)
        digests = []
        for seed in runs:
            digests.append(train(name, seed))
            print(f"{digests[-1][:12]:<18}", end="", flush=True)
        repeatable = digests[0] == digests[1]
        heard = digests[0] != digests[2]
        passed = passed and repeatable and heard
        print("same bits" if repeatable else "DIFFERENT BITS", end=", ")
        print("hears the seed" if heard else "SEED-DEAF", flush=True)
    print(f"{len(options.only) * 3} runs in {time.monotonic() - start:.0f} s")
    return 0 if passed else 1


def train(name: str, seed: str) -> str:
    """Run one program under one seed and return the digest that it printed last."""
    program = Path(__file__).parent / f"train_{name}.py"
    environment = {**os.environ, "REPRO_SEED": seed, "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(
        [sys.executable, str(program)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        print(f"\n{program.name} ended with status {done.returncode}:\n{done.stderr}")
        sys.exit(1)
    return done.stdout.split()[-1]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted")
        sys.exit(130)
