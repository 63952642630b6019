"""The image, built for real by the same code as `make image`, once for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.image import engine
from tests.image.tracked import TrackedContainer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(name="docker", scope="session")
def docker_fixture() -> Iterator[str]:
    """An engine that answers; stopped afterwards if it was started for the tests."""
    daemon = engine.up()
    yield engine.client()
    if daemon is not None:
        engine.down(daemon)


@pytest.fixture(name="image", scope="session")
def image_fixture(docker: str) -> str:
    """The image's name, after it was built from the tree as it is."""
    engine.build("--progress=plain")
    return engine.IMAGE


@pytest.fixture(name="tell", scope="session")
def tell_fixture(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Print a measured number for whoever reads the run, captured output or not."""
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    return lambda line: reporter.write_line(f"\n{line}")


@pytest.fixture(name="container", scope="session")
def container_fixture(image: str) -> TrackedContainer:
    """Starts containers of the image, without a seed."""
    return TrackedContainer(image)
