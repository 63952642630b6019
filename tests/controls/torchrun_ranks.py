"""Ranks that torchrun starts, which draw from generators of their own."""

import os
import sys

import numpy as np

if "RANK" in os.environ:
    with open(os.environ["RANK"], "w") as file:
        print(np.random.default_rng().random(), file=file)
else:
    from torch.distributed.run import main

    main(["--standalone", "--nproc-per-node", "2", sys.argv[0]])
    print(open("0").read().strip(), open("1").read().strip())
