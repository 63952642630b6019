"""Every file of an export that is made from others: pages, tables, what it says of itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.rounds.canonical import moment
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.scores.standings import Standings
from seedlock.leaderboard import board_view, rendering
from seedlock.leaderboard.export_layout import ABOUT, BOARD, README
from seedlock.leaderboard.links import StaticLinks
from seedlock.leaderboard.round_state import state

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from seedlock.leaderboard.round_state import State

TEXT = """\
The board of the round {round}, as files. It needs no server: open index.html.

    board.json, board.csv   the numbers, per submission, seed and metric
    files/                  what the round published: its policy, its steps, its ledger
    records/                how each run of a public submission went, if they were exported
    SHA256SUMS              digests: sha256sum -c SHA256SUMS

sha256sum sees whether a file was changed and the sums were not. More is seen by

    seedlock board verify .

It computes the hidden seeds, the ledger's chain and every number anew, offline, makes each page
again and compares it byte for byte (with the versions that this was made by: {made_by}).
Of private submissions an export holds name, digest and scores, and nothing else.
"""


def documents(
    place: Path, board: Mapping[str, Any], about: Mapping[str, Any]
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file that is made from the round and its board.

    Equal arguments give equal bytes, with the same versions of seedlock and Matplotlib.

    Args:
        place: laid out as the round's folder, with the export's records alone.
        board: standings as `Standings.as_dict` has them.
        about: content of export.json.

    Raises:
        BadRound: a file of the round is not what it has to be.
    """
    yield BOARD, Standings(board).as_bytes()
    yield ABOUT, _json(about)
    yield README, TEXT.format(round=board["round"], made_by=about["made_by"]).encode()
    yield "static/style.css", rendering.style_sheet()
    site = _Site(place, board, about)
    yield from site.boards()


class _Site:
    def __init__(self, place: Path, board: Mapping[str, Any], about: Mapping[str, Any]) -> None:
        self.place, self.board = place, board
        self.this = Round(place)
        self.state: State = state(self.this, board, moment(about["at"]))
        self.name = board["round"]
        self.first = next(iter(board["metrics"]))

    def boards(self) -> Iterator[tuple[str, bytes]]:
        """Yield the pages of the board, of each metric."""
        for metric in self.board["metrics"]:
            asked = None if metric == self.first else metric
            number = pages = 1
            while number <= pages:
                at = self._links("").board_file(metric, number)
                links = self._links(at)
                found = board_view.Asked(metric=asked, page=number)
                view = board_view.board(self.board, self.state, links, found)
                assert view is not None
                pages, number = view.pages, number + 1
                yield at, rendering.render("board.html", view, links).encode()

    def _links(self, at: str) -> StaticLinks:
        return StaticLinks(at, self.first)


def _json(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()
