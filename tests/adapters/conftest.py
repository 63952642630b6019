"""The runs that the tests of one adapter share."""

from __future__ import annotations

import pytest

from tests.adapters.probe import Run, every_level


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Run]:
    """Return the runs of the module's PROGRAM, with the variables in its GIVEN."""
    module = request.module
    return every_level(module.PROGRAM, module.GIVEN, tmp_path_factory.mktemp("runs"))
