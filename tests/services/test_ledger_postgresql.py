"""A ledger in PostgreSQL: the tests of the one in SQLite, against a server of Debian's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from seedlock.evaluation.ledger.ledger import Ledger
from tests.evaluation.ledger.conftest import _clock, _ledger, _reopen  # noqa: F401
from tests.evaluation.ledger.made import Clock, play
from tests.evaluation.ledger.test_killed_workers import *  # noqa: F403
from tests.evaluation.ledger.test_ledger import *  # noqa: F403
from tests.evaluation.ledger.test_verification import *  # noqa: F403
from tests.services.postgresql import Server


@pytest.fixture(name="where")
def _where(server: Server) -> str:
    """A schema without tables."""
    return server.new()


@pytest.fixture(name="played")
def _played(where: str, clock: Clock) -> Iterator[Ledger]:
    """A ledger that went through all that can happen."""
    with Ledger.open(where, clock=clock) as ledger:
        play(ledger, clock)
        yield ledger
