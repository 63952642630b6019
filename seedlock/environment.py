"""The environment of a process that is about to be started under a seed, settled in one place for
`seedlock run` and `seedlock verify`."""

from __future__ import annotations

from seedlock import registry, startup
from seedlock.hash_seed import hash_seed_variables
from seedlock.settings import WATCH, Settings

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

        usable_folder(checked.report)
    startup.guarded(registry.import_adapters)
    if checked.least_driver is not None:
        from seedlock.driver import refuse_old

        refuse_old(checked)
    return {**environ, **(hash_seed_variables(checked) if checked.level != WATCH else {})}
