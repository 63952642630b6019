"""The explicit API: import seedlock."""

from __future__ import annotations

from pathlib import Path

import pytest

import seedlock
from seedlock.derivation import derive
from tests.interpreter import python


def test_importing_seedlock_imports_nothing_heavy(tmp_path: Path) -> None:
    """Not even the API behind it, until a name is used."""
    code = (
        "import sys; before = set(sys.modules)\n"
        "import seedlock; print(sorted(set(sys.modules) - before))"
    )
    done = python("-c", code, cwd=tmp_path)

    assert done.out == "['seedlock']\n"


def test_every_public_name_is_there() -> None:
    """dir() and getattr agree with __all__; another name is an AttributeError."""
    for name in seedlock.__all__:
        assert name in dir(seedlock)
        getattr(seedlock, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        seedlock.nothing  # noqa: B018


def test_the_modules_do_not_hide_the_functions(tmp_path: Path) -> None:
    """seedlock.derive and its fellows stay functions in a locked process."""
    code = (
        "import seedlock; seedlock.report(); seedlock.state_dict()\n"
        "print([callable(getattr(seedlock, name)) for name in seedlock.__all__ if name != 'seed'])"
    )
    done = python("-c", code, cwd=tmp_path, REPRO_SEED="7")

    assert "False" not in done.out


def test_derive_and_rng_follow_seed_and_names(tmp_path: Path) -> None:
    """Equal names give equal values, other names and other seeds others."""
    code = (
        "import seedlock; print(seedlock.seed, seedlock.derive('fold', 3), "
        "seedlock.rng('fold', 3).random(), seedlock.rng('fold', 3).random(), "
        "seedlock.rng('fold', 4).random())"
    )
    first = python("-c", code, cwd=tmp_path, REPRO_SEED="7").out.split()
    again = python("-c", code, cwd=tmp_path, REPRO_SEED="7").out.split()
    other = python("-c", code, cwd=tmp_path, REPRO_SEED="8").out.split()

    assert first == again
    assert first[0] == "7"
    assert int(first[1]) == derive(7, "name", "fold", 3)
    assert first[2] == first[3] != first[4]
    assert not set(first) & set(other)


def test_without_a_seed_the_api_says_so(tmp_path: Path) -> None:
    """Each function that needs a seed raises, with the cure; `seed` is None."""
    code = (
        "import seedlock; print(seedlock.seed)\n"
        "def use_isolate():\n"
        "    with seedlock.isolate(): pass\n"
        "for use in (lambda: seedlock.derive('x'), lambda: seedlock.rng('x'), seedlock.report,\n"
        "            seedlock.state_dict, lambda: seedlock.load_state_dict({}), use_isolate):\n"
        "    try: use()\n"
        "    except Exception as problem: print(type(problem).__name__, problem)"
    )
    done = python("-c", code, cwd=tmp_path)

    assert done.lines[0] == "None"
    assert len(done.lines) == 7
    assert all(line.startswith("NotLocked no seed is in force; set REPRO_SEED")
               for line in done.lines[1:])  # fmt: skip


def test_lock_in_a_running_program(tmp_path: Path) -> None:
    """It draws what an outside seed gives, for what is loaded and what comes; late for hashes."""
    code = (
        "import random, seedlock; print(seedlock.lock(7, 'warn')); print(random.random())\n"
        "import numpy; print(numpy.random.rand())\n"
        "report = seedlock.report(); print(report['gaps']); print(report['settings']['level'])"
    )
    outside = "import random, numpy; print(random.random()); print(numpy.random.rand())"

    done = python("-c", code, cwd=tmp_path)
    expected = python("-c", outside, cwd=tmp_path, REPRO_SEED="7", REPRO_LEVEL="warn")

    assert done.lines[0] == "7"
    assert done.lines[1:3] == expected.lines
    assert "too late for PYTHONHASHSEED" in done.lines[3]
    assert done.lines[4] == "warn"


def test_an_outside_seed_wins_over_lock(tmp_path: Path) -> None:
    """seedlock.lock(3) under REPRO_SEED=7 leaves the process under 7, and returns 7."""
    code = "import random, seedlock; print(seedlock.lock(3)); print(random.random())"
    plain = "import random; print(7); print(random.random())"

    done = python("-c", code, cwd=tmp_path, REPRO_SEED="7")

    assert done.out == python("-c", plain, cwd=tmp_path, REPRO_SEED="7").out


@pytest.mark.parametrize(
    ("call", "slug"),
    [
        ("seedlock.lock(-1)", "bad-seed"),
        ("seedlock.lock(1.5)", "bad-seed"),
        ("seedlock.lock(2**64)", "bad-seed"),
        ("seedlock.lock(7, 'tight')", "bad-level"),
        ("seedlock.lock(7); seedlock.lock(8)", "locked-twice"),
        ("seedlock.lock(7); seedlock.lock(7, 'seed')", "locked-twice"),
    ],
)
def test_lock_refuses_what_the_environment_would(call: str, slug: str, tmp_path: Path) -> None:
    """Bad arguments raise, with the same text as a bad variable."""
    done = python("-c", f"import seedlock; {call}", check=False, cwd=tmp_path)

    assert done.status == 1
    assert f"[docs/messages.md#{slug}]" in done.err


def test_lock_twice_alike_is_lock_once(tmp_path: Path) -> None:
    """The same call again does not seed anew."""
    code = (
        "import random, seedlock; seedlock.lock(7); a = random.random(); seedlock.lock(7)\n"
        "print(a != random.random())"
    )
    assert python("-c", code, cwd=tmp_path).out == "True\n"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("state['format'] = 99", "format is 99"),
        ("state['seed'] = 8", "resume with REPRO_SEED=8"),
        ("state['libraries']['torch'] = {}", "holds torch, which this process has not imported"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(change: str, text: str, tmp_path: Path) -> None:
    """A wrong format, root seed or library raises and leaves the generators alone."""
    code = (
        "import random, seedlock; state = seedlock.state_dict(); before = random.getstate()\n"
        f"{change}\n"
        "try: seedlock.load_state_dict(state)\n"
        "except Exception as problem: print(type(problem).__name__, problem)\n"
        "print(random.getstate() == before)"
    )
    done = python("-c", code, cwd=tmp_path, REPRO_SEED="7")

    assert done.lines[0].startswith("BadState ")
    assert text in done.lines[0]
    assert done.lines[1] == "True"


def test_a_resumed_program_counts_on(tmp_path: Path) -> None:
    """Generators without a seed and children go on after a resume as without the stop."""
    draw = (
        "def epoch():\n"
        " import os, random, subprocess, sys\n"
        " child = subprocess.run([sys.executable, '-c', 'import random; print(random.random())'],\n"
        "                        capture_output=True, text=True)\n"
        " return [random.Random().random(), child.stdout.strip()]\n"
    )
    whole = f"{draw}print([epoch(), epoch(), epoch()][2])"
    before = (
        f"{draw}import json, seedlock\n[epoch(), epoch()]\nprint(json.dumps(seedlock.state_dict()))"
    )
    after = (
        f"{draw}import json, random, seedlock\n"
        "seedlock.load_state_dict(json.load(open('state')))\nprint(epoch())"
    )
    uninterrupted = python("-c", whole, cwd=tmp_path, REPRO_SEED="7").out
    (tmp_path / "state").write_text(python("-c", before, cwd=tmp_path, REPRO_SEED="7").out)

    assert python("-c", after, cwd=tmp_path, REPRO_SEED="7").out == uninterrupted
