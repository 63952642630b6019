"""The image, built for real by the same code as `make image`, once for all tests of this folder.

With --recipe=gpu the same tests are those of the image with CUDA, without a GPU.
"""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from tests.image import engine
from tests.image.tracked import TrackedContainer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


MEASURED = pytest.StashKey[list[str]]()
EXAMPLES = engine.ROOT / "examples" / "author-image"
ITSELF = "itself"
DESCENDANTS = (ITSELF, *sorted(path.suffix[1:] for path in EXAMPLES.glob("Dockerfile.*")))


@pytest.fixture(name="docker", scope="session")
def docker_fixture() -> Iterator[str]:
    """An engine that answers; stopped afterwards if it was started for the tests."""
    daemon = engine.up()
    yield engine.client()
    if daemon is not None:
        engine.down(daemon)


@pytest.fixture(name="recipe", scope="session")
def recipe_fixture(request: pytest.FixtureRequest) -> engine.Recipe:
    """Which of the images is tested."""
    return engine.RECIPES[request.config.getoption("recipe")]


@pytest.fixture(name="image", scope="session")
def image_fixture(
    docker: str,
    recipe: engine.Recipe,
    tell: Callable[[str], None],
    pytestconfig: pytest.Config,
) -> str:
    """The image's name, after it was built from the tree as it is; or the one that is named."""
    named: str = pytestconfig.getoption("--image")
    if named:
        return named
    begin = time.monotonic()
    engine.build("--progress=plain", recipe=recipe)
    tell(f"docker build: {time.monotonic() - begin:.1f} s (less what earlier builds left)")
    return recipe.image


@pytest.fixture(name="context", scope="session")
def context_fixture(image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that the build takes, for tests that change some of it."""
    folder = tmp_path_factory.mktemp("build") / "context"
    for name in ("version-lock", "build/dist"):
        shutil.copytree(engine.ROOT / name, folder / name)
    # Links: a copy of the frameworks would be most of a gigabyte.
    shutil.copytree(engine.ROOT / "build/wheels", folder / "build/wheels", copy_function=os.link)
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(engine.ROOT / name, folder)
    return folder


@pytest.fixture(name="tell", scope="session")
def tell_fixture(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Take down a measured number, to be shown at the end of the run."""
    return request.config.stash[MEASURED].append


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the command line choose the image."""
    parser.addoption("--image", default="", help="an image of the engine's; none is built then")
    parser.addoption(
        "--recipe", choices=sorted(engine.RECIPES), default="cpu", help="image to be tested"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin with nothing measured."""
    config.stash[MEASURED] = []
    config.addinivalue_line("markers", "recipe(name): a test of that image only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is a test of the other image only."""
    chosen = config.getoption("recipe")
    marks = {item: item.get_closest_marker("recipe") for item in items}
    other = [item for item, mark in marks.items() if mark is not None and mark.args != (chosen,)]
    config.hook.pytest_deselected(items=other)
    items[:] = [item for item in items if item not in other]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show what was measured, also when all tests passed."""
    for line in config.stash[MEASURED]:
        terminalreporter.write_line(line)


@pytest.fixture(name="container", scope="session")
def container_fixture(image: str) -> TrackedContainer:
    """Starts containers of the image, without a seed."""
    return TrackedContainer(image)


@pytest.fixture(name="descendant", scope="session", params=DESCENDANTS)
def descendant_fixture(image: str, request: pytest.FixtureRequest) -> Iterator[TrackedContainer]:
    """The image, and each example of an image that an author built FROM it."""
    if request.param == ITSELF:
        yield TrackedContainer(image)
        return
    tag = f"seedlock/author-{request.param}"
    words = ("--build-arg", f"REPRO_BASE={image}", "--network=none", f"--tag={tag}")
    recipe = EXAMPLES / f"Dockerfile.{request.param}"
    engine.docker("build", *words, f"--file={recipe}", str(EXAMPLES))
    yield TrackedContainer(tag)
    engine.docker("image", "rm", tag)
