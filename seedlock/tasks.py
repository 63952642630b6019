"""Tasks of process pools: seeded by their index, not by the worker that happens to take them.

A task is wrapped where it is handed out and draws, in whatever process it runs, from streams of
its own: `task.JOB.INDEX` below the place of the process that handed it out. So `Pool(4).map` and
`Pool(2).map` give the same random results. Run in the process that handed it out (one job, or a
pool of threads), it is the plain call.
"""

from __future__ import annotations

import os
from itertools import count

from seedlock import startup
from seedlock.callers import is_library
from seedlock.patching import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType
    from typing import Any

    from seedlock.process_lock import Lock


class Task:
    """A function that takes its place in the family before it runs in another process.

    Pickled with the task, so it holds the function and its place, nothing else.
    """

    __slots__ = ("function", "place", "giver")

    def __init__(self, function: Callable[..., Any], place: str) -> None:
        self.function = function
        self.place = place
        self.giver = os.getpid()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.take(self.place)
        return self.function(*args, **kwargs)

    def take(self, place: str) -> None:
        """Enter `place`, unless this is the process that handed the task out."""
        if os.getpid() != self.giver:
            lock = startup.in_force()
            if lock is not None:
                lock.enter(place)

    def __getattr__(self, name: str) -> Any:
        if name in ("function", "place", "giver"):
            raise AttributeError(name)  # not there yet: it is being unpickled
        return getattr(self.function, name)

    def __repr__(self) -> str:
        return repr(self.function)

    def __reduce__(self) -> Any:
        return _rebuilt, (type(self), self.function, self.place, self.giver)


class NumberedTask(Task):
    """A function over many items, each of which comes as `(index, item)`."""

    __slots__ = ()

    def __call__(self, numbered: tuple[int, Any]) -> Any:
        index, item = numbered
        self.take(f"{self.place}.{index}")
        return self.function(item)


class NumberedStarTask(Task):
    """A function over many items, each of which comes as `(index, *arguments)`."""

    __slots__ = ()

    def __call__(self, index: int, *args: Any, **kwargs: Any) -> Any:
        self.take(f"{self.place}.{index}")
        return self.function(*args, **kwargs)


def _rebuilt(kind: type[Task], function: Callable[..., Any], place: str, giver: int) -> Task:
    task = kind.__new__(kind)
    task.function, task.place, task.giver = function, place, giver
    return task


def _pool(module: ModuleType, lock: Lock) -> None:
    # The handlers of a ThreadPool, a subclass, run tasks in this process: they stay plain.
    def apply_async(original: Callable[..., Any]) -> Callable[..., Any]:
        def apply_async(self: Any, func: Any, *args: Any, **kwargs: Any) -> Any:
            if not isinstance(self, module.ThreadPool):
                func = Task(func, lock.job())
            return original(self, func, *args, **kwargs)

        return apply_async

    def map_async(original: Callable[..., Any]) -> Callable[..., Any]:
        def _map_async(
            self: Any, func: Any, iterable: Any, mapper: Any, *args: Any, **kw: Any
        ) -> Any:
            if not isinstance(self, module.ThreadPool):
                if mapper is module.starmapstar:
                    iterable = [(index, *item) for index, item in enumerate(iterable)]
                    func = NumberedStarTask(func, lock.job())
                else:
                    iterable = list(enumerate(iterable))
                    func = NumberedTask(func, lock.job())
            return original(self, func, iterable, mapper, *args, **kw)

        return _map_async

    def lazily(original: Callable[..., Any]) -> Callable[..., Any]:
        def imap(self: Any, func: Any, iterable: Any, *args: Any, **kwargs: Any) -> Any:
            if not isinstance(self, module.ThreadPool):
                func, iterable = NumberedTask(func, lock.job()), enumerate(iterable)
            return original(self, func, iterable, *args, **kwargs)

        return imap

    replace(module.Pool, "apply_async", apply_async)
    replace(module.Pool, "_map_async", map_async)
    replace(module.Pool, "imap", lazily)
    replace(module.Pool, "imap_unordered", lazily)


def _executor(module: ModuleType, lock: Lock) -> None:
    def submit(original: Callable[..., Any]) -> Callable[..., Any]:
        def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            # What `map` submits are chunks of tasks that have their places.
            if getattr(fn, "func", None) is not module._process_chunk:
                fn = Task(fn, lock.job())
            return original(self, fn, *args, **kwargs)

        return submit

    def mapping(original: Callable[..., Any]) -> Callable[..., Any]:
        def mapped(self: Any, fn: Any, *iterables: Iterable[Any], **options: Any) -> Any:
            return original(self, NumberedStarTask(fn, lock.job()), count(), *iterables, **options)

        return mapped

    replace(module.ProcessPoolExecutor, "submit", submit)
    replace(module.ProcessPoolExecutor, "map", mapping)


def _joblib(module: ModuleType, lock: Lock) -> None:
    def call(original: Callable[..., Any]) -> Callable[..., Any]:
        def called(self: Any, iterable: Iterable[Any]) -> Any:
            tasks: Any = _placed(iterable, lock.job())
            return original(self, list(tasks) if hasattr(iterable, "__len__") else tasks)

        return called

    replace(module.Parallel, "__call__", call)


def _placed(iterable: Iterable[Any], job: str) -> Iterator[tuple[Any, Any, Any]]:
    for index, (function, args, kwargs) in enumerate(iterable):
        yield Task(function, f"{job}.{index}"), args, kwargs


def _threading(module: ModuleType, lock: Lock) -> None:
    def start(original: Callable[..., Any]) -> Callable[..., Any]:
        def start(self: Any) -> None:
            code = getattr(self._target or type(self).run, "__code__", None)
            if code is not None and not is_library(code.co_filename):
                lock.threads.note("threading.Thread.start", None, "reported")
            original(self)

        return start

    replace(module.Thread, "start", start)


def _thread_pool(module: ModuleType, lock: Lock) -> None:
    def submit(original: Callable[..., Any]) -> Callable[..., Any]:
        def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            code = getattr(fn, "__code__", None)
            if code is not None and not is_library(code.co_filename):
                lock.threads.note("ThreadPoolExecutor.submit", None, "reported")
            return original(self, fn, *args, **kwargs)

        return submit

    replace(module.ThreadPoolExecutor, "submit", submit)


INTERCEPTS: dict[str, Callable[[ModuleType, Lock], None]] = {
    "multiprocessing.pool": _pool,
    "concurrent.futures.process": _executor,
    "concurrent.futures.thread": _thread_pool,
    "joblib.parallel": _joblib,
    "loky.process_executor": _executor,
    "threading": _threading,
}
