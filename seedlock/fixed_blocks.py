"""Blocks in which seeds count as written: what is behind `seedlock.fixed`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from seedlock import startup
from seedlock.places import put_back
from seedlock.user_seeds import begin_fixed, end_fixed, is_innermost

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedlock.user_seeds import Fixed as Block

P = ParamSpec("P")
R = TypeVar("R")


class Fixed:
    """A block, or a decorator, in which seeds count as written; may be entered again inside."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []

    def __enter__(self) -> None:
        self._blocks.append(begin_fixed())

    def __exit__(self, *problem: object) -> None:
        # This one may be entered in several threads and tasks at a time: each leaves its own.
        last = self._blocks[-1]
        own = next((each for each in reversed(self._blocks) if is_innermost(each)), last)
        self._blocks.remove(own)
        states = end_fixed(own)
        current = startup.in_force()
        if states and current is not None:
            put_back(current, states)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        decorated: Callable[P, R] = _fixed_function(function)
        return decorated


def _fixed_function(function: Any) -> Any:
    # One block for each call; what runs later than the call takes the block with it.
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def call_later(*args: Any, **kwargs: Any) -> Any:
            with Fixed():
                return await function(*args, **kwargs)

        return call_later

    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generate(*args: Any, **kwargs: Any) -> Any:
            with Fixed():
                made = function(*args, **kwargs)
            return (yield from _Resumed(made))

        return generate

    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def generate_later(*args: Any, **kwargs: Any) -> Any:
            made = function(*args, **kwargs)
            sent: Any = None
            thrown: BaseException | None = None
            try:
                while True:
                    try:
                        with Fixed():
                            value = await (
                                made.athrow(thrown) if thrown is not None else made.asend(sent)
                            )
                    except StopAsyncIteration:
                        return
                    with _Thrown() as consumer:
                        sent = yield value
                    thrown = consumer.problem
            finally:
                with Fixed():
                    await made.aclose()

        return generate_later

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with Fixed():
            return function(*args, **kwargs)

    return call


class _Resumed(Generator[Any, Any, Any]):
    """A generator whose body is in a block of its own from each resumption to the next yield:
    what its consumer does in between is not."""

    def __init__(self, made: Generator[Any, Any, Any]) -> None:
        self._made = made

    def send(self, value: Any) -> Any:
        with Fixed():
            return self._made.send(value)

    def throw(self, *problem: Any) -> Any:
        with Fixed():
            return self._made.throw(*problem)


class _Thrown:
    """A block that keeps what its generator's consumer throws into it, but for the end of all."""

    problem: BaseException | None = None

    def __enter__(self) -> _Thrown:
        return self

    def __exit__(self, _: object, problem: BaseException | None, __: object) -> bool:
        self.problem = problem
        return not isinstance(problem, GeneratorExit)
