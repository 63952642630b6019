"""Where a program goes through a set on the way to a line: its order depends on hashes and, for
objects without a hash of their own, on addresses.

A guess from the text alone: assignments are followed backwards by name, within one function.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAKERS = ("set", "frozenset")
ORDERLESS = (*MAKERS, "sorted", "len", "min", "max", "any", "all", "bool", "isinstance", "print")
"""Functions whose result does not depend on the order of a set that they are given."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def set_on_the_way(lines: Sequence[str], line: int) -> int | None:
    """Return the number of the nearest line, `line` or one before it, at which a set is iterated
    and of which what is used at `line` was made; None where there is none.

    Args:
        lines: a file of Python code.
        line: number of one of them, from 1.
    """
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    sets = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None
        if _is_set(node.value, ())
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    steps = sorted(_steps(_scope(tree, line)), key=lambda step: step[0].lineno, reverse=True)
    wanted: set[str] | None = None
    for node, targets, value in steps:
        if node.lineno > line:
            continue
        here = wanted is None and (value.end_lineno or node.lineno) >= line
        if here or (wanted is not None and wanted & targets):
            loop = isinstance(node, (ast.For, ast.AsyncFor))
            if (loop and _is_set(value, sets)) or _iterates(value, sets):
                return node.lineno
            wanted = (wanted or set()) | _names(value)
    return None


def _scope(tree: ast.Module, line: int) -> ast.AST:
    """Return the innermost function that holds a line, or the module."""
    found: ast.AST = tree
    for node in ast.walk(tree):  # outer ones come first
        if isinstance(node, _FUNCTIONS[:2]) and node.lineno <= line <= (node.end_lineno or 0):
            found = node
    return found


def _steps(scope: ast.AST) -> Iterator[tuple[ast.stmt, set[str], ast.expr]]:
    """Yield statements, the names that they give a value to, and that value."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, _FUNCTIONS):
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


def _iterates(value: ast.expr, sets: set[str]) -> bool:
    for node in ast.walk(value):
        if isinstance(node, ast.comprehension) and _is_set(node.iter, sets):
            return True
        if isinstance(node, ast.Starred) and _is_set(node.value, sets):
            return True
        given = node.args if isinstance(node, ast.Call) else []
        if _called(node) not in ORDERLESS and any(_is_set(each, sets) for each in given):
            return True
    return False


def _is_set(node: ast.expr, sets: set[str] | tuple[()]) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_set(node.left, sets) or _is_set(node.right, sets)
    if isinstance(node, ast.Name):
        return node.id in sets
    return isinstance(node, (ast.Set, ast.SetComp)) or _called(node) in MAKERS


def _called(node: ast.AST) -> str:
    return str(getattr(getattr(node, "func", None), "id", ""))


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
