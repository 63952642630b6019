"""What an author builds on the image: packages on top, a drifted lock, images of their own."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.image.conftest import DESCENDANTS, EXAMPLES, ITSELF

if TYPE_CHECKING:
    from pathlib import Path

    from tests.image.tracked import TrackedContainer


def make_wheel(folder: Path, name: str, version: str, requires: str = "") -> None:
    """Write a wheel of one module that says its version."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    members = {
        f"{name}/__init__.py": f'__version__ = "{version}"\n',
        f"{info}/METADATA": metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{member},,\n" for member in (*members, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for member, text in {**members, f"{info}/RECORD": record}.items():
            archive.writestr(member, text)


@pytest.fixture(name="author")
def author_fixture(container: TrackedContainer, tmp_path: Path) -> TrackedContainer:
    """A container whose author is root and has three wheels: one that fits, one that wants an
    older NumPy, and that NumPy."""
    make_wheel(tmp_path, "fits", "1.0", "numpy>=2")
    make_wheel(tmp_path, "wants_older", "1.0", "numpy==1.26.4")
    make_wheel(tmp_path, "numpy", "1.26.4")
    return container.using(
        "--user=0", f"--volume={tmp_path}:/wheels:ro", "--env=PIP_FIND_LINKS=/wheels"
    )


def test_package_on_top(author: TrackedContainer) -> None:
    """pip adds a package that fits the lock, without a warning, and moves nothing."""
    script = (
        "pip install --no-index fits && python -c 'import fits, numpy; print(numpy.__version__)'"
    )

    lines = author.seeded(7).run("sh", "-c", script).stdout.splitlines()

    assert lines[-2:] == ["Successfully installed fits-1.0", "2.2.6"]


@pytest.mark.parametrize("python", ["python", "/tmp/own/bin/python"])
def test_package_that_would_move_the_lock(author: TrackedContainer, python: str) -> None:
    """pip refuses it with its own message, which names the constraint, in whichever environment."""
    script = (
        f"python -m venv --system-site-packages /tmp/own && {python} -m pip install --no-index "
    )

    refused = author.allowing("ERROR: ").run("sh", "-c", script + "wants_older", status=1)

    assert "The user requested (constraint) numpy==2.2.6" in refused.stdout
    assert "ERROR: Cannot install" in refused.stderr and "ResolutionImpossible" in refused.stderr


def test_forced_drift_is_refused_unless_allowed(author: TrackedContainer) -> None:
    """A locked package that was moved by force ends a strict run; REPRO_LOCK=warn lets it start,
    and `seedlock env` names it."""
    script = """
        export PIP_CONFIG_FILE=/dev/null PIP_NO_CACHE_DIR=1
        pip install --quiet --no-index --no-deps numpy==1.26.4 || exit 1
        run() { REPRO_SEED=7 "$@" python -c 'print("started")'; echo $?; }
        run env; run env REPRO_LEVEL=strict; run env REPRO_LOCK=warn
        seedlock env; echo $?
    """

    told = author.run("sh", "-c", script)

    lines = told.stdout.splitlines()
    assert lines[:4] == ["78", "78", "started", "0"]
    assert lines[-1] == "1"
    assert ["numpy", "1.26.4", "2.2.6", "DRIFT"] in [line.split() for line in lines]
    refusals = told.stderr.splitlines()
    assert len(refusals) == 2
    assert all("numpy is 1.26.4" in line and "REPRO_LOCK=warn" in line for line in refusals)


@pytest.mark.parametrize("descendant", DESCENDANTS[1:], indirect=True)
def test_authors_image_is_locked(descendant: TrackedContainer, container: TrackedContainer) -> None:
    """With the author's own command, ENTRYPOINT, user or virtual environment, the outside seed
    decides as in the base, and a bad one is refused."""
    first = descendant.seeded(7).run().digest()

    assert descendant.seeded(7).run().digest() == first
    assert descendant.seeded(8).run().digest() != first
    assert descendant.run().digest() not in (first, descendant.run().digest())
    plain = container.using(f"--volume={EXAMPLES}:/data:ro").seeded(7)
    assert plain.run("python", "/data/train.py").digest() == first
    refused = descendant.seeded("seven").run(status=78)
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1


def test_every_way_of_the_authors_has_an_example() -> None:
    """There is an example for each thing that an author may set."""
    assert DESCENDANTS == (
        ITSELF,
        "own-command",
        "own-entrypoint",
        "own-environment",
        "own-user",
    )
