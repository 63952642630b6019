"""A cluster with Slurm as an engine: arrays of units, one index a unit (docs/slurm.md)."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from seedlock.errors import NoSlurm
from seedlock.evaluation.container_engine import EngineError
from seedlock.evaluation.engines import slurm_commands as commands
from seedlock.evaluation.engines import slurm_states as states
from seedlock.evaluation.engines.base import EXIT_STATUSES, Ended, Engine
from seedlock.evaluation.engines.slurm_commands import Site
from seedlock.evaluation.engines.slurm_spool import GIVEN_UP, SCRIPT, STARTED, Batch
from seedlock.evaluation.recording.record import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.engines.base import Unit

SPOOL = ".slurm"
"""Folder of the batches, beside the runs; no submission may have this name."""

CLOSING = 90.0
"""Seconds for jobs to end that are cancelled: KillWait is 30 by default (slurm.conf(5))."""


@dataclass
class _Array:
    batch: Batch
    units: list[Unit]
    of: commands.Needs
    job: str = ""
    maybe: bool = False
    open: set[int] = field(default_factory=set)
    gone: dict[int, float] = field(default_factory=dict)


class SlurmEngine(Engine):
    """Units as jobs of a cluster.

    Args:
        slots: how many units are handed to Slurm at a time; it has its own order among them.
        environ: this process's environment.
        units: absolute path of the folder below which all outputs of the round lie, on a file
            system that all nodes share.
        site: what the site wants.

    Raises:
        NoSlurm: Slurm's commands are not here, or it does not answer.
    """

    name = "slurm"

    def __init__(
        self, slots: int, environ: Mapping[str, str], units: Path, site: Site | None = None
    ) -> None:
        self.slots = slots
        self._client = commands.Client(environ)
        self._spool = _spool(units)
        self._site = site or Site()
        try:
            self._largest = self._client.largest_array()
        except EngineError as problem:
            raise NoSlurm(str(problem)) from problem
        self._broken = ""
        self._forming: list[_Array] = []
        self._arrays: list[_Array] = []
        self._ended: list[Ended] = []
        self._asked = self._looked = self._refused = -1e9

    def start(self, unit: Unit) -> str:
        """Put a unit into the next array; return the array's name and the unit's index.

        `poll` hands it over.

        Raises:
            OSError: Slurm refused an array.
        """
        if self._broken:
            raise OSError(self._broken)
        of = commands.needs(unit.limits)
        for array in self._forming:
            if array.of == of and len(array.units) < self._largest and not array.maybe:
                break
        else:
            token = f"seedlock-{os.urandom(8).hex()}"
            array = _Array(Batch(self._spool / token), [], of)
            self._forming.append(array)
        array.units.append(unit)
        array.open.add(len(array.units) - 1)
        return f"slurm {array.batch.token}_{len(array.units) - 1}"

    def poll(self, seconds: float = 0.0) -> list[Ended]:
        """Return the units that have ended, with those given to `start`.

        Those of an array that Slurm refuses come back as interrupted.

        Raises:
            OSError: a file can't be written.
        """
        end = time.monotonic() + seconds
        self._hand_over()
        while True:
            now = time.monotonic()
            if now - self._looked >= self._site.look:
                self._looked = now
                self._look()
            if now - self._asked >= self._site.ask and self._arrays:
                self._asked = now
                self._ask(now)
            if self._ended or now >= end:
                ended, self._ended = self._ended, []
                return ended
            time.sleep(min(self._site.look, max(end - now, 0.0)))

    def stop(self, unit: Unit, at_once: bool) -> None:
        """Begin to end a unit: Slurm sends TERM, and KILL after its KillWait."""
        for array, index in self._places(unit):
            if not array.job:
                self._end(array, index, EXIT_STATUSES[INTERRUPTED], "it had not begun")
            else:
                self._cancel(array, index, at_once)

    def close(self) -> None:
        """Cancel what is under way, wait for its end and remove all units' files."""
        left = [
            array.batch for array in (*self._forming, *self._arrays) if array.job or array.maybe
        ]
        self._forming, self._arrays = [], []
        self._clear(left)

    def clear_away(self, units: Path) -> None:
        """Cancel the jobs of an evaluation of this round that was killed.

        A run that has come to its end in the meantime keeps its record, which counts.
        """
        spool = _spool(units)
        folders = sorted(spool.iterdir()) if spool.is_dir() else []
        self._clear([Batch(folder) for folder in folders if folder.is_dir()])

    def _clear(self, batches: Sequence[Batch]) -> None:
        tokens = [batch.token for batch in batches]
        end = time.monotonic() + CLOSING
        silent = None
        while tokens and (now := time.monotonic()) < end:
            self._client.cancel(f"--name={','.join(tokens)}")
            try:
                rows = self._client.rows(tokens)
            except EngineError:
                silent = silent or now
                if now - silent > self._site.retry:
                    break  # without its folder, a job that begins later ends at once
                time.sleep(1.0)
                continue
            tokens = sorted({name for (name, _), row in rows.items() if states.is_here(row)})
            time.sleep(self._site.look if tokens else 0.0)
        for batch in batches:
            batch.remove()

    def _hand_over(self) -> None:
        if time.monotonic() - self._refused < self._site.retry:
            return
        for array in list(self._forming):
            if array.open or array.maybe:
                try:
                    self._submit(array)
                except commands.Unreachable:
                    array.maybe = True
                    self._refused = time.monotonic()
                    return
            self._forming.remove(array)
            if array.job:
                self._arrays.append(array)

    def _submit(self, array: _Array) -> None:
        batch, number = array.batch, len(array.units)
        throttle = self._site.throttle or number
        options = commands.array(batch.token, number, throttle, array.of, self._site.options)
        if array.maybe:
            # Its answer may have been lost on the way, and the array not.
            known = self._client.rows([batch.token])
            array.job = next((row.job.partition("_")[0] for row in known.values()), "")
            if not array.job and not array.open:
                batch.remove()
                return
        else:
            units = [_there(unit) for unit in array.units]
            batch.write(units, commands.script(batch.folder, self._site.before))
        if not array.job:
            try:
                array.job = self._client.submit(batch.folder, options, SCRIPT)
            except commands.Unreachable:
                raise
            except EngineError as problem:
                self._broken = str(problem)
                for index in sorted(array.open):
                    self._end(array, index, EXIT_STATUSES[INTERRUPTED], self._broken)
                batch.remove()
                return
        # A unit that was stopped before it was handed over must not begin now.
        for index in set(range(number)) - array.open:
            self._cancel(array, index, True)

    def _look(self) -> None:
        for array in self._arrays:
            for index in array.batch.ended() & array.open:
                self._settled(array, index)

    def _ask(self, now: float) -> None:
        try:
            rows = self._client.rows([array.batch.token for array in self._arrays])
        except EngineError:
            return  # the folders still say what ends, and Slurm is asked again
        for array in self._arrays:
            token = array.batch.token
            for index in sorted(array.open):
                row = rows.get((token, index)) or rows.get((token, commands.REST))
                if not states.is_gone(row, array.batch.is_started(index)):
                    array.gone.pop(index, None)
                elif now - array.gone.setdefault(index, now) >= self._site.shown:
                    self._give_up(array, index, row)
        here = {name for (name, _), row in rows.items() if states.is_here(row)}
        for array in [each for each in self._arrays if not each.open]:
            if array.batch.token not in here:
                self._arrays.remove(array)
                array.batch.remove()

    def _give_up(self, array: _Array, index: int, row: commands.Row | None) -> None:
        status, note = states.told(row, array.batch.started(index))
        array.batch.settle(index, status, note, GIVEN_UP)
        if row is not None and states.is_here(row):
            self._cancel(array, index, True)
        self._settled(array, index)

    def _settled(self, array: _Array, index: int) -> None:
        found = array.batch.exit(index)
        assert found is not None
        note = found.note or array.batch.last_line(index)
        self._end(array, index, found.status, note, not found.note or found.by == STARTED)

    def _end(
        self, array: _Array, index: int, status: int | None, note: str, printed: bool = False
    ) -> None:
        array.open.discard(index)
        if array.job:
            array.batch.forget(index)
        self._ended.append(Ended(array.units[index], status, note, printed))

    def _cancel(self, array: _Array, index: int, at_once: bool) -> None:
        job = f"{array.job}_{index}"
        self._client.cancel(job)
        if at_once:
            self._client.cancel("--signal=KILL", "--full", job)

    def _places(self, unit: Unit) -> list[tuple[_Array, int]]:
        return [
            (array, index)
            for array in (*self._forming, *self._arrays)
            for index in array.open
            if array.units[index].output == unit.output
        ]


def _spool(units: Path) -> Path:
    """Return the folder of this machine's batches: another login node may have its own."""
    return units / SPOOL / platform.node()


def _there(unit: Unit) -> Unit:
    """Return a unit without this machine's processors and GPUs: a job has those that Slurm gives
    it."""
    own = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")
    kept = {name: value for name, value in unit.variables.items() if name not in own}
    return replace(unit, cpus=(), gpus=(), variables=kept)
