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
from seedlock.children import Announced
from seedlock.patching import replace
from seedlock.places import take
from seedlock.settings import STRICT
from seedlock.threads import note_threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType
    from typing import Any

    from seedlock.process_lock import Lock


JOBLIB = ("joblib.parallel", "joblib._parallel_backends", "joblib._utils")
"""Where the classes of joblib's batches are: BatchedCalls, SafeFunction (to joblib 1.3),
_TracebackCapturingWrapper (joblib 1.4 to 1.6)."""


WORKERS = {
    ("multiprocessing.pool", "worker"),
    ("multiprocess.pool", "worker"),
    ("torch.multiprocessing.pool", "clean_worker"),
    ("concurrent.futures.process", "_process_worker"),
    ("loky.process_executor", "_process_worker"),
    ("joblib.externals.loky.process_executor", "_process_worker"),
}
"""What the workers of pools run. Their first argument is the queue of the pool's tasks. How many
are started, and when, may depend on timing."""

_WORKERS = "_seedlock_workers"


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
            if lock is not None and take(lock, place) and lock.settings.report is not None:
                from seedlock import reporting

                reporting.update_now()

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
    """A function over many rows of arguments, each of which comes as `(index, row)`."""

    __slots__ = ()

    def __call__(self, numbered: tuple[int, Any]) -> Any:
        index, item = numbered
        self.take(f"{self.place}.{index}")
        return self.function(*tuple(item))


class CountedTask(Task):
    """A function over many rows of arguments, each of which comes as `index, *row`."""

    __slots__ = ()

    def __call__(self, index: int, *args: Any, **kwargs: Any) -> Any:
        self.take(f"{self.place}.{index}")
        return self.function(*args, **kwargs)


def _rebuilt(kind: type[Task], function: Callable[..., Any], place: str, giver: int) -> Task:
    task = kind.__new__(kind)
    task.function, task.place, task.giver = function, place, giver
    return task


def _process(module: ModuleType, lock: Lock) -> None:
    def start(original: Callable[..., Any]) -> Callable[..., Any]:
        def start(self: Any) -> None:
            target = getattr(self, "_target", None)  # gone, where it was started before
            kind = (getattr(target, "__module__", ""), getattr(target, "__name__", ""))
            if kind in WORKERS:
                # Queues pickle what they name, not all that they hold.
                held = vars(self._args[0])
                place = next(held.get(_WORKERS) or held.setdefault(_WORKERS, lock.family.pool()))
            else:
                place = lock.family.child()
            with Announced(lock, place, False):
                original(self)

        return start

    def shared(found: ModuleType) -> None:
        from seedlock.shared_arrays import note  # most programs share none

        note(found, lock)

    replace(module.BaseProcess, "start", start)
    package = module.__name__.rpartition(".")[0]
    for name in ("sharedctypes", "shared_memory"):
        lock.when_imported(f"{package}.{name}", shared)


def _pool(module: ModuleType, lock: Lock) -> None:
    # The handlers of a ThreadPool, a subclass, run tasks in this process: they stay plain.
    def in_threads(pool: Any, function: Any) -> bool:
        threads = isinstance(pool, module.ThreadPool)
        if threads:
            note_threads(lock, function, "multiprocessing.pool.ThreadPool")
        return threads

    def apply_async(original: Callable[..., Any]) -> Callable[..., Any]:
        def apply_async(self: Any, func: Any, *args: Any, **kwargs: Any) -> Any:
            if not in_threads(self, func) and not _of_joblib(func):
                func = Task(func, lock.family.job())
            return original(self, func, *args, **kwargs)

        return apply_async

    def map_async(original: Callable[..., Any]) -> Callable[..., Any]:
        def _map_async(
            self: Any, func: Any, iterable: Any, mapper: Any, *args: Any, **kw: Any
        ) -> Any:
            if not in_threads(self, func):
                kind = NumberedStarTask if mapper is module.starmapstar else NumberedTask
                func, mapper = kind(func, lock.family.job()), module.mapstar
                iterable = list(enumerate(iterable))
            return original(self, func, iterable, mapper, *args, **kw)

        return _map_async

    def lazily(original: Callable[..., Any]) -> Callable[..., Any]:
        def imap(self: Any, func: Any, iterable: Any, *args: Any, **kwargs: Any) -> Any:
            if not in_threads(self, func):
                func, iterable = NumberedTask(func, lock.family.job()), _numbered(iterable)
            return original(self, func, iterable, *args, **kwargs)

        return imap

    replace(module.Pool, "apply_async", apply_async)
    replace(module.Pool, "_map_async", map_async)
    replace(module.Pool, "imap", lazily)
    replace(module.Pool, "imap_unordered", lazily)


