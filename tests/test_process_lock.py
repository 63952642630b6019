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
