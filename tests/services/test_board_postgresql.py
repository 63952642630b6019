"""What is handed in and published, with the server's rows in PostgreSQL."""

from __future__ import annotations

import pytest

from tests.leaderboard.api.test_publishing import _world  # noqa: F401
from tests.leaderboard.api.test_publishing import test_a_whole_round as test_a_whole_round
from tests.leaderboard.api.test_publishing import test_images as test_images
from tests.leaderboard.api.test_publishing import test_replays as test_replays
from tests.leaderboard.api.test_submissions import _board  # noqa: F401
from tests.leaderboard.api.test_submissions import (
    test_a_name_belongs_to_its_team as test_a_name_belongs_to_its_team,
)
from tests.leaderboard.api.test_submissions import test_the_last_counts as test_the_last_counts
from tests.leaderboard.api.test_submissions import (
    test_what_is_handed_in_is_there as test_what_is_handed_in_is_there,
)
from tests.leaderboard.api.test_submissions import (
    test_withdrawn_archives_go as test_withdrawn_archives_go,
)
from tests.leaderboard.conftest import _make_site  # noqa: F401
from tests.leaderboard.test_uploads import *  # noqa: F403
from tests.leaderboard.test_uploads import _round_site  # noqa: F401
from tests.services.postgresql import Server


@pytest.fixture(name="where")
def _where(server: Server) -> str:
    """A schema without tables."""
    return server.new()