def _numbered(iterable: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    yield from enumerate(iterable)  # not before the first is asked for: the pool's thread may raise


def _executor(module: ModuleType, lock: Lock) -> None:
    def submit(original: Callable[..., Any]) -> Callable[..., Any]:
        def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            # What `map` submits are chunks of tasks that have their places.
            if getattr(fn, "func", None) is not module._process_chunk and not _of_joblib(fn):
                fn = Task(fn, lock.family.job())
            return original(self, fn, *args, **kwargs)

        return submit

    def mapping(original: Callable[..., Any]) -> Callable[..., Any]:
        def mapped(self: Any, fn: Any, *iterables: Iterable[Any], **options: Any) -> Any:
            if not iterables:
                return original(self, fn, **options)
            return original(
                self, CountedTask(fn, lock.family.job()), count(), *iterables, **options
            )

        return mapped

    replace(module.ProcessPoolExecutor, "submit", submit)
    replace(module.ProcessPoolExecutor, "map", mapping)


def _joblib(module: ModuleType, lock: Lock) -> None:
    def call(original: Callable[..., Any]) -> Callable[..., Any]:
        def called(self: Any, iterable: Iterable[Any]) -> Any:
            if getattr(self._backend, "uses_threads", False):
                if self.n_jobs != 1 and self._backend_kwargs.get("require") == "sharedmem":
                    return shared(self, iterable)
                tasks = _noted(iterable, lock) if self.n_jobs != 1 else iter(iterable)
            else:
                tasks = _placed(iterable, lock.family.job())
            return original(self, list(tasks) if hasattr(iterable, "__len__") else tasks)

        def shared(self: Any, iterable: Iterable[Any]) -> Any:
            # Threads that add to one array, as scikit-learn's forests when they predict, add in
            # the order in which they come by.
            if lock.settings.level not in STRICT:
                lock.gap(
                    "joblib ran threads that share memory (require='sharedmem'): the order in "
                    "which they write depends on scheduling; at level strict they run in order"
                )
                return original(self, iterable)
            jobs, self.n_jobs = self.n_jobs, 1
            try:
                return original(self, iterable)
            finally:
                self.n_jobs = jobs

        return called

    replace(module.Parallel, "__call__", call)


def _of_joblib(function: Any) -> bool:
    # Batches of tasks that have their places. How many there are depends on timing.
    return type(function).__module__ in JOBLIB


def _placed(iterable: Iterable[Any], job: str) -> Iterator[tuple[Any, Any, Any]]:
    for index, (function, args, kwargs) in enumerate(iterable):
        yield Task(function, f"{job}.{index}"), args, kwargs


def _noted(iterable: Iterable[Any], lock: Lock) -> Iterator[tuple[Any, Any, Any]]:
    for index, task in enumerate(iterable):
        if index == 0:
            note_threads(lock, task[0], "joblib.Parallel")
        yield task


INTERCEPTS: dict[str, Callable[[ModuleType, Lock], None]] = {
    "multiprocessing.process": _process,
    "multiprocess.process": _process,
    "multiprocessing.pool": _pool,
    "concurrent.futures.process": _executor,
    "joblib.parallel": _joblib,
    "joblib.externals.loky.process_executor": _executor,
    "loky.process_executor": _executor,
    "multiprocess.pool": _pool,
}
