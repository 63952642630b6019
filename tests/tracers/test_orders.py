"""tracers/orders.py and order_instructions.py: orders taken from hashes are counted, exactly."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from seedlock.hash_order import NOT_COUNTED
from tests.interpreter import python, reports

WHOLE = "0:1000000"
"""A window of steps that no program here comes to the end of."""

SEEN = """
import atexit, contextlib, json, os, sys, threading
from collections import Counter

taken = Counter()


class Seen(set):
    def __iter__(self):
        taken[sys._getframe(1).f_lineno] += 1
        return super().__iter__()


def tell():
    print(json.dumps(sorted(taken.items())))


atexit.register(tell)
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


def counted(folder: Path) -> tuple[dict[int, int | None], str]:
    """Return the times of each line that a report lists, of all its functions, and the account."""
    (report,) = reports(folder)
    found: dict[int, int | None] = {}
    for site in report["hash_order"]["sites"]:
        line = int(site["where"].rpartition(":")[2])
        before = found.get(line, 0)
        found[line] = None if None in (before, site["times"]) else before + site["times"]
    return found, report["hash_order"]["counted"]


def run(text: str, folder: Path, **more: Any) -> Any:
    """Run a program and return its times by line, the account and what it printed."""
    program = folder / "program.py"
    program.write_text(text)
    more = {"REPRO_TRACE": "op", "REPRO_TRACE_STEPS": WHOLE, **more}
    place = folder / "reports"
    out = python(str(program), REPRO_SEED="7", REPRO_REPORT=str(place), **more).lines
    return *counted(place), out


def test_lines_are_counted_as_often_as_they_take_an_order(tmp_path: Path) -> None:
    """The sets themselves tell how often they were gone through, and from which line: loops,
    comprehensions, generators, threads, recursion, exceptions, class bodies, and what never ran."""
    times, account, lines = run(SEEN + LINES, tmp_path)

    expected = Counter(dict(json.loads(lines[-1])))
    assert {line: count for line, count in times.items() if count} == expected
    assert len(times) > 25 and 0 in times.values() and None not in times.values()
    assert account.startswith(f"in steps {WHOLE}, ")
    # A program that asks for a trace function, and what a set's order is, see no difference.
    plain = python(str(tmp_path / "program.py"), REPRO_SEED="7").lines
    assert plain == lines


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
"""


def test_calls_are_counted_too(tmp_path: Path) -> None:
    """hash, key=hash, pop, and calls that are written over several lines, once each; code that
    the compiler left out has no instruction, and no number."""
    times, _, lines = run(CALLS, tmp_path)

    assert times == {6: 4, 7: 1, 9: 3, 11: 1, 15: 1, 16: 1, 20: 1, 22: None}
    assert lines == ["False 0 0 0 None"]


STEPS = """
import seedlock
from seedlock.startup import in_force
trace = in_force().trace
names = {"a", "b"}
def inner():
    return list(names)
for step in range(5):
    for name in names: pass
    inner()
    trace.finished_step("step", [1.0])
    SWITCHED
"""


def test_with_a_window_its_steps_are_counted(tmp_path: Path) -> None:
    """In code that was under way when it began as well, and the report says which steps."""
    times, account, _ = run(STEPS.replace("SWITCHED", ""), tmp_path, REPRO_TRACE_STEPS="1:3")

    assert times == {7: 2, 9: 2}
    assert account.startswith("in steps 1:3, ")


@pytest.mark.parametrize("window", ["0:1000000", "1:3"])
def test_another_trace_function_is_not_fought(window: str, tmp_path: Path) -> None:
    """Whoever sets one keeps it, and the report says that nothing was counted."""
    own = "import sys; mine = lambda *_: None; sys.settrace(mine)\n"
    text = own + STEPS.replace("SWITCHED", "assert sys.gettrace() is mine")
    times, account, _ = run(text, tmp_path, REPRO_TRACE_STEPS=window)

    assert times == {8: None, 10: None}
    assert account.startswith("not counted: another trace function")


def test_one_that_came_and_went_is_heard(tmp_path: Path) -> None:
    """It leaves no trace function or the one from before: counts would have a hole."""
    text = "import sys, threading\nx = list({'a'})\nADDED\ny = list({'b'})\n"
    for number, added in enumerate((
        "before = sys.gettrace(); sys.settrace(print); sys.settrace(before)",
        "threading.settrace(lambda *_: None); t = threading.Thread(target=len, args=('',)); "
        "t.start(); t.join()",
    )):  # fmt: skip
        folder = tmp_path / str(number)
        folder.mkdir()
        times, account, _ = run(text.replace("ADDED", added), folder)
        assert times == {2: None, 4: None}
        assert account.startswith("not counted: another trace function")


@pytest.mark.parametrize("mode", [None, "step", "op"])
def test_without_a_window_of_operations_nothing_is_added(mode: str | None, tmp_path: Path) -> None:
    """No trace function, no hook, no module; the report says how to have them counted."""
    code = (
        "import sys\nprint(sys.gettrace(), hasattr(sys.gettrace, '__wrapped__'), "
        "sorted({'seedlock.tracers.orders', 'seedlock.order_instructions'} & {*sys.modules}))\n"
        "x = list({'a'})\n"
    )
    (tmp_path / "program.py").write_text(code)
    traced: dict[str, Any] = {} if mode is None else {"REPRO_TRACE": mode}
    place = tmp_path / "reports"
    lines = python(
        str(tmp_path / "program.py"), REPRO_SEED="7", REPRO_REPORT=str(place), **traced
    ).lines
    times, account = counted(place)

    assert times == {3: None}
    assert account == NOT_COUNTED
    assert lines == ["None False []"]


def test_code_that_is_not_what_its_file_says_is_not_counted(tmp_path: Path) -> None:
    """Places are known by the text as it stands when the code runs first."""
    (tmp_path / "mine.py").write_text("def f(s: set[str]):\n    return list(s)\n")
    text = (
        "import mine\nx = mine.f({'a'})\n"
        "other = open(mine.__file__).read().replace('return', 'y =')\n"
        "exec(compile(other, mine.__file__, 'exec'), vars(mine))\nmine.f({'a'})\nz = list({'b'})\n"
    )
    times, _, _ = run(text, tmp_path)

    assert times == {2: None, 6: 1}


def test_a_forked_child_counts_what_it_imports(tmp_path: Path) -> None:
    """Its report names its own files, and counts what it did with them itself."""
    (tmp_path / "late.py").write_text("for i in range(3): x = list({'a', 'b'})\n")
    program = tmp_path / "program.py"
    program.write_text(
        "import os\nx = list({'c'})\nif os.fork() == 0:\n    import late\n    os._exit(0)\n"
        "os.wait()\n"
    )
    folder = str(tmp_path / "reports")
    python(
        str(program), REPRO_SEED="7", REPRO_TRACE="op", REPRO_TRACE_STEPS=WHOLE, REPRO_REPORT=folder
    )

    found = {
        report["process"]["lineage"]: [each["times"] for each in report["hash_order"]["sites"]]
        for report in reports(tmp_path / "reports")
    }
    assert found == {"": [1], "0": [3]}
