"""`seedlock manifest IMAGE`: the bill of the real image is what dpkg and pip in it say."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seedlock.evaluation.bill_of_materials import manifest_of
from seedlock.evaluation.manifest import DEB, DEBIAN, FILES, LOCKED, PYTHON, Manifest
from tests.image import engine
from tests.image.tracked import TrackedContainer
from tests.interpreter import Done, run

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")
SITE = "/opt/repro/venv/lib/python3.11/site-packages"
LOCKS = engine.ROOT / "version-lock"

AUTHORS = """
FROM {image}
USER root
RUN python3 -m venv --without-pip /srv/venv \\
    && cp -r {site}/six.py {site}/six-*.dist-info /srv/venv/lib/python3.11/site-packages/ \\
    && pip uninstall -q -y --root-user-action ignore termcolor \\
    && dpkg --purge --force-depends media-types \\
    && chown -R 4242 /srv/venv && chmod 0700 /srv/venv
ENV PATH=/nowhere PYTHONHOME=/nowhere REPRO_SEED=not-a-seed
ENTRYPOINT ["/bin/false"]
USER 4242
"""
"""Hostile to who reads it, and otherwise as an author's image may be."""

CHANGED_LOCK = """
FROM {image}
USER root
RUN echo >> /opt/repro/locks/{lock}
"""


def manifest(*words: str | Path, **variables: str) -> Done:
    """Run the command against the tests' engine."""
    variables = {"DOCKER": engine.client(), **variables}
    command = [SEEDLOCK, "manifest", *map(str, words)]
    return run(command, cwd=engine.ROOT, check=False, **variables)


