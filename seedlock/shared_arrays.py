"""Memory that the author's processes share by multiprocessing: who writes to it first depends on
scheduling (Hogwild), which can't be ordered, so the report names the line that makes it.

A library that makes some for itself, as Gymnasium's vectors of environments do, takes care of the
order in which it is written to.
"""

from __future__ import annotations

import os
import sys

from seedlock.callers import is_library
from seedlock.patching import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from seedlock.process_lock import Lock


def note(module: ModuleType, lock: Lock) -> None:
    """Note where memory is shared.

    Args:
        module: `sharedctypes` or `shared_memory` of multiprocessing or multiprocess.
        lock: the lock in force.
    """
    package = os.path.join(os.path.dirname(str(module.__file__)), "")

    def method(original: Callable[..., Any]) -> Callable[..., Any]:
        def shared(*args: Any, **options: Any) -> Any:
            frame = sys._getframe(1)
            while frame.f_code.co_filename.startswith(package) and frame.f_back is not None:
                frame = frame.f_back
            file = frame.f_code.co_filename
            if not is_library(file):
                lock.gap(
                    f"{file}:{frame.f_lineno} shares memory between processes: the order in which "
                    "they write to it depends on scheduling"
                )
            return original(*args, **options)

        return shared

    for name in ("RawArray", "RawValue", "Array", "Value"):
        replace(module, name, method)
    kind = vars(module).get("SharedMemory")
    if kind is not None:
        replace(kind, "__init__", method)
