"""Both doors of the image's interpreters: open however Python is started, shut without a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.image.tracked import TrackedContainer

SITE = "/opt/repro/venv/lib/python3.11/site-packages"
DRAW = "import random, numpy; print(hash('a'), random.random(), numpy.random.rand())"
SEED = "import seedlock; print('seed', seedlock.seed)"
STATE = (
    "import os, sys; print(sys.flags, sys.path, sys.warnoptions, "
    "[getattr(finder, '__name__', type(finder)) for finder in sys.meta_path], "
    "[hook.__qualname__ for hook in sys.path_hooks], "
    "sorted(os.environ), sorted(sys.modules), sys.excepthook, sys.orig_argv, sep='\\n')"
)


@pytest.fixture(name="drawn")
def drawn_fixture(container: TrackedContainer) -> str:
    """What `DRAW` prints under seed 7 when it is started as the image is meant to be."""
    return container.seeded(7).run("python", "-c", DRAW).stdout


def test_entrypoint_bypassed(container: TrackedContainer, drawn: str) -> None:
    """`--entrypoint python` locks the generators and the hash order as the entrypoint does."""
    bypassed = container.seeded(7).using("--entrypoint=python")

    assert bypassed.run("-c", DRAW).stdout == drawn
    assert bypassed.run("-", stdin=DRAW).stdout == drawn


def test_another_seed_draws_other_values(container: TrackedContainer, drawn: str) -> None:
    """No value that seed 7 draws comes again under seed 8."""
    other = container.seeded(8).run("python", "-c", DRAW).stdout

    assert not {*other.split()} & {*drawn.split()}


@pytest.mark.parametrize(
    "python",
    [
        pytest.param("/usr/bin/python3.11", id="Debian's interpreter"),
        pytest.param("python3", id="python3 on PATH"),
        pytest.param("python -s", id="-s"),
        pytest.param("python -B -u", id="-B -u"),
    ],
)
def test_every_interpreter_is_locked(container: TrackedContainer, drawn: str, python: str) -> None:
    """Whichever of the image's interpreters starts, it sees the frameworks and draws the same."""
    assert container.seeded(7).run(*python.split(), "-c", DRAW).stdout == drawn


@pytest.mark.parametrize("options", ["--system-site-packages", "--without-pip"])
def test_authors_virtual_environment_is_locked(container: TrackedContainer, options: str) -> None:
    """A virtual environment of the author's is locked, whether it sees the frameworks or not."""
    draw = "import random; print(hash('a'), random.random())"
    made = f'python -m venv {options} /tmp/own && exec /tmp/own/bin/python -c "{draw}"'

    assert (
        container.seeded(7).run("sh", "-c", made).stdout
        == container.seeded(7).run("python", "-c", draw).stdout
    )


@pytest.mark.parametrize("flag", ["-I", "-E"])
def test_isolated_modes_lock_all_but_the_hash_order(
    container: TrackedContainer, drawn: str, flag: str
) -> None:
    """-I and -E ignore PYTHONHASHSEED, which the report says; the generators are locked."""
    values = container.seeded(7).run("python", flag, "-c", DRAW).stdout.split()

    assert values[1:] == drawn.split()[1:]


@pytest.mark.parametrize("python", ["python", "/usr/bin/python3.11"])
def test_unset_means_untouched(container: TrackedContainer, python: str) -> None:
    """Without REPRO_SEED, Python's state is that of the same image with Debian's own start-up file
    and without seedlock's."""
    root = container.using("--user=0")
    debians = (
        f"rm {SITE}/a0_seedlock.pth; cd /usr/lib/python3.11 && rm sitecustomize.py "
        "__pycache__/sitecustomize.*.pyc && mv sitecustomize.py.distrib sitecustomize.py; "
        f'cd; exec {python} -B -c "$STATE"'
    )

    bare = root.using(f"--env=STATE={STATE}").run("sh", "-c", debians).stdout
    ours = root.using(f"--env=STATE={STATE}").run("sh", "-c", f'cd; exec {python} -B -c "$STATE"')

    assert ours.stdout == bare


@pytest.mark.parametrize(
    ("python", "folder"),
    [
        ("python", SITE),
        ("python", "/tmp/own"),
        ("/usr/bin/python3.11", "/usr/local/lib/python3.11/dist-packages"),
        ("/usr/bin/python3.11", "/tmp/own"),
    ],
)
def test_users_own_sitecustomize_runs_too(
    container: TrackedContainer, python: str, folder: str
) -> None:
    """A sitecustomize of the user's runs, wherever it lies, and seedlock is active as well."""
    script = (
        f"mkdir -p {folder}; echo \"print('own')\" > {folder}/sitecustomize.py; "
        f'PYTHONPATH=/tmp/own exec {python} -c "$0"'
    )

    told = container.seeded(7).using("--user=0").run("sh", "-c", script, SEED).stdout

    assert told == "own\nseed 7\n"
