"""What every adapter is: the environment before an import, seeds and determinism flags after it.

The sequence is here; each file beside this one holds what its library needs and nothing else
(`seedlock.registry` lists them). Not in a file of its own: with the first library, the package's
import would be another one.
"""

from __future__ import annotations

import os
import sys

from seedlock.derivation import stream_seed
from seedlock.settings import STRICT, WATCH
from seedlock.stand_ins import own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any

    from seedlock.adapters.outline import Outline
    from seedlock.settings import Settings
else:
    Outline = object

LOCKED_LEVELS = ("warn", *STRICT)
"""Levels at which determinism flags are set at all."""

CUDA = {
    # cuBLAS picks its workspace per stream and, with several streams, sums in another order
    # from run to run (cuBLAS documentation, "Results reproducibility"). 24 MiB per handle.
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    # Megatron-LM's determinism mode leaves Tree out: its order of summation follows the
    # topology. Must stand before the first communicator. Price: latency on many nodes.
    "NCCL_ALGO": "Ring",
}
"""Variables that every library on CUDA needs before it makes its first handle."""

TF32_OFF = {"NVIDIA_TF32_OVERRIDE": "0"}
"""cuBLAS's and cuDNN's own switch, one for all frameworks (REPRO_TF32=off)."""

_EQUIVALENT = {"CUBLAS_WORKSPACE_CONFIG": (":4096:8", ":16:8")}
_MERGED = ("XLA_FLAGS",)


class Applied:
    """What an adapter did to one library in this process.

    Attributes:
        library: name in the registry.
        module: what stood for it in sys.modules then.
        version: version of the imported module.
        seeds: seed of each stream that was set.
        environment: variables that were set before the import.
        replaced: values that the user's environment had for them.
        flags: determinism flags as read back after they were set.
        gaps: what could not be done.
        state: state of the generators just after seeding; None when it can't be read. May be
            given as a function that returns it, which is called when it is first asked for.
    """

    def __init__(self, library: str) -> None:
        self.library = library
        self.module: object = None
        self.version = ""
        self.seeds: dict[str, int] = {}
        self.environment: dict[str, str] = {}
        self.replaced: dict[str, str] = {}
        self.flags: dict[str, object] = {}
        self.gaps: list[str] = []
        self._state: object = None

    @property
    def state(self) -> object:
        if callable(self._state):
            self._state = self._state()
        return self._state

    @state.setter
    def state(self, state: object) -> None:
        self._state = state


class Adapter(Outline):
    """Seed one library and set its determinism flags.

    A subclass sets `name` (key in the registry and in reports) and, where the generators live in
    a submodule that is imported later than the library, `generators`; where user seeds come in
    through modules that load earlier or later than those, `entrances`; where reading their state
    may change it, or takes too long for each report, `readable`; where the library has no
    generator of its own that a child process could share with its parent, `per_process`; where a
    seed for the whole library sets less than its state holds, `main_parts`, the names of what it
    sets; where a generator of the same kind, beside the main one, can tell the state that a seed
    gives, `state_of_seed`; where its threads sleep while they wait, `spins` as False. It implements
    the methods of `seedlock.adapters.outline` in their order, and where it may leave a GPU unused,
    `unused` after `gaps`.
    """

    name: str
    generators: str | None = None
    entrances: tuple[str, ...] = ()
    readable: bool = True
    per_process: bool = True
    main_parts: tuple[str, ...] = ()
    spins: bool = True
    state_of_seed: Callable[[Any, int], object] | None = None

    def defer(self, module: Any, settings: Settings, intercept: Callable[[], None]) -> None:
        """Put up what calls `intercept` when user code first seeds the library, or call it now.

        Where most programs import the library and few seed it, stand-ins
        (`seedlock.stand_ins.stand_in`) keep what is behind `intercept` out of the import.

        Args:
            module: as in `intercept`.
            settings: what was asked for.
            intercept: calls the method of that name.
        """
        intercept()

    def unused(self, module: Any, gpus: int) -> list[str]:
        """Return, as gaps, what of the machine the library turned out not to use; asked when a
        report is written.

        Args:
            module: the library.
            gpus: devices that NVML tells, from 1.
        """
        return []

    def prepare(self, settings: Settings, applied: Applied) -> None:
        """Set the environment before the import, keeping what of the user's is as good."""
        if settings.level == WATCH:
            return
        for name, value in self.environment(settings).items():
            given = os.environ.get(name)
            lost = given not in (None, value)
            if given is not None and name in _MERGED:
                from seedlock.adapters.xla_flags import flags, merged

                value = merged(given, value)
                lost = not {*flags(given)} <= {*value.split()}
            if given is not None and given in _EQUIVALENT.get(name, ()):
                value, lost = given, False
            if lost:
                applied.replaced[name] = str(given)
            os.environ[name] = value
            applied.environment[name] = value

    def apply(self, module: ModuleType, settings: Settings, applied: Applied) -> None:
        """Set the flags of the imported library."""
        applied.version = str(getattr(module, "__version__", ""))
        if settings.threads is not None and settings.spinning_threads is not None:
            from seedlock import portable  # only that level needs it

            portable.hold_threads(settings.spinning_threads)
            number = settings.spinning_threads if self.spins else settings.threads
            if self.environment(settings):  # without variables it computes with no threads
                applied.gaps += portable.crowding(self.name, number)
                applied.gaps.append(portable.GAP.format(self.name))
        if settings.level in LOCKED_LEVELS:
            self.set_deterministic(module, settings)
        applied.flags = self.flags(module)
        applied.gaps += self.gaps(settings)

    def sow(
        self,
        module: ModuleType,
        settings: Settings,
        applied: Applied,
        path: str = "",
        keep: bool = True,
    ) -> None:
        """Seed the library's main stream and keep the state that came of it.

        Args:
            module: the module that holds the generators.
            settings: what was asked for.
            applied: where to note it.
            path: place whose main streams this process draws from.
            keep: whether the report will want the state, which takes longer than seeding.
        """
        if settings.level == WATCH or (not self.per_process and settings.user_seeds != "mix"):
            return  # without a main generator there are only user seeds, and none of them is moved
        seed = stream_seed(settings.seed, self.name, settings.streams, path)
        with own():
            self.seed(module, seed)
        applied.seeds[self.name] = seed
        if not self.readable or not keep:
            applied.state = None
        elif settings.report is None and self.state_of_seed is not None:
            state_of_seed = self.state_of_seed  # nobody may ever ask
            applied.state = lambda: state_of_seed(module, seed)
        else:
            applied.state = self.state(module)


def chosen(settings: Settings, variables: Mapping[str, str], cuda: bool = True) -> dict[str, str]:
    """Return `variables` with those that CUDA needs, where the level locks more than seeds, and
    with those that fix threads and instruction sets at level portable."""
    if settings.level not in LOCKED_LEVELS:
        return {}
    tf32 = TF32_OFF if settings.tf32 == "off" else {}
    fixed: dict[str, str] = {}
    if settings.spinning_threads is not None:
        from seedlock import portable

        fixed = portable.variables(settings.spinning_threads)
    return {**(CUDA if cuda else {}), **tf32, **fixed, **variables}


def threads_held() -> dict[str, object]:
    """Return each OpenBLAS's number of threads as it is now; empty at other levels than
    portable, at which what asks for it is not loaded."""
    portable = sys.modules.get("seedlock.portable")
    return {} if portable is None else portable.held()
