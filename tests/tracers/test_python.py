"""The state of Python's generator, read from memory."""

from __future__ import annotations

import random
from array import array
from typing import Any

from seedlock.tracers.python import PythonTracer


def test_the_state_is_the_one_that_getstate_tells() -> None:
    """Position, words and the second half of a pair of normal numbers, however much was drawn."""
    tracer = PythonTracer()
    nowhere: Any = None
    tracer.intercept(random, nowhere)
    before = random.getstate()
    try:
        for draw in (lambda: None, random.random, lambda: random.gauss(0, 1), random.random):
            draw()
            _, words, second = random.getstate()
            state = array("I", [words[-1], *words[:-1]]).tobytes()
            assert tracer.generators() == (state, second)
    finally:
        random.setstate(before)
    assert tracer._in_memory
