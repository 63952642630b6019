"""The environment of processes that are about to be started under a seed, and the way out of the
lock for the process that starts them: for `seedlock run` and the organiser's commands."""

from __future__ import annotations

import os
import sys

from seedlock import settings, startup
from seedlock.hash_seed import hash_seed_variables
from seedlock.settings import WATCH, Settings
from seedlock.trial_imports import import_adapters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def settled(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` with what must stand before the interpreter starts.

    Checks the settings, the folder for reports, and that each adapter can be loaded: one that
    can't ends this process (`startup.guarded`), before user code starts.

    Args:
        environ: the environment with REPRO_SEED and all other settings.

    Raises:
        BadSetting: a setting is not allowed.
        OldDriver: NVIDIA's driver is older than the image's CUDA needs.
    """
    checked = Settings(environ)
    if checked.report is not None:
        from seedlock.reporting import usable_folder

        usable_folder(checked.report, checked.report)
    startup.guarded(import_adapters)
    if checked.least_driver is not None:
        from seedlock.driver import refuse_old

        refuse_old(checked)
    return {**environ, **(hash_seed_variables(checked) if checked.level != WATCH else {})}


def leave_lock() -> None:
    """Begin again without REPRO_SEED where it is set: under a lock this process would hand its
    own seed and a place in its family to the runs that it starts.

    The seed goes on in `settings.RUN_SEED`, for a command that makes a run under it.
    """
    if startup.in_force() is None:
        return
    environ = {
        name: value for name, value in os.environ.items()
        if name not in (settings.SEED, settings.REPORT, settings.READS)
        and not name.startswith("_SEEDLOCK")
    }  # fmt: skip
    environ[settings.RUN_SEED] = os.environ[settings.SEED]
    if settings.HASH_SEED_NOTE in os.environ:
        environ.pop("PYTHONHASHSEED", None)
    execve = getattr(os.execve, "__wrapped__", os.execve)
    execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)
