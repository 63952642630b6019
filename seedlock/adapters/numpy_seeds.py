"""What becomes of seeds that user code gives to NumPy; loaded with the first one.

`np.random.seed`, `RandomState` and all other ways end in two places: a method of MT19937 for the
legacy generators, and the conversion of a SeedSequence's parts for the others.
"""

from __future__ import annotations

import _thread

from seedlock.patching import is_replaced, original, replace
from seedlock.stand_ins import mark, own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.user_seeds import UserSeeds


def mix(module: Any, policy: UserSeeds, tag: int) -> None:
    """Put the policy at every way in which NumPy is seeded.

    Args:
        module: numpy.random.
        policy: what is asked at each call.
        tag: 32 bits, of which the first is set, at the head of all entropy that stands for the
            system's, so that SeedSequence(other.entropy) is equal to the other.
    """
    if not is_replaced(original(module.bit_generator, "_coerce_to_uint32_array")):
        _mix_sequences(module.bit_generator, policy, tag)
    _mix_legacy(module, policy)
    module.bit_generator.randbits = mark(_unseeded(policy, tag))


def _mix_legacy(module: Any, policy: UserSeeds) -> None:
    # np.random.seed, RandomState(x) and RandomState.seed all end in this method of the type.
    with own():
        trial = module.MT19937(0)

    def method(function: Any) -> Any:
        def _legacy_seeding(self: Any, seed: Any) -> None:
            if seed is None:
                return function(self, seed)  # type: ignore[no-any-return]
            if _here.entropy and getattr(self._seed_seq, "entropy", 0) == _here.entropy:
                policy.withdraw()  # RandomState(x) makes its MT19937 without a seed first
            _here.entropy = 0
            given = seed
            if type(seed) is not int or not 0 <= seed < 2**32:
                function(trial, seed)  # refuses what it does not take
                given = _legacy_value(seed)
            main = self is module.mtrand._rand._bit_generator
            name = "numpy.random.RandomState"
            chosen = policy.choose("numpy", given, 32, name, main, seed)
            return function(self, seed if chosen is None else chosen)  # type: ignore[no-any-return]

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


def _mix_sequences(module: Any, policy: UserSeeds, tag: int) -> None:
    # default_rng, SeedSequence and every bit generator turn their seed into words here, and
    # take their entropy from randbits if they get none (NumPy 1.17 to 2.4, bit_generator.pyx).
    # A SeedSequence asks twice: for its entropy and then for its spawn key, always a tuple.
    words = original(module, "_coerce_to_uint32_array")
    nothing = words(())
    here = _here
    name = "numpy.random.SeedSequence"

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

    def method(function: Any) -> Any:
        def spawn(self: Any, n_children: int) -> Any:
            # Children are made of their parent's entropy as it was given: they follow what was
            # done about it then, in a block of fixed() or before a pickle, not what is now.
            with own():
                plain = module.SeedSequence(
                    self.entropy, spawn_key=self.spawn_key, pool_size=self.pool_size
                )
                if (plain.pool == self.pool).all():
                    return function(self, n_children)
            here.spawning = True
            try:
                return function(self, n_children)
            finally:
                here.spawning = False

        return spawn

    module._coerce_to_uint32_array = mark(_coerce_to_uint32_array)
    replace(module.SeedSequence, "spawn", method)


def _unseeded(policy: UserSeeds, tag: int) -> Any:
    unseeded = policy.unseeded

    def randbits(bits: int) -> int:
        bits -= 32
        entropy: int = tag << bits | unseeded("numpy", bits, "numpy.random.SeedSequence")
        _here.entropy = entropy
        return entropy

    return randbits


def _tagged(entropy: int, tag: int) -> bool:
    bits = entropy.bit_length()
    return bits % 32 == 0 and entropy >> bits - 32 == tag
