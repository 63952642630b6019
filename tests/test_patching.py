"""patching.py: replacing functions of modules, classes and types written in C."""

from __future__ import annotations

import types
from typing import Any

from seedlock.patching import is_replaced, replace
from seedlock.stand_ins import stand_in
from tests.interpreter import python


def doubled(original: Any) -> Any:
    """Return a function that gives twice what `original` gives."""
    return lambda *args: 2 * original(*args)


def test_a_replacement_has_the_originals_name_and_text() -> None:
    """Who looks at it sees the original, which stays reachable."""
    module = types.ModuleType("m")

    def original(number: int) -> int:
        """Return it."""
        return number

    module.original = original  # type: ignore[attr-defined]
    replace(module, "original", doubled)

    assert module.original(3) == 6
    assert (module.original.__name__, module.original.__doc__) == ("original", "Return it.")
    assert module.original.__qualname__ == original.__qualname__
    assert module.original.__wrapped__ is original
    assert is_replaced(module.original) and not is_replaced(original)


def test_a_function_is_replaced_once_and_a_missing_one_not_at_all() -> None:
    """Doing it again changes nothing; a version without the function is none of ours."""
    module = types.ModuleType("m")
    module.one = lambda: 1  # type: ignore[attr-defined]
    replace(module, "one", doubled)
    replace(module, "one", doubled)
    replace(module, "two", doubled)

    assert module.one() == 2
    assert not hasattr(module, "two")


def test_a_stand_in_stands_once_and_leaves_at_the_first_call() -> None:
    """Also if it is put up again, as when a library is imported anew after it failed, and over what
    was replaced meanwhile."""
    module = types.ModuleType("m")
    module.one = lambda: 1  # type: ignore[attr-defined]

    def stand() -> None:
        stand_in(module, "one", lambda: replace(module, "one", doubled))

    stand()
    held = module.one
    stand()
    assert module.one is held
    assert held() == module.one() == 2
    stand()
    assert module.one() == module.one() == held() == 2


def test_an_inherited_method_is_left_to_its_own_class() -> None:
    """A subclass without a method of its own gets none."""

    class Base:
        def value(self) -> int:
            return 1

    class Derived(Base):
        pass

    replace(Derived, "value", doubled)
    assert "value" not in vars(Derived)
    replace(Base, "value", doubled)
    assert Derived().value() == 2


def test_a_method_of_a_type_in_c_is_replaced_in_place() -> None:
    """The type stays itself, instances made before and after call the replacement, subclasses too,
    and so does C code that looks the method up. In a process of its own: the type is NumPy's."""
    code = """
import copy, pickle
import numpy as np
from seedlock.patching import is_replaced, replace

kind, before = np.random.MT19937, np.random.RandomState(1)
class Sub(kind): pass
calls = []
def method(original):
    def _legacy_seeding(self, seed):
        calls.append(seed)
        return original(self, seed)
    return _legacy_seeding
try:
    kind._legacy_seeding = None
except TypeError:
    pass
else:
    raise SystemExit("this type takes attributes: choose another for the test")
replace(kind, "_legacy_seeding", method)
before.seed(2); np.random.RandomState(3); np.random.seed(4); Sub()._legacy_seeding(5)
assert calls == [2, 3, 4, 5], calls
assert is_replaced(vars(kind)["_legacy_seeding"]) and np.random.MT19937 is kind
assert kind._legacy_seeding.__name__ == "_legacy_seeding" and type(kind(1)) is kind
assert pickle.loads(pickle.dumps(kind(1))).random_raw() == copy.deepcopy(kind(1)).random_raw()
plain = np.random.RandomState(2)
assert plain.rand() == before.rand()
replace(kind, "_legacy_seeding", method)
calls.clear(); before.seed(2); assert calls == [2]
"""
    python("-c", code)
