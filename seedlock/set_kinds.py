"""What holds a set in a program's text: kinds of values, followed through names, attributes,
annotations and what functions return, within one file."""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    At: TypeAlias = tuple[int, int]
    Def: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

SET, NUMBERS, SETS, NUMBER, OTHER = "set", "set of numbers", "sets", "number", "other"
"""What is known of a value. A number's hash follows from it: a set of numbers has one order. SETS
holds sets: a list of them, or a dict with sets as its values."""

MAKERS = ("set", "frozenset")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

_END = (1 << 30, 0)
_ALGEBRA = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
_METHODS = ("union", "intersection", "difference", "symmetric_difference", "copy")
_TYPES = ("set", "frozenset", "Set", "FrozenSet", "AbstractSet", "MutableSet")
_HOLDERS = ("dict", "list", "Dict", "List", "DefaultDict", "defaultdict", "Mapping", "Sequence")
_NUMERIC = ("int", "float", "bool", "len", "ord", "round", "abs")


class Scope:
    """Names of a function, class, comprehension or module: where each got which kind.

    Args:
        parent: the scope around it.
        here: whether its code runs where it stands, as that of a comprehension does.
    """

    def __init__(self, parent: Scope | None = None, here: bool = False) -> None:
        self.parent = parent
        self._here = here
        self.names: dict[str, list[tuple[At, str]]] = {}

    def kind(self, name: str, at: At) -> str | None:
        """Return what a name holds at a place of the text: what it got last before it; None for
        a name that the file gives nothing."""
        if name not in self.names:
            after = at if self._here else _END
            return None if self.parent is None else self.parent.kind(name, after)
        held = self.names[name]
        return next((kind for given, kind in reversed(held) if given <= at), held[0][1])


