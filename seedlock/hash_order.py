"""Where the author's code takes an order from hashes: sets that are gone through, and `hash`.

They are found in the text of one file. A set that comes from another one without an annotation, or
in an argument without one, is met by who counts only (seedlock/order_counts.py).
"""

from __future__ import annotations

import ast

from seedlock.set_kinds import COMPREHENSIONS, FUNCTIONS, MAKERS, NUMBER, SET, Kinds, Scope, called

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NamedTuple

    class Place(NamedTuple):
        """A line, from 1, and what takes an order there: `for`, `list`, `hash`, ..."""

        line: int
        function: str

    class Spot(NamedTuple):
        """A place, the node that takes the order there, the part of it that holds the set (None
        where it does not matter which), and whether the text tells that it is one."""

        place: Place
        owner: ast.AST
        part: ast.AST | None
        known: bool
else:
    from collections import namedtuple

    Place = namedtuple("Place", "line function")
    Spot = namedtuple("Spot", "place owner part known")

SETTLED = (*MAKERS, "sorted", "len", "min", "max", "any", "all", "bool", "isinstance")
"""Functions whose result does not depend on the order of what they are given, but for a `key` under
which some are equal."""

_KEEPING = ("list", "tuple", "iter", "map", "filter", "chain", "from_iterable")
TAKERS = (
    *_KEEPING, "dict", "enumerate", "zip", "sum", "fsum", "join", "fromkeys", "extend", "islice",
    "product", "permutations", "combinations", "accumulate", "reduce", "deque", "Counter",
    "OrderedDict", "print", "str", "repr",
)  # fmt: skip
"""Names of functions and methods that go through what they are given, or show it. What the first
ones make has the same members in any order."""

_WORDS = {
    ast.For: "for", ast.AsyncFor: "for", ast.Assign: "unpacking", ast.YieldFrom: "yield from",
    ast.List: "*", ast.Tuple: "*", ast.FormattedValue: "text",
    ast.AugAssign: "+=",
}  # fmt: skip


def places(tree: ast.Module, any_call: bool = False) -> list[Place]:
    """Return where a file's code takes an order from hashes, in the order of its lines.

    Args:
        tree: the file.
        any_call: whether to take each function that is given a set for one that goes through it.

    Raises:
        RecursionError: it is nested too deep.
    """
    return sorted({spot.place for spot in _Reader(tree, any_call, False).found()})


def spots(tree: ast.Module, all_values: bool) -> list[Spot]:
    """Return the same with the nodes that take the orders.

    Args:
        tree: the file.
        all_values: whether to return also what takes an order if it is given a set, where the text
            does not tell whether it is one.

    Raises:
        RecursionError: it is nested too deep.
    """
    return list(_Reader(tree, False, all_values).found())


