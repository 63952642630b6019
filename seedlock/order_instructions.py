"""The instructions by which a file's code takes an order from hashes.

Which instruction belongs to which place is told by its position in the text: CPython 3.11 compiles
each with that of the node that it is compiled from (PEP 657; Python/compile.c), and `ast` gives the
same positions. Other versions place some elsewhere, and inline comprehensions (PEP 709).
"""

from __future__ import annotations

import ast
import sys
from opcode import opname

from seedlock.hash_order import Place, Spot, spots

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

    Code = tuple[str, int, bytes, bytes]
    Position = tuple[int | None, int | None, int | None, int | None]
    Instruction = tuple[int, str, Position]
    Taking = dict[int, list[Place]]

KNOWN = sys.implementation.name == "cpython" and sys.version_info[:2] == (3, 11)
"""Whether this interpreter's instructions are those that are known here."""

_CALLS = ("CALL", "CALL_FUNCTION_EX")
_INSIDE = ("FOR_ITER", "GET_ANEXT")
"""Instructions that a comprehension's own code has, and the code around it has not."""

_NAMES: dict[type[ast.AST], tuple[str, ...]] = {
    ast.For: ("GET_ITER",), ast.AsyncFor: ("GET_AITER",), ast.YieldFrom: ("GET_YIELD_FROM_ITER",),
    ast.Assign: ("UNPACK_SEQUENCE", "UNPACK_EX"), ast.AugAssign: ("BINARY_OP",),
    ast.List: ("LIST_EXTEND",), ast.Tuple: ("LIST_EXTEND",), ast.FormattedValue: ("FORMAT_VALUE",),
    ast.Call: _CALLS,
}  # fmt: skip
_SEVERAL = (ast.List, ast.Tuple, ast.FormattedValue)
"""Nodes whose parts all have an instruction at the node's own position: each comes right after its
part."""


class Instructions:
    """The instructions of one file.

    Attributes:
        unknown: places of which not every instruction was found, as where code can't be reached.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as ast.parse and compile.
    """

    def __init__(self, source: bytes, file: str) -> None:
        self._spots = spots(ast.parse(source))
        self._codes: dict[Code, Taking] = {}
        found: set[Spot] = set()
        # Not the tree: what is compiled from it may lie elsewhere (an f-string's parts).
        for code in _codes(compile(source, file, "exec", dont_inherit=True)) if self._spots else ():
            taking: Taking = {}
            for offset, spot in self._taken(code):
                found.add(spot)
                taking.setdefault(offset, []).append(spot.place)
            self._codes[_key(code)] = taking
        self.unknown = {spot.place for spot in self._spots if spot not in found}

    def of(self, code: CodeType) -> Taking | None:
        """Return the offsets at which a code object takes orders, each with its places; None where
        it is not compiled from this file as it stands."""
        return self._codes.get(_key(code)) if self._spots else {}

    def _taken(self, code: CodeType) -> Iterator[tuple[int, Spot]]:
        instructions = list(_instructions(code))
        for spot in self._spots:
            owner = spot.owner
            if isinstance(spot.part, ast.comprehension):
                for offset in _of_comprehension(instructions, owner, spot.part):
                    yield offset, spot
                continue
            names = _NAMES[type(owner)]
            where = owner.targets[0] if isinstance(owner, ast.Assign) else owner
            before: Position = (None, None, None, None)
            for offset, name, position in instructions:
                alone = not isinstance(owner, _SEVERAL) or _is_within(before, spot.part)
                if name in names and alone and _is_at(position, where):
                    yield offset, spot
                before = position


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
    """Yield the offset at which a trace function meets an instruction, its name and position."""
    raw = code.co_code
    prefix: int | None = None
    for index, position in enumerate(code.co_positions()):
        offset = 2 * index
        name = opname[raw[offset]]
        if name == "EXTENDED_ARG":
            prefix = offset if prefix is None else prefix
        elif name not in ("CACHE", "NOP"):
            yield (offset if prefix is None else prefix), name, position
            prefix = None


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, type(code)):
            yield from _codes(each)


def _key(code: CodeType) -> Code:
    return code.co_name, code.co_firstlineno, code.co_code, code.co_linetable
