"""Threads of the program: what they draw from a generator that they share can't be ordered, so the
report says which line starts them. And threads of SciPy, whose number level portable fixes.
"""

from __future__ import annotations

import sys

from seedlock.callers import is_library
from seedlock.patching import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from seedlock.process_lock import Lock


def note_threads(lock: Lock, function: Any, name: str) -> None:
    """Note that `name` is about to run a function in a thread, if that is the author's."""
    function = getattr(function, "func", function)
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    if code is None or is_library(code.co_filename):
        return
    site, _ = lock.threads.met(name, None, "reported")
    if site.count == 1 and lock.settings.report is not None:
        from seedlock import reporting  # the process may be killed

        reporting.update_now()


def _threading(module: ModuleType, lock: Lock) -> None:
    def start(original: Callable[..., Any]) -> Callable[..., Any]:
        def start(self: Any) -> None:
            # One that has run has no target any more, and one without its __init__ never had.
            target = getattr(self, "_target", None)
            note_threads(lock, target or type(self).run, "threading.Thread.start")
            original(self)

        return start

    def begin(original: Callable[..., Any]) -> Callable[..., Any]:
        def start_new_thread(function: Any, /, *args: Any) -> Any:
            note_threads(lock, function, "_thread.start_new_thread")
            return original(function, *args)

        return start_new_thread

    replace(module.Thread, "start", start)
    replace(sys.modules["_thread"], "start_new_thread", begin)


def _thread_pool(module: ModuleType, lock: Lock) -> None:
    def submit(original: Callable[..., Any]) -> Callable[..., Any]:
        def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            note_threads(lock, fn, "ThreadPoolExecutor.submit")
            return original(self, fn, *args, **kwargs)

        return submit

    replace(module.ThreadPoolExecutor, "submit", submit)


def _scipy(_: ModuleType, lock: Lock) -> None:
    # SciPy's wheels hold an OpenBLAS of their own, which this import loads.
    if lock.settings.spinning_threads is not None:
        from seedlock import portable

        portable.hold_threads(lock.settings.spinning_threads)


INTERCEPTS: dict[str, Callable[[ModuleType, Lock], None]] = {
    "concurrent.futures.thread": _thread_pool,
    "threading": _threading,
    "scipy.linalg": _scipy,
}
