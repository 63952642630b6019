"""Carry out `apptainer run` for a test, as apptainer-run(1) describes the options that seedlock
prints, and no other: Apptainer is not in Debian 12. bubblewrap makes the container; what an image
would have comes from this machine.

Its first argument is bubblewrap, then the prefixes that programs need, as one list with colons.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

SEALED = ("containall", "cleanenv", "no-home", "no-privs", "net", "nv")


def main() -> None:
    """Become the command."""
    bwrap, prefixes, verb, *words = sys.argv[1:]
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in SEALED:
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--network", required=True, choices=["none"])
    parser.add_argument("--bind", action="append", default=[])
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--env-file", type=Path, required=True)
    parser.add_argument("--pwd", required=True)
    parser.add_argument("image", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(words)
    if verb != "run" or not all(getattr(options, each.replace("-", "_")) for each in SEALED[:5]):
        sys.exit(f"{verb}: not carried out here")
    made = [bwrap, "--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--tmpfs", "/"]
    made += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for prefix in prefixes.split(":"):
        made += ["--ro-bind", prefix, prefix]
    for each in options.bind:
        here, there, *mode = each.split(":")
        made += ["--ro-bind" if mode == ["ro"] else "--bind", here, there]
    made += ["--clearenv", "--setenv", "PATH", f"{Path(sys.executable).parent}:/usr/bin"]
    for each in (*options.env, *options.env_file.read_text().split()):
        made += ["--setenv", *each.split("=", 1)]
    os.execv(bwrap, [*made, "--chdir", options.pwd, *options.command])


if __name__ == "__main__":
    main()
