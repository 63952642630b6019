"""Where seeds come into TensorFlow 2.21: the global seed of the eager context and of graphs, seeds
of operations, of `tf.random.Generator` and of `tf.random.stateless_*`.
"""

from __future__ import annotations

import operator
import sys

from seedlock.patching import in_own_block, is_replaced, rebind, replace
from seedlock.stand_ins import dress, mark, own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.user_seeds import UserSeeds

BITS = 31
"""Size of a global seed: random_seed._truncate_seed keeps it modulo 2**31 - 1."""

STATELESS = {
    "split": 0,
    "index_shuffle": 1,
    "stateless_shuffle": 1,
    "stateless_random_uniform": 1,
    "stateless_random_binomial": 1,
    "stateless_random_gamma": 1,
    "stateless_random_poisson": 1,
    "stateless_random_normal": 1,
    "stateless_truncated_normal": 1,
    "stateless_parameterized_truncated_normal": 1,
    "stateless_multinomial": 2,
    "stateless_categorical": 2,
}
"""Position of `seed` in each function of stateless_random_ops that takes one, but `fold_in`, which
hands its seed to one of these."""


class Settled(int):
    """A global seed about which the policy has been asked: not to be asked again when a function's
    graph copies it from the context or the graph around it.

    Attributes:
        given: what the author gave; None for a seed of seedlock's own.
    """

    given: int | None

    def __new__(cls, seed: int, given: int | None = None) -> Settled:
        made = super().__new__(cls, seed)
        made.given = given
        return made

    def __reduce__(self) -> Any:
        return int, (int(self),)


def _settle(policy: UserSeeds, seed: Any, function: str, main: bool) -> Any:
    """Return what a global seed becomes; what is no integer stays, for TensorFlow to refuse."""
    if isinstance(seed, Settled):
        return seed
    try:
        given = operator.index(seed)
    except TypeError:
        return seed
    if in_own_block():
        return Settled(given)
    chosen = policy.choose("tensorflow", given, BITS, function, main)
    return Settled(given if chosen is None else chosen, given)


def _seed_context(module: Any, policy: UserSeeds) -> None:
    def method(original: Any) -> Any:
        def _set_global_seed(self: Any, seed: Any) -> None:
            if seed is None and not policy.watches:
                seed = Settled(policy.unseeded("tensorflow", BITS, "tf.random.set_seed"))
            seed = _settle(policy, seed, "tf.random.set_seed", True)
            with own():  # it makes a random.Random from the seed
                original(self, seed)

        return _set_global_seed

    replace(module.Context, "_set_global_seed", method)


def _seed_graphs(module: Any, policy: UserSeeds) -> None:
    plain = module.Graph.seed
    if is_replaced(plain.fget):
        return

    # Read where an operation without a seed is built into a graph, so never in eager mode.
    def get(self: Any) -> Any:
        if self._seed is None and not policy.watches:
            self._seed = Settled(policy.unseeded("tensorflow", BITS, "tf.Graph.seed"))
        return self._seed

    def put(self: Any, seed: Any) -> None:
        self._seed = _settle(policy, seed, "tf.Graph.seed", False)

    module.Graph.seed = property(
        mark(dress(get, plain.fget)), dress(put, plain.fset), plain.fdel, plain.__doc__
    )


def _seed_operations(module: Any, policy: UserSeeds) -> None:
    # An operation's seed goes with the global one, or with this constant if the author gave none.
    plain_global = module.DEFAULT_GRAPH_SEED
    mixed_global = policy.mixed("tensorflow", plain_global, BITS)
    span = module._MAXINT32

    def function(original: Any) -> Any:
        def get_seed(op_seed: Any) -> Any:
            try:
                given = operator.index(op_seed)
            except TypeError:  # none, or a tensor
                return original(op_seed)
            eager = module.context.executing_eagerly()
            held = module.context.global_seed() if eager else module.ops.get_default_graph()._seed
            author = getattr(held, "given", None)
            if policy.choose("tensorflow", given, BITS, "tf.random", False) is None:
                first = plain_global if author is None else author
            else:
                first = mixed_global if author is None else held
            seeds = first % span, given % span
            return seeds if seeds != (0, 0) else (0, span)

        return get_seed

    original = module.get_seed
    replace(module, "get_seed", function)
    rebind("tensorflow", original, module.get_seed)


