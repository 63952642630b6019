"""What every adapter is: the environment before an import, seeds and determinism flags after it.

The sequence is here; an adapter file holds what its library needs and nothing else.
"""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod

from seedlock.derivation import stream_seed
from seedlock.settings import PORTABLE, STRICT, WATCH
from seedlock.user_seeds import own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds

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

XLA = "--xla_gpu_deterministic_ops=true --xla_gpu_autotune_level=0"
"""Excludes nondeterministic operations, and autotuning, which picks another kernel in another
run. jaxlib 0.10.2 and TensorFlow 2.21.0 both know the two flags; an XLA that doesn't ends the
process with "Unknown flag in XLA_FLAGS"."""

XLA_PORTABLE = " ".join(
    (
        # Compiles for x86-64-v3 on newer processors too.
        "--xla_cpu_max_isa=AVX2",
        # No RSQRTPS, whose bits are the processor maker's choice (codegen/intrinsic/rsqrt.cc).
        "--xla_cpu_enable_platform_dependent_math=false",
        # No YNNPACK: it divides long sums by the caches, also with the flag above, which asks it
        # for consistent arithmetic. Eigen does too, and can be told of others (seedlock/eigen.py).
        "--xla_cpu_experimental_ynn_fusion_type=",
    )
)
"""jaxlib 0.10.2 and TensorFlow 2.21.0 know all three."""

_EQUIVALENT = {"CUBLAS_WORKSPACE_CONFIG": (":4096:8", ":16:8")}
_MERGED = ("XLA_FLAGS",)


class Applied:
    """What an adapter did to one library in this process.

    Attributes:
        library: name in the registry.
        version: version of the imported module.
        seeds: seed of each stream that was set.
        environment: variables that were set before the import.
        replaced: values that the user's environment had for them.
        flags: determinism flags as read back after they were set.
        gaps: what could not be done.
        state: state of the generators just after seeding; None when it can't be read.
    """

    def __init__(self, library: str) -> None:
        self.library = library
        self.version = ""
        self.seeds: dict[str, int] = {}
        self.environment: dict[str, str] = {}
        self.replaced: dict[str, str] = {}
        self.flags: dict[str, object] = {}
        self.gaps: list[str] = []
        self.state: object = None


class Adapter(ABC):
    """Seed one library and set its determinism flags.

    A subclass sets `name` (key in the registry and in reports) and, where the generators live in
    a submodule that is imported later than the library, `generators`; where user seeds come in
    through modules that load earlier or later than those, `entrances`; where their state can't be
    read without changing it, `readable`; where the library has no generator of its own that a
    child process could share with its parent, `per_process`; where a seed for the whole library
    sets less than its state holds, `main_parts`, the names of what it sets; where its threads
    sleep while they wait, `spins` as False. It implements the methods below in their order.
    """

    name: str
    generators: str | None = None
    entrances: tuple[str, ...] = ()
    readable: bool = True
    per_process: bool = True
    main_parts: tuple[str, ...] = ()
    spins: bool = True

    @abstractmethod
    def environment(self, settings: Settings) -> dict[str, str]:
        """Return the variables that must stand before the library is imported."""

    @abstractmethod
    def intercept(self, module: Any, policy: UserSeeds) -> None:
        """Put the policy at every way in which user code seeds the library.

        Args:
            module: each of `entrances`, just imported; where there are none, the module that
                holds the generators.
            policy: what is asked at each call (`choose`, `unseeded`).
        """

    @abstractmethod
    def seed(self, module: Any, seed: int) -> None:
        """Set the library's main generators.

        Args:
            module: the module that holds the generators.
            seed: seed of the library's stream, within the range in `derivation.STREAMS`.
        """

    @abstractmethod
    def set_deterministic(self, module: Any, settings: Settings) -> None:
        """Set the determinism flags that the level asks for."""

    @abstractmethod
    def flags(self, module: Any) -> dict[str, object]:
        """Read the determinism flags back."""

    @abstractmethod
    def state(self, module: Any) -> object:
        """Return the state of all generators as JSON can hold it; None if it can't be read."""

    @abstractmethod
    def restore(self, module: Any, state: Any) -> None:
        """Put the generators into a state that `state` returned."""

    @abstractmethod
    def gaps(self, settings: Settings) -> list[str]:
        """Return what the library cannot do at this level."""

    def main_state(self, module: Any) -> object:
        """Return the part of the state that `main_parts` names, for `restore`."""
        state: Any = self.state(module)
        return {name: state[name] for name in self.main_parts} if self.main_parts else state

    def prepare(self, settings: Settings, applied: Applied) -> None:
        """Set the environment before the import, keeping what of the user's is as good."""
        if settings.level == WATCH:
            return
        for name, value in self.environment(settings).items():
            given = os.environ.get(name)
            lost = given not in (None, value)
            if given is not None and name in _MERGED:
                value = merged(given, value)
                lost = not {*_flags(given)} <= {*value.split()}
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
        applied.state = self.state(module) if self.readable and keep else None


def merged(given: str, wanted: str) -> str:
    """Return XLA_FLAGS with the user's flags kept and ours last, where XLA lets them win.

    A flag that stands in both is written once, with our value. Where the user names a file, as
    XLA allows, its flags are taken out of it.
    """
    ours = wanted.split()
    names = {flag.split("=")[0] for flag in ours}
    kept = [flag for flag in _flags(given) if flag.split("=")[0] not in names]
    return " ".join(kept + ours)


def _flags(given: str) -> list[str]:
    # parse_flags_from_env.cc in XLA: what does not begin with a dash names a file.
    if given.strip() and not given.strip().startswith("-"):
        with open(given.strip(), encoding="utf-8") as file:
            given = file.read()
    return given.split()


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


def xla(settings: Settings) -> str:
    """Return the flags that XLA needs at levels strict and portable."""
    return f"{XLA} {XLA_PORTABLE}" if settings.level == PORTABLE else XLA
