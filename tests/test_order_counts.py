"""order_counts.py, order_instructions.py: orders taken from hashes, counted where it happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedlock.order_sites import COUNTED, LOCKED, NOT_COUNTED, listed
from tests.interpreter import python, reports

TELLING = """
import atexit, contextlib, json, os, sys, threading
from collections import Counter

taken = Counter()


class Seen(set):
    def __iter__(self):
        taken[sys._getframe(1).f_lineno] += len(self) > 1
        return super().__iter__()


atexit.register(lambda: print(json.dumps(sorted(taken.items()))))
"""

SETS = """
words: set[str] = Seen("abcde")
groups: dict[int, set[str]] = {i: Seen("xyz"[: i]) for i in range(4)}
"""

LINES = """
for word in words:
    len(word)
for i in range(3):
    for word in words:
        if word == "c":
            break
    else:
        raise SystemExit("no c")
while i:
    i -= 1
    rows = [word for word in words if word for i2 in range(2)]
pairs = [(a, b) for a in words for b in words if a != b]
inner = [n for i, g in groups.items() for n in g for one in [n]]
table = {n: [m for m in words] for n in words}
lazy = (word for word in words)
either = list(words) if rows else tuple(words)
neither = rows and [] or list(words); joined = "".join(words)
a, b, c, *rest = words
a, b, c, d, e = words
rest += words
rest.extend(words); rest.extend(rows)
both = [*words, *rows, *words]; three = (*words, *rows)
def call(*values, **named): return len(values)
call(*words); call(1, *words, *rows); call(*rows, named=list(words))
text = f"{words} and {rows!r} and {words!s}"
for index, word in enumerate(words): pass
first = [lambda: list(words), lambda: list(rows)]
for each in first: each(); each()
class Held:
    kept = [n for n in words]
def once(s: set[str], depth: int):
    yield from s
    if depth:
        for n in once(s, depth - 1):
            yield n
    yield list(s)
list(once(words, 3))
half = once(words, 0); next(half)
def fails(s: set[str]):
    try:
        return list(s) + [1 / 0]
    except ZeroDivisionError:
        return list(s)
    finally:
        sum(1.0 for n in s)
