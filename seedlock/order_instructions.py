"""From the instructions that took an order from hashes to their places in the text.

Which instruction belongs to which place is told by its position in the text: CPython 3.11 compiles
each with that of the node that it is compiled from (PEP 657; Python/compile.c), and `ast` gives the
same positions. Other versions place some elsewhere, and inline comprehensions (PEP 709).
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections import Counter
from opcode import opname
from operator import itemgetter

from seedlock.hash_order import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import CodeType

    from seedlock.hash_order import Spot
    from seedlock.order_counts import Taken

    TakenBy = Iterable[tuple[CodeType, Mapping[Taken, int]]]
    """Code objects, and how often each of their instructions took an order."""
    Code = tuple[str, int, bytes, bytes]
    Position = tuple[int | None, int | None, int | None, int | None]
    Instruction = tuple[int, str, Position]

_CALLS = ("PRECALL", "CALL", "CALL_FUNCTION_EX")
"""Where a call of a function of C stands: as long as it is new, at the second; then at the first,
which does it whole."""
_INSIDE = ("FOR_ITER", "GET_ANEXT")
"""Instructions that a comprehension's own code has, and the code around it has not."""

_NAMES: dict[type[ast.AST], tuple[str, ...]] = {
    ast.For: ("GET_ITER",), ast.AsyncFor: ("GET_AITER",), ast.YieldFrom: ("GET_YIELD_FROM_ITER",),
    ast.Assign: ("UNPACK_SEQUENCE", "UNPACK_EX"), ast.AugAssign: ("BINARY_OP",),
    ast.List: ("LIST_EXTEND",), ast.Tuple: ("LIST_EXTEND",), ast.FormattedValue: ("FORMAT_VALUE",),
    ast.Call: _CALLS,
}  # fmt: skip
_SPREAD = ("CALL_FUNCTION_EX", "LIST_EXTEND")
"""Where a call goes through what it spreads: `f(*names)`, `f(1, *names)`."""
_SEVERAL = (ast.List, ast.Tuple, ast.FormattedValue)
"""Nodes whose parts all have an instruction at the node's own position: each comes right after its
part."""

_ALWAYS = {
    "FOR_ITER": "for", "UNPACK_SEQUENCE": "unpacking", "UNPACK_EX": "unpacking",
    "GET_YIELD_FROM_ITER": "yield from", "FORMAT_VALUE": "text", "STORE_SUBSCR": "[:] =",
    "BINARY_OP": "%",
}  # fmt: skip
"""Instructions that hand on an order wherever they stand: a chain of iterators that a loop goes
through, parts of a loop's target, a text's format."""


class Found:
    """What the code of one file was seen to do.

    Args:
        source: the file.
        file: its path.
        candidates: its nodes that would take an order if they met a set.
        taken: code objects with their instructions that took one, and how often each.

    Attributes:
        times: how often each place took an order.
        foreign: whether some of that code is not compiled from the file as it stands.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as compile.
    """

    def __init__(
        self,
        source: bytes,
        file: str,
        candidates: Iterable[Spot],
        taken: TakenBy,
    ) -> None:
        self.times: Counter[Place] = Counter()
        self.foreign = False
        # Not the tree: what is compiled from it may lie elsewhere (an f-string's parts).
        known = {_key(code) for code in _codes(compile(source, file, "exec", dont_inherit=True))}
        by_end: dict[tuple[int | None, int | None], list[Spot]] = {}
        for spot in candidates:
            by_end.setdefault(_end(_positioned(spot)), []).append(spot)
        for code, counts in taken:
            if _key(code) not in known:
                self.foreign = True
                continue
            instructions = list(_instructions(code))
            hashes = "__hash__" in code.co_qualname.split(".")  # as it should be
            for (what, offset), times in counts.items():
                if what == "hash" and hashes:
                    continue
                # A frame that calls a function of Python stands at the end of its call's cache.
                at = bisect_right(instructions, offset, key=itemgetter(0)) - 1
                line, end_line, _, end_column = instructions[at][2]
                if line is None or end_column is None:  # PYTHONNODEBUGRANGES
                    self.foreign = True
                    continue
                near = by_end.get((end_line, end_column), [])
                for place in _places(near, instructions, at, what, line):
                    self.times[place] += times


