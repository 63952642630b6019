"""Other machines to run a program on: fewer processors, and processors that qemu emulates."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from seedlock.hash_seed import hash_seed_variables
from seedlock.settings import Settings
from tests.interpreter import environment

PROGRAMS = Path(__file__).parent / "programs"

QEMU_FROM = (10,)
"""First major version taken. Debian 12's 7.2 computes AVX2's gathers of float64 wrongly: NumPy's
tanh gives numbers up to 1e20 and crashes. 10.0.2, of its backports, does not."""

INSTALL = (
    "needs qemu-user 10 or later: apt-get install -t bookworm-backports qemu-user on Debian 12, "
    "apt-get install qemu-user on Debian 13, or QEMU=/path/to/qemu-x86_64"
)

PROCESSORS = {
    # Without what the emulator can't do, of which it would warn.
    "Haswell": "Haswell-noTSX",
    "EPYC": "EPYC,-misalignsse,-topoext,-xsavec",
}
"""Processors by the names in the results, and what qemu calls them: one of Intel's, one of AMD's,
both x86-64-v3 without AVX-512, with other caches than most machines."""

TIMEOUT = 3600
"""Seconds after which a run is given up; an emulated one of JAX takes minutes of processor time."""

MACHINES = ("one processor", *PROCESSORS)
"""Beside `native`, this machine with all its processors."""


class Traced(NamedTuple):
    """A traced run: what it printed, and the folder with its trace."""

    out: str
    folder: Path


def qemu() -> str:
    """Return the emulator's path; skip the test where it is missing or too old."""
    try:
        return emulator()
    except LookupError as reason:
        pytest.skip(str(reason))


def emulator() -> str:
    """Return the emulator's path.

    Raises:
        LookupError: it is missing or too old; the text says how to get one.
    """
    path = os.environ.get("QEMU") or shutil.which("qemu-x86_64")
    if path is None:
        raise LookupError(INSTALL)
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"version (\d+)", said)
    if found is None or (int(found[1]),) < QEMU_FROM:
        raise LookupError(f"{said.splitlines()[0]}: {INSTALL}")
    return path


def traced(machine: str, folder: Path, program: str, *arguments: str, **variables: str) -> Traced:
    """Run a program of this folder under seed 7 with a trace, as if on another machine.

    An emulated interpreter must not start again for PYTHONHASHSEED: what it starts is not emulated.

    Args:
        machine: `native` or one of `MACHINES`.
        folder: gets the report and the trace.
        program: file in programs/.
        arguments: its arguments.
        variables: environment variables, REPRO_LEVEL among them.
    """
    prefix: list[str] = []
    if machine in PROCESSORS:
        prefix = [qemu(), "-cpu", PROCESSORS[machine]]
    given = {"REPRO_SEED": "7", "REPRO_REPORT": str(folder), "REPRO_TRACE": "step", **variables}
    usable = sorted(os.sched_getaffinity(0))
    done = subprocess.run(
        [*prefix, sys.executable, str(PROGRAMS / program), *arguments],
        capture_output=True,
        text=True,
        env=environment(**given, **hash_seed_variables(Settings(given))),
        preexec_fn=lambda: os.sched_setaffinity(
            0, usable[:1] if machine == "one processor" else usable
        ),
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, f"{machine}: status {done.returncode}\n{done.stderr}"
    return Traced(done.stdout, folder)