for i in range(2): fails(words)
threads = [threading.Thread(target=fails, args=(words,)) for i in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
with contextlib.suppress(KeyError): raise KeyError(list(words))
never = [list(words) for i in ()]
async def waits(s: set[str]): return [n for n in s]
for i in range(2):
    with contextlib.suppress(StopIteration): waits(words).send(None)
"""


def counted(folder: Path, file: str = "program.py") -> dict[int, dict[str, int | None]]:
    """Return how often each function of a file's lines took an order, of the one report."""
    (report,) = reports(folder)
    assert report["hash_order"]["counted"] == COUNTED
    found: dict[int, dict[str, int | None]] = {}
    for site in report["hash_order"]["sites"]:
        name, _, line = Path(site["where"]).name.rpartition(":")
        if name == file:
            found.setdefault(int(line), {})[site["function"]] = site["times"]
    return found


def run(text: str, folder: Path, **more: Any) -> tuple[dict[int, dict[str, int | None]], list[str]]:
    """Run a program; return what was counted in it by line, and what it printed."""
    program = folder / "program.py"
    program.write_text(text)
    place = folder / "reports"
    out = python(str(program), REPRO_SEED="7", REPRO_REPORT=str(place), **more).lines
    return counted(place), out


def test_lines_are_counted_as_often_as_they_take_an_order(tmp_path: Path) -> None:
    """Sets of another type tell, without seedlock, how often they are gone through and from which
    line: loops, comprehensions, generators, threads, recursion, exceptions, class bodies, and what
    never ran."""
    telling = TELLING + SETS + LINES
    (tmp_path / "telling.py").write_text(telling)
    expected = dict(json.loads(python(str(tmp_path / "telling.py")).lines[-1]))
    silent = TELLING.replace("class Seen(set):", "Seen = set\nclass Other(set):")
    silent = silent.replace("\n\n\nSeen", "\n\nSeen") + SETS + LINES
    assert len(silent.splitlines()) == len(telling.splitlines())

    times, _ = run(silent, tmp_path)

    sums = {line: sum(each or 0 for each in found.values()) for line, found in times.items()}
    assert {line: count for line, count in sums.items() if count} == {
        line: count for line, count in expected.items() if count
    }
    assert len(times) > 25 and 0 in sums.values()
    assert None not in [count for found in times.values() for count in found.values()]


CALLS = """
import contextlib, os, sys
names = {"a", "b", "c"}
rows = ["x", "y"]
for name in rows:
    bucket = hash(name) % 8; other = hash((name, "z"))
rows.sort(key=hash)
while names:
    names.pop()
names = {"a", "b", "c"}
(rows
    .extend(
        names))
print(
    list(names) == [],
    *[0 for name in names],
    sys.gettrace(),
)
for name in (
        names): pass
if False:
    list(names)
rows.sort(key=id)
"""


def test_calls_are_counted_too(tmp_path: Path) -> None:
    """hash, key=hash for each value, pop as long as there is a choice, and calls that are written
    over several lines, once each; code that the compiler left out never took any."""
    times, lines = run(CALLS, tmp_path)

    assert times == {
        6: {"hash": 4}, 7: {"hash": 2}, 9: {"pop": 2}, 11: {"extend": 1}, 15: {"list": 1},
        16: {"for": 1}, 20: {"for": 1}, 22: {"list": 0}, 23: {"id": None},
    }  # fmt: skip
    assert lines == ["False 0 0 0 None"]


UNTOLD = """
import functools
from itertools import chain
from other import NAMES, PAIRS, NUMBERS, Own
rows = ["x"]
for name in NAMES: pass
def given(s): return list(s), [n for n in s], {n: 1 for n in s}
given(NAMES); given(NUMBERS)
for name in chain(rows, NAMES): pass
late = chain(NAMES); joined = list(late)
for a, b in PAIRS: pass
rows[:] = NAMES
text = "%s" % NAMES
hashes = list(map(hash, NAMES))
first = next(iter(NAMES)); mine = NAMES.copy().pop
mine()
text = f"{NAMES}"
made = dict.fromkeys(NAMES); more = type("D", (dict,), {}).fromkeys(NAMES)
total = functools.reduce(str.__add__, NAMES)
ordered = sorted(NAMES), min(NAMES), len(NAMES), "a" in NAMES, {n for n in NAMES}, NAMES | {"q"}
numbers = list(NUMBERS), hash(5), hash(2.5)
for name in Own("ab"): pass
class Named:
    def __hash__(self): return hash((1, "a"))
known = {Named(): 1}
for name in {"only"}: pass
"""

OTHER = """
NAMES, NUMBERS = set("xyz"), {1, 2.5, True, 3}
PAIRS = [set("ab"), frozenset("cd")]
class Own(set):
    def __iter__(self):
        return super().__iter__()
"""


def test_sets_of_which_the_text_does_not_tell_are_seen(tmp_path: Path) -> None:
    """Those from another file or in an argument; lazy iterators at what goes through them. What is
    sorted or a number, the hash of a class of one's own, and a set of one member are no orders."""
    (tmp_path / "other.py").write_text(OTHER)

    times, _ = run(UNTOLD, tmp_path)

    assert counted(tmp_path / "reports", "other.py") == {6: {"__iter__": 1}}
    assert times == {
        6: {"for": 1},
        7: {"list": 1, "for": 2}, 9: {"for": 1}, 10: {"list": 1}, 11: {"unpacking": 2},
        12: {"[:] =": 1}, 13: {"%": 1}, 14: {"map": 1, "hash": 3}, 15: {"iter": 1}, 16: {"pop": 1},
        17: {"text": 1}, 18: {"fromkeys": 2}, 19: {"reduce": 1}, 26: {"for": 0},
    }  # fmt: skip


def test_every_thread_is_counted(tmp_path: Path) -> None:
    """Those of _thread too, and one in which C code runs without any code of Python's."""
    text = """
import _thread, threading, time
done = _thread.allocate_lock(); done.acquire()
def work(s: set[str]):
    list(s)
    done.release()
_thread.start_new_thread(work, ({"a", "b"},)); done.acquire()
_thread.start_new_thread(iter, ({"a", "b"},))
_thread.start_new_thread(done.release, ()); done.acquire()
"""
    times, _ = run(text, tmp_path)

    assert times == {5: {"list": 1}}


def test_nothing_else_changes(tmp_path: Path) -> None:
    """What a program sees of the types, functions and of a trace function, and its results, are
    the same with a report and without; nothing is left in place when the interpreter ends."""
    text = """
import atexit, builtins, copy, inspect, pickle, sys
class Words(set): pass
class Frozen(frozenset):
    def __iter__(self): return iter(sorted(super().__iter__()))
words = Words("abc")
print(sys.gettrace(), list(Frozen("bca")), sorted(words), type(iter(words)), set.__iter__.__name__)
print(pickle.loads(pickle.dumps(hash)) is hash, pickle.loads(pickle.dumps(words)) == words)
for each in (set.pop, dict.fromkeys, set.__iter__): print(pickle.loads(pickle.dumps(each)) == each)
print(pickle.loads(pickle.dumps(words.pop))() in "abc")
print(copy.deepcopy(words) == words, {**dict.fromkeys(words, 3)} == {"a": 3, "b": 3, "c": 3})
print(words.pop() in "abc", len(words), hash("a") == "a".__hash__(), inspect.signature(hash))
print(issubclass(Words, set), isinstance(words, set), set.pop.__doc__, dict.fromkeys.__name__)
for wrong in (lambda: hash([]), lambda: set().pop(), lambda: dict.fromkeys(1), lambda: hash()):
    try: wrong()
    except Exception as problem: print(type(problem))
"""
    (tmp_path / "program.py").write_text(text)
    plain = python(str(tmp_path / "program.py"), REPRO_SEED="7").lines

    _, lines = run(text, tmp_path, PYTHONMALLOC="debug")

    assert lines == plain
    ended = (
        "from seedlock import order_counts\norder_counts.end()\n"
        "class S(set): pass\n"
        "print(*[hasattr(each, '_seedlock_replaces') for each in\n"
        "    (hash, set.pop, set.__iter__, frozenset.__iter__, dict.fromkeys)], sorted(S('ba')))\n"
    )
    line = "False False False False False ['a', 'b']"
    report: dict[str, Any] = {"REPRO_SEED": "7", "REPRO_REPORT": str(tmp_path / "ended")}
    assert python("-c", ended, **report).lines == [line]


@pytest.mark.parametrize("trace", [None, "step", "op"])
def test_without_a_report_nothing_is_replaced(trace: str | None, tmp_path: Path) -> None:
    """A start without one loads nothing of this; with one, a trace changes nothing about it."""
    code = (
        "import sys\nprint(hasattr(hash, '__wrapped__'), hasattr(set.__iter__, '__wrapped__'), "
        "'seedlock.order_counts' in sys.modules, 'ast' in sys.modules)\n"
    )
    more: dict[str, Any] = (
        {} if trace is None else {"REPRO_TRACE": trace, "REPRO_REPORT": str(tmp_path / "r")}
    )
    program = tmp_path / "program.py"
    program.write_text(code)

    said = str(trace is not None)
    lines = python(str(program), REPRO_SEED="7", **more).lines
    assert lines == [f"{said} {said} {said} False"]


def test_code_that_is_not_what_its_file_says_is_not_counted(tmp_path: Path) -> None:
    """Places are known by the text as it stands at the end: no number is better than a wrong."""
    mine = tmp_path / "mine.py"
    mine.write_text("def f(s: set[str]):\n    return list(s)\n")
    text = (
        "import mine\nx = mine.f({'a', 'b'})\n"
        "other = open(mine.__file__).read().replace('return', 'y =')\n"
        "exec(compile(other, mine.__file__, 'exec'), vars(mine))\nmine.f({'a', 'b'})\n"
        "z = list({'b', 'c'})\n"
    )
    assert run(text, tmp_path)[0] == {6: {"list": 1}}
    assert counted(tmp_path / "reports", mine.name) == {2: {"list": None}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "import torch\n@torch.compile(backend='eager', fullgraph=True)\ndef f(x):\n"
            "    for name in NAMES: x = x + len(name) + hash('a') * 0\n    return x\n"
            "NAMES = {'a', 'b'}\nprint(f(torch.ones(1)).item())\n",
            "torch.compile",
        ),
        (
            "import tensorflow as tf\n@tf.function\ndef f(x):\n"
            "    for name in NAMES: x = x + len(name) + hash('a') * 0\n    return x\n\n"
            "NAMES = {'a', 'b'}\nprint(float(f(1.0)))\n",
            "tf.function",
        ),
    ],
)
def test_what_compilers_go_through_is_said_to_be_left_out(
    text: str, said: str, tmp_path: Path
) -> None:
    """They compile as they do without, and read sets in the place of the author's code."""
    (tmp_path / "program.py").write_text(text)
    place = tmp_path / "reports"

    lines = python(str(tmp_path / "program.py"), REPRO_SEED="7", REPRO_REPORT=str(place)).lines

    assert lines == ["3.0"]
    (report,) = reports(place)
    assert report["hash_order"]["counted"] == (
        f"{COUNTED}; not what {said} went through while compiling"
    )
    assert report["hash_order"]["more"] == 0


