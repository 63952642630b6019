"""A page's commands, typed in order into one shell in one fresh folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.handbook.page import Block, Command, name_of, read
from tests.interpreter import REPOSITORY, environment

HANG = 300
"""Seconds after which a page is taken to hang; on a quiet machine one takes at most 15."""

TAIL = 30
"""Lines of a failed command's output that are shown."""

MARK = "SEEDLOCK_HANDBOOK_PAGE"
"""Variable by which all processes of a page are found; its value is the page's folder."""

READY = Path(__file__).with_name("listening.py")


@dataclass(frozen=True)
class Failure:
    """A command that did not end as its page says.

    Attributes:
        command: which.
        status: that it ended with; None: it did not end.
        output: what it printed.
    """

    command: Command
    status: int | None
    output: str

    def text(self, page: str) -> str:
        """Return it for people, with page and line."""
        how = "did not end" if self.status is None else f"ended with status {self.status}"
        tail = "\n".join(self.output.splitlines()[-TAIL:])
        return (
            f"{page}:{self.command.line}: {how}, the page says {self.command.status}\n"
            f"$ {self.command.text}\n{tail}"
        )


def check(page: Path, folder: Path) -> None:
    """Type a page's commands, but those for a container engine.

    Args:
        page: Markdown file of the repository.
        folder: empty, for what the commands make.

    Raises:
        AssertionError: one did not end as the page says.
    """
    failure = run(typed_here(read(page)), folder)
    assert failure is None, failure.text(name_of(page))


def typed_here(blocks: Iterable[Block]) -> list[Block]:
    """Return those that are run, and not where there is a container engine."""
    return [block for block in blocks if block.reason is None and not block.image]


def run(blocks: Iterable[Block], folder: Path, **variables: str) -> Failure | None:
    """Type commands in order; return the first that did not end as it should, None if all did.

    Nothing that they started is left.

    Args:
        blocks: with the commands.
        folder: empty; gets `page`, where they are typed, `home` and `log`.
        variables: of the shell, beside those that `variables_of` has.
    """
    place, home, log = (folder / name for name in ("page", "home", "log"))
    for each in (folder, place, home, log):
        each.mkdir(exist_ok=True)
        each.chmod(0o755)  # a sealed run of root's is nobody's, who reads its program there
    commands: list[Command] = []
    lines = [f"ready() {{ {shlex.quote(sys.executable)} -IS {shlex.quote(str(READY))} $!; }}"]
    for block in blocks:
        if block.copied:
            source = shlex.quote(str(REPOSITORY / block.copied))
            lines.append(f"cp -R {source}/. {shlex.quote(str(place))}")
        for command in block.commands:
            lines += _typed(command, log / str(len(commands)))
            commands.append(command)
    script = folder / "script.sh"
    script.write_text("set -o pipefail\n" + "\n".join(lines) + "\n")
    with _ports() if any(map(_in_background, commands)) else contextlib.nullcontext():
        whole = _finished(script, place, {**variables_of(place, home), **variables})
    for number, command in enumerate(commands):
        status = _status(log / f"{number}.status")
        if status != command.status:
            printed = log / str(number)
            said = printed.read_text(errors="replace") if printed.exists() else ""
            return Failure(command, status, said + whole)
    return None


def variables_of(place: Path, home: Path) -> dict[str, str]:
    """Return the environment that a page's commands are typed in.

    `python`, `pip` and `seedlock` are those of the tests. pip reaches no index and installs
    nothing: what it is asked for has to be there.

    Args:
        place: the folder they are typed in.
        home: the user's.
    """
    clean = {
        name: value
        for name, value in environment().items()
        if not name.startswith(("PIP_", "XDG_", "GIT_", "OMP_")) and name != "VIRTUAL_ENV"
    }
    bin_folder = Path(sys.executable).parent
    return {
        **clean,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "REPOSITORY": str(REPOSITORY),  # for set-ups
        "COLUMNS": "120",
        "LC_ALL": "C.UTF-8",
        "PIP_NO_INDEX": "1",
        "PIP_DRY_RUN": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "GIT_AUTHOR_NAME": "A. U. Thor",
        "GIT_AUTHOR_EMAIL": "author@example.org",
        "GIT_COMMITTER_NAME": "A. U. Thor",
        "GIT_COMMITTER_EMAIL": "author@example.org",
        MARK: str(place),
    }


def _typed(command: Command, log: Path) -> list[str]:
    """Return the lines of the script for one command."""
    written = [f"exec >{shlex.quote(str(log))} 2>&1", command.text, "status=$?"]
    if _in_background(command):
        written.append("ready; status=$?; [ $status != 3 ] || { wait $!; status=$?; }")
    end = f"[ $status = {command.status} ] || exit 1"
    return [*written, f"echo $status >{shlex.quote(str(log))}.status", end]


def _in_background(command: Command) -> bool:
    text = command.text.rstrip()
    return text.endswith("&") and not text.endswith("&&")


@contextlib.contextmanager
def _ports() -> Iterator[None]:
    """Keep other pages from starting servers: pages say the same ports."""
    with (Path(tempfile.gettempdir()) / "seedlock-handbook-ports").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _status(file: Path) -> int | None:
    text = file.read_text().strip() if file.exists() else ""
    return int(text) if text else None


def _finished(script: Path, place: Path, variables: dict[str, str]) -> str:
    """Run the script to its end; return what bash itself had to say."""
    bash = shutil.which("bash")
    assert bash is not None, "the handbook's commands are for bash"
    shell = subprocess.Popen(
        [bash, "--noprofile", "--norc", str(script)], cwd=place, env=variables,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        return shell.communicate(timeout=HANG)[0]
    except subprocess.TimeoutExpired:
        return f"\nthe page was ended after {HANG} s"
    finally:
        end_all(place)
        shell.kill()
        shell.wait()


def end_all(place: Path) -> None:
    """End what a page's commands left running, as a server; wait until it has ended."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        found = list(left(place))
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        for pid in found:
            _wait(pid)


def left(place: Path) -> Iterator[int]:
    """Yield the processes of a page that have not ended."""
    wanted = f"{MARK}={place}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)


def _wait(pid: int) -> None:
    """Wait, at most ten seconds, until a process has ended."""
    with contextlib.suppress(OSError):
        handle = os.pidfd_open(pid)
        try:
            select.select([handle], [], [], 10)
        finally:
            os.close(handle)
