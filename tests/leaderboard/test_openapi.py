"""The interface against its own description, by schemathesis: what is described comes, and no 500.

Requests are drawn from the description, good ones and bad ones, with a fixed seed: each time the
same. Half of them name rounds and submissions that are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as some
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.leaderboard.attacked import DONE, HIDDEN, OPEN, World
from tests.leaderboard.conftest import bearer

EXAMPLES = 12
"""Requests to each operation, by each of the visitors, of each kind."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

KNOWN = {
    "name": [OPEN, HIDDEN, DONE], "submission": ["ours", "theirs"], "number": ["1", "2", "3"],
    "file": ["opening.json", "ledger.jsonl", "draw.json", "0-1.json", "reveal.json"],
}  # fmt: skip
"""Values of parameters in paths that lead to something."""

EVERYTHING = list(HealthCheck)


@pytest.fixture(scope="module", name="world")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server with rounds, uploads and tokens."""
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.close()


def operations(world: World) -> list[Any]:
    """Return what the description has."""
    schema = schemathesis.openapi.from_dict(world.site.app.openapi())
    return [each.ok() for each in schema.get_all_operations()]


def headers_of(world: World, visitor: str) -> dict[str, str]:
    """Return the credentials of a visitor; new ones, since requests may revoke any."""
    if visitor == "public":
        return {}
    return bearer(world.site.token(visitor, "Ours" if visitor == "author" else None))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("visitor", ["organiser", "author", "public"])
def test_answers_are_as_described(world: World, visitor: str, mode: GenerationMode) -> None:
    """Whoever asks, and whatever is asked."""
    client = world.site.new_client(raise_server_exceptions=False)
    seen = set()
    for operation in operations(world):
        credentials = headers_of(world, visitor)

        @seed(7)
        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=EVERYTHING,
        )  # fmt: skip
        @given(
            case=operation.as_strategy(generation_mode=mode),
            known=some.fixed_dictionaries({k: some.sampled_from(v) for k, v in KNOWN.items()}),
            lost=some.booleans(),
        )
        def ask(
            case: Any, known: dict[str, str], lost: bool,
            credentials: dict[str, str] = credentials,
        ) -> None:  # fmt: skip
            for name in case.path_parameters or {}:
                if not lost:
                    case.path_parameters[name] = known.get(name, case.path_parameters[name])
            case.headers = {**(case.headers or {}), **credentials}
            sent = case.as_transport_kwargs(base_url=world.site.configuration.url)
            response = client.request(**sent)
            seen.add(response.status_code)
            case.validate_response(response, checks=CHECKS)

        ask()
        client.cookies.clear()

    assert len(seen) > 2, seen
