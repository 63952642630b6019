"""docs/determinism.md says what each adapter sets and what it can't do: nothing less."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from seedlock import registry
from seedlock.registry import REGISTRY
from seedlock.settings import Settings
from tests.interpreter import REPOSITORY

ADAPTERS = sorted(
    path for path in (REPOSITORY / "seedlock" / "adapters").glob("*.py")
    if path.stem != "__init__"
)  # fmt: skip
SHARED = [REPOSITORY / "seedlock" / name for name in ("eigen.py", "portable.py")]
PAGE = " ".join((REPOSITORY / "docs" / "determinism.md").read_text().split())

LONGEST_PIECE = 60
"""Characters of a gap's text that have to stand on the page, from its beginning on."""


@pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.name)
def test_each_variable_that_an_adapter_sets_is_on_the_page(entry: registry.Entry) -> None:
    """At any level, and with REPRO_TF32=off."""
    adapter = registry.import_adapter(entry)
    for level in ("seed", "warn", "strict", "portable"):
        tf32 = {} if level == "seed" else {"REPRO_TF32": "off"}
        given = {"REPRO_SEED": "7", "REPRO_LEVEL": level, **tf32}
        variables = adapter.environment(Settings(given))
        missing = {name for name in variables if name not in PAGE}
        assert not missing, (level, missing)


def flags_of(path: Path) -> set[str]:
    """Return what an adapter's `set_deterministic` assigns to, calls to set, or updates."""
    found = set()
    for function in ast.walk(ast.parse(path.read_text())):
        if not isinstance(function, ast.FunctionDef) or function.name != "set_deterministic":
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Assign):
                found |= {each.attr for each in node.targets if isinstance(each, ast.Attribute)}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if re.match("set_|enable_", node.func.attr):
                    found.add(node.func.attr)
                elif node.func.attr == "update" and isinstance(node.args[0], ast.Constant):
                    found.add(str(node.args[0].value))
    return {name for name in found if not name.startswith("_")}


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_each_flag_that_an_adapter_sets_is_on_the_page(path: Path) -> None:
    """By the library's own name for it."""
    assert {name for name in flags_of(path) if name not in PAGE} == set()


def test_flags_are_found_in_the_adapters() -> None:
    """The two that everybody knows, so that an empty set above says something."""
    torch = flags_of(REPOSITORY / "seedlock" / "adapters" / "torch.py")

    assert {"set_deterministic_debug_mode", "benchmark", "enable_flash_sdp"} <= torch
    assert len(torch) > 10


def gaps_of(path: Path) -> list[str]:
    """Return the longest plain piece of each gap that a file can report."""
    tree = ast.parse(path.read_text())
    named = {
        target.id: node.value
        for node in tree.body if isinstance(node, ast.Assign)
        for target in node.targets if isinstance(target, ast.Name)
    }  # fmt: skip
    texts: list[ast.expr] = [named["GAP"]] if "GAP" in named else []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            owner = ast.unparse(node.func.value)
            if node.func.attr == "gap" or (node.func.attr == "append" and owner.endswith("gaps")):
                texts.append(node.args[0])
        elif isinstance(node, ast.FunctionDef) and node.name == "gaps":
            for part in ast.walk(node):
                if isinstance(part, ast.List):
                    texts += part.elts
    found = []
    for text in texts:
        if isinstance(text, ast.Call) and isinstance(text.func, ast.Attribute):
            text = text.func.value  # CONSTANT.format(...)
        if isinstance(text, ast.Name):
            text = named.get(text.id, text)
        found += _pieces(text)
    return found


def _pieces(text: ast.expr) -> list[str]:
    if isinstance(text, ast.JoinedStr):
        plain = [str(each.value) for each in text.values if isinstance(each, ast.Constant)]
    elif isinstance(text, ast.Constant):
        plain = re.split(r"\{\w*\}", str(text.value))
    else:
        return []
    return [max(plain, key=len).strip()[:LONGEST_PIECE].strip()]


@pytest.mark.parametrize("path", [*ADAPTERS, *SHARED], ids=lambda path: path.stem)
def test_each_gap_of_an_adapter_is_on_the_page(path: Path) -> None:
    """In the words of the report, so that who looks for them finds them."""
    assert [each for each in gaps_of(path) if each not in PAGE] == []


def test_gaps_are_found_in_the_adapters() -> None:
    """Each way to write one: a list, a constant, an f-string."""
    found = {each for path in ADAPTERS for each in gaps_of(path)}

    assert len(found) >= 25
    assert "torch.compile compiles for the processor that it finds" in found
    assert "MXNet's generators are read for state_dict() only: no digest" in found
    assert "MXNet's generators can't be read here, for" in found
    assert any(each.startswith("shares tensors between") for each in found)


@pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.name)
def test_each_library_has_its_sources(entry: registry.Entry) -> None:
    """The page that its adapter begins with is linked, where there is one."""
    text = (REPOSITORY / "seedlock" / "adapters" / f"{entry.name}.py").read_text()
    source = re.search(r"[\w.]+\.\w+/[\w/._-]+\.?[\w/-]*", text.splitlines()[0])

    assert source is None or source.group().rstrip(").") in PAGE
