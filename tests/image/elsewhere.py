#!/usr/bin/env python3
"""An OCI runtime: runc, but steps see another day, host name and number of processors.

`make image-check` lets the second build run in it. A clock can't be shifted for a container alone
(time namespaces leave out CLOCK_REALTIME, time_namespaces(7)), hence libfaketime in each process.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

# Two days at most: what apt fetches is valid for about a week.
SHIFT = "+40h"
HOST = "elsewhere"
LIBRARIES = "usr/lib/*/faketime"  # where Debian's libfaketime lies, below /
# The C library counts processors in here (sysconf(3), _SC_NPROCESSORS_ONLN).
PROCESSORS = "/sys/devices/system/cpu/online"


def change(bundle: Path) -> None:
    """Rewrite a container's configuration (OCI runtime specification, config.json).

    The library's folder is mounted below /dev, which the container has for itself, so that no mount
    point stays in a layer.
    """
    [libraries] = Path("/").glob(LIBRARIES)
    online = bundle / "online"
    online.write_text("0\n")
    file = bundle / "config.json"
    config = json.loads(file.read_text())
    config["hostname"] = HOST
    config["process"]["env"] += ["LD_PRELOAD=/dev/faketime/libfaketime.so.1", f"FAKETIME={SHIFT}"]
    for target, source in (("/dev/faketime", libraries), (PROCESSORS, online)):
        mount = {"destination": target, "type": "bind", "source": str(source)}
        config["mounts"].append({**mount, "options": ["bind", "ro"]})
    file.write_text(json.dumps(config))


def main() -> None:
    """Become runc, with the configuration changed if a container is to be made."""
    words = sys.argv[1:]
    if "create" in words:
        change(Path(words[words.index("--bundle") + 1]))
    os.execvp("runc", ["runc", *words])


if __name__ == "__main__":
    main()
