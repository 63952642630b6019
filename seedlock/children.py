"""Processes that this one starts: each gets its place in the family, and the seed.

A fork needs nothing here (startup's hook does it). Whatever starts a program hands its place
over in the environment, through `settings.LINEAGE`; `os.environ` as the program sees it stays as
it is.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock

from seedlock import settings as names
from seedlock.endings import Ending, exiting
from seedlock.hash_seed import hash_seed_variables
from seedlock.patching import in_own_block, replace
from seedlock.places import enter
from seedlock.stand_ins import dress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType
    from typing import Any

    from seedlock.process_lock import Lock

ENVIRONMENT_OF_FORK_EXEC = 5
"""Position of the environment among fork_exec's arguments, the same in CPython 3.10 to 3.14."""

INHERITED = (
    names.LEVEL, names.STREAMS, names.REPORT, names.LOCK, names.LOCK_FILE, names.TF32,
    names.USER_SEEDS, names.ENTROPY, names.ENTROPY_ALLOW, names.TRACE, names.TRACE_STEPS,
    names.TRACE_VALUES, names.READS, names.LEAST_DRIVER, names.THREADS,
)  # fmt: skip
"""Variables that a child keeps even if its parent starts it with an environment without them."""

OF_LEVEL = (names.THREADS, names.TF32)
"""Those that not every level takes: a child that is given a level of its own gets its own."""

HARMLESS = (names.REPORT, names.READS)
"""Those that lock nothing: a child may have others."""

HELPERS = (b"resource_tracker import main", b"forkserver import main")
"""In the command lines of the processes that multiprocessing and loky start for themselves, once
per process and when they first need them."""

_PLACE = "_seedlock_place"
_handing_over = RLock()


def handed_over(lock: Lock, environment: Mapping[str, str], place: str = "") -> dict[str, str]:
    """Return what the next program's environment lacks to lock it in its place; empty if it is
    to run under another seed.

    Args:
        lock: the lock in force.
        environment: what the program would get.
        place: its place where that is settled.
    """
    seed = str(lock.settings.seed)
    given = environment.get(names.SEED, seed)
    if given != seed:
        lock.gap(f"a child process was started with {names.SEED}={given}")
        return {}
    wanted = {names.SEED: seed}
    if lock.settings.level != names.WATCH:
        wanted.update(hash_seed_variables(lock.settings))
    levels = (None, lock.environment.get(names.LEVEL), lock.settings.level)
    apart = OF_LEVEL if environment.get(names.LEVEL) not in levels else ()
    for name in INHERITED:
        value, now = lock.handed.get(name), environment.get(name)
        if now == value or (now is None and name in apart):
            continue
        if value is not None and now in (None, lock.environment.get(name)):
            wanted[name] = value
        elif name not in HARMLESS:
            lock.gap(f"a child process was started with {name}={now}")
    rank = names.rank_variable(environment)
    if not place:
        number = rank.partition("=")[2]
        launched = number.isdecimal() and rank != names.rank_variable(os.environ)
        place = lock.family.rank(number) if launched else lock.family.child()
    return {**wanted, names.LINEAGE: place, names.PARENT: f"{os.getpid()} {rank}"}


class Announced:
    """A block in which this thread starts one child in a settled place."""

    __slots__ = ("_lock", "_path", "_program", "_before")

    def __init__(self, lock: Lock, path: str, program: bool) -> None:
        self._lock = lock
        self._path = path
        self._program = program

    def __enter__(self) -> None:
        self._before = self._lock.family.announce(self._path, self._program)

    def __exit__(self, *problem: object) -> None:
        self._lock.family.started(self._before)


class _Environment:
    """A block in which a program that gets this process's own environment gets `wanted` too.

    The environment of C, which os.environ shadows, since os.putenv and libraries change it alone.
    """

    __slots__ = ("_wanted",)

    def __init__(self, wanted: Mapping[str, str]) -> None:
        self._wanted = wanted

    def __enter__(self) -> None:
        _handing_over.acquire()
        for name, value in self._wanted.items():
            os.putenv(name, value)

    def __exit__(self, *problem: object) -> None:
        for name in self._wanted:
            value = os.environ.get(name)
            if value is None:
                os.unsetenv(name)
            else:
                os.putenv(name, value)
        _handing_over.release()


