"""What a sandbox really is, asked by a tiny program that runs in its place."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

from seedlock.errors import NotSealed

PATIENCE = 60.0
"""Seconds that it may take."""

FILES = ("status", "mountinfo", "limits", "environ", "net/dev")
"""Files of /proc/self that it prints; kernel.org, "The /proc Filesystem"."""

MARK = "seedlock-probe-"

SCRIPT = "; ".join([
    *(f'echo "{MARK}{name}"; cat /proc/self/{name}; echo' for name in FILES),
    f'echo "{MARK}userns"; command -v unshare && ! unshare --user true && echo refused',
    f'echo "{MARK}namespaces"; readlink /proc/self/ns/net /proc/self/ns/pid',
    f'echo "{MARK}home"; ls -A "$HOME"',
    f'echo "{MARK}end"',
])  # fmt: skip

TRUSTED_DEVICES = frozenset(
    f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty", "console")
)


@dataclass(frozen=True)
class Seen:
    """What the program saw.

    Attributes:
        status: fields of /proc/self/status.
        mounts: for each mount point whether it can be written.
        processes: limit of processes, soft and hard.
        variables: names and values.
        interfaces: names of network interfaces.
        confined: whether the kernel refused it a user namespace of its own.
        namespaces: identities of its namespaces (`net`, `pid`), as `net:[4026531840]`.
        home: names of files in its home folder.
    """

    status: dict[str, str]
    mounts: dict[str, bool]
    processes: tuple[str, str]
    variables: dict[str, str]
    interfaces: list[str]
    confined: bool
    namespaces: dict[str, str]
    home: list[str]

    @property
    def capabilities(self) -> list[str]:
        """Sets of capabilities that are not empty."""
        return [name for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
                if int(self.status.get(name, "1"), 16)]  # fmt: skip


def command() -> list[str]:
    """Return the program's words; they need a shell and coreutils only."""
    return ["/bin/sh", "-c", SCRIPT]


def ask(argv: list[str], environ: dict[str, str]) -> Seen:
    """Run a sandbox with the program in it.

    Args:
        argv: the sandbox's words with `command` at their end.
        environ: the environment to start it in.

    Raises:
        NotSealed: it did not come to its end.
    """
    try:
        asked = subprocess.run(
            argv, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=PATIENCE, start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired as problem:
        raise _failed(f"no answer in {PATIENCE:g} s") from problem
    except OSError as problem:
        raise _failed(f"{problem}") from problem
    parts = _parts(os.fsdecode(asked.stdout))
    if asked.returncode != 0 or "end" not in parts:
        said = os.fsdecode(asked.stderr).strip().splitlines() or [f"status {asked.returncode}"]
        raise _failed(said[-1])
    return _read(parts)


def _failed(why: str) -> NotSealed:
    return NotSealed(
        f"bubblewrap can't make a sandbox here: {why[:200]}; allowed: a kernel that lets this user "
        "make namespaces; take --container with an image, or ask the administrator"
    )


def _parts(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(f"\n{MARK}"):
        name, _, content = part.removeprefix(MARK).partition("\n")
        found.setdefault(name, content)
    return found


def _read(parts: dict[str, str]) -> Seen:
    pairs = (line.partition(":") for line in parts["status"].splitlines())
    limits = next(
        line.split() for line in parts["limits"].splitlines() if line.startswith("Max processes")
    )
    mounts = {}
    for line in parts["mountinfo"].split("\n"):
        words = line.split(" ")
        if len(words) > 5:
            place = words[4].encode().decode("unicode_escape")  # spaces are \040 there
            mounts[place] = "rw" in words[5].split(",")
    variables = (each.partition("=") for each in parts["environ"].split("\0"))
    return Seen(
        {name: value.strip() for name, _, value in pairs},
        mounts,
        (limits[2], limits[3]),
        {name.strip("\n"): value for name, _, value in variables if name.strip("\n")},
        [line.partition(":")[0].strip() for line in parts["net/dev"].splitlines() if ":" in line],
        "refused" in parts["userns"].split(),
        {each.partition(":")[0]: each for each in parts["namespaces"].split()},
        parts["home"].split("\n")[:-1] if parts["home"].strip() else [],
    )
