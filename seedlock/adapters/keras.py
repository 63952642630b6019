"""Keras 3 (keras.io/api/utils/python_utils, set_random_seed).

Keras keeps a seed of its own, and draws each default seed (layers, initialisers, the global
SeedGenerator) from Python's `random`, which the python adapter seeds. set_random_seed itself is
not called: it would hand one seed to `random`, NumPy and the backend.
"""

from __future__ import annotations

import gc
import sys
import weakref

from seedlock.adapters.base import Adapter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds

SEED_ATTRIBUTE = "global_random_seed"
GENERATOR_ATTRIBUTE = "global_seed_generator"
"""Names in Keras's global state (3.15.1, utils/rng_utils.py and random/seed_generator.py)."""


class KerasAdapter(Adapter):
    """Set Keras's own global seed, and know every SeedGenerator in the order of creation."""

    name = "keras"

    def __init__(self) -> None:
        self._created: list[weakref.ref[Any]] = []
        self._watching = False

    def environment(self, settings: Settings) -> dict[str, str]:
        return {}

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        pass

    def seed(self, module: Any, seed: int) -> None:
        self._watch(module)
        state = _global_state()
        state.set_global_attribute(SEED_ATTRIBUTE, seed)
        state.set_global_attribute(GENERATOR_ATTRIBUTE, None)

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        pass

    def flags(self, module: Any) -> dict[str, object]:
        return {"backend": module.config.backend()}

    def state(self, module: Any) -> object:
        state = _global_state()
        generator = state.get_global_attribute(GENERATOR_ATTRIBUTE)
        return {
            "seed": state.get_global_attribute(SEED_ATTRIBUTE),
            "global": None if generator is None else _words(module, generator),
            "generators": [_words(module, each) for each in self._alive() if each is not generator],
        }

    def restore(self, module: Any, state: Any) -> None:
        held = _global_state()
        held.set_global_attribute(SEED_ATTRIBUTE, state["seed"])
        generator = held.get_global_attribute(GENERATOR_ATTRIBUTE)
        others = [each for each in self._alive() if each is not generator]
        if len(others) < len(state["generators"]):
            from seedlock.errors import BadState

            raise BadState(
                f"the state holds {len(state['generators'])} Keras seed generators and this "
                f"process has {len(others)}; build the same model before load_state_dict"
            )
        # Those created after the state was taken, as in a block of isolate(), come last.
        for each, words in zip(others, state["generators"], strict=False):
            each.state.assign(words)
        if state["global"] is None:
            held.set_global_attribute(GENERATOR_ATTRIBUTE, None)
            return
        if generator is None:
            generator = module.random.SeedGenerator(0)  # without a seed it would draw one
            held.set_global_attribute(GENERATOR_ATTRIBUTE, generator)
        generator.state.assign(state["global"])

    def gaps(self, settings: Settings) -> list[str]:
        # Keras 3.15.1 shuffles by an unseeded tf.random.shuffle in a tf.data map.
        return ["on TensorFlow, fit(shuffle=True) takes the same order in every epoch of one call"]

    def _watch(self, module: Any) -> None:
        # Keras keeps no list of its SeedGenerators, and a checkpoint needs each one's state.
        if self._watching:
            return
        kind = module.random.SeedGenerator
        plain = kind.__init__
        created = self._created

        def noting_init(self: Any, *args: Any, **kwargs: Any) -> None:
            plain(self, *args, **kwargs)
            created.append(weakref.ref(self))

        noting_init.__doc__ = plain.__doc__
        noting_init.__wrapped__ = plain  # type: ignore[attr-defined]
        kind.__init__ = noting_init
        self._watching = True

    def _alive(self) -> list[Any]:
        if self._created:
            gc.collect()  # a model that is no longer used is a cycle, and would be counted
        self._created[:] = [each for each in self._created if each() is not None]
        return [each for each in (reference() for reference in self._created) if each is not None]


def _global_state() -> Any:
    return sys.modules["keras.src.backend.common.global_state"]


def _words(module: Any, generator: Any) -> list[int]:
    return [int(word) for word in module.ops.convert_to_numpy(generator.state)]


adapter = KerasAdapter()
