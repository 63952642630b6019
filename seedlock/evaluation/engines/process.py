"""This machine as an engine: one worker per unit, sealed by bubblewrap, or not at all."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.evaluation import process_groups
from seedlock.evaluation.engines import nursery
from seedlock.evaluation.engines.base import Ended, Engine
from seedlock.evaluation.runs import tail

if TYPE_CHECKING:
    from seedlock.evaluation.engines.base import Unit

LOST = "the process that starts the runs is gone"


class ProcessEngine(Engine):
    """Units on this machine.

    It is made before the caller opens a ledger.

    Args:
        slots: how many units at a time.
    """

    name = "process"

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._units: dict[str, Unit] = {}
        self._ended: list[Ended] = []
        self._lost = False
        self._pid, self._nursery = nursery.begin()

    def start(self, unit: Unit) -> str:
        """Start a unit; return the process id of its worker."""
        self._say({"do": "start", "unit": json.loads(unit.as_json())})
        while True:
            message = self._hear()
            if message is None:
                raise OSError(LOST)  # and `poll` knows nothing of this one: it never began
            if message["said"] == "started":
                self._units[unit.output] = unit
                return f"process {message['pid']}"
            self._note(message)

    def poll(self, seconds: float = 0.0) -> list[Ended]:
        """Return the units that have ended."""
        while not self._lost:
            wait = 0.0 if self._ended else max(seconds, 0.0)
            began = time.monotonic()
            if not select.select([self._nursery], [], [], wait)[0]:
                break
            seconds -= time.monotonic() - began
            self._note(self._hear())
        else:
            time.sleep(0.0 if self._ended else max(seconds, 0.0))
        ended, self._ended = self._ended, []
        return ended

    def stop(self, unit: Unit, at_once: bool) -> None:
        """Begin to end a unit."""
        if unit.output in self._units and not self._lost:
            self._say({"do": "stop", "output": unit.output, "at_once": at_once})

    def close(self) -> None:
        """End what is under way, and the nursery."""
        self._nursery.close()
        if self._pid:
            os.waitpid(self._pid, 0)
            self._pid = 0

    def clear_away(self, units: Path) -> None:
        """End processes of runs whose worker and whose nursery were killed together."""
        while left := process_groups.marked(str(units)):
            process_groups.send(left, signal.SIGKILL)
            time.sleep(0.02)

    def _say(self, message: dict[str, Any]) -> None:
        try:
            self._nursery.send(json.dumps(message).encode())
        except (BrokenPipeError, ConnectionResetError):
            raise OSError(LOST) from None

    def _hear(self) -> dict[str, Any] | None:
        try:
            packet = self._nursery.recv(nursery.LARGEST)
        except ConnectionResetError:
            packet = b""
        if packet:
            message: dict[str, Any] = json.loads(packet)
            return message
        self._lost = True
        for unit in self._units.values():
            self._ended.append(Ended(unit, None, LOST))
        self._units.clear()
        return None

    def _note(self, message: dict[str, Any] | None) -> None:
        if message is None or message["said"] != "ended":
            return
        unit = self._units.pop(message["output"])
        status = message["status"]
        log = Path(unit.record).with_suffix(".log")
        lines = tail(log, 4096).strip().splitlines()
        if not lines:
            log.unlink(missing_ok=True)
        note = lines[-1] if lines else ""
        if status < 0:
            note = f"its supervisor was ended by {process_groups.signal_name(-status)}"
        if self._is_unknown(status):
            self._after_a_killed_worker(unit)
        known = None if self._is_unknown(status) else status
        self._ended.append(Ended(unit, known, note, status >= 0))

    def _is_unknown(self, status: int) -> bool:
        return status < 0 or status == 1  # 1: an exception that nobody foresaw

    def _after_a_killed_worker(self, unit: Unit) -> None:
        """Clear away what a worker that was killed would have ended."""