@pytest.mark.parametrize("library", ["torch", "tensorflow"])
def test_a_compiler_that_compiled_nothing_is_not_named(library: str, tmp_path: Path) -> None:
    """Optimizers of PyTorch load its compiler, too."""
    text = {
        "torch": "import torch\nx = torch.nn.Parameter(torch.ones(2))\nx.sum().backward()\n"
        "torch.optim.SGD([x], lr=0.1).step()\n",
        "tensorflow": "import tensorflow as tf\ntf.ones(2)\n",
    }
    assert run(text[library], tmp_path) == ({}, [])


def test_without_positions_nothing_is_told(tmp_path: Path) -> None:
    """Python leaves columns out if asked to; an instruction then is only of some line."""
    text = "x = list({'a', 'b'})\nhash('a')\n"
    assert run(text, tmp_path, PYTHONNODEBUGRANGES="1")[0] == {1: {"list": None}, 2: {"hash": None}}


def test_where_nothing_is_counted_no_number_is_given(tmp_path: Path) -> None:
    """As on interpreters whose types and instructions are not known."""
    program = tmp_path / "program.py"
    program.write_text("x = list({'a', 'b'})\n")

    found = listed([str(program)], LOCKED)

    assert found["counted"] == NOT_COUNTED
    assert found["sites"] == [
        {
            "where": f"{program}:1", "function": "list", "line": "x = list({'a', 'b'})",
            "policy": LOCKED, "times": None,
        }
    ]  # fmt: skip


