"""The folder of a batch of units on a file system that the nodes share, and who may say how a unit
ended.

A scheduler may start a unit twice: after a node failed, by preemption, or because somebody said
`scontrol requeue`. The first start might still be alive where nobody can reach it. So each file
here is made once and by one (`link(2)` fails where the name is taken, also over NFS):

    3.json   the unit, mode 0600, removed by the start that took it
    3.start  made by the first start; whoever comes second runs nothing
    3.exit   how it ended: by that start, by the second one, or by the engine when Slurm gave it up

Only a start that made `3.exit` itself gives its record the name that counts.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from seedlock.evaluation.engines.base import Unit, read_unit
from seedlock.evaluation.writing import write_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = "start.sh"
ENTRIES = "units.json"
"""Where records and artifacts of the batch's units go, for whoever finds the folder later."""

UNSETTLED = ".unsettled"
"""Behind the name of a record while it may turn out that it does not count."""

STARTED, SECOND, GIVEN_UP = "start", "second start", "engine"
"""Who said how a unit ended."""


class Exit(NamedTuple):
    """How a unit ended.

    Attributes:
        status: of `EXIT_STATUSES`, or None where it is not known.
        note: what there is to say of it.
        by: who says so: STARTED, SECOND or GIVEN_UP.
    """

    status: int | None
    note: str
    by: str


class Batch:
    """The folder of a batch.

    Args:
        folder: absolute path; its name is the job's in Slurm.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def token(self) -> str:
        """The job's name: it tells nothing and no other job has it."""
        return self.folder.name

    def write(self, units: Sequence[Unit], script: str) -> None:
        """Write all that the nodes need.

        Raises:
            OSError: it can't be written.
        """
        self.folder.mkdir(mode=0o700, parents=True)
        for index, unit in enumerate(units):
            number = os.open(self._path(index, "json"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(number, "w") as file:
                file.write(unit.as_json())
                file.flush()
                os.fsync(file.fileno())
        entries = [unit.record for unit in units]
        write_bytes(str(self.folder / ENTRIES), json.dumps(entries).encode())
        path = self.folder / SCRIPT
        write_bytes(str(path), script.encode())
        path.chmod(0o700)

    def take(self, index: int, who: str) -> Unit | None:
        """Take a unit to carry it out; None where another start has.

        Its record gets a name that does not count yet.

        Args:
            index: of the unit.
            who: node and process, for people.

        Raises:
            OSError, ValueError: there is no such unit.
        """
        if not self._once(index, "start", {"who": who}):
            return None
        path = self._path(index, "json")
        unit = read_unit(path)
        path.unlink()
        return replace(unit, record=unit.record + UNSETTLED)

    def started(self, index: int) -> str:
        """Return who took a unit; empty where nobody has."""
        content = self._read(index, "start")
        return "" if content is None else str(content["who"])

    def is_started(self, index: int) -> bool:
        """Tell whether a start has taken a unit."""
        return self._path(index, "start").exists()

    def settle(self, index: int, status: int | None, note: str, by: str) -> Exit:
        """Say how a unit ended; return what counts, which another may have said before."""
        self._once(index, "exit", {"status": status, "note": note, "by": by})
        settled = self.exit(index)
        assert settled is not None
        return settled

    def exit(self, index: int) -> Exit | None:
        """Return how a unit ended, and give its record the name that counts; None if it has not.

        Both the start and the engine do so: either may be killed in between.
        """
        content = self._read(index, "exit")
        if content is None:
            return None
        settled = Exit(content["status"], content["note"], content["by"])
        if settled.by == STARTED:
            record = json.loads((self.folder / ENTRIES).read_text())[index]
            try:
                os.replace(record + UNSETTLED, record)
                _synchronise(os.path.dirname(record))
            except FileNotFoundError:
                pass  # another was here before
        return settled

    def ended(self) -> set[int]:
        """Return the indices of the units that have ended."""
        return {
            int(name[: -len(".exit")]) for name in os.listdir(self.folder) if name.endswith(".exit")
        }

    def last_line(self, index: int) -> str:
        """Return the last line that a start printed, without a seed: it knows none of the run's."""
        try:
            lines = self._path(index, "log").read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1][:500] if lines else ""

    def forget(self, index: int) -> None:
        """Remove the unit's file, which holds the seed, and a record that does not count."""
        self._path(index, "json").unlink(missing_ok=True)
        record = json.loads((self.folder / ENTRIES).read_text())[index]
        Path(record + UNSETTLED).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder and the records that do not count; those that do get their names."""
        try:
            records = json.loads((self.folder / ENTRIES).read_text())
        except FileNotFoundError:
            records = []  # killed while it was written: nothing was handed over
        for index in range(len(records)):
            if self.exit(index) is None:
                self.settle(index, None, "given up", GIVEN_UP)
            self.forget(index)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, index: int, kind: str) -> Path:
        return self.folder / f"{index}.{kind}"

    def _read(self, index: int, kind: str) -> dict[str, Any] | None:
        try:
            content: dict[str, Any] = json.loads(self._path(index, kind).read_text())
        except FileNotFoundError:
            return None
        return content

    def _once(self, index: int, kind: str, content: dict[str, Any]) -> bool:
        """Make a file that nobody has made; return whether it was this call that did."""
        path = self._path(index, kind)
        temporary = self.folder / f"{path.name}.{os.uname().nodename}.{os.getpid()}.tmp"
        write_bytes(str(temporary), json.dumps(content).encode())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink()
        return True


def _synchronise(folder: str) -> None:
    """Bring a folder's names to the disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
