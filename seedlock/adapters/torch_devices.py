"""Seeds of PyTorch's devices that have not started yet: they are queued until then.

Whose seed it is, seedlock's or the user's, in a block of fixed() or not, on which line, and whether
it is refused, is settled when it is set.
"""

from __future__ import annotations

from collections import deque
from contextvars import ContextVar, copy_context
from functools import partial

from seedlock.callers import calling
from seedlock.patching import in_own_block, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from seedlock.callers import Caller
    from seedlock.user_seeds import UserSeeds

heard: deque[int] = deque(maxlen=64)
"""What the program was told, by torch.seed() or torch.initial_seed(), and may set again."""

put_off: ContextVar[Caller | None] = ContextVar("seedlock_put_off", default=None)
"""Who set the seed that a device takes as it starts."""


def _remember_whose(module: Any, policy: UserSeeds) -> None:
    def queue(original: Callable[..., Any]) -> Callable[..., Any]:
        def queued(self: Any, cb: Callable[[], Any], traceback: Any) -> None:
            context = copy_context()
            if not in_own_block():
                caller = calling(2)
                _refuse(policy, _seed_in(cb), caller)
                context.run(put_off.set, caller)
            original(self, partial(context.run, cb), traceback)

        return queued

    replace(module._LazySeedTracker, "queue_seed_all", queue)
    replace(module._LazySeedTracker, "queue_seed", queue)


def _refuse(policy: UserSeeds, seed: int | None, caller: Caller) -> None:
    refuses = policy.policy == "refuse" and policy.decides() and not caller.importing
    if refuses and seed is not None and seed not in heard:
        policy.mixes("torch", seed, caller.function, caller=caller)


def _seed_in(cb: Any) -> int | None:
    # PyTorch 2.4 to 2.13: a function inside of manual_seed, with the seed under that name.
    names = cb.__code__.co_freevars
    if "seed" not in names:
        return None
    seed: int = cb.__closure__[names.index("seed")].cell_contents
    return seed


ENTRANCES = {"torch._utils": _remember_whose}
"""The module that queues them, for CUDA, XPU and MTIA, and what is done to it."""
