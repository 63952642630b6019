"""The round of the tests, made once; no test changes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evaluation.spot_checks.authors_round import World, make


@pytest.fixture(scope="package", autouse=True)
def plain() -> Iterator[None]:
    """An environment without what all tests, or all programs of this machine, are started with: a
    round's records may not be made under variables of OpenMP's or OpenBLAS's."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("OMP_", "OPENBLAS_"))]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="package")
def honest(plain: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    """All as it should be."""
    return make(tmp_path_factory.mktemp("honest"))


@pytest.fixture
def world(honest: World, tmp_path: Path) -> World:
    """A copy that a test may change."""
    return honest.copy(tmp_path / "world")
