"""Seeds of PyTorch's DataLoader and of its workers."""

from __future__ import annotations

from seedlock.patching import in_own_block, replace
from seedlock.stand_ins import own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from seedlock.user_seeds import UserSeeds


def _seed_loaders(module: Any, policy: UserSeeds) -> None:
    # Each rank draws the same number here, from the main stream, and a generator of the user's
    # may have been seeded in a block of fixed().
    def begin(original: Callable[..., Any]) -> Callable[..., Any]:
        def begun(self: Any, loader: Any, *args: Any) -> None:
            original(self, loader, *args)
            ranks = [each for each in policy.path.split("/") if each.startswith("rank.")]
            if policy.decides() and (ranks or loader.generator is not None):
                drawn = ["DataLoader", self._base_seed, *ranks]
                # Workers add their number to it and the sum is a seed: below 2**63.
                self._base_seed = policy.mixed("torch", drawn, 62)

        return begun

    replace(module._BaseDataLoaderIter, "__init__", begin)


def _seed_workers(module: Any, _: UserSeeds) -> None:
    # Workers seed torch, random and NumPy by the loader's number, which was decided on above:
    # these seeds are not the user's. WorkerInfo is made between them and the user's code.
    seeding = own()

    def loop(original: Callable[..., Any]) -> Callable[..., Any]:
        def _worker_loop(*args: Any, **kwargs: Any) -> Any:
            seeding.__enter__()
            return original(*args, **kwargs)

        return _worker_loop

    def seeded(original: Callable[..., Any]) -> Callable[..., Any]:
        def begun(self: Any, **kwargs: Any) -> None:
            if in_own_block():
                seeding.__exit__(None, None, None)
            original(self, **kwargs)

        return begun

    replace(module, "_worker_loop", loop)
    replace(module.WorkerInfo, "__init__", seeded)


ENTRANCES = {
    "torch.utils.data._utils.worker": _seed_workers,
    "torch.utils.data.dataloader": _seed_loaders,
}
"""Modules through which seeds come in, and what is done to each."""
