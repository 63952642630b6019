"""process_lock.py: what is locked in this process, and what came too late."""

from __future__ import annotations

from pathlib import Path

from tests.interpreter import python


def test_numpy_is_seeded_before_anybody_draws(tmp_path: Path) -> None:
    """However numpy.random is reached first, the first draw is the locked one."""
    ways = (
        "import numpy; print(numpy.random.rand())",
        "import numpy.random; print(numpy.random.rand())",
        "from numpy.random import rand; print(rand())",
        "from numpy import random as r; print(r.rand())",
        "import numpy.random.mtrand as m; print(m.rand())",
    )
    draws = {python("-c", way, cwd=tmp_path, REPRO_SEED="7").out for way in ways}

    assert len(draws) == 1


def test_importing_numpy_alone_does_not_import_its_generators(tmp_path: Path) -> None:
    """A program that never draws never pays for numpy.random."""
    code = "import sys, numpy; print('numpy.random' in sys.modules)"

    assert python("-c", code, cwd=tmp_path, REPRO_SEED="7").out == (
        python("-c", code, cwd=tmp_path).out
    )


def test_a_library_imported_before_lock_has_a_gap(tmp_path: Path) -> None:
    """seedlock.lock() after the import says that the environment may have been read."""
    code = (
        "import numpy, seedlock; seedlock.lock(7)\n"
        "print(seedlock.report()['libraries']['numpy']['gaps'])"
    )
    done = python("-c", code, cwd=tmp_path)

    assert "numpy was imported before seedlock started" in done.out


def test_a_version_that_no_folder_name_told_is_refused_at_the_import(tmp_path: Path) -> None:
    """A mxnet.py on the path without metadata is checked by its own __version__."""
    (tmp_path / "mxnet.py").write_text("__version__ = '0.5'\n")

    done = python("-c", "import mxnet; print('went on')", check=False, cwd=tmp_path, REPRO_SEED="7")

    assert (done.status, done.out) == (78, "")
    assert "mxnet is 0.5" in done.err


def test_an_import_loads_nothing_that_only_a_seeding_call_needs() -> None:
    """NumPy, random and threading come with stand-ins; the first call loads what is behind them."""
    code = (
        "import sys, threading, random, numpy.random\n"
        "names = ['places', 'user_seeds', 'callers', 'lineage', 'threads', 'patching',\n"
        "         'branches', 'adapters.numpy_seeds', 'adapters.python_seeds',\n"
        "         'adapters.outline']\n"
        "loaded = lambda: [name for name in names if f'seedlock.{name}' in sys.modules]\n"
        "print(loaded()); numpy.random.seed(3); print('adapters.numpy_seeds' in loaded())"
    )
    done = python("-c", code, REPRO_SEED="7")

    assert done.lines == ["[]", "True"]


def test_who_held_a_function_before_its_first_call_is_heard_too() -> None:
    """A stand-in that was held asks the policy at each call, in several threads at once."""
    code = (
        "from random import seed, Random; from numpy.random import seed as legacy, MT19937\n"
        "from threading import Thread; import numpy, random, seedlock\n"
        "threads = [Thread(target=lambda: Random(5)) for _ in range(8)]\n"
        "for each in threads: each.start()\n"
        "for each in threads: each.join()\n"
        "for _ in range(2): seed(5); legacy(5)\n"
        "print(random.random() == Random(5).random() != 0.6229016948897019)\n"
        "print(numpy.random.rand() == numpy.random.RandomState(5).rand() != 0.22199317108973948)\n"
        "print(sum(site['count'] for site in seedlock.report()['user_seeds']))\n"
        "print(seed.__name__, seed.__doc__ == Random.seed.__doc__,\n"
        "      MT19937._legacy_seeding.__name__)"
    )
    done = python("-c", code, REPRO_SEED="7")

    assert done.lines == ["True", "True", "14", "seed True _legacy_seeding"]


def test_the_state_that_a_seed_gives_is_told_without_reading_it() -> None:
    """A report that is asked for later says what was there just after seeding, and making it moves
    no generator."""
    code = (
        "import random, numpy.random, seedlock\n"
        "report = seedlock.report()['libraries']\n"
        "from seedlock.startup import in_force\n"
        "print([in_force().adapters[n][0].state(m) == in_force().applied[n].state\n"
        "       for n, m in (('python', random), ('numpy', numpy.random))])\n"
        "print(all(report[n]['digest_seeded'] for n in ('python', 'numpy')))\n"
        "print(seedlock.report()['unseeded'])"
    )
    done = python("-c", code, REPRO_SEED="7")

    assert done.lines == ["[True, True]", "True", "[]"]
