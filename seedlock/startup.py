"""What runs first in every Python process: read the settings, wait for the libraries.

Both doors (sitecustomize and a0_seedlock.pth) call `activate`. Here is the only broad `except`
of the half that runs inside a submission: Python swallows an exception in either door and runs
the user's code unseeded with exit status 0, so a failure has to end the process by itself.
"""

import os
import sys
from _weakref import proxy

from seedlock.import_hooks import FirstCall, collector_goes_on, finder
from seedlock.registry import OS_CALLS, REGISTRY, WATCHED, refuse_unfit, watcher
from seedlock.settings import HASH_SEED_NOTE, NAMES, RESTARTED, SEED, WATCH, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any

    from seedlock.process_lock import Lock

    Guard = Callable[[Callable[[], None]], None]

EXIT_CONFIG = 78
"""EX_CONFIG of sysexits.h: the run was refused and user code was not started."""

NOTHING_LOCKED = "level watch locks nothing: no seed is set, no flag, no order"

_exit = os._exit
"""The function itself: what `os` holds under a lock finishes the report first."""

_start: "tuple[Settings, bool, list[str], Guard, Mapping[str, str]] | None" = None
_lock: "Lock | None" = None

_guard: "Guard"
"""What a hook's step is done by: `guarded`, or for `seedlock.lock` a plain call."""


def activate() -> None:
    """Lock this process as the environment says; do nothing without REPRO_SEED.

    Idempotent: a `.pth` line runs twice in a virtual environment (coverage.py issue 340), and
    there are two doors. Never raises: what can't be locked ends the process with `EXIT_CONFIG`.
    """
    if _start is None and SEED in os.environ:
        guarded(_activate)


def activate_now(settings: Settings) -> None:
    """Lock a process that is already running user code (`seedlock.lock`)."""
    from seedlock import hash_seed

    watched = settings.level == WATCH
    gaps = [NOTHING_LOCKED] if watched else hash_seed.hash_seed_gap(settings)
    _begin(settings, False, gaps + _unfit(settings), lambda step: step(), dict(os.environ))


def in_force() -> "Lock | None":
    """Return the lock in force in this process, or None."""
    global _lock
    if _lock is None and _start is not None:
        from seedlock.process_lock import Lock

        _lock = Lock(*_start)
    return _lock


def guarded(step: "Callable[[], None]") -> None:
    """Do `step`; if it raises, say so in one line and end the process."""
    try:
        step()
    except BaseException as problem:  # noqa: BLE001 - an interrupt here leaves a run unlocked too
        refuse(problem)


def refuse(problem: BaseException) -> None:
    """Print one line about `problem` on stderr and end the process with `EXIT_CONFIG`."""
    from seedlock.errors import AdapterFailed, SeedlockError

    if not isinstance(problem, SeedlockError):
        problem = AdapterFailed(_blame(problem))
    try:
        sys.stdout.flush()
    except (AttributeError, OSError, ValueError):
        pass  # no stdout, or nobody reads it: the line below still has to come
    os.write(2, f"seedlock: {' '.join(str(problem).split())}\n".encode(errors="replace"))
    _exit(EXIT_CONFIG)


def _activate() -> None:
    environ = _variables()
    settings = Settings(environ)
    restarted = False
    gaps: list[str] = []
    # Whoever set PYTHONHASHSEED noted what for, which spares each start the SHA-256 (0.3 ms);
    # the Lock, made with the first library, checks the note against the derivation.
    noted = f"{settings.seed} {settings.streams} {settings.hash_seed}"
    if settings.level == WATCH:
        gaps = [NOTHING_LOCKED]
    elif environ.get(HASH_SEED_NOTE) != noted or sys.flags.ignore_environment:
        from seedlock import hash_seed

        restarted, gaps = hash_seed.lock_hash_seed(settings)
    elif RESTARTED in environ:
        restarted = os.environ.pop(RESTARTED) == str(os.getpid())
    _begin(settings, restarted, gaps + _unfit(settings), guarded, environ)


def _variables() -> "Mapping[str, str]":
    # Those that `Settings` reads. A look-up in os.environ is two calls in Python and mostly an
    # exception, and with 25 of them as dear as a module: so one pass over what it holds.
    held = getattr(os.environ, "_data", {})
    own = {os.fsdecode(name): os.fsdecode(held[name]) for name in held if name.startswith(NAMES)}
    return own if SEED in own else dict(os.environ)


def _unfit(settings: Settings) -> "list[str]":
    gaps = refuse_unfit(settings)
    if settings.least_driver is not None:
        from seedlock.driver import refuse_old

        gaps += refuse_old(settings)
    return gaps


def _begin(
    settings: Settings,
    restarted: bool,
    gaps: "list[str]",
    guard: "Guard",
    environ: "Mapping[str, str]",
) -> None:
    global _start, _guard
    _start = (settings, restarted, gaps, guard, environ)
    _guard = guard
    _replace_in_os("os", os)
    finder.register("os", _replace_in_os)
    for entry in REGISTRY:
        if not finder.register(entry.module, _after, _before):
            from seedlock import places

            places.apply_late(_locked(), entry)
    for name in WATCHED:
        if not finder.register(name, _intercepted):
            _locked().intercepted(sys.modules[name])
    # CPython holds these to its very end: strong references would keep this module and all that
    # it holds alive with them, which costs each exit 0.1 ms.
    os.register_at_fork(
        before=proxy(_fork_coming),
        after_in_parent=proxy(_fork_gone),
        after_in_child=proxy(_forked),
    )
    if settings.report is not None:
        from seedlock import reporting

        reporting.begin(_locked())


def _replace_in_os(_: str, module: "ModuleType") -> None:
    assert _start is not None
    for name in OS_CALLS:
        if name != "_exit" or _start[0].report is not None:
            setattr(module, name, FirstCall(name, _replacement))


def _before(name: str) -> None:
    _guard(lambda: _locked().before(name))


def _after(name: str, module: "ModuleType") -> None:
    _guard(lambda: _locked().after(name, module))


def _intercepted(_: str, module: "ModuleType") -> None:
    _guard(lambda: _locked().intercepted(module))


def _replacement(name: str, original: "Callable[..., Any]") -> "Callable[..., Any]":
    made: list[Callable[..., Any]] = []
    _guard(lambda: made.append(watcher(name).OS_CALLS[name](original, _locked())))
    return made[0]


def _fork_coming() -> None:
    def step() -> None:
        _locked().family.fork_coming()

    _guard(step)


def _fork_gone() -> None:
    def step() -> None:
        _locked().family.started()

    _guard(step)


def _forked() -> None:
    _guard(_begin_in_child)


def _begin_in_child() -> None:
    collector_goes_on()
    lock = _locked()
    from seedlock import places

    if places.forked(lock) and lock.settings.report is not None:
        from seedlock import reporting

        reporting.begin(lock)


def _locked() -> "Lock":
    lock = in_force()
    assert lock is not None
    return lock


def _blame(problem: BaseException) -> str:
    frame = problem.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = "" if frame is None else f" at {frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
    return (
        f"{type(problem).__name__}: {problem}{place}; a library could not be locked; "
        "unset REPRO_SEED to run without a lock, and report this line"
    )
