"""hash_order.py, set_kinds.py: lines that take an order from hashes are named in the report."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any

import pytest

from seedlock.hash_order import places
from seedlock.order_sites import LOCKED, MOST, OPEN, TEXT
from tests.interpreter import REPOSITORY, python, reports

CONTROLS = REPOSITORY / "tests" / "controls"


@pytest.mark.parametrize(
    ("line", "function"),
    [
        ("for name in set(words): fit(name)", "for"),
        ("index = {name: i for i, name in enumerate({w.lower() for w in words})}", "enumerate"),
        ("rows = [table[name] for name in {'a', 'b'} | more]", "for"),
        ("first = list(set(words) - {'a'})[0]", "list"),
        ("text = ','.join(frozenset(words))", "join"),
        ("loss = sum(part.loss for part in {a, b})", "for"),
        ("ties = max(set(labels), key=labels.count)", "max"),
        ("ties = sorted(set(words), key=len)", "sorted"),
        ("ties = min([name for name in set(words)], key=len)", "for"),
        ("pairs = sorted(enumerate(set(words)))", "enumerate"),
        ("a, b = {'x', 'y'}", "unpacking"),
        ("rows += {'x', 'y'}", "+="),
        ("rows = [*set(words)]", "*"),
        ("fit(*set(words))", "*"),
        ("print(f'{set(words)}')", "text"),
        ("one = set(words).pop()", "pop"),
        ("left = list(table.keys() - done)", "list"),
        ("bucket = hash(name) % 8", "hash"),
        ("rows.sort(key=hash)", "hash"),
        ("rows = sorted(rows, key=id)", "id"),
        ("order = dict.fromkeys(set(words))", "fromkeys"),
    ],
)
def test_what_takes_an_order_is_found(line: str, function: str) -> None:
    """Whatever hands on the order of a set, and hashes that become numbers or an order."""
    assert places(ast.parse(line)) == [(1, function)]


@pytest.mark.parametrize(
    "line",
    [
        "for name in sorted(set(words)): fit(name)",
        "n = len(list(set(words))) + len({'a', 'b'} | more)",
        "known = all(name in table for name in set(words))",
        "n = sum(1 for name in set(words)) + sum(len(n) for n in set(words))",
        "kept = {name.lower() for name in set(words)}",
        "order = sorted(map(str.lower, filter(None, set(words))))",
        "if 'a' in {'a', 'b'}: fit()",
        "for i in {1, 2, 3} - {2}: fit(i)",
        "for i in {i * 2 for i in range(9)} | set(range(4)): fit(i)",
        "for i in set([1, 2]): fit(i)",
        "for name in {'a': 1}: fit(name)",
        "bucket = hash(3)",
        "from mine import hash\nhash(name)",
        "class A:\n    def __hash__(self): return hash((self.a, self.b))",
        "row = rows.pop()",
        "best = max(set(scores))",
    ],
)
def test_what_takes_none_is_not(line: str) -> None:
    """Sorted, counted, looked up in, made of numbers, or another function by that name."""
    assert places(ast.parse(line)) == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("words = set(read())\nwords = list(words)\nfor word in words: fit(word)", [2]),
        ("words = set(read())\nwords = sorted(words)\nfor word in words: fit(word)", []),
        ("words = set(read())\nrows = [f(word) for word in words]\nwords = sorted(words)", [2]),
        ("words = {'a', 'b'}\ndef main():\n    for word in words: fit(word)", [3]),
        ("words = {'a', 'b'}\ndef main(words):\n    for word in words: fit(word)", []),
        ("def f(words: set[str] | None, n: 'frozenset[int]'):\n    fit(*words)\n    fit(*n)", [2]),
        ("def words() -> set[str]: ...\nfor word in words(): fit(word)", [2]),
        ("def words():\n    found = set()\n    return found\nrows = list(words())", [4]),
        ("class A:\n    def __init__(self):\n        self.a = None\n        self.b = 1\n"
         "    def fit(self):\n        self.a = set(w)\n        return list(self.a)", [7]),
        ("@dataclass\nclass A:\n    b: set[str]\n    def fit(self): return list(self.b)", [4]),
        ("g = defaultdict(set)\nfor v in g:\n    for n in g[v]: fit(n)", [3]),
        ("g: dict[str, set[str]] = {}\nfor k, v in g.items():\n    fit(k, list(v))", [3]),
        ("groups = [set() for _ in range(3)]\nfor g in groups:\n    for n in g: fit(n)", [3]),
        ("if (names := set(words)):\n    for name in names: fit(name)", [2]),
        ("names = old or set(words)\nfor name in names.union(more): fit(name)", [2]),
    ],
)  # fmt: skip
def test_sets_are_followed_by_name(text: str, lines: list[int]) -> None:
    """Through assignments in the order of the text, attributes, annotations, what functions
    return, and sets that a dict or list holds."""
    assert [place.line for place in places(ast.parse(text))] == lines


def hash_order(folder: Path) -> list[Any]:
    """Return that part of each finished report."""
    return [each["hash_order"] for each in reports(folder) if each["status"] == "finished"]


@pytest.mark.parametrize(
    ("file", "line", "function"),
    [
        ("set_of_text.py", 3, "list"),
        ("set_of_objects.py", 10, "for"),
        ("hash_of_text.py", 4, "hash"),
    ],
)  # fmt: skip
def test_the_report_names_the_line(file: str, line: int, function: str, tmp_path: Path) -> None:
    """Of each control whose result is an order by hashes, with what is done about it."""
    program = CONTROLS / file

    python(str(program), REPRO_SEED="7", REPRO_REPORT=str(tmp_path / "strict"))
    python(str(program), REPRO_SEED="7", REPRO_LEVEL="watch", REPRO_REPORT=str(tmp_path / "watch"))

    (found,), (watched,) = hash_order(tmp_path / "strict"), hash_order(tmp_path / "watch")
    (site,) = found["sites"]
    assert (site["where"], site["function"]) == (f"{program}:{line}", function)
    assert site["line"] == program.read_text().splitlines()[line - 1].strip()
    assert site["policy"] in (LOCKED, TEXT)
    random = reports(tmp_path / "strict")[0]["machine"]["address_randomisation"]
    assert (site["policy"] == LOCKED) == (random is False)
    assert [each["policy"] for each in watched["sites"]] == [OPEN]
    assert (found["files"], found["more"]) == (1, 0)


def test_files_of_the_authors_only_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    """Modules that the program imports count, libraries do not; a file that can't be read any more
    and one beyond the limit are counted as not looked at."""
    (tmp_path / "mine.py").write_text("def f(a: set[str]):\n    return list(a)\n")
    (tmp_path / "gone.py").write_text("import os\nos.unlink(__file__)\n")
    (tmp_path / "long.py").write_text("#" * MOST + "\nx = 1\n")
    program = tmp_path / "program.py"
    program.write_text("import argparse, gone, long, mine, random\nlist({'a', 'b'})\n")

    python(str(program), REPRO_SEED="7", REPRO_REPORT=str(tmp_path / "reports"))

    (found,) = hash_order(tmp_path / "reports")
    assert [each["where"] for each in found["sites"]] == [
        f"{program}:2", f"{tmp_path / 'mine.py'}:2",
    ]  # fmt: skip
    assert (found["files"], found["more"]) == (2, 2)


def test_a_forked_child_leaves_its_parents_files_to_it(tmp_path: Path) -> None:
    """A loader's workers, one set an epoch, must not each read the program again; what a child
    imports itself, it tells."""
    (tmp_path / "late.py").write_text("x = list({'a', 'b'})\n")
    program = tmp_path / "program.py"
    program.write_text(
        "import os\nx = list({'c'})\nif os.fork() == 0:\n    import late\n    os._exit(0)\n"
        "os.wait()\n"
    )

    python(str(program), REPRO_SEED="7", REPRO_REPORT=str(tmp_path / "reports"))

    named = [
        [os.path.basename(site["where"]) for site in each["hash_order"]["sites"]]
        for each in sorted(
            reports(tmp_path / "reports"), key=lambda each: each["process"]["lineage"]
        )
    ]
    assert named == [["program.py:2"], ["late.py:1"]]


def test_a_run_without_a_report_is_spared_it(tmp_path: Path) -> None:
    """Neither the start nor the end of a process loads what looks at files; with a report, it is
    not loaded before the end."""
    code = (
        "import atexit, sys\n"
        "wanted = {'ast', 'seedlock.hash_order', 'seedlock.order_sites', 'seedlock.set_kinds'}\n"
        "atexit.register(lambda: print(sorted(wanted & {*sys.modules})))\n"
        "import random; random.random()"
    )

    assert python("-c", code, REPRO_SEED="7").out.strip() == "[]"
    assert python("-c", code, REPRO_SEED="7", REPRO_REPORT=str(tmp_path)).out.strip() == "[]"