def _seed_generators(module: Any, policy: UserSeeds) -> None:
    kind = module.Generator
    name = "tf.random.Generator"

    # from_seed, reset_from_seed and create_rng_state end here.
    def state(original: Any) -> Any:
        def _make_state_from_seed(seed: Any, alg: Any) -> Any:
            if literal(seed):
                bits = 64 * module._get_state_size(alg)
                chosen = policy.choose("tensorflow", seed, bits, name, False)
                seed = seed if chosen is None else chosen
            return original(seed, alg)

        return _make_state_from_seed

    def key_of(key: Any) -> Any:
        chosen = None
        if literal(key):
            chosen = policy.choose("tensorflow", key, 64, name, False)
        return key if chosen is None else chosen

    def from_key_counter(cls: Any, key: Any, counter: Any, alg: Any) -> Any:
        return plain_from_key(cls, key_of(key), counter, alg)

    def reset(original: Any) -> Any:
        def reset_from_key_counter(self: Any, key: Any, counter: Any) -> None:
            original(self, key_of(key), counter)

        return reset_from_key_counter

    def from_non_deterministic_state(cls: Any, alg: Any = None) -> Any:
        alg = module.random_ops_util.convert_alg_to_int(alg or module.DEFAULT_ALGORITHM)
        bits = 64 * module._get_state_size(alg)
        drawn = policy.unseeded("tensorflow", bits, name)
        words = [drawn >> 64 * place & module.SEED_BIT_MASK for place in range(bits // 64)]
        return cls(state=words, alg=alg)

    def main(original: Any) -> Any:
        def get_global_generator() -> Any:
            if module.global_generator is None:
                with module.ops.init_scope():
                    module.global_generator = kind.from_non_deterministic_state()
            return original()

        return get_global_generator

    if is_replaced(module.get_global_generator):
        return
    plain_from_key = kind.from_key_counter.__func__
    plain_from_system = kind.from_non_deterministic_state.__func__
    replace(module, "_make_state_from_seed", state)
    replace(kind, "reset_from_key_counter", reset)
    kind.from_key_counter = classmethod(dress(from_key_counter, plain_from_key))
    kind.from_non_deterministic_state = classmethod(
        dress(from_non_deterministic_state, plain_from_system)
    )
    original = module.get_global_generator
    replace(module, "get_global_generator", main)
    rebind("tensorflow", original, module.get_global_generator)


def _seed_stateless(module: Any, policy: UserSeeds) -> None:
    def asking(name: str, place: int) -> Any:
        def function(original: Any) -> Any:
            def drawn(*args: Any, **kwargs: Any) -> Any:
                seed = kwargs.get("seed") if len(args) <= place else args[place]
                # Tensors were drawn from, or split off, what was mixed before; Keras's all are.
                if _is_pair(seed):
                    chosen = policy.choose("tensorflow", seed, 2 * BITS, name, False)
                    if chosen is not None:
                        # XLA takes seeds of 32 bits only.
                        pair: Any = [chosen % 2**BITS, chosen >> BITS]
                        if isinstance(seed, module.np.ndarray):
                            pair = module.np.array(pair).astype(seed.dtype)
                        if len(args) <= place:
                            kwargs["seed"] = pair
                        else:
                            args = (*args[:place], pair, *args[place + 1 :])
                return original(*args, **kwargs)

            vars(drawn).update(vars(original))  # names in the API, dispatchers
            return drawn

        return function

    for name, place in STATELESS.items():
        original = vars(module).get(name)
        replace(module, name, asking(f"tf.random.{name}", place))
        rebind("tensorflow", original, vars(module).get(name))


def literal(seed: Any) -> bool:
    """Tell whether a seed is made of integers that can be read at once, so no tensor."""
    if isinstance(seed, (list, tuple)):
        return all(literal(part) for part in seed)
    numpy = sys.modules["numpy"]
    if isinstance(seed, numpy.ndarray):
        return seed.dtype.kind in "iu"
    return isinstance(seed, (int, numpy.integer))


def _is_pair(seed: Any) -> bool:
    if isinstance(seed, (list, tuple)):
        return len(seed) == 2 and not hasattr(seed[0], "__len__") and literal(seed)
    return literal(seed) and getattr(seed, "shape", None) == (2,)


ENTRANCES = {
    "tensorflow.python.eager.context": _seed_context,
    "tensorflow.python.framework.ops": _seed_graphs,
    "tensorflow.python.framework.random_seed": _seed_operations,
    "tensorflow.python.ops.stateful_random_ops": _seed_generators,
    "tensorflow.python.ops.stateless_random_ops": _seed_stateless,
}
"""Modules through which seeds come in, and what is done to each."""
