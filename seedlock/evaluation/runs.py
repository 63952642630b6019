"""One run of the command: start it, watch it, end all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from seedlock.evaluation import container_engine, lifeline, process_groups

if TYPE_CHECKING:
    import resource
    from collections.abc import Sequence
    from pathlib import Path

    from seedlock.evaluation.sealing.sealed import Sealed

OUTPUT_VARIABLE = "REPRO_OUTPUT"
"""Folder into which a run should write its results; `{output}` in the command is replaced by it."""

DATA_VARIABLE = "REPRO_DATA"
"""Folder in which a run finds its declared data, each set under its name."""

OUTPUT = "output"
"""That folder's name in a run's folder."""

DRAIN = 5.0
"""Seconds that processes of a run may live on after its first one ended by itself, as the resource
tracker of multiprocessing does."""

GRACE = 5.0
"""Seconds from TERM to KILL."""

PATIENCE = 60.0
"""Seconds that a container engine may take to answer; removing takes long on some storage."""

WAITING, RUNNING, FINISHED = "not started", "running", "finished"
FAILED, TIMED_OUT, INTERRUPTED = "failed", "timed out", "interrupted"
ENDED = "ended"
LIMITED = "came to a limit"
"""Statuses of a run; `ended`: by seedlock, since another one went wrong."""


class Run:
    """One run.

    Attributes:
        name: `A-1`, `B-1`, `bisect-2`.
        seed: root seed.
        folder: its folder, with reports/, output/, stdout.txt and stderr.txt.
        worked_in: the folder's path while it ran, and known to the program.
        status: one of the statuses above.
        exit_status: what the first process ended with; negative for a signal; None while it runs.
        seconds: wall-clock time of the first process.
        left_over: command lines of processes that had to be ended after the first one.
        survivors: processes that could not be ended.
        mounts: where this machine has what a container saw; None where it ran here.
        usage: what the first process and those that it waited for took; None while it runs.
        timeout: seconds that it may take, or None.
        sealed: its seal, which argv, environ, timeout and container are taken from; or None.
    """

    def __init__(
        self,
        name: str,
        seed: int,
        folder: Path,
        argv: list[str],
        environ: dict[str, str],
        timeout: float | None = None,
        container: tuple[str, str] | None = None,
        home: Path | None = None,
        captured: bool = True,
        sealed: Sealed | None = None,
    ) -> None:
        self.name = name
        self.seed = seed
        self.folder = self.worked_in = folder
        self.status = WAITING
        self.exit_status: int | None = None
        self.seconds = 0.0
        self.left_over: list[str] = []
        self.survivors: list[int] = []
        self.mounts: Sequence[container_engine.Mount] | None = None
        self.usage: resource.struct_rusage | None = None
        self._argv = argv
        self._environ = {**environ, process_groups.MARK: str(folder)}
        self.timeout = timeout
        self._container = container
        self._unheard = False
        self._captured = captured
        self._home = home or folder
        self.sealed = sealed
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._phase = ""
        self._since = 0.0

    @property
    def reports(self) -> Path:
        """Folder of its reports and traces."""
        return self.folder / "reports"

    @property
    def pid(self) -> int:
        """Process id of the first process, 0 before it started."""
        return self._process.pid if self._process else 0

    @property
    def is_going(self) -> bool:
        """Whether the first process had not ended when it was last looked at."""
        return self._phase == RUNNING

    @property
    def elapsed(self) -> float:
        """Seconds that the first process has run, so far or in all."""
        return time.monotonic() - self._began if self._phase == RUNNING else self.seconds

    def start(self) -> None:
        """Start the command, in a session of its own, with output into files if it is captured.

        Raises:
            OSError: it can't be started.
        """
        with ExitStack() as files:
            out, err = (
                files.enter_context(open(self.folder / name, "wb")) if self._captured else None
                for name in ("stdout.txt", "stderr.txt")
            )
            self._began = time.monotonic()
            self._process = subprocess.Popen(
                lifeline.words(self._argv, self._container) if self._container else self._argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=self._environ,
                start_new_session=True,
            )
        self.status = self._phase = RUNNING

    def poll(self, others: set[int], strangers: set[int] | None = None) -> bool:
        """Look after the run; return whether it and all that it started have ended.

        Args:
            others: process ids of other runs under way. Without any, each orphan is this one's.
            strangers: children of this process that no run started, as a program that calls
                seedlock may have.
        """
        assert self._process is not None
        now = time.monotonic()
        if self._phase == RUNNING:
            if self.timeout is not None and now - self._began > self.timeout:
                self.end(TIMED_OUT)
            elif not self._has_ended():
                if self.sealed is None or self.sealed.look(self.pid) is None:
                    return False
                self.end(LIMITED, at_once=True)  # or it goes on taking what it may not have
            else:
                self.seconds = now - self._began
                self._enter("drain", now)
        left = self._left(others, strangers or set())
        if not left:
            self._finish({*others, *(strangers or ())})
            return True
        if self._phase == "drain" and now - self._since > DRAIN:
            self.left_over = [process_groups.command_line(pid) for pid in left]
            self._signal(left, signal.SIGTERM)
            self._enter("term", now)
        elif self._phase == "term" and now - self._since > GRACE:
            self._enter("kill", now)
        elif self._phase == "term" and self._unheard:
            self._signal(left, signal.SIGTERM)
        if self._phase == "kill":
            self._kill(left, now)
            if now - self._since > 2 * GRACE:
                self.survivors = left  # in the kernel, as on a file system that hangs
                self._finish({*others, *(strangers or ())})
                return True
        return False

    def end(self, status: str, at_once: bool = False) -> None:
        """Begin to end all processes: TERM now and KILL after a grace, or KILL at once."""
        if self._process is None or self._phase == "done":
            return
        now = time.monotonic()
        if self.status == RUNNING:
            self.status = status
        if self._phase == RUNNING:
            self.seconds = now - self._began
        if at_once:
            self._enter("kill", now)
        elif self._phase not in ("term", "kill"):
            self._signal(self._left({self.pid}, set()), signal.SIGTERM)
            self._enter("term", now)

    def settle(self) -> None:
        """Move the folder of a run that has ended to its own name.

        Runs that follow each other work in one folder after the other, so that its path, which
        programs write into their results, is equal in all.
        """
        if self._home != self.folder:
            self.folder.rename(self._home)
            self.folder = self._home

    def as_dict(self) -> dict[str, object]:
        """Return what is known of the run, JSON-ready."""
        return {
            "name": self.name,
            "seed": self.seed,
            "folder": str(self._home),
            "status": self.status,
            "exit_status": self.exit_status,
            "seconds": round(self.seconds, 3),
            "left_over": self.left_over,
            "survivors": self.survivors,
        }

    def last_lines(self, name: str = "stderr.txt", count: int = 10) -> list[str]:
        """Return the last lines of what it printed, at most 4 KiB."""
        return tail(self.folder / name, 4096).splitlines()[-count:]

    def _has_ended(self) -> bool:
        # Without taking note of it: until then nobody else can get the process id.
        what = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, what) is not None

    def _left(self, others: set[int], strangers: set[int]) -> list[int]:
        left = process_groups.living(self.pid, self._environ[process_groups.MARK])
        if not others:
            orphans = process_groups.adopted({self.pid, *strangers})
            left += [pid for pid in orphans if pid not in left]
        return left

    def _signal(self, pids: list[int], number: signal.Signals) -> None:
        if self._container is None or self._has_ended():
            process_groups.send(pids, number)
            return
        # Not to the client: one that ends while the engine still makes the container leaves it
        # behind. It ends with its container, which is told again until it is there to hear it.
        name = number.name.removeprefix("SIG")
        self._unheard = not self._ask_engine(container_engine.signal(*self._container, name))

    def _kill(self, pids: list[int], now: float) -> None:
        if self._container is not None and not self._has_ended():
            self._ask_engine(container_engine.remove(*self._container))
            if now - self._since <= GRACE:
                return  # to the client, whose container may be made only now
        process_groups.send(pids, signal.SIGKILL)

    def _ask_engine(self, command: list[str]) -> bool:
        try:
            asked = subprocess.run(
                command,
                capture_output=True,
                check=False,
                start_new_session=True,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return False
        return asked.returncode == 0

    def _enter(self, phase: str, now: float) -> None:
        self._phase, self._since = phase, now

    def _finish(self, own: set[int]) -> None:
        assert self._process is not None
        if not self.survivors:
            # wait4(2): with what it took, and all that it waited for itself.
            _, status, self.usage = os.wait4(self.pid, 0)
            self.exit_status = self._process.returncode = os.waitstatus_to_exitcode(status)
        if self.sealed is not None:
            self.sealed.close(self.exit_status, "\n".join(self.last_lines()))
            if self.status == RUNNING and self.sealed.limit_hit() is not None:
                self.status = LIMITED
        elif self._container is not None and self.exit_status != 0:
            # Whatever it answers. The client of an engine that went away ends before its container.
            self._ask_engine(container_engine.remove(*self._container))
        process_groups.reap({self.pid, *own})
        if self.status == RUNNING:
            self.status = FINISHED if self.exit_status == 0 else FAILED
        self._phase = "done"


def tail(path: Path, size: int) -> str:
    """Return the end of a file as text, at most `size` bytes; empty where it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.path.getsize(path) - size))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