class _Reader:
    """Read a file.

    Args:
        tree: it.
        any_call: as for `places`.
        all_values: whether to yield also what takes an order if it is given a set, of which the
            text does not tell whether it is.
    """

    def __init__(self, tree: ast.Module, any_call: bool, all_values: bool) -> None:
        self._tree = tree
        self._any_call = any_call
        self._all = all_values
        self._kinds = Kinds(tree)

    def found(self) -> Iterator[Spot]:
        yield from self._taken(self._tree, self._kinds.scopes[self._tree], False, False)

    def _taken(self, owner: ast.AST, scope: Scope, settled: bool, hashing: bool) -> Iterator[Spot]:
        """Yield what takes an order below a node.

        Args:
            owner: the node.
            scope: the names that it sees.
            settled: whether the order of what it makes does not matter.
            hashing: whether this is inside of a `__hash__`, where `hash` is as it should be.
        """
        if isinstance(owner, FUNCTIONS):
            hashing = owner.name == "__hash__"
            scope = self._kinds.scopes[owner]
        elif isinstance(owner, ast.ClassDef):
            scope = self._kinds.scopes[owner]
        elif isinstance(owner, COMPREHENSIONS):
            inner = self._kinds.inside(owner, scope)
            if not settled and not isinstance(owner, ast.SetComp):
                for part in owner.generators:
                    known = self._kinds.of(part.iter, inner) == SET
                    if known or self._all:
                        yield Spot(Place(part.iter.lineno, "for"), owner, part, known)
            scope = inner
        elif isinstance(owner, ast.Call):
            yield from self._taken_by_call(owner, scope, settled, hashing)
        elif not (settled and isinstance(owner, (ast.List, ast.Tuple))):
            for each in _gone_through(owner):
                known = self._kinds.of(each, scope) == SET
                if known or self._all:
                    yield Spot(Place(each.lineno, _WORDS[type(owner)]), owner, each, known)
        settles = _settles(owner, settled)
        for node in ast.iter_child_nodes(owner):
            yield from self._taken(node, scope, settles, hashing)

    def _taken_by_call(
        self, node: ast.Call, scope: Scope, settled: bool, hashing: bool
    ) -> Iterator[Spot]:
        name = called(node)
        kinds = {self._kinds.of(each, scope) for each in node.args}
        plain = isinstance(node.func, ast.Name)
        own = scope.kind("hash", (node.lineno, node.col_offset)) is not None
        if plain and name == "hash" and not (hashing or own or kinds <= {NUMBER}):
            yield Spot(Place(node.lineno, name), node, None, True)
        for keyword in node.keywords:
            ordered_by = getattr(keyword.value, "id", "")
            if keyword.arg == "key" and ordered_by in ("hash", "id"):
                yield Spot(Place(keyword.value.lineno, ordered_by), node, None, True)
        holder = node.func.value if isinstance(node.func, ast.Attribute) else None
        held = None if holder is None else self._kinds.of(holder, scope)
        if name == "pop" and not node.args and held == SET:
            yield Spot(Place(node.lineno, name), node, None, True)
        spread = [each.value for each in node.args if isinstance(each, ast.Starred)]
        known = any(self._kinds.of(each, scope) == SET for each in spread)
        if known or (spread and self._all):
            yield Spot(Place(node.lineno, "*"), node, None, known)
        settling = name in SETTLED and not _keyed(node)
        takes = name in TAKERS or name in SETTLED or self._any_call
        known = SET in kinds and takes
        if (known or self._all) and not settling and not (settled and name in _KEEPING):
            yield Spot(Place(node.lineno, name or "call"), node, None, known)


def _settles(node: ast.AST, settled: bool) -> bool:
    """Tell whether the order of what a node's parts make does not matter."""
    if isinstance(node, ast.Call):
        name = called(node)
        if name == "sum" and _sums_whole(node):
            return True
        return (name in SETTLED and not _keyed(node)) or (settled and name in _KEEPING)
    return settled and isinstance(node, (ast.BinOp, ast.IfExp, ast.Starred, ast.List, ast.Tuple))


def _gone_through(node: ast.AST) -> list[ast.expr]:
    """Return the parts of a node through which it goes in their order."""
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return [node.iter]
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], (ast.Tuple, ast.List)):
        return [node.value]
    if isinstance(node, (ast.YieldFrom, ast.FormattedValue)):
        return [node.value]
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
        return [node.value]
    if isinstance(node, (ast.List, ast.Tuple)):
        return [each.value for each in node.elts if isinstance(each, ast.Starred)]
    return []


def _keyed(node: ast.Call) -> bool:
    return any(each.arg == "key" for each in node.keywords)


def _sums_whole(node: ast.Call) -> bool:
    """Tell whether a sum is one of whole numbers for sure, whose order does not matter."""
    part = node.args[0] if node.args else None
    counted = part.elt if isinstance(part, (ast.GeneratorExp, ast.ListComp)) else None
    whole = isinstance(counted, ast.Constant) and isinstance(counted.value, int)
    return whole or isinstance(counted, ast.Compare) or called(counted or node) == "len"