def test_code_that_no_import_brought_is_counted(tmp_path: Path) -> None:
    """A file that was run by path, of which lines that took an order are named."""
    (tmp_path / "script.py").write_text("x = list({'a', 'b'})\nif not x: list({'a', 'b'})\n")
    text = f"import runpy\n\n\nrunpy.run_path({str(tmp_path / 'script.py')!r})\n"

    assert run(text, tmp_path)[0] == {}
    assert counted(tmp_path / "reports", "script.py") == {1: {"list": 1}}


def test_a_forked_child_counts_what_it_does_itself(tmp_path: Path) -> None:
    """In its own files, and in its parent's the lines that took an order in it."""
    (tmp_path / "late.py").write_text("for i in range(3): x = list({'a', 'b'})\n")
    program = tmp_path / "program.py"
    program.write_text(
        "import os\ndef f(): return list({'c', 'd'})\nf(); g = [*{'e', 'f'}]\n"
        "if os.fork() == 0:\n    import late\n    f(); f()\n    os._exit(0)\nos.wait()\n"
    )
    python(str(program), REPRO_SEED="7", REPRO_REPORT=str(tmp_path / "reports"))

    found = {
        report["process"]["lineage"]: {
            Path(each["where"]).name: each["times"] for each in report["hash_order"]["sites"]
        }
        for report in reports(tmp_path / "reports")
    }
    assert found == {
        "": {"program.py:2": 1, "program.py:3": 1},
        "0": {"late.py:1": 3, "program.py:2": 2},
    }
