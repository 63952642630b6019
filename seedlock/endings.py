"""Ends of a process that no exit handler sees, os.exec and os._exit: its report is finished."""

from __future__ import annotations

import os
import sys

from seedlock.stand_ins import dress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from seedlock.process_lock import Lock


class Ending:
    """A block that this process does not leave if all goes well: its report is finished."""

    __slots__ = ("_reports",)

    def __init__(self, lock: Lock, program: Any) -> None:
        # os.execvp tries each folder of PATH: what is not there ends nothing.
        there = not isinstance(program, (str, bytes)) or os.path.exists(program)
        self._reports = there and lock.settings.report is not None

    def __enter__(self) -> None:
        if self._reports:
            from seedlock import reporting

            reporting.finish_now()

    def __exit__(self, *problem: object) -> None:
        if self._reports:
            from seedlock import reporting

            reporting.update_now()


def exiting(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    """Return what takes the place of os._exit."""
    if lock.settings.report is None:
        return original

    def _exit(status: Any) -> Any:
        from seedlock import reporting

        finished = False
        try:
            reporting.finish_now()
            finished = True
        finally:
            # A full disk, say. A forked child that did not end would go on with its parent's
            # program.
            if not finished:
                sys.__excepthook__(*sys.exc_info())
            try:
                original(status)
            except (TypeError, OverflowError):  # a status that it refuses
                reporting.update_now()
                raise

    return dress(_exit, original)
