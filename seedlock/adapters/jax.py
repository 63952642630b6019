"""JAX, which has no global generator: keys are explicit (docs.jax.dev, "Pseudorandom numbers").

JAX_RANDOM_SEED_OFFSET (jax pull request 18949) is added to every integer seed that
`jax.random.key` and `PRNGKey` take, traced ones too, so that the outside seed moves them all: the
key of seed 1 is a plain run's of seed 1 + offset. `random_seed` (0.10.2: _src/random/prng.py;
older versions: _src/prng.py) adds it in the seed's own type. It falls short there for integers of
8 and 16 bits, which wrap, and it makes integers of booleans, which are no seeds.
"""

from __future__ import annotations

import _thread

from seedlock import eigen
from seedlock.adapters import Adapter, chosen
from seedlock.adapters.xla_flags import xla
from seedlock.derivation import stream_seed
from seedlock.patching import replace
from seedlock.settings import PORTABLE, STRICT
from seedlock.stand_ins import own
from seedlock.user_seeds import watch_fixed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds

OFFSET = "jax_random_seed_offset"
LIBRARY = "libjax_common"  # of jaxlib, with the compiled code


class JaxAdapter(Adapter):
    """Move every integer seed by the derived offset and exclude nondeterministic kernels."""

    name = "jax"
    entrances = ("jax._src.random.prng", "jax._src.prng", "jax._src.random.stateful_rng")
    per_process = False
    spins = False

    def __init__(self) -> None:
        self._blocks = _Blocks()
        self._caches_held = False

    def environment(self, settings: Settings) -> dict[str, str]:
        # The default changed in 0.5.0 and with it all streams. No price: it is the default.
        variables = {"JAX_THREEFRY_PARTITIONABLE": "1"}
        if settings.level in STRICT:
            variables["XLA_FLAGS"] = xla(settings)
        if settings.threads is not None:
            variables["NPROC"] = str(settings.threads)  # of XLA's threads; else the processors
        variables = chosen(settings, variables)
        if settings.user_seeds == "mix":
            offset = stream_seed(settings.seed, self.name, settings.streams)
            variables["JAX_RANDOM_SEED_OFFSET"] = str(offset)
        return variables

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        replace(module, "stateful_rng", _unseeded)
        if hasattr(module, "random_seed"):
            blocks = self._blocks
            replace(
                module, "random_seed", lambda original: _noted(original, module, policy, blocks)
            )
            if policy.policy == "mix":
                blocks.without(module.config.random_seed_offset)

    def seed(self, module: Any, seed: int) -> None:
        if self._offset(module) != seed:
            module.config.update(OFFSET, seed)

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        if settings.tf32 == "off":
            module.config.update("jax_default_matmul_precision", "float32")
        if settings.level == PORTABLE:
            self._caches_held = eigen.hold(LIBRARY)

    def flags(self, module: Any) -> dict[str, object]:
        names = ("jax_threefry_partitionable", "jax_default_matmul_precision")
        return {
            OFFSET: self._offset(module),
            **{name: getattr(module.config, name) for name in names},
            **eigen.held(LIBRARY),
        }

    def state(self, module: Any) -> object:
        return {"offset": self._offset(module)}

    def restore(self, module: Any, state: Any) -> None:
        self.seed(module, state["offset"])

    def gaps(self, settings: Settings) -> list[str]:
        gaps = [
            "JAX has no global generator: a checkpoint must hold the program's own keys",
            "JAX keys made of raw words (jax.random.wrap_key_data, arrays of uint32) count as "
            "written: they may come from a checkpoint",
        ]
        if settings.level == "warn":
            gaps.append(
                "XLA has no warning form: kernels are not checked for determinism at level warn"
            )
        if settings.level == PORTABLE:
            gaps.append(
                "bits of products of float16 matrices were seen to differ on another processor"
            )
            if not self._caches_held:
                gaps.append(eigen.GAP.format("jaxlib"))
        return gaps

    def _offset(self, module: Any) -> int:
        # Outside of a block of fixed(), where the thread has another one.
        if self._blocks.common():
            offset: int = getattr(module.config, OFFSET)
            return offset
        self._blocks.turn()
        try:
            return self._offset(module)
        finally:
            self._blocks.turn()


class _Blocks(_thread._local):
    """The blocks of fixed(), in which this thread's offset is 0.

    JAX keeps a compiled function for each offset that it was called under, so that one which was
    compiled before the block is compiled again in it, and the other way round.
    """

    setting: Any = None
    entered: Any = None

    def without(self, setting: Any) -> None:
        """Take `setting`, JAX's offset, away in each block."""
        if type(self).setting is setting:
            return  # JAX's module was executed again
        type(self).setting = setting
        watch_fixed(lambda fixed: self.turn() if fixed is self.common() else None)

    def common(self) -> bool:
        """Tell whether this thread has the common offset."""
        return self.entered is None

    def turn(self) -> None:
        """Give this thread the offset 0, or the common one if it has that."""
        if self.setting is None:
            return
        if self.entered is None:
            self.entered = self.setting(0)
            self.entered.__enter__()
        else:
            self.entered.__exit__(None, None, None)
            self.entered = None


def _noted(original: Any, module: Any, policy: UserSeeds, blocks: _Blocks) -> Any:
    def random_seed(seeds: Any, impl: Any) -> Any:
        mixed = policy.mixes("jax", _readable(seeds, module), "jax.random.key", False)
        if mixed and not isinstance(seeds, int):
            if getattr(getattr(seeds, "dtype", None), "kind", "") not in ("i", "u"):
                mixed = False  # the library's own error
            else:
                seeds = _widened(seeds, module.config.enable_x64.value)
        if mixed is blocks.common():
            return original(seeds, impl)
        blocks.turn()
        try:
            return original(seeds, impl)
        finally:
            blocks.turn()

    return random_seed


def _readable(seeds: Any, module: Any) -> object:
    # A traced seed has no value, and one that is spread over processes can't be read by one.
    if not hasattr(seeds, "aval"):
        return seeds
    traced = isinstance(seeds, module.core.Tracer)
    if traced or seeds.ndim or not seeds.is_fully_addressable:
        return seeds.aval
    return module.np.asarray(seeds).item()


def _widened(seeds: Any, x64: bool) -> Any:
    # Without an offset, a type of up to 32 bits yields its value modulo 2**32 (threefry2x32.py).
    if not x64:
        return seeds if seeds.dtype.itemsize == 4 else seeds.astype("int32")
    if seeds.dtype.itemsize == 8:
        return seeds.astype("int64")
    return seeds.astype("uint32").astype("int64")


def _unseeded(original: Any) -> Any:
    def stateful_rng(seed: Any = None, **options: Any) -> Any:
        if seed is not None:
            return original(seed, **options)
        with own():  # its seed comes from a SeedSequence, which has the outside seed already
            return original(seed, **options)

    return stateful_rng


adapter = JaxAdapter()
