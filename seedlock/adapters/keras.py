"""Keras 3 (keras.io/api/utils/python_utils, set_random_seed).

Keras keeps a seed of its own, and draws each default seed (layers, initialisers, the global
SeedGenerator) from Python's `random`, which the python adapter seeds. set_random_seed itself is
not called: it would hand one seed to `random`, NumPy and the backend.
"""

from __future__ import annotations

import gc
import os
import sys
import weakref

from seedlock.adapters import Adapter
from seedlock.patching import rebind, replace
from seedlock.stand_ins import own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds

SEED_ATTRIBUTE = "global_random_seed"
GENERATOR_ATTRIBUTE = "global_seed_generator"
"""Names in Keras's global state (3.15.1, utils/rng_utils.py and random/seed_generator.py)."""

BITS = 31
"""Size of a seed that every backend can hold: torch's is an int32 (backend/torch/core.py)."""

SEED_GENERATOR = "keras.src.random.seed_generator"
UTILS = "keras.src.utils.rng_utils"
DRAWING = {
    "keras.src.backend.torch.random": ("torch_seed_generator", "gamma", "binomial", "beta"),
    "keras.src.backend.torch.image": ("_torch_seed_generator",),
    "keras.src.backend.numpy.random": (
        "normal", "uniform", "categorical", "randint", "truncated_normal", "dropout", "shuffle",
        "gamma", "binomial", "beta",
    ),
    "keras.src.backend.numpy.image": ("elastic_transform",),
}  # fmt: skip
"""Functions that seed a generator of the backend's library with what Keras drew for it: no seed of
the author's for that library."""


class KerasAdapter(Adapter):
    """Set Keras's own global seed, and know every SeedGenerator in the order of creation."""

    name = "keras"
    entrances = (SEED_GENERATOR, UTILS, *DRAWING)
    main_parts = ("seed", "global")

    def __init__(self) -> None:
        self._created: list[weakref.ref[Any]] = []
        self._defaults: set[int] = set()
        self._process = os.getpid()

    def environment(self, settings: Settings) -> dict[str, str]:
        return {}

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        if module.__name__ == SEED_GENERATOR:
            self._seed_generators(module, policy)
        elif module.__name__ == UTILS:
            _seed_globally(module, policy)
        else:
            self._draw_as_own(module, policy)

    def seed(self, module: Any, seed: int) -> None:
        if os.getpid() != self._process:
            self._process = os.getpid()
            if module.config.backend() in ("tensorflow", "jax"):
                # Their states lie in the parent's run-time, whose threads are not here: to read
                # them may take forever.
                self._created.clear()
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
        if "generators" in state:
            self._restore_generators(state["generators"], generator)
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

    def _restore_generators(self, states: list[list[int]], generator: Any) -> None:
        others = [each for each in self._alive() if each is not generator]
        if len(others) < len(states):
            from seedlock.errors import BadState

            raise BadState(
                f"the state holds {len(states)} Keras seed generators and this "
                f"process has {len(others)}; build the same model before load_state_dict"
            )
        # Those created after the state was taken, as in a block of isolate(), come last.
        for each, words in zip(others, states, strict=False):
            each.state.assign(words)

    def _alive(self) -> list[Any]:
        if self._created:
            gc.collect()  # a model that is no longer used is a cycle, and would be counted
        self._created[:] = [each for each in self._created if each() is not None]
        return [each for each in (reference() for reference in self._created) if each is not None]

    def _seed_generators(self, module: Any, policy: UserSeeds) -> None:
        created = self._created

        def init(plain: Any) -> Any:
            def made(self: Any, seed: Any = None, *args: Any, **kwargs: Any) -> None:
                settled = ask(seed, "keras.random.SeedGenerator")
                plain(self, settled, *args, **kwargs)
                # What get_config() says: a saved layer, loaded again, asks with the same seed.
                self._initial_seed = seed
                # Keras keeps no list of its SeedGenerators, and a checkpoint needs each state.
                created.append(weakref.ref(self))

            return made

        def draw(plain: Any) -> Any:
            def draw_seed(seed: Any) -> Any:
                return plain(ask(seed, "keras.random") if isinstance(seed, int) else seed)

            return draw_seed

        def default(plain: Any) -> Any:
            def make_default_seed() -> int:
                seed: int = plain()
                self._defaults.add(seed)
                return seed

            return make_default_seed

        def ask(seed: Any, function: str) -> Any:
            return self._asked(policy, seed, function)

        replace(module.SeedGenerator, "__init__", init)
        for name, make in (("draw_seed", draw), ("make_default_seed", default)):
            plain = vars(module)[name]
            replace(module, name, make)
            rebind("keras", plain, vars(module)[name])

    def _asked(self, policy: UserSeeds, seed: Any, function: str) -> Any:
        # Keras hands a default seed on as an integer, and saves it in a RandomCrop's config.
        if not isinstance(seed, int) or seed in self._defaults:
            return seed
        chosen = policy.choose("keras", seed, BITS, function, False)
        return seed if chosen is None else chosen

    def _draw_as_own(self, module: Any, policy: UserSeeds) -> None:
        position = {"torch_seed_generator": 0, "_torch_seed_generator": 0}
        disable = module.dynamo.disable() if hasattr(module, "dynamo") else lambda made: made

        def make(plain: Any) -> Any:
            def drawing(*args: Any, **kwargs: Any) -> Any:
                if args and plain.__name__ in position:
                    args = (self._asked(policy, args[0], "keras.random"), *args[1:])
                elif "seed" in kwargs:
                    kwargs["seed"] = self._asked(policy, kwargs["seed"], "keras.random")
                with own():
                    return plain(*args, **kwargs)

            return disable(drawing)

        for name in DRAWING[module.__name__]:
            plain = vars(module).get(name)
            replace(module, name, make)
            rebind("keras", plain, vars(module).get(name))


def _seed_globally(module: Any, policy: UserSeeds) -> None:
    def function(plain: Any) -> Any:
        def set_random_seed(seed: Any) -> None:
            chosen = None
            if isinstance(seed, int):
                chosen = policy.choose("keras", seed, 32, "keras.utils.set_random_seed")
            plain(seed)  # `random`, NumPy and the backend each ask for themselves
            if chosen is not None:
                _global_state().set_global_attribute(SEED_ATTRIBUTE, chosen)

        return set_random_seed

    plain = module.set_random_seed
    replace(module, "set_random_seed", function)
    rebind("keras", plain, module.set_random_seed)


def _global_state() -> Any:
    return sys.modules["keras.src.backend.common.global_state"]


def _words(module: Any, generator: Any) -> list[int]:
    variable = generator.state
    if getattr(variable, "_value", 0) is None and variable._initializer is None:
        from seedlock.errors import BadState

        raise BadState(
            "JAX has the variables of the model that Keras trains; call model.jax_state_sync() "
            "first, or take the state when an epoch is over"
        )
    return [int(word) for word in module.ops.convert_to_numpy(generator.state)]


adapter = KerasAdapter()
