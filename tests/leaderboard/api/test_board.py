"""The scores of a round, asked for by programs: what the pages show is there for them too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from seedlock.evaluation.scores.head_to_head import head_to_head
from seedlock.leaderboard import application
from seedlock.leaderboard.kept_rounds import STANDINGS
from tests.leaderboard.api.test_publishing import ROUND, STEPS, World, _world  # noqa: F401
from tests.leaderboard.example_standings import example

BOARD = "/rounds/{name}"

FOR_PROGRAMS = {
    "/": ["/rounds"],
    BOARD: [f"{BOARD}/board", f"{BOARD}/standings"],
    f"{BOARD}/board.csv": [f"{BOARD}/board.csv"],
    f"{BOARD}/board.json": [f"{BOARD}/standings"],
    f"{BOARD}/submissions/{{submission}}": [
        f"{BOARD}/submissions/{{submission}}", f"{BOARD}/records/{{submission}}/{{file}}",
    ],
    f"{BOARD}/compare": [f"{BOARD}/compare"],
    f"{BOARD}/ceremony": [f"{BOARD}/ceremony", f"{BOARD}/verify", f"{BOARD}/files/{{file}}"],
    f"{BOARD}/ledger": [f"{BOARD}/ledger"],
    f"{BOARD}/files/{{file}}": [f"{BOARD}/files/{{file}}"],
    f"{BOARD}/records/{{submission}}/{{file}}": [f"{BOARD}/records/{{submission}}/{{file}}"],
    f"{BOARD}/uploads": [f"{BOARD}/submissions", f"{BOARD}/uploads/{{number}}/archive"],
    f"{BOARD}/uploads/{{number}}/archive": [f"{BOARD}/uploads/{{number}}/archive"],
    "/images": ["/images"],
    "/account": ["/me"],
    "/administration": ["/teams", "/tokens"],
    "/administration/audit": ["/audit"],
}  # fmt: skip
"""What a page shows, as paths of the interface below /api/v1."""

FOR_PEOPLE_ONLY = {"/sign-in", "/first"}
"""A program has its token."""


def test_each_page_is_there_for_programs(world: World) -> None:
    """No page has what the interface does not; a new page needs a row in the table."""
    described = world.site.app.openapi()["paths"]
    pages = {
        route.path
        for router in application.PAGE_ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and "GET" in (route.methods or ())
    }

    assert pages - FOR_PEOPLE_ONLY == FOR_PROGRAMS.keys()
    for page, paths in FOR_PROGRAMS.items():
        for path in paths:
            assert f"/api/v1{path}" in described, page


@pytest.mark.parametrize("listed", [True, False], ids=["small board", "large board"])
def test_two_are_compared_as_on_their_page(world: World, listed: bool) -> None:
    """Both tests, interval and probability of improvement, and who is better by the whole board;
    also where the board is so large that its standings list no pairs."""
    world.put(*STEPS)
    standings = example()
    content = json.loads(standings.as_bytes())
    if not listed:
        for each in content["comparisons"].values():
            each["told_apart"] = None
    _exchange(world.site.configuration.folder / "rounds" / ROUND / STANDINGS, content)

    def ask(one: str, other: str) -> Any:
        return world.get("compare", a=one, b=other).json()

    apart, turned = ask("wide-mlp", "conv-a"), ask("conv-a", "wide-mlp")
    tied, few = ask("conv-a", "conv-b"), ask("wide-mlp", "late-start")

    assert apart["better"] == {"accuracy": "a", "loss": "a"}
    assert turned["better"] == {"accuracy": "b", "loss": "b"}
    assert tied["better"] == few["better"] == {"accuracy": None, "loss": None}
    for metric, told in tied["metrics"].items():
        assert told == head_to_head(standings, metric, "conv-a", "conv-b")
    accuracy = tied["metrics"]["accuracy"]
    assert accuracy["primary"]["p"] == pytest.approx(0.078893, abs=5e-7)
    assert accuracy["permutation"]["p"] == pytest.approx(24 / 252)
    assert accuracy["improvement"]["probability"] == 0.84
    assert not few["metrics"]["loss"]["decidable"]
    assert "not decidable with 3 common seeds" in few["metrics"]["loss"]["why"]


def _exchange(path: Path, content: dict[str, Any]) -> None:
    """Put other standings into a file's place, as a server does."""
    path.with_suffix(".new").write_text(json.dumps(content))
    path.with_suffix(".new").replace(path)
