"""Which process am I: the place in the family of processes.

The first process has the empty place; its children are `0`, `1`, ... in the order in which it
starts them, whatever way it does; `0/2` is the third child of the first child. Not among them,
since their number or their order may depend on timing: the workers of a pool, `pool.POOL.WORKER`,
and multiprocessing's own processes, `helper`. A task of a pool is `task.JOB.INDEX` below the
process that handed it out, whichever worker takes it. Ranks of one job are `rank.N` below the
process that launched them, `launch.K/rank.N` when it launches that rank again. A program that
replaces its process by exec leaves it `exec.1`, that one `exec.2`.
"""

from __future__ import annotations

import os
from _thread import get_ident
from itertools import count

from seedlock.user_seeds import read

TYPE_CHECKING = False  # typing would cost a program that has no use for it 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seedlock.settings import Settings
    from seedlock.trace import Trace


def place(settings: Settings) -> tuple[str, str]:
    """Return a starting process's place, and the place whose main streams it draws from.

    They differ for the ranks of a distributed job, which share the main streams, as frameworks
    expect, and nothing else. Rank 0 stands where a single process would.
    """
    path = settings.lineage
    if settings.rank is not None and settings.rank.isdecimal():
        path = below(path, f"rank.{int(settings.rank)}")
    elements = path.split("/")
    at = len(elements) - (2 if elements[-1].startswith("exec.") else 1)
    if at >= 0 and elements[at].startswith("rank."):
        del elements[at]
    return path, "/".join(elements)


def shared_place(settings: Settings) -> list[str]:
    """Return the gap of a process that did not come straight from the one that gave it its
    place."""
    known = ("", str(os.getppid()), str(os.getpid()))
    if settings.giver in known or settings.rank is not None:
        return []
    return [
        "this process was started by a program in between, as a shell: others that it starts have "
        "the same place, and draw the same numbers"
    ]


def below(path: str, element: str) -> str:
    """Return the place of a child or task below `path`."""
    return f"{path}/{element}" if path else element


def of_worker(path: str) -> bool:
    """Tell whether a place is that of a pool's worker."""
    return path.rpartition("/")[2].startswith("pool.")


def stream_path(path: str) -> str:
    """Return the path by which a place's streams are derived: rank 0 and what is below it draw
    what a single process and its children would."""
    return "/".join([each for each in path.split("/") if each != "rank.0"])


class Family:
    """The places below one process or task, in the order in which they are given out.

    Attributes:
        path: the process's or task's own.
        trace: where each child is written down, if anywhere.
    """

    trace: Trace | None = None

    def __init__(self, gap: Callable[[str], None]) -> None:
        self._gap = gap
        self._coming: dict[int, str] = {}
        self._programs: set[int] = set()
        self.enter("")

    def enter(self, path: str) -> None:
        """Count anew, from `path`."""
        self.path = path
        self._children: Iterator[int] = count()
        self._jobs: Iterator[int] = count()
        self._pools: Iterator[int] = count()
        self._launches: dict[str, Iterator[int]] = {}
        self._thread: int | None = None

    def child(self) -> str:
        """Return the place of the next child process, or that of the one under way."""
        coming = self._coming.get(get_ident())
        if coming is not None:
            return coming
        return self._told(below(self.path, str(self._next(self._children))))

    def rank(self, number: str) -> str:
        """Return the place of the next process that is launched as this rank."""
        again = self._next(self._launches.setdefault(number, count()))
        launcher = below(self.path, f"launch.{again}") if again else self.path
        return self._told(below(launcher, f"rank.{int(number)}"))

    def job(self) -> str:
        """Return the beginning of the places of one job's tasks."""
        return below(self.path, f"task.{self._next(self._jobs)}")

    def pool(self) -> Iterator[str]:
        """Return the places of the workers of one pool, which may be started by its threads."""
        path = below(self.path, f"pool.{self._next(self._pools)}")
        return map((path + ".{}").format, count())

    def program(self) -> str:
        """Return the place of the program that this process becomes by exec."""
        rest, _, last = self.path.rpartition("/")
        if last.startswith("exec."):
            return below(rest, f"exec.{int(last[5:]) + 1}")
        return below(self.path, "exec.1")

    def helper(self) -> str:
        """Return the place of a process that multiprocessing starts for itself."""
        return below(self.path, "helper")

    def announce(self, path: str, program: bool) -> str | None:
        """Settle the place of the child that this thread is about to start.

        Args:
            path: its place.
            program: whether it is a program, for which a fork may run preexec_fn at most.

        Returns:
            What to hand to `started` afterwards: the child that was under way, if any.
        """
        before = self._coming.get(get_ident())
        self._coming[get_ident()] = path
        if program:
            self._programs.add(get_ident())
        return before

    def started(self, before: str | None = None) -> None:
        """Forget the child that this thread started."""
        self._programs.discard(get_ident())
        if before is None:
            self._coming.pop(get_ident(), None)
        else:
            self._coming[get_ident()] = before

    def fork_coming(self) -> None:
        """Settle the place of the child that this thread is about to fork."""
        self._coming[get_ident()] = self.child()

    def forked(self) -> tuple[str, bool]:
        """Return, in a forked child, its place, and whether it will become a program."""
        path, program = self._coming[get_ident()], get_ident() in self._programs
        self._coming.clear()
        self._programs.clear()
        return path, program

    def positions(self) -> dict[str, int]:
        """Return how many children, jobs and pools there were, for a checkpoint."""
        children, self._children = read(self._children)
        jobs, self._jobs = read(self._jobs)
        pools, self._pools = read(self._pools)
        return {"children": children, "jobs": jobs, "pools": pools}

    def go_on_from(self, positions: Mapping[str, int]) -> None:
        """Count on from what `positions` returned."""
        self._children = count(positions["children"])
        self._jobs = count(positions["jobs"])
        self._pools = count(positions["pools"])

    def _told(self, path: str) -> str:
        if self.trace is not None:
            self.trace.event("child", "", None, path)
        return path

    def _next(self, counter: Iterator[int]) -> int:
        thread = get_ident()
        if self._thread is None:
            self._thread = thread
        elif thread != self._thread:
            self._gap(
                "several threads started processes or handed out tasks: which of them gets which "
                "place depends on scheduling"
            )
        return next(counter)
