"""The explicit API behind `import seedlock`."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from seedlock import places, startup
from seedlock import settings as names
from seedlock.derivation import derive as _derive
from seedlock.errors import BadState, NotLocked
from seedlock.fixed_blocks import Fixed
from seedlock.stand_ins import own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy

    from seedlock.process_lock import Lock

P = ParamSpec("P")
R = TypeVar("R")

STATE_FORMAT = 2
"""Version of what `state_dict` returns. History: 1, first; 2, how far the process has counted
its children, jobs and generators without a seed."""


def lock(seed: int, level: str = "strict") -> int:
    """Lock this process now, with all libraries that are loaded or will be.

    An outside seed wins: where REPRO_SEED is set, this does nothing and returns that seed.
    Called in a running program it comes too late for PYTHONHASHSEED and for what a loaded
    library read at its import; both are gaps in the report.

    Args:
        seed: root seed, 0 to 2**64 - 1.
        level: `seed`, `warn`, `strict`, `portable` or `watch`.

    Returns:
        The root seed in force.

    Raises:
        BadSetting: the seed or the level is not allowed, or this process is already locked
            with another seed or level by an earlier call.
    """
    wanted = {**os.environ, names.SEED: str(seed), names.LEVEL: level}
    current = startup.in_force()
    if current is None:
        if names.SEED in os.environ:
            startup.activate()
        else:
            startup.activate_now(names.Settings(wanted))
    elif names.SEED not in os.environ:
        held = current.settings
        if (held.seed, held.level) != (names.parse_seed(str(seed)), level):
            from seedlock.errors import BadSetting

            raise BadSetting(
                "seedlock.lock()",
                f"{seed}, {level}",
                f"the lock in force, {held.seed}, {held.level}",
                "call it once, before anything draws",
                "locked-twice",
            )
    return _current().settings.seed


def root_seed() -> int | None:
    """Return the root seed in force, or None (`seedlock.seed`)."""
    current = startup.in_force()
    return None if current is None else current.settings.seed


def derive(*path: str | int) -> int:
    """Return a seed of the program's own, 0 to 2**64 - 1: equal names, equal seed.

    Args:
        path: names and integers, for example `derive("fold", 3)`.

    Raises:
        NotLocked: no seed is in force.
    """
    return _derive(_current().settings.seed, "name", *path)


def rng(*path: str | int) -> numpy.random.Generator:
    """Return a new NumPy generator of the program's own: equal names, equal stream.

    Raises:
        NotLocked: no seed is in force.
    """
    import numpy

    seed = _derive(_current().settings.seed, "name", *path, bits=128)  # PCG64 holds 128 bits
    with own():
        return numpy.random.default_rng(seed)


@overload
def fixed(function: None = None) -> Fixed: ...
@overload
def fixed(function: Callable[P, R]) -> Callable[P, R]: ...
def fixed(function: Callable[P, R] | None = None) -> Fixed | Callable[P, R]:
    """Honour seeds as written, for data splits that must not move with the outside seed.

    `with seedlock.fixed():` or `@seedlock.fixed`. Each use is in the report. Main generators
    that the block seeds go on afterwards as if it had not: what follows still hears the outside
    seed. Without a seed in force it does nothing. Holds for the thread or task that enters it.
    """
    return Fixed() if function is None else Fixed()(function)


def digest(value: object) -> str:
    """Return the digest of a value, the algorithm's name before it: `xxh3:4fd1...`.

    The same for a torch tensor, a NumPy, TensorFlow, JAX or MXNet array of equal type, shape and
    bits. Works without a seed in force.

    Args:
        value: an array, tensor, number, text, container, `pathlib.Path` of a file (its content),
            a model, or what pickle takes. Order counts, -0.0 is not 0.0.

    Raises:
        Undigestible: the value holds what has no content to compare, such as a lock.
    """
    from seedlock.digests import digest

    return digest(value)


def checkpoint(name: str, value: object) -> None:
    """Write a value's digest into the trace, under a name of the author's own; nothing without
    REPRO_TRACE.

    Args:
        name: what the value is; may come again.
        value: as `digest` takes it.

    Raises:
        Undigestible: the value holds what has no content to compare, such as a lock.
    """
    current = startup.in_force()
    if current is not None and current.trace is not None:
        current.trace.result("checkpoint", name, value, rng=True)


def log_metric(name: str, value: float, step: int | None = None) -> None:
    """Log a metric's value into the run's output folder; nothing without REPRO_OUTPUT.

    Only metrics that were declared to whoever starts the run count (docs/records.md). Works
    without a seed in force.

    Args:
        name: up to 200 printable characters.
        value: a number, or an array or tensor of one element.
        step: 0 or more, for a point of a series; None for the final value.

    Raises:
        TypeError, ValueError: an argument is not that.
        OSError: the file can't be written.
    """
    from seedlock.metrics import log_metric

    log_metric(name, value, step)


def report() -> dict[str, object]:
    """Return the report of this process as it stands.

    Raises:
        NotLocked: no seed is in force.
    """
    from seedlock import reporting

    return reporting.describe(_current(), "asked")


@contextlib.contextmanager
def isolate() -> Iterator[None]:
    """Give all loaded libraries' generators back as they were, whatever the block draws.

    MXNet's are those of the calling thread; where they can't be read, in another build than the
    locked one, they go on from a seed of their own after the block, which is a gap in the report.

    Raises:
        NotLocked: no seed is in force.
    """
    before = state_dict()
    try:
        yield
    finally:
        load_state_dict(before)


def state_dict() -> dict[str, Any]:
    """Return the state of all loaded libraries' generators, for a checkpoint.

    It holds numbers, text and lists only, so that JSON, pickle and `torch.save` take it.

    Raises:
        NotLocked: no seed is in force.
        BadState: a library's can't be read at this moment; the text says what to do first.
    """
    current = _current()
    with own():  # reading MXNet's may have to seed them anew
        libraries = {
            name: adapter.state(module)
            for name, (adapter, module) in places.loaded(current).items()
        }
    return {
        "format": STATE_FORMAT,
        "seed": current.settings.seed,
        "libraries": libraries,
        "positions": places.positions(current),
    }


def load_state_dict(state: Mapping[str, Any]) -> None:
    """Put the generators into a state that `state_dict` returned, for an exact resume.

    Build the model first: it draws its initial values, and Keras makes its seed generators.

    Raises:
        NotLocked: no seed is in force.
        BadState: another format or root seed, or a library in it is not loaded.
    """
    current = _current()
    if state.get("format") != STATE_FORMAT:
        raise BadState(
            f"the state's format is {state.get('format')!r}; allowed: {STATE_FORMAT}; "
            "resume with the seedlock that wrote it"
        )
    if state["seed"] != current.settings.seed:
        raise BadState(
            f"the state was taken under root seed {state['seed']} and this run's is "
            f"{current.settings.seed}; resume with REPRO_SEED={state['seed']}"
        )
    loaded = places.loaded(current)
    missing = [name for name in state["libraries"] if name not in loaded]
    if missing:
        raise BadState(
            f"the state holds {', '.join(missing)}, which this process has not imported; "
            "import it before load_state_dict"
        )
    with contextlib.ExitStack() as each:  # the others also where one raises: last in, first out
        each.callback(places.go_on_from, current, state["positions"])
        each.enter_context(own())
        for name, held in reversed(state["libraries"].items()):
            if held is not None:
                adapter, module = loaded[name]
                each.callback(adapter.restore, module, held)


def _current() -> Lock:
    current = startup.in_force()
    if current is None:
        raise NotLocked(
            "no seed is in force; set REPRO_SEED before Python starts or call seedlock.lock(seed)"
        )
    return current
