"""slots.py: types written in C call functions of Python, and what was there comes back."""

from __future__ import annotations

from tests.interpreter import python


def test_c_code_calls_the_function_and_later_the_old_one_again() -> None:
    """Whoever goes through an instance, of a type made from it meanwhile too."""
    code = """
from collections import deque
from seedlock.slots import replace_special, restore_special
original, calls = deque.__iter__, []
def __iter__(self):
    calls.append(len(self))
    return original(self)
before = replace_special(deque, "__iter__", __iter__)
class Own(deque): pass
print(list(deque("ab")), [*deque("abc")], sum(Own([1, 2, 3, 4])), max(deque("ba")), calls)
restore_special(deque, "__iter__", original, before)
print(list(deque("ab")), sum(Own([1, 2])), len(calls), deque.__iter__ is original)
"""
    assert python("-c", code).lines == [
        "['a', 'b'] ['a', 'b', 'c'] 10 b [2, 3, 4, 2]",
        "['a', 'b'] 3 4 True",
    ]


def test_a_type_without_init_gets_one_and_another_keeps_its_own() -> None:
    """Called with what the type was called with."""
    code = """
from collections import OrderedDict
from itertools import count
from seedlock.slots import initialise
initialise(count, lambda self, *given: print(type(self).__name__, given))
initialise(OrderedDict, lambda self, *given: print("never"))
print(next(count(5)), OrderedDict(a=1)["a"])
"""
    assert python("-c", code).lines == ["count (5,)", "5 1"]
