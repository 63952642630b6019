"""Services that several tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services import postgresql


@pytest.fixture(scope="session", name="server")
def _server() -> Iterator[postgresql.Server]:
    """A PostgreSQL."""
    with postgresql.running() as server:
        yield server
