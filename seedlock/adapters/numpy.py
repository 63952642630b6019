"""NumPy's legacy global generator (numpy.org/doc/stable/reference/random/legacy.html).

`import numpy` does not import numpy.random from 2.0 on, so the seed waits for that submodule:
a program that never draws never pays for it.
"""

from __future__ import annotations

import _thread

from seedlock.adapters.base import Adapter, chosen, threads_held
from seedlock.patching import mark, replace
from seedlock.settings import PORTABLE
from seedlock.user_seeds import own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds


class NumpyAdapter(Adapter):
    """Seed `numpy.random.*`, the MT19937 behind the functions of the module."""

    name = "numpy"
    generators = "numpy.random"
    # The second draws from the first while it is being imported.
    entrances = ("numpy.random.bit_generator", "numpy.random")

    def environment(self, settings: Settings) -> dict[str, str]:
        # A team whose size the run-time may change sums in another order. No price seen.
        variables = {"OMP_DYNAMIC": "FALSE", "MKL_DYNAMIC": "FALSE"}
        if settings.level == PORTABLE:
            from seedlock import portable
            from seedlock.processor import instruction_sets
            from seedlock.registry import installed_versions, release

            version = installed_versions({"numpy"}).get("numpy", "")
            variables["NPY_DISABLE_CPU_FEATURES"] = portable.numpy_features(
                release(version), instruction_sets()
            )
        return chosen(settings, variables, cuda=False)

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        if module.__name__ == self.entrances[0]:
            _mix_sequences(module, policy)
        else:
            _mix_legacy(module, policy)
            module.bit_generator.randbits = _unseeded(policy)

    def seed(self, module: Any, seed: int) -> None:
        module.seed(seed)

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        pass

    def flags(self, module: Any) -> dict[str, object]:
        return threads_held()

    def state(self, module: Any) -> object:
        name, key, position, has_gauss, gauss = module.get_state()
        return [name, key.tolist(), int(position), int(has_gauss), float(gauss)]

    def restore(self, module: Any, state: Any) -> None:
        module.set_state(tuple(state))

    def gaps(self, settings: Settings) -> list[str]:
        gaps = []
        if settings.user_seeds != "keep":
            gaps.append("a numpy.random.Philox that is made with key= counts as written")
        beyond = []
        if settings.level == PORTABLE:
            from seedlock import portable

            beyond = portable.beyond_v3()
        if beyond:
            gaps.append(
                f"NumPy computes with {', '.join(beyond)}, which other processors lack: it was "
                "imported too early, or is a build that seedlock does not know"
            )
        return gaps


def _mix_legacy(module: Any, policy: UserSeeds) -> None:
    # np.random.seed, RandomState(x) and RandomState.seed all end in this method of the type.
    with own():
        trial = module.MT19937(0)

    def method(original: Any) -> Any:
        def _legacy_seeding(self: Any, seed: Any) -> None:
            if seed is None:
                return original(self, seed)  # type: ignore[no-any-return]
            if _here.entropy and getattr(self._seed_seq, "entropy", 0) == _here.entropy:
                policy.withdraw()  # RandomState(x) makes its MT19937 without a seed first
            _here.entropy = 0
            given = seed
            if type(seed) is not int or not 0 <= seed < 2**32:
                original(trial, seed)  # refuses what it does not take
                given = _legacy_value(seed)
            main = self is module.mtrand._rand._bit_generator
            name = "numpy.random.RandomState"
            chosen = policy.choose("numpy", given, 32, name, main, seed)
            return original(self, seed if chosen is None else chosen)  # type: ignore[no-any-return]

        return _legacy_seeding

    replace(module.MT19937, "_legacy_seeding", method)


def _legacy_value(seed: Any) -> Any:
    # As _mt19937.pyx: an array of one element is that integer, a list of one is not.
    if hasattr(seed, "squeeze"):
        seed = seed.squeeze()
    return seed.tolist() if hasattr(seed, "tolist") else seed


class _Here(_thread._local):
    """What this thread is doing: converting the parts of a list; about to convert a spawn key;
    spawning children of a sequence whose seed was mixed; the entropy that it took last."""

    within = False
    key_next = False
    spawning = False
    entropy = 0


_here = _Here()


def _mix_sequences(module: Any, policy: UserSeeds) -> None:
    # default_rng, SeedSequence and every bit generator turn their seed into words here, and
    # take their entropy from randbits if they get none (NumPy 1.17 to 2.4, bit_generator.pyx).
    # A SeedSequence asks twice: for its entropy and then for its spawn key, always a tuple.
    words = module._coerce_to_uint32_array
    nothing = words(())
    here = _here
    name = "numpy.random.SeedSequence"
    tag = _tag(policy)

    def _coerce_to_uint32_array(x: Any) -> Any:
        if here.within:
            return words(x)
        if type(x) is int and x >= 0:
            given = x
            checked = None
            if x >> 127 and _tagged(x, tag):
                here.key_next = True
                return words(x)
        else:
            if type(x) is tuple and here.key_next:
                here.key_next = False
                return parts(x) if x else nothing
            here.key_next = False
            checked = parts(x)
            # The words tell which seeds are one to NumPy: 5, [5], [5, 0] and numpy.int64(5).
            given = int.from_bytes(checked.astype("<u4").tobytes(), "little")
        if here.spawning:
            chosen: int | None = policy.mixed("numpy", given, 128)
        else:
            chosen = policy.choose("numpy", given, 128, name, False, x)
        here.key_next = True
        if chosen is not None:
            return words(chosen)
        return words(x) if checked is None else checked

    def parts(x: Any) -> Any:
        # The original calls itself, which is this function, for each part of a list.
        here.within = True
        try:
            return words(x)
        finally:
            here.within = False

    def method(original: Any) -> Any:
        def spawn(self: Any, n_children: int) -> Any:
            # Children are made of their parent's entropy as it was given: they follow what was
            # done about it then, in a block of fixed() or before a pickle, not what is now.
            with own():
                plain = module.SeedSequence(
                    self.entropy, spawn_key=self.spawn_key, pool_size=self.pool_size
                )
                if (plain.pool == self.pool).all():
                    return original(self, n_children)
            here.spawning = True
            try:
                return original(self, n_children)
            finally:
                here.spawning = False

        return spawn

    module._coerce_to_uint32_array = mark(_coerce_to_uint32_array)
    if not policy.watches:
        module.randbits = mark(lambda bits: tag << bits - 32)  # replaced when the import is done
    replace(module.SeedSequence, "spawn", method)


def _unseeded(policy: UserSeeds) -> Any:
    # Marked as ours, so that SeedSequence(other.entropy) is equal to the other.
    tag = _tag(policy)
    unseeded = policy.unseeded

    def randbits(bits: int) -> int:
        bits -= 32
        entropy: int = tag << bits | unseeded("numpy", bits, "numpy.random.SeedSequence")
        _here.entropy = entropy
        return entropy

    return mark(randbits)


def _tag(policy: UserSeeds) -> int:
    return 2**31 | policy.mixed("numpy", "entropy of a generator without a seed", 31)


def _tagged(entropy: int, tag: int) -> bool:
    bits = entropy.bit_length()
    return bits % 32 == 0 and entropy >> bits - 32 == tag


adapter = NumpyAdapter()
