"""callers.py: whose code called, and what a report keeps of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from seedlock.callers import KEPT, TEXT, Site, Sites, author, calling, is_library, shown
from tests.interpreter import python


@pytest.mark.parametrize(
    ("name", "library"),
    [
        (json_file := sys.modules["json"].__file__ or "", True),
        ("/home/me/venv/lib/python3.11/site-packages/torch/random.py", True),
        ("/usr/lib/python3/dist-packages/numpy/random.py", True),
        ("<frozen os>", True),
        ("<__array_function__ internals>", True),
        (sys.modules["seedlock.callers"].__file__ or "", True),
        ("/home/me/train.py", False),
        ("train.py", False),
        ("<string>", False),
        ("<stdin>", False),
        ("/home/me/site-packages-of-mine/train.py", False),
    ],
)
def test_whose_code_a_file_is(name: str, library: bool) -> None:
    """The standard library, installed packages and seedlock are libraries; all else is not."""
    assert is_library(name) is library


def test_the_authors_frame_is_the_nearest_outside_libraries() -> None:
    """With the outermost frame of the libraries that it called."""
    found: list[Any] = []

    def record(_: Any) -> int:
        found.append(author(2))
        return 0

    import bisect
    import functools

    functools.reduce(lambda _, each: record(each), [1, 2])
    bisect.bisect([1, 2, 3], 2, key=record)
    code = compile("def inner(f): f(0)\ndef outer(f): inner(f)", bisect.__file__, "exec")
    library: dict[str, Any] = {}
    exec(code, library)
    library["outer"](record)

    assert {frame.f_code.co_filename for frame, _ in found} == {__file__}
    assert found[-1][1].f_code.co_name == "outer"


def test_the_way_through_a_deep_stack_is_found_again() -> None:
    """The same library call from other lines, from other depths and after a call back is told
    apart, although the way to the author's line is remembered."""
    code = (
        "def enter(depth, f): return enter(depth - 1, f) if depth else leave(f)\n"
        "def other(depth, f): return enter(depth, f)\n"
        "def leave(f): return f()\n"
    )
    library: dict[str, Any] = {}
    exec(compile(code, sys.modules["json"].__file__ or "", "exec"), library)
    bottom: dict[str, Any] = {"author": author}
    exec(
        compile("def f(): return author(1)", library["enter"].__code__.co_filename, "exec"), bottom
    )
    enter, other, f = library["enter"], library["other"], bottom["f"]

    def back() -> Any:
        return enter(20, f)

    for _ in range(3):
        calls: list[Any] = [
            lambda: enter(20, f),
            lambda: enter(20, f),
            lambda: enter(40, f),
            lambda: enter(2, f),
            lambda: other(19, f),
            lambda: enter(20, f) or None,
        ]
        for call in calls:
            frame, called = call()
            assert frame.f_code is call.__code__
            assert called.f_code.co_name == (
                "other" if called.f_code is other.__code__ else "enter"
            )
        frame, _called = enter(9, back)
        assert frame.f_code is back.__code__


def test_a_call_that_a_library_puts_off_keeps_its_line() -> None:
    """When it comes to pass it is counted where it would have been at once, whoever is on the
    stack by then."""
    sites = Sites()
    code = (
        "def at_once(): return sites.met('seed', 5, 'mix')\n"
        "def put_off(): return calling(1)\n"
        "def begin(): return [put_off()]\n"
    )
    library: dict[str, Any] = {"sites": sites, "calling": calling, "__name__": "lib.device"}
    exec(compile(code, sys.modules["json"].__file__ or "", "exec"), library)
    found = [call() for call in (library["at_once"], library["put_off"])]
    sites.met("seed", 6, "mix", found[1])
    sites.met("seed", 7, "mix", library["begin"]()[0])

    at_once, later = sites.as_list()
    assert (at_once["count"], at_once["given"]) == (2, ["5", "6"])
    assert (later["count"], later["function"]) == (1, "lib.device.begin")
    assert at_once["where"] == found[1].where
    assert later["where"] != found[1].where and str(later["where"]).startswith(__file__)


def test_libraries_alone_are_their_own_callers() -> None:
    """Where no author's code is on the stack, the outermost library's frame stands for it."""
    code = (
        "import random, seedlock, atexit, json\n"
        "exec(compile('def late():\\n import random\\n random.seed(3)', json.__file__, 'exec'))\n"
        "atexit.register(lambda: None)\n"
        "import threading\n"
        "timer = threading.Thread(target=late); timer.start(); timer.join()\n"
        "print([each['where'] for each in seedlock.report()['user_seeds']])"
    )

    assert "threading.py:" in python("-c", code, REPRO_SEED="7").out


def test_a_site_keeps_a_few_different_values() -> None:
    """In the order in which they came, each once; None is no value."""
    site = Site("program.py:1", "random.seed", "mix")

    assert [site.add(value) for value in (5, 5, None, 6)] == [True, False, False, True]
    for value in range(100):
        site.add(value)
    assert site.count == 104
    assert site.given == ["5", "6", "0", "1", "2"]
    assert len(site.given) == KEPT
    assert site.as_dict()["where"] == "program.py:1"


def test_given_values_are_shown_as_short_text() -> None:
    """Whatever was given: arrays as lists, scalars as numbers, endless ones cut."""
    numpy = pytest.importorskip("numpy")

    assert shown(5) == shown(numpy.int64(5)) == shown(numpy.array(5)) == "5"
    assert shown([1, 2]) == shown(numpy.array([1, 2])) == "[1, 2]"
    assert shown("text") == "'text'"
    for large in (2**100_000, list(range(10**6)), "x" * 1000, numpy.arange(10**6), b"x" * 1000):
        assert len(shown(large)) == TEXT


def test_reports_count_calls_by_line_and_function(tmp_path: Path) -> None:
    """Two calls of one line are two sites, a loop is one with its count, the library's own frames
    are left out, and a new line of the same function is another site."""
    program = tmp_path / "program.py"
    program.write_text(
        "import random, seedlock, numpy as np\n"
        "def seed_all(seed):\n"
        "    random.seed(seed); np.random.seed(seed)\n"
        "    np.random.default_rng(seed)\n"
        "for seed in (1, 1, 2): seed_all(seed)\n"
        "random.seed(1); random.seed(1)\n"
        "for each in seedlock.report()['user_seeds']:\n"
        "    print(each['where'].rpartition(':')[2], each['function'], each['policy'],\n"
        "          each['count'], *each['given'], '|', each['line'])\n"
    )
    lines = python(str(program), REPRO_SEED="7").lines

    assert lines == [
        "3 random.seed mix 3 1 2 | random.seed(seed); np.random.seed(seed)",
        "3 numpy.random.RandomState mix 3 1 2 | random.seed(seed); np.random.seed(seed)",
        "4 numpy.random.SeedSequence mix 3 1 2 | np.random.default_rng(seed)",
        "6 random.seed mix 1 1 | random.seed(1); random.seed(1)",
        "6 random.seed mix 1 1 | random.seed(1); random.seed(1)",
    ]
