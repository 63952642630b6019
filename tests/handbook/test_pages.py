"""The marks of all pages are honest: what is not run says why, and names the test that does it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.handbook.page import BadPage, Block, name_of, pages, parse, read
from tests.handbook.shares import SHARES
from tests.interpreter import REPOSITORY

ALONE = (
    "needs a GPU",
    "needs a cluster",
    "needs a registry",
    "needs the public network",
    "needs root",
)
"""Reasons that need no test: no machine that runs the tests has these."""

MINUTES = re.compile(r"takes minutes: make ([a-z-]+)")
"""The other one: a target of make does it, and not the gate."""


def faults(block: Block, targets: set[str]) -> list[str]:
    """Return what is wrong with the reason for which a block is not run."""
    if block.reason is None:
        return []
    found = [f"there is no test {each}" for each in block.seen_by if not exists(each)]
    minutes = MINUTES.match(block.reason)
    if minutes and minutes[1] not in targets:
        found.append(f"there is no make {minutes[1]}")
    if not block.seen_by and not minutes and not block.reason.startswith(ALONE):
        found.append(
            f"{block.reason!r} names no test that does it; "
            f"without one: {', '.join(ALONE)}, takes minutes: make TARGET"
        )
    return found


def exists(test: str) -> bool:
    """Tell whether a test, `tests/x/test_y.py::test_z`, is there."""
    name, _, function = test.partition("::")
    file = REPOSITORY / name
    if not (name.startswith("tests/") and function.startswith("test_") and file.is_file()):
        return False
    tree = ast.parse(file.read_text())
    return any(isinstance(node, ast.FunctionDef) and node.name == function for node in tree.body)


def make_targets() -> set[str]:
    """Return what `make` can be asked for."""
    return set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_what_is_not_run_says_why(page: Path) -> None:
    """A reason of a short list, or the name of a test that is there."""
    targets = make_targets()

    for block in read(page):
        found = faults(block, targets)
        assert not found, f"{name_of(page)}:{block.line}: {'; '.join(found)}"


@pytest.mark.parametrize(
    "mark",
    [
        "not run: no time",
        "not run: needs an engine; seen by tests/image/test_author.py::test_nothing_of_this_name",
        "not run: needs an engine; seen by tests/image/no_such_file.py::test_package_on_top",
        "not run: needs an engine; seen by tests/image/test_author.py",
        "not run: takes minutes: make no-such-target",
    ],
)
def test_a_dishonest_mark_is_found(mark: str) -> None:
    """Positive controls: no reason of the list, no such test, file, function or target."""
    (block,) = parse(f"<!-- {mark} -->\n```sh\nfalse\n```\n", "small.md")

    assert faults(block, make_targets())


@pytest.mark.parametrize(
    "mark",
    [
        "not run: needs a GPU",
        "not run: needs an engine; seen by tests/image/test_author.py::test_package_on_top",
        "not run: takes minutes: make demo",
    ],
)
def test_an_honest_mark_is_taken(mark: str) -> None:
    """The same with a reason, a test and a target that are there."""
    (block,) = parse(f"<!-- {mark} -->\n```sh\nfalse\n```\n", "small.md")

    assert block.reason and not faults(block, make_targets())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<!-- not run: -->\n```sh\nls\n```\n", "no reason"),
        ("<!-- run: statsu=1 -->\n```sh\nls\n```\n", "allowed: in, status, with"),
        ("<!-- run: status=one -->\n```sh\nls\n```\n", "status=NUMBER"),
        ("<!-- run: with=no/such -->\n```sh\nls\n```\n", "no folder"),
        ("<!-- run: status=1 -->\n\n```sh\nls\n```\n", "no block begins below"),
        ("<!-- run: status=1 -->\n```toml\na = 1\n```\n", "is run"),
        ("<!-- run: status=1\n-->\n```sh\nls\n```\n", "does not end on its line"),
        ("```bash\nls\n```\n", "a block of 'bash'"),
        ("```text\n$ ls\n```\n", "call it console"),
        ("```\n$ ls\n```\n", "call it console"),
        ("```console\nls\n```\n", "without a command"),
        ("```sh\nls\n", "without an end"),
        ("```sh\ncat <<END\nls\n```\n", "without an end"),
    ],
)
def test_a_page_that_can_not_be_read_is_named(text: str, told: str) -> None:
    """Nothing is passed over: a mark with a slip, or commands where nobody looks for them."""
    with pytest.raises(BadPage, match=re.escape(told)) as caught:
        parse(text, "small.md")

    assert str(caught.value).startswith("small.md:1: ") or "here-document" in str(caught.value)


def test_each_page_is_run_by_one_file() -> None:
    """No page is left out, and none is run twice."""
    for page in pages():
        taken = [name for name, condition in SHARES.items() if condition(name_of(page))]
        assert len(taken) == 1, name_of(page)

    files = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    assert files >= SHARES.keys()
