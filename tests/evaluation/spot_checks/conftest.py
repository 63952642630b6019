"""The round of the tests, made once; no test changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluation.spot_checks.authors_round import World, make


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> World:
    """All as it should be."""
    return make(tmp_path_factory.mktemp("honest"))


@pytest.fixture
def world(honest: World, tmp_path: Path) -> World:
    """A copy that a test may change."""
    return honest.copy(tmp_path / "world")
