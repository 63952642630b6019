"""What a run has to know of its seal, whoever keeps it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from seedlock.evaluation.sealing import signs
from seedlock.evaluation.sealing.folder_size import size_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.container_engine import Mount
    from seedlock.evaluation.sealing.control_groups import Taken
    from seedlock.evaluation.sealing.guarantees import Guarantee
    from seedlock.evaluation.sealing.limits import Limits
    from seedlock.evaluation.sealing.processors import Claim

LOOK = 0.1
"""Seconds between two looks at what a run takes."""

WEIGH = 1.0
"""Seconds between two looks at what it has written."""

SOURCE, OUTPUT, REPORTS, DATA = "/submission", "/output", "/reports", "/data"
"""Where a sealed run finds its source, its folders and, below the last, its data sets."""


class Hit(NamedTuple):
    """A limit that a run came to: `memory`, `processes` or `disk`, and how that is known."""

    limit: str
    note: str


@dataclass(frozen=True)
class Order:
    """What is to be run, and what it may have.

    Attributes:
        argv: the command, in words that hold inside.
        variables: its environment; only listed ones are passed on (`variables.listed`).
        writable: absolute paths here that it may write, and where it finds them.
        readable: what it may read besides.
        limits: how much it may take.
        folder: the run's folder, there; not shown to the run. What is printed into files in it
            counts as written.
        name: the container's, where there is one; no other's.
        cpus: numbers of the processors that it gets; empty for any.
        gpus: GPUs that the container gets, as the engine names them.
        labels: further ones for the container.
    """

    argv: Sequence[str]
    variables: Mapping[str, str]
    writable: Mapping[Path, str]
    readable: Sequence[Mount]
    limits: Limits
    folder: Path
    name: str
    cpus: tuple[int, ...] = ()
    gpus: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class Sealed(ABC):
    """A command that is sealed.

    Attributes:
        order: what was ordered.
        argv: what to start.
        environ: the environment to start that in: the engine's client's, or the sandbox's.
        backend: `docker` or `bubblewrap`.
        container: client and name of its container, or None.
        processors: those that it is bound to, held until `close`; or None.
        own_status: what the command itself ended with, where somebody else than the first process
            says so; None before the end, or where nobody knows.
    """

    def __init__(
        self,
        order: Order,
        argv: list[str],
        environ: dict[str, str],
        backend: str,
        foreseen: Mapping[str, Guarantee],
        container: tuple[str, str] | None = None,
        processors: Claim | None = None,
    ) -> None:
        self.processors = processors
        self.order = order
        self.argv = argv
        self.environ = environ
        self.backend = backend
        self.container = container
        self.own_status: int | None = None
        self._found = dict(foreseen)
        self._hit: Hit | None = None
        self._next_look = self._next_weighing = 0.0

    @property
    def seconds(self) -> float:
        """How long it may run. Whoever starts it ends it then."""
        return self.order.limits.seconds

    def look(self, pid: int) -> Hit | None:
        """Look at what the run takes, unless it was looked at just now.

        Args:
            pid: its first process here.

        Returns:
            The limit for which it has to be ended, or None.
        """
        now = time.monotonic()
        if self._hit is None and now >= self._next_look:
            self._next_look = now + LOOK
            self._hit = self._looked(pid)
        if self._hit is None and now >= self._next_weighing:
            begun = time.monotonic()
            self._weigh()
            ended = time.monotonic()
            # A folder with very many files must not take all of this process's time.
            self._next_weighing = ended + max(WEIGH, 20 * (ended - begun))
        return self._hit

    def close(self, exit_status: int | None, said: str) -> None:
        """Take down what can be known at the end, and clear away. Called once all has ended.

        Args:
            exit_status: of its first process.
            said: the end of what it wrote to standard error; may be empty.
        """
        self._closed()
        self.release()
        if self._hit is None:
            self._weigh()
        if self._hit is None and exit_status != 0:
            told = signs.told(said)
            self._hit = Hit(*told) if told else None

    def release(self) -> None:
        """Give back what it holds while it runs; for one that is never started, too."""
        if self.processors is not None:
            self.processors.release()

    def limit_hit(self) -> Hit | None:
        """Return the limit that it came to, time aside, or None."""
        return self._hit

    def guarantees(self) -> dict[str, Guarantee]:
        """Return which promises were kept; after `close` all that is known."""
        return dict(self._found)

    def taken(self) -> Taken | None:
        """Return what the kernel counted of it until the last look; None where it counts nothing
        for all of its processes together."""
        return None

    @abstractmethod
    def _looked(self, pid: int) -> Hit | None:
        """Return the limit that it came to, if any."""

    @abstractmethod
    def _closed(self) -> None:
        """Take down what can be known at the end, and clear away."""

    def _weigh(self) -> None:
        allowed = self.order.limits.disk
        own = self.order.folder
        outside = (each for each in self.order.writable if not each.is_relative_to(own))
        try:
            total = sum(map(size_of, (own, *outside)))
        except OSError as problem:
            self._hit = Hit("disk", f"what it wrote can't be counted: {problem.strerror}")
            return
        if total >= allowed:
            self._hit = Hit("disk", f"it wrote {total} of {allowed} bytes")
