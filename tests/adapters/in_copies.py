"""Import a framework once, then run several programs, each in a copy of this process.

    python in_copies.py IMPORTS FILE...

IMPORTS: names with commas. What a file prints is written to FILE.out. Exit status 1: one failed.

A copy is made by fork(2) itself. No handler runs that Python calls at os.fork(), seedlock's among
them: a copy is what the process was, its place among the processes included, and draws what a
process of its own would. It shares the order of hashes and all addresses with the other copies;
that two runs are equal is shown by two processes.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from types import ModuleType


def run(file: str) -> None:
    """Run a file as a program that ends with this process, without a report."""
    os.dup2(os.open(f"{file}.out", os.O_WRONLY | os.O_CREAT), 1)
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__file__ = file
    with open(file, encoding="utf-8") as opened:
        exec(compile(opened.read(), file, "exec"), main.__dict__)
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    """Import, and run each file."""
    imports, *files = sys.argv[1:]
    for name in imports.split(","):
        importlib.import_module(name)
    copy = ctypes.PyDLL(None).fork
    for file in files:
        child = copy()
        if child == 0:
            run(file)
        if os.waitpid(child, 0)[1]:
            sys.exit(f"{file} failed")


if __name__ == "__main__":
    main()
