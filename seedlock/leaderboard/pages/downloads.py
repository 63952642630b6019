"""What can be downloaded from the pages: published files, records and archives as the interface
gives them, and the board's numbers."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from seedlock.evaluation.scores import spreadsheet
from seedlock.evaluation.scores.standings import Standings
from seedlock.leaderboard.api import records, submissions
from seedlock.leaderboard.api import rounds as api_rounds
from seedlock.leaderboard.api.asked import AllRounds, RoundName
from seedlock.leaderboard.dependencies import Now
from seedlock.leaderboard.pages import opened

router = APIRouter()

# The same routes with a session instead of a token: one place says who may read what.
router.add_api_route("/rounds/{name}/files/{file}", api_rounds.get_file, methods=["GET"])
router.add_api_route(
    "/rounds/{name}/records/{submission}/{file}", records.get_record, methods=["GET"]
)
router.add_api_route(
    "/rounds/{name}/uploads/{number}/archive", submissions.archive, methods=["GET"]
)


@router.get("/rounds/{name}/board.csv")
def board_csv(name: RoundName, all_rounds: AllRounds, now: Now) -> Response:
    """Return the numbers of all metrics as comma-separated values."""
    this = opened.load(all_rounds.folder(name), now)
    return _file(spreadsheet.text(Standings(this.standings)).encode(), f"{name}.csv", "text/csv")


@router.get("/rounds/{name}/board.json")
def board_json(name: RoundName, all_rounds: AllRounds, now: Now) -> Response:
    """Return the standings."""
    this = opened.load(all_rounds.folder(name), now)
    return _file(Standings(this.standings).as_bytes(), f"{name}.json", "application/json")


def _file(content: bytes, name: str, kind: str) -> Response:
    # A round's name is of letters, digits, dots, dashes and underscores (policy.NAMES).
    return Response(content, media_type=kind, headers={
        "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-cache",
    })  # fmt: skip
