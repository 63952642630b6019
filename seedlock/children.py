"""Processes that this one starts: each gets its place in the family, and the seed.

A fork needs nothing here (startup's hook does it). Whatever starts a program hands its place
over in the environment, through `settings.LINEAGE`.
"""

from __future__ import annotations

import os
import sys

from seedlock import settings as names
from seedlock.lineage import hash_seed_variables
from seedlock.patching import dress, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any

    from seedlock.process_lock import Lock

ENVIRONMENT_OF_FORK_EXEC = 5
"""Position of the environment among fork_exec's arguments, the same in CPython 3.10 to 3.14."""

INHERITED = (
    names.LEVEL, names.STREAMS, names.REPORT, names.LOCK, names.LOCK_FILE, names.TF32,
    names.USER_SEEDS, names.ENTROPY, names.ENTROPY_ALLOW,
)  # fmt: skip
"""Variables that a child keeps even if its parent starts it with an environment without them."""


def variables(lock: Lock) -> dict[str, str]:
    """Return what the next child needs in its environment to be locked in its place."""
    given = {names.SEED: str(lock.settings.seed)}
    for name in INHERITED:
        value = lock.environment.get(name)
        if value is not None:
            given[name] = value
    return {**given, **hash_seed_variables(lock.settings), names.LINEAGE: lock.child()}


def handed_over(lock: Lock, environment: Mapping[Any, Any] | None) -> dict[Any, Any] | None:
    """Return the environment for the next child.

    Args:
        lock: the lock in force.
        environment: what the caller wants the child to have, or None for this process's own,
            which is then changed in place.
    """
    wanted = variables(lock)
    if environment is None:
        os.environ.update(wanted)
        return None
    child = dict(environment)
    if child.get(names.SEED, wanted[names.SEED]) != wanted[names.SEED]:
        lock.gap(f"a child process was started with {names.SEED}={child[names.SEED]}")
        return child
    child.update(wanted)
    return child


def _fork_exec(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    def fork_exec(*args: Any) -> Any:
        at = ENVIRONMENT_OF_FORK_EXEC
        entries = args[at]
        if entries is None:
            handed_over(lock, None)
            return original(*args)
        environment = handed_over(lock, decoded(entries))
        assert environment is not None
        return original(*args[:at], encoded(environment), *args[at + 1 :])

    return fork_exec


def decoded(entries: list[bytes]) -> dict[str, str]:
    """Return the environment that a list of `NAME=value` holds."""
    pairs = (entry.split(b"=", 1) for entry in entries)
    return {os.fsdecode(name): os.fsdecode(value) for name, value in pairs}


def encoded(environment: Mapping[str, str]) -> list[bytes]:
    """Return an environment as a list of `NAME=value`."""
    return [os.fsencode(name) + b"=" + os.fsencode(value) for name, value in environment.items()]


def _execv(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    def execv(path: Any, argv: Any, /) -> Any:
        handed_over(lock, None)
        return original(path, argv)

    return dress(execv, original)


def _with_environment(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    def start(path: Any, argv: Any, env: Any, /, **options: Any) -> Any:
        if env is os.environ:
            handed_over(lock, None)
            return original(path, argv, env, **options)
        return original(path, argv, handed_over(lock, env), **options)

    return dress(start, original)


def _system(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    def system(command: Any) -> Any:
        handed_over(lock, None)
        return original(command)

    return dress(system, original)


def _exit(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    if lock.settings.report is None:
        return original

    def _exit(status: Any) -> Any:
        from seedlock import reporting

        reporting.finish_now()
        original(status)

    return dress(_exit, original)


def _replace_fork_exec(_: ModuleType, lock: Lock) -> None:
    import _posixsubprocess

    replace(_posixsubprocess, "fork_exec", lambda original: _fork_exec(original, lock))
    subprocess = sys.modules.get("subprocess")
    if hasattr(subprocess, "_fork_exec"):  # CPython 3.11 and later hold on to the function
        subprocess._fork_exec = _posixsubprocess.fork_exec  # type: ignore[union-attr]


OS_CALLS: dict[str, Callable[[Callable[..., Any], Lock], Callable[..., Any]]] = {
    "execv": _execv,
    "execve": _with_environment,
    "posix_spawn": _with_environment,
    "posix_spawnp": _with_environment,
    "system": _system,
    "_exit": _exit,
}

INTERCEPTS: dict[str, Callable[[ModuleType, Lock], None]] = {
    "subprocess": _replace_fork_exec,
    "multiprocessing.util": _replace_fork_exec,
}
