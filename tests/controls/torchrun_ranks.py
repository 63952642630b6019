"""Ranks that torchrun starts, which draw from generators of their own."""

import os
import sys
from pathlib import Path

import numpy as np

if "RANK" in os.environ:
    Path(os.environ["RANK"]).write_text(str(np.random.default_rng().random()))
else:
    from torch.distributed.run import main

    main(["--standalone", "--nproc-per-node", "2", sys.argv[0]])
    print(Path("0").read_text(), Path("1").read_text())
