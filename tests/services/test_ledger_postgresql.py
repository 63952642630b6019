"""A ledger in PostgreSQL: the tests of the one in SQLite, against a server of Debian's."""

from __future__ import annotations

import pytest

from tests.evaluation.ledger.conftest import _clock, _ledger, _reopen  # noqa: F401
from tests.evaluation.ledger.test_ledger import *  # noqa: F403
from tests.services.postgresql import Server


@pytest.fixture(name="where")
def _where(server: Server) -> str:
    """An empty database."""
    return server.new()