def _places(
    near: list[Spot], instructions: list[Instruction], at: int, what: str, line: int
) -> set[Place]:
    """Return the places to which an instruction belongs that took an order.

    Args:
        near: nodes that end where it does.
        instructions: those of its code object.
        at: its index.
        what: what took the order, empty for an iterator.
        line: its own.
    """
    if what:
        known = {spot.place for spot in near if spot.known and spot.place.function == what}
        return known or {Place(line, what)}
    here = [spot for spot in near if _is_taken_by(spot, instructions, at)]
    if here:
        return {spot.place for spot in here if spot.known} or {here[0].place}
    word = _ALWAYS.get(instructions[at][1])
    return {Place(line, word)} if word else set()


def _is_taken_by(spot: Spot, instructions: list[Instruction], at: int) -> bool:
    owner = spot.owner
    offset, name, position = instructions[at]
    if isinstance(spot.part, ast.comprehension):
        return offset in _of_comprehension(instructions, owner, spot.part)
    spreads = isinstance(owner, ast.Call) and spot.place.function == "*"
    names = _SPREAD if spreads else _NAMES[type(owner)]
    if name not in names or not _is_at(position, _positioned(spot)):
        return False
    before = instructions[at - 1][2] if at else (None, None, None, None)
    return not isinstance(owner, _SEVERAL) or _is_within(before, spot.part)


def _positioned(spot: Spot) -> ast.AST:
    """Return the node at whose position a spot's instructions are."""
    return spot.owner.targets[0] if isinstance(spot.owner, ast.Assign) else spot.owner


def _end(node: ast.AST) -> tuple[int | None, int | None]:
    return node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]


def _of_comprehension(
    instructions: list[Instruction], owner: ast.AST, part: ast.comprehension
) -> list[int]:
    generators: list[ast.comprehension] = owner.generators  # type: ignore[attr-defined]
    here = [each for each in instructions if _is_at(each[2], owner)]
    offsets = [offset for offset, name, _ in here if name == "GET_ITER"]
    if not any(name in _INSIDE for _, name, _ in here):
        return offsets if part is generators[0] else []  # the code around it
    inner = [each for each in generators[1:] if not each.is_async and not _is_one(each.iter)]
    return [offset for offset, each in zip(offsets, inner, strict=False) if each is part]


def _is_one(node: ast.expr) -> bool:
    """Tell whether a comprehension assigns what it would go through: `for y in [f(x)]`."""
    alone = isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) == 1
    return alone and not isinstance(node.elts[0], ast.Starred)  # type: ignore[attr-defined]


def _is_at(position: Position, node: ast.AST) -> bool:
    line, end_line, column, end_column = position
    if (end_line, end_column) != (node.end_lineno, node.end_col_offset):  # type: ignore[attr-defined]
        return False
    if isinstance(node, ast.Call):
        # That of a method begins at its name; that of a generator expression which is the only
        # argument begins after the function.
        function = node.func
        return (line or 0, column or 0) < (function.end_lineno or 0, function.end_col_offset or 0)
    return (line, column) == (node.lineno, node.col_offset)  # type: ignore[attr-defined]


def _is_within(position: Position, node: ast.AST | None) -> bool:
    line, end_line, column, end_column = position
    if node is None or line is None or end_line is None or column is None or end_column is None:
        return False
    first = (node.lineno, node.col_offset)  # type: ignore[attr-defined]
    last = (node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
    return first <= (line, column) and (end_line, end_column) <= last


def _instructions(code: CodeType) -> Iterator[Instruction]:
    """Yield the offset of each instruction, its name and position."""
    raw = code.co_code
    for index, position in enumerate(code.co_positions()):
        name = opname[raw[2 * index]]
        if name not in ("CACHE", "NOP", "EXTENDED_ARG"):
            yield 2 * index, name, position


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, type(code)):
            yield from _codes(each)


def _key(code: CodeType) -> Code:
    return code.co_name, code.co_firstlineno, code.co_code, code.co_linetable
