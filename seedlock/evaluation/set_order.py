"""Where a program goes through a set on the way to a line: its order depends on hashes and, for
objects without a hash of their own, on addresses.

A guess from the text alone: assignments are followed backwards by name, within one function.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from seedlock.hash_order import places
from seedlock.set_kinds import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PASSING = ("hash", "print", "text")
"""What takes an order and hands none on to what is computed after it."""


def set_on_the_way(lines: Sequence[str], line: int) -> int | None:
    """Return the number of the nearest line, `line` or one before it, at which a set is iterated
    and of which what is used at `line` was made; None where there is none.

    Args:
        lines: a file of Python code.
        line: number of one of them, from 1.
    """
    try:
        tree = ast.parse("".join(lines))
        found = places(tree, any_call=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    taken = {place.line for place in found if place.function not in _PASSING}
    steps = sorted(_steps(_scope(tree, line)), key=lambda step: step[0].lineno, reverse=True)
    wanted: set[str] | None = None
    for node, targets, value in steps:
        if node.lineno > line:
            continue
        end = value.end_lineno or node.lineno
        here = wanted is None and end >= line
        if here or (wanted is not None and wanted & targets):
            if not taken.isdisjoint(range(node.lineno, end + 1)):
                return node.lineno
            wanted = (wanted or set()) | _names(value)
    return None


def _scope(tree: ast.Module, line: int) -> ast.AST:
    """Return the innermost function that holds a line, or the module."""
    found: ast.AST = tree
    for node in ast.walk(tree):  # outer ones come first
        if isinstance(node, FUNCTIONS) and node.lineno <= line <= (node.end_lineno or 0):
            found = node
    return found


def _steps(scope: ast.AST) -> Iterator[tuple[ast.stmt, set[str], ast.expr]]:
    """Yield statements, the names that they give a value to, and that value."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            continue
        if isinstance(node, ast.Assign):
            yield node, set().union(*map(_names, node.targets)), node.value
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and node.value is not None:
            yield node, _names(node.target), node.value
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            yield node, _names(node.target), node.iter
        elif isinstance(node, (ast.Expr, ast.Return)) and node.value is not None:
            yield node, set(), node.value
        yield from _steps(node)


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
