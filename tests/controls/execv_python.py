"""A process that replaces itself."""

import os
import random
import sys

if len(sys.argv) == 1:
    os.execv(sys.executable, [sys.executable, __file__, "again"])
print(random.random())