class Kinds:
    """What the values of a file's expressions are, as far as its text tells.

    Attributes:
        scopes: the names of the module and of each function.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.scopes: dict[ast.AST, Scope] = {tree: Scope()}
        self._attributes: dict[str, set[str]] = {}
        self._returned: dict[str, str] = {}
        self._learn(tree, self.scopes[tree])

    def inside(self, node: ast.AST, scope: Scope) -> Scope:
        """Return the names that a comprehension sees."""
        inner = Scope(scope, here=True)
        for each in getattr(node, "generators", ()):
            self._give_each(each.target, each.iter, inner)
        return inner

    def _learn(self, owner: ast.AST, scope: Scope) -> None:
        """Note what names and attributes are given, below a node, statement by statement."""
        for node in ast.iter_child_nodes(owner):
            if isinstance(node, FUNCTIONS):
                self._learn_function(node, scope)
            elif isinstance(node, ast.ClassDef):
                inner = self.scopes[node] = Scope(scope, here=True)
                self._learn(node, inner)
                for name, held in inner.names.items():
                    self._attributes.setdefault(name, set()).update(kind for _, kind in held)
            elif not isinstance(node, (ast.Lambda, *COMPREHENSIONS)):  # names of their own
                self._learn_statement(node, scope)
                self._learn(node, scope)

    def _learn_statement(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, (ast.For, ast.AsyncFor)):
            self._give_each(node.target, node.iter, scope)
        elif isinstance(node, ast.alias):
            name = (node.asname or node.name).partition(".")[0]
            scope.names.setdefault(name, []).append((_after(node), OTHER))
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            kind = OTHER if node.value is None else self.of(node.value, scope)
            if isinstance(node, ast.AnnAssign):
                said = _annotated(node.annotation)
                kind = kind if said == OTHER else said
            empty = isinstance(node.value, ast.Constant) and node.value.value is None
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if not (empty and kind == OTHER and isinstance(target, ast.Attribute)):
                    self._give(target, kind, scope, _after(node))

    def _learn_function(self, node: Def, outer: Scope) -> None:
        scope = self.scopes[node] = Scope(outer)
        given = node.args
        for each in (*given.posonlyargs, *given.args, *given.kwonlyargs):
            scope.names[each.arg] = [((node.lineno, 0), _annotated(each.annotation))]
        self._learn(node, scope)
        kinds = {_annotated(node.returns)} | {
            self.of(each.value, scope)
            for each in ast.walk(node)
            if isinstance(each, ast.Return) and each.value is not None and node.returns is None
        }
        self._returned[node.name] = next((kind for kind in (SET, SETS) if kind in kinds), OTHER)

    def _give(self, target: ast.expr, kind: str, scope: Scope, at: At) -> None:
        if isinstance(target, ast.Name):
            scope.names.setdefault(target.id, []).append((at, kind))
        elif isinstance(target, ast.Attribute):
            self._attributes.setdefault(target.attr, set()).add(kind)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for each in target.elts:
                self._give(each, OTHER, scope, at)

    def _give_each(self, target: ast.expr, source: ast.expr, scope: Scope) -> None:
        """Note what the target of a loop gets."""
        maker = source.func if isinstance(source, ast.Call) else None
        method = maker.attr if isinstance(maker, ast.Attribute) else ""
        held = self.of(maker.value if isinstance(maker, ast.Attribute) else source, scope)
        at = _after(source)
        self._give(target, NUMBER if self._counts(source, scope) else OTHER, scope, at)
        if held == SETS and method == "items" and isinstance(target, ast.Tuple):
            self._give(target.elts[-1], SET, scope, at)
        elif held == SETS and method in ("", "values"):
            self._give(target, SET, scope, at)

    def _counts(self, source: ast.expr, scope: Scope) -> bool:
        """Tell whether going through `source` gives numbers."""
        if isinstance(source, (ast.List, ast.Tuple)):
            return all(self.of(each, scope) == NUMBER for each in source.elts)
        return called(source) == "range" or self.of(source, scope) == NUMBERS

    def of(self, node: ast.expr, scope: Scope) -> str:
        """Return the kind of an expression's value."""
        if isinstance(node, ast.Name):
            return scope.kind(node.id, (node.lineno, node.col_offset)) or OTHER
        if isinstance(node, ast.Attribute):
            kinds = self._attributes.get(node.attr, set())
            return next(iter(kinds)) if len(kinds) == 1 else OTHER
        if isinstance(node, ast.Constant):
            return NUMBER if isinstance(node.value, (int, float, complex)) else OTHER
        if isinstance(node, ast.Set):
            return NUMBERS if all(self.of(e, scope) == NUMBER for e in node.elts) else SET
        if isinstance(node, (ast.SetComp, ast.ListComp, ast.DictComp)):
            return self._made(node, scope)
        if isinstance(node, (ast.List, ast.Dict)):
            values = node.elts if isinstance(node, ast.List) else node.values
            return SETS if SET in {self.of(each, scope) for each in values} else OTHER
        if isinstance(node, ast.UnaryOp):
            return self.of(node.operand, scope)
        if isinstance(node, ast.BinOp):
            return self._combined(node, scope)
        if isinstance(node, (ast.IfExp, ast.BoolOp)):
            parts = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
            kinds = {self.of(each, scope) for each in parts}
            return SET if SET in kinds else kinds.pop() if len(kinds) == 1 else OTHER
        if isinstance(node, ast.NamedExpr):
            return self.of(node.value, scope)
        if isinstance(node, ast.Subscript):
            return SET if self.of(node.value, scope) == SETS else OTHER
        return self._of_call(node, scope) if isinstance(node, ast.Call) else OTHER

    def _made(self, node: ast.SetComp | ast.ListComp | ast.DictComp, scope: Scope) -> str:
        inner = self.inside(node, scope)
        kind = self.of(node.value if isinstance(node, ast.DictComp) else node.elt, inner)
        if isinstance(node, ast.SetComp):
            return NUMBERS if kind == NUMBER else SET
        return SETS if kind == SET else OTHER

    def _combined(self, node: ast.BinOp, scope: Scope) -> str:
        kinds = {self.of(node.left, scope), self.of(node.right, scope)}
        if kinds <= {NUMBER} or kinds <= {NUMBERS}:
            return kinds.pop()
        fewer = isinstance(node.op, ast.Sub) and self.of(node.left, scope) == NUMBERS
        if fewer or (isinstance(node.op, ast.BitAnd) and NUMBERS in kinds):
            return NUMBERS
        keys = any(called(side) in ("keys", "items") for side in (node.left, node.right))
        return SET if isinstance(node.op, _ALGEBRA) and (keys or kinds & {SET, NUMBERS}) else OTHER

    def _of_call(self, node: ast.Call, scope: Scope) -> str:
        name = called(node)
        if isinstance(node.func, ast.Attribute):
            held = self.of(node.func.value, scope)
            if held in (SET, NUMBERS) and name in _METHODS:
                return NUMBERS if held == NUMBERS and name != "union" else SET
            if held == SETS and name in ("get", "pop", "setdefault"):
                return SET
        elif name in _NUMERIC:
            return NUMBER
        elif name in MAKERS:
            return NUMBERS if node.args and self._counts(node.args[0], scope) else SET
        if name == "defaultdict" and node.args:
            made = node.args[0]
            maker = made.body if isinstance(made, ast.Lambda) else made
            known = called(maker) if isinstance(maker, ast.Call) else getattr(maker, "id", "")
            return SETS if known in MAKERS else OTHER
        return self._returned.get(name, OTHER)


def _annotated(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return _annotated(ast.parse(node.value, mode="eval").body)
        except SyntaxError:
            return OTHER
    if isinstance(node, ast.BinOp):  # set[str] | None
        kinds = {_annotated(node.left), _annotated(node.right)} - {OTHER}
        return kinds.pop() if len(kinds) == 1 else OTHER
    inner = node.slice if isinstance(node, ast.Subscript) else None
    outer = node.value if isinstance(node, ast.Subscript) else node
    name = getattr(outer, "attr", getattr(outer, "id", ""))
    if name in _TYPES:
        return NUMBERS if getattr(inner, "id", "") in ("int", "float", "bool") else SET
    last = inner.elts[-1] if isinstance(inner, ast.Tuple) and inner.elts else inner
    if name in _HOLDERS and last is not None:
        return SETS if _annotated(last) == SET else OTHER
    if name == "Optional":
        return _annotated(inner)
    return NUMBER if name in ("int", "float", "bool") else OTHER


def _after(node: ast.stmt | ast.expr | ast.alias) -> At:
    """Return where the text of a node ends: from there on it has given what it gives."""
    return (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)


def called(node: ast.AST) -> str:
    """Return the name of the function or method that a call calls, empty for what is no call."""
    function = getattr(node, "func", None)
    return str(getattr(function, "attr", getattr(function, "id", "")))