@pytest.fixture(name="file", scope="module")
def file_fixture(image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's bill of materials, as the command wrote it."""
    file = tmp_path_factory.mktemp("manifest") / "image.json"
    done = manifest(image, "--output", file)
    assert (done.status, done.out, done.err) == (0, "", "")
    return file


@pytest.fixture(name="bill", scope="module")
def bill_fixture(file: Path) -> Manifest:
    """What it says; reading validates it."""
    return manifest_of(file.read_text(), str(file))


def built(image: str, tag: str, dockerfile: str) -> Iterator[str]:
    """Build an image on the tested one, without a network; remove it afterwards."""
    words = [engine.client(), "build", "--quiet", "--network=none", f"--tag={tag}", "-"]
    text = dockerfile.format(image=image, site=SITE)
    subprocess.run(
        words, input=text, text=True, env=engine.environment(), capture_output=True, check=True
    )
    yield tag
    engine.docker("image", "rm", "--force", tag)


@pytest.fixture(name="authors", scope="module")
def authors_fixture(image: str) -> Iterator[str]:
    """An author's image."""
    yield from built(image, "seedlock/test-manifest-author", AUTHORS)


@pytest.fixture(name="changed", scope="module")
def changed_fixture(image: str, recipe: engine.Recipe) -> Iterator[str]:
    """An image whose lock is not the one that it was built from."""
    yield from built(
        image, "seedlock/test-manifest-lock", CHANGED_LOCK.replace("{lock}", recipe.lock)
    )


def test_debian_packages_are_those_of_dpkg(bill: Manifest, container: TrackedContainer) -> None:
    """Name, version and architecture of each, as dpkg-query in the image prints them."""
    told = container.run("dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}\\n")

    found = [f"{each.name} {each.version} {each.place}" for each in bill.of_system(DEBIAN)]
    assert len(found) > 100
    assert sorted(found) == sorted(told.stdout.splitlines())


def test_python_packages_are_those_of_pip(bill: Manifest, container: TrackedContainer) -> None:
    """Name and version of each, as pip in the image lists them, and none elsewhere."""
    told = container.run("python", "-m", "pip", "list", "--format", "json").stdout

    found = [(each.name, each.version) for each in bill.of_system(PYTHON)]
    assert found == sorted(
        (each["name"].lower().replace("_", "-"), each["version"]) for each in json.loads(told)
    )
    assert {each.place for each in bill.of_system(PYTHON)} == {SITE}


def test_each_locked_package_has_the_locks_hash(bill: Manifest) -> None:
    """All that the locks name is there in their versions; the rest comes with the base, with
    Debian's Python or from this project, and has a digest of its files."""
    debs = {deb for each in bill.packages for deb in each.of_kind(DEB)}
    lock = (LOCKS / "debian.lock").read_text()

    assert debs == {line[:64] for line in lock.splitlines() if not line.startswith("#")}
    assert {each.name for each in bill.of_system(PYTHON) if not each.of_kind(LOCKED)} == {
        "pip", "seedlock",
    }  # fmt: skip
    assert all(len(each.of_kind(FILES)) == 1 for each in bill.packages)


def test_the_image_as_a_whole(image: str, recipe: engine.Recipe, bill: Manifest) -> None:
    """Its id, base, locks, revision and seedlock."""
    about = json.loads(engine.docker("image", "inspect", image).stdout)[0]

    assert (bill.kind, bill.name, bill.identity) == ("image", image, about["Id"])
    assert bill.base is not None
    name, _, digest = engine.base().partition("@")
    assert bill.base == (name, digest, about["RootFS"]["Layers"][0])
    assert bill.locks == {
        name: hashlib.sha256((LOCKS / of).read_bytes()).hexdigest()
        for name, of in (
            ("constraints.txt", recipe.constraints),
            (recipe.lock, recipe.lock),
            ("debian.lock", "debian.lock"),
        )
    }
    assert (bill.revision, bill.seedlock) == (engine.revision(), engine.version())
    assert bill.system[0] == "debian" and bill.system[1].startswith("12.")


def test_an_image_and_its_bill_are_equal(image: str, file: Path) -> None:
    """Status 0; and written again, the bill has the same bytes."""
    done = manifest("--diff", file, image)

    assert (done.status, done.lines[0], done.err) == (0, "EQUAL", "")
    assert manifest(image).out == file.read_text()


def test_what_an_author_changed(image: str, file: Path, authors: str) -> None:
    """Packages in another environment, in a folder that only its owner may read, are found, and
    those that are gone; the image's entrypoint, user, PATH and variables decide nothing."""
    done = manifest("--diff", file, authors, "--json")

    assert (done.status, done.err) == (1, "")
    content = json.loads(done.out)
    assert content["facts"] == []
    assert [(each["name"], each["change"]) for each in content["packages"]] == [
        ("media-types", "removed"), ("six", "added"), ("termcolor", "removed"),
    ]  # fmt: skip
    six = content["packages"][1]["after"]
    assert six["place"] == "/srv/venv/lib/python3.11/site-packages"
    left = engine.docker("ps", "--all", "--quiet", f"--filter=ancestor={authors}").stdout
    assert left == ""


def test_an_image_with_another_lock_than_its_label(changed: str) -> None:
    """Which lock it was built from can't be told, so nothing is."""
    done = manifest(changed)

    assert (done.status, done.out) == (78, "")
    assert "its label org.seedlock.lock.sha256 is" in done.err
    assert "#not-a-repro-base]" in done.err


def test_an_image_that_is_no_repro_base(image: str) -> None:
    """The base that it is built on, for one."""
    done = manifest(engine.base())

    assert (done.status, done.out) == (78, "")
    assert "has no label org.seedlock.lock.sha256; allowed: " in done.err
    assert "#not-a-repro-base]" in done.err


def test_an_image_that_the_engine_does_not_hold(docker: str) -> None:
    """The engine's own words, and nothing is fetched."""
    done = manifest("--diff", "conference/none:1", "conference/none:2")

    assert (done.status, done.out) == (78, "")
    assert "No such image: conference/none:1" in done.err and "#no-such-image]" in done.err


def test_no_engine_answers(docker: str, tmp_path: Path) -> None:
    """It is told apart from an image that is not there."""
    done = manifest("conference/none", DOCKER_HOST=f"unix://{tmp_path}/none")

    assert (done.status, done.out) == (78, "")
    assert "Cannot connect to the Docker daemon" in done.err and "#no-engine]" in done.err


def test_manifest_in_the_image(container: TrackedContainer) -> None:
    """What it needs is no part of the image; it says what, and how to do without."""
    done = container.run("seedlock", "manifest", status=78)

    assert done.stdout == ""
    assert "cyclonedx-python-lib and jsonschema not installed" in done.stderr
    assert "run seedlock manifest IMAGE outside of it [docs/messages.md#missing-extra]" in (
        done.stderr
    )