def _fork_exec(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    def fork_exec(*args: Any) -> Any:
        at = ENVIRONMENT_OF_FORK_EXEC
        place = ""
        if in_own_block() or any(word in os.fsencode(each) for each in args[0] for word in HELPERS):
            place = lock.family.helper()
        entries = args[at]
        if entries is None:
            wanted = handed_over(lock, os.environ, place)
            with _announced(lock, wanted), _Environment(wanted):
                return original(*args)
        wanted = handed_over(lock, dict(_decoded(entries)), place)
        kept = [entry for entry in entries if os.fsdecode(entry.partition(b"=")[0]) not in wanted]
        added = [os.fsencode(f"{name}={value}") for name, value in wanted.items()]
        with _announced(lock, wanted):
            return original(*args[:at], kept + added, *args[at + 1 :])

    return fork_exec


def _announced(lock: Lock, wanted: Mapping[str, str]) -> Announced:
    return Announced(lock, wanted.get(names.LINEAGE) or lock.family.child(), True)


def _decoded(entries: list[bytes]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        name, _, value = entry.partition(b"=")
        yield os.fsdecode(name), os.fsdecode(value)


def _execv(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    def execv(path: Any, argv: Any, /) -> Any:
        wanted = handed_over(lock, os.environ, lock.family.program())
        with Ending(lock, path), _Environment(wanted):  # a report starts programs, as `uname`
            return original(path, argv)

    return dress(execv, original)


def _execve(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    def execve(path: Any, argv: Any, env: Any) -> Any:
        completed = _completed(lock, env, lock.family.program())
        with Ending(lock, path):
            return original(path, argv, completed)

    return dress(execve, original)


def _posix_spawn(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    def posix_spawn(path: Any, argv: Any, env: Any, /, **options: Any) -> Any:
        if env is None:  # this process's own, from CPython 3.13 on
            with _Environment(handed_over(lock, os.environ)):
                return original(path, argv, env, **options)
        return original(path, argv, _completed(lock, env), **options)

    return dress(posix_spawn, original)


def _completed(lock: Lock, environment: Any, place: str = "") -> Any:
    try:
        given = environment.keys()
        known = {os.fsdecode(name): os.fsdecode(environment[name]) for name in given}
    except (AttributeError, TypeError):
        return environment  # the call refuses it
    return {**known, **handed_over(lock, known, place)}


def _system(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    def system(command: Any) -> Any:
        # In the command, since other threads may start programs while this one runs.
        text = os.fsencode(command)
        wanted = handed_over(lock, os.environ).items()
        quoted = [f"{name}='" + value.replace("'", "'\\''") + "'" for name, value in wanted]
        if quoted:
            text = os.fsencode(f"export {' '.join(quoted)}\n") + text
        return original(text)

    return dress(system, original)


def _replace_fork_exec(_: ModuleType, lock: Lock) -> None:
    import _posixsubprocess

    replace(_posixsubprocess, "fork_exec", lambda original: _fork_exec(original, lock))
    subprocess = sys.modules.get("subprocess")
    if hasattr(subprocess, "_fork_exec"):  # CPython 3.11 and later hold on to the function
        subprocess._fork_exec = _posixsubprocess.fork_exec  # type: ignore[union-attr]


def _spawn(module: ModuleType, lock: Lock) -> None:
    # A fork server forks its children by request: what they are prepared with says their place.
    def get_preparation_data(original: Callable[..., Any]) -> Callable[..., Any]:
        def get_preparation_data(*args: Any, **kwargs: Any) -> Any:
            return {**original(*args, **kwargs), _PLACE: lock.family.child()}

        return get_preparation_data

    def prepare(original: Callable[..., Any]) -> Callable[..., Any]:
        def prepare(data: Any) -> None:
            place = data.get(_PLACE, lock.path)
            if place != lock.path:
                enter(lock, place)
                if lock.settings.report is not None:
                    from seedlock import reporting

                    reporting.update_now()
            original(data)

        return prepare

    replace(module, "get_preparation_data", get_preparation_data)
    replace(module, "prepare", prepare)


def _renew() -> None:
    global _handing_over
    _handing_over = RLock()  # another thread of the parent may have held it


os.register_at_fork(after_in_child=_renew)

OS_CALLS: dict[str, Callable[[Callable[..., Any], Lock], Callable[..., Any]]] = {
    "execv": _execv,
    "execve": _execve,
    "posix_spawn": _posix_spawn,
    "posix_spawnp": _posix_spawn,
    "system": _system,
    "_exit": exiting,
}

INTERCEPTS: dict[str, Callable[[ModuleType, Lock], None]] = {
    "subprocess": _replace_fork_exec,
    "multiprocessing.util": _replace_fork_exec,
    "multiprocessing.spawn": _spawn,
    "multiprocess.spawn": _spawn,
}
