"""What becomes of seeds that user code gives to `random`; loaded with the first one."""

from __future__ import annotations

import sys

from seedlock.patching import in_own_block, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.user_seeds import UserSeeds

TAKEN = (int, float, str, bytes, bytearray)
"""Types of seeds that random.Random.seed documents. CPython 3.10 takes others by their hash."""


def mix(module: Any, kinds: list[type], policy: UserSeeds) -> None:
    """Put the policy at every way in which `random` is seeded.

    Args:
        module: random.
        kinds: its class, and those that it had before reloads.
        policy: what is asked at each call.
    """

    # random.seed is this method of the hidden generator, and random.Random(x) calls it.
    def method(original: Any) -> Any:
        def seed(self: Any, a: Any = None, version: int = 2) -> None:
            given = a
            if a is None:
                if not in_own_block():
                    a = policy.unseeded("python", 64, "random.Random")
                return original(self, a, version)  # type: ignore[no-any-return]
            if not isinstance(a, TAKEN):
                original(self, a, version)  # refuses it, or warns
                given = hash(a)
            elif version == 1 and isinstance(a, (str, bytes)):
                given = ("version", 1, a)
            main = self is getattr(sys.modules.get("random"), "_inst", None)
            chosen = policy.choose("python", given, 64, "random.seed", main, a)
            return original(self, a if chosen is None else chosen, version)  # type: ignore[no-any-return]

        return seed

    for kind in kinds:
        replace(kind, "seed", method)
    module.seed = module._inst.seed
