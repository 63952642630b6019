"""Every file of an export that is made from others: pages, tables, what it says of itself."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRecord, BadRound
from seedlock.evaluation.recording import record
from seedlock.evaluation.rounds import verification
from seedlock.evaluation.rounds.canonical import moment
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.scores import spreadsheet
from seedlock.evaluation.scores.standings import Standings
from seedlock.leaderboard import (
    board_order,
    board_view,
    ceremony_view,
    compare_view,
    ledger_view,
    rendering,
    submission_view,
)
from seedlock.leaderboard.export_layout import ABOUT, BOARD, CSV, README, public_records
from seedlock.leaderboard.links import StaticLinks
from seedlock.leaderboard.round_state import state

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from seedlock.leaderboard.round_state import State

MOST_COMPARED = 15
"""So many of the best submissions are compared with each other: 105 pages."""

TEXT = """\
The board of the round {round}, as files. It needs no server: open index.html.

    board.json, board.csv   the numbers, per submission, seed and metric
    files/                  what the round published: its policy, its steps, its ledger
    records/                how each run of a public submission went, if they were exported
    SHA256SUMS              digests: sha256sum -c SHA256SUMS

sha256sum sees whether a file was changed and the sums were not. More is seen by

    seedlock board verify .

It computes the hidden seeds, the ledger's chain and every number anew, offline, makes each page
again and compares it byte for byte (with the code that this was made by: {made_by}).
Of private submissions an export holds name, digest and scores, and nothing else.
"""


def documents(
    place: Path, board: Mapping[str, Any], about: Mapping[str, Any]
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file that is made from the round and its board.

    Equal arguments give equal bytes, with the same code (`rendering.made_by`).

    Args:
        place: laid out as the round's folder, with the export's records alone.
        board: standings as `Standings.as_dict` has them.
        about: content of export.json.

    Raises:
        BadRound: a file of the round is not what it has to be.
    """
    yield BOARD, Standings(board).as_bytes()
    yield CSV, spreadsheet.text(Standings(board)).encode()
    yield ABOUT, _json(about)
    yield README, TEXT.format(round=board["round"], made_by=about["made_by"]).encode()
    yield "static/style.css", rendering.style_sheet()
    site = _Site(place, board, about)
    yield from site.boards()
    yield from site.submissions()
    yield from site.comparisons()
    yield from site.ceremony()
    yield from site.ledger()


class _Site:
    def __init__(self, place: Path, board: Mapping[str, Any], about: Mapping[str, Any]) -> None:
        self.place, self.board = place, board
        self.this = Round(place)
        self.at = moment(about["at"])
        self.state: State = state(self.this, board, self.at)
        self.name = board["round"]
        self.first = next(iter(board["metrics"]))
        shown = {each.partition("/")[0] for each in public_records(self.this)}
        self.records = frozenset(shown)
        best = Standings(board).ordered(self.first)[:MOST_COMPARED]
        names = sorted(each["name"] for each in best)
        self.pairs = frozenset(itertools.combinations(names, 2))

    def boards(self) -> Iterator[tuple[str, bytes]]:
        """Yield the pages of the board, of each metric."""
        for metric in self.board["metrics"]:
            asked = None if metric == self.first else metric
            number = pages = 1
            while number <= pages:
                at = self._links("").board_file(metric, number)
                links = self._links(at)
                found = board_order.Asked(metric=asked, page=number)
                view = board_view.board(self.board, self.state, links, found)
                assert view is not None
                pages, number = view.pages, number + 1
                yield at, rendering.render("board.html", view, links).encode()

    def submissions(self) -> Iterator[tuple[str, bytes]]:
        """Yield a page for each submission."""
        for entry in self.board["submissions"]:
            at = f"submissions/{entry['name']}.html"
            links = self._links(at)
            view = submission_view.submission(
                self.board, entry["name"], self.state, links, self._contents(entry),
                entry["name"] in self.records,
            )  # fmt: skip
            yield at, rendering.render("submission.html", view, links).encode()

    def comparisons(self) -> Iterator[tuple[str, bytes]]:
        """Yield a page for each pair of the best, and one that leads to them."""
        places = [("", "", "compare/index.html")] if self.pairs else []
        places += [(*each, StaticLinks.compare_file(*each)) for each in sorted(self.pairs)]
        for first, second, at in places:
            links = self._links(at)
            view = compare_view.comparison(self.board, first, second, self.state, links)
            yield at, rendering.render("compare.html", view, links).encode()

    def ceremony(self) -> Iterator[tuple[str, bytes]]:
        """Yield the page of the round's steps, with what a verification finds in its files."""
        links = self._links("ceremony.html")
        found = verification.verify(self.place, self.at, verification.Seen())
        told = ceremony_view.checked(found)
        view = ceremony_view.ceremony(self.this, self.state, links, told)
        yield links.at, rendering.render("ceremony.html", view, links).encode()

    def ledger(self) -> Iterator[tuple[str, bytes]]:
        """Yield the pages of the ledger."""
        names = {each["digest"]: (each["name"], each["visibility"] != "public")
                 for each in self.board["submissions"]}  # fmt: skip
        number = pages = 1
        while number <= pages:
            at = "ledger.html" if number == 1 else f"ledger-{number}.html"
            links = self._links(at)
            view = ledger_view.ledger(self.place, self.name, names, self.state, links, number)
            assert view is not None
            pages, number = view.pages, number + 1
            yield at, rendering.render("ledger.html", view, links).encode()

    def _contents(self, entry: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
        """Return the records of a submission's runs that are here, by seed index."""
        found = {}
        for run in entry["runs"]:
            path = run.get("record")
            there = entry["name"] in self.records and bool(path) and (self.place / path).is_file()
            if there and not run["problem"]:
                try:
                    found[run["seed_index"]] = record.load(self.place / path)
                except BadRecord as problem:
                    raise BadRound(str(problem)) from problem
        return found

    def _links(self, at: str) -> StaticLinks:
        return StaticLinks(at, self.first, self.records, self.pairs)


def _json(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()
