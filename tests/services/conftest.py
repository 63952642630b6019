"""Services that several tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.evaluation.conftest import bwrap_fixture as bwrap_fixture
from tests.services import postgresql
from tests.services.slurm import NoSlurm, Slurm


@pytest.fixture(scope="session", name="server")
def _server() -> Iterator[postgresql.Server]:
    """A PostgreSQL."""
    with postgresql.running() as server:
        yield server


@pytest.fixture(scope="session", name="slurm")
def _slurm() -> Iterator[Slurm]:
    """A Slurm of two nodes."""
    try:
        started = Slurm()
    except NoSlurm as problem:
        pytest.skip(str(problem))
    yield started
    started.stop()

    assert not started.left()
