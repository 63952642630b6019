"""The interface against its own description, by schemathesis: what is described comes, and no 500.

Requests are drawn from the description, good ones and bad ones, with a fixed seed: each time the
same. Half of them name rounds and submissions that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from httpx2 import Response
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as some
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.leaderboard.attacked import DONE, HIDDEN, OPEN, World
from tests.leaderboard.conftest import bearer

EXAMPLES = [5, pytest.param(10, marks=pytest.mark.full)]
"""Requests to each operation, by each of the visitors, of each kind."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

KNOWN = {
    "name": [OPEN, HIDDEN, DONE], "submission": ["ours", "theirs"], "number": [*"123456"],
    "files/{file}": ["opening.json", "ledger.jsonl", "draw.json", "reveal.json"],
    "{submission}/{file}": ["0-1.json", "1-1.json"],
}  # fmt: skip
"""Values of parameters in paths that lead to something."""


@schemathesis.serializer("application/gzip")
def _as_it_is(_context: Any, value: Any) -> Any:
    """Send drawn bytes as an archive."""
    return value


@pytest.fixture(scope="module", name="world")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server with rounds, uploads and tokens."""
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.close()


def operations(world: World) -> list[Any]:
    """Return what the description has."""
    schema = schemathesis.openapi.from_dict(world.site.app.openapi())
    found = list(schema.get_all_operations())
    assert all(isinstance(each, Ok) for each in found)
    return [each.ok() for each in found if isinstance(each, Ok)]


def headers_of(world: World, visitor: str) -> dict[str, str]:
    """Return the credentials of a visitor; new ones, since requests may revoke any."""
    if visitor == "public":
        return {}
    return bearer(world.site.token(visitor, "Ours" if visitor == "author" else None))


def try_out(
    operation: Any, mode: GenerationMode, send: Callable[[Any], Response], examples: int
) -> None:
    """Send requests to an operation and hold the answers against its description.

    Raises:
        FailureGroup: an answer is not as described; names the request.
    """

    @seed(7)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        case=operation.as_strategy(generation_mode=mode),
        known=some.fixed_dictionaries({n: some.sampled_from(each) for n, each in KNOWN.items()}),
        there=some.sampled_from([True, True, True, False]),
    )
    def ask(case: Any, known: dict[str, str], there: bool) -> None:
        for name, value in known.items() if there else ():
            parameter = name.rpartition("{")[2].rstrip("}")
            if f"{{{parameter}}}" in operation.path and name.strip("{}") in operation.path:
                case.path_parameters[parameter] = value
        case.validate_response(send(case), checks=CHECKS)

    ask()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of how schemathesis calls httpx
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("visitor", ["organiser", "author", "public"])
@pytest.mark.parametrize("examples", EXAMPLES)
def test_answers_are_as_described(
    world: World, visitor: str, mode: GenerationMode, examples: int
) -> None:
    """Whoever asks, and whatever is asked."""
    client = world.site.new_client(raise_server_exceptions=False)
    seen, wrong = set(), []
    credentials: dict[str, str] = {}

    def send(case: Any) -> Response:
        case.headers = {**(case.headers or {}), **credentials}
        sent = case.as_transport_kwargs(base_url=world.site.configuration.url)
        answer: Response = client.request(**sent)
        seen.add(answer.status_code)
        return answer

    for operation in operations(world):
        credentials = headers_of(world, visitor)
        try:
            try_out(operation, mode, send, examples)
        except Unsatisfiable:
            assert mode == GenerationMode.NEGATIVE  # it takes nothing that could be wrong
        except FailureGroup as problem:
            wrong.append(f"{operation.label}: {[str(each) for each in problem.exceptions]}")

    assert not wrong, "\n".join(wrong)
    assert len(seen) > 2, seen
