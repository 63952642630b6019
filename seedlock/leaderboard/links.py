"""Where pages lie: on the server, and in a static export with addresses relative to each page."""

from __future__ import annotations

import hashlib
import posixpath
import re
from abc import ABC, abstractmethod
from urllib.parse import quote, urlencode

_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")


class Links(ABC):
    """Addresses of pages. None stands for what is not there, and templates then name no link.

    Names of rounds and submissions are those of the policy (`policy.NAMES`); names of metrics may
    be any text. Every address is fit for an attribute once it is escaped.
    """

    static = False

    @abstractmethod
    def style(self) -> str:
        """Return the address of the style sheet."""

    @abstractmethod
    def rounds(self) -> str | None:
        """Return the address of the list of rounds."""

    @abstractmethod
    def board(
        self,
        name: str,
        *,
        metric: str | None = None,
        sort: str | None = None,
        order: str | None = None,
        matching: str | None = None,
        page: int = 1,
    ) -> str | None:
        """Return the address of a round's board; what is None is as the page has it by itself.

        Args:
            name: the round's.
            metric: which is shown.
            sort: by which column.
            order: `up` or `down`.
            matching: a part of the names that are shown.
            page: from 1 on.
        """

    @abstractmethod
    def submission(self, name: str, submission: str) -> str | None:
        """Return the address of a submission's page."""

    @abstractmethod
    def compare(self, name: str, first: str | None = None, second: str | None = None) -> str | None:
        """Return the address of the comparison of two submissions."""

    @abstractmethod
    def ceremony(self, name: str) -> str | None:
        """Return the address of a round's ceremony."""

    @abstractmethod
    def verify(self, name: str) -> str | None:
        """Return the address that a request to verify a round is sent to."""

    @abstractmethod
    def ledger(self, name: str, page: int = 1) -> str | None:
        """Return the address of a page of a round's ledger."""

    @abstractmethod
    def images(self) -> str | None:
        """Return the address of the images' versions."""

    @abstractmethod
    def file(self, name: str, file: str) -> str | None:
        """Return the address of a published document of a round."""

    @abstractmethod
    def record(self, name: str, submission: str, file: str) -> str | None:
        """Return the address of a record, given its file's name."""

    @abstractmethod
    def csv(self, name: str) -> str | None:
        """Return the address of a round's board as CSV."""

    @abstractmethod
    def json(self, name: str) -> str | None:
        """Return the address of a round's board as JSON."""


class ServerLinks(Links):
    """Addresses on the server, from its root."""

    def style(self) -> str:
        """Return the address of the style sheet."""
        return "/static/style.css"

    def rounds(self) -> str:
        """Return the address of the list of rounds."""
        return "/"

    def board(
        self,
        name: str,
        *,
        metric: str | None = None,
        sort: str | None = None,
        order: str | None = None,
        matching: str | None = None,
        page: int = 1,
    ) -> str:
        """Return the address of a round's board."""
        given = {"metric": metric, "sort": sort, "order": order, "filter": matching,
                 "page": str(page) if page != 1 else None}  # fmt: skip
        return _query(self._round(name), given)

    def submission(self, name: str, submission: str) -> str:
        """Return the address of a submission's page."""
        return f"{self._round(name)}/submissions/{quote(submission, safe='')}"

    def compare(self, name: str, first: str | None = None, second: str | None = None) -> str:
        """Return the address of the comparison of two submissions."""
        return _query(f"{self._round(name)}/compare", {"a": first, "b": second})

    def ceremony(self, name: str) -> str:
        """Return the address of a round's ceremony."""
        return f"{self._round(name)}/ceremony"

    def verify(self, name: str) -> str:
        """Return the address that a request to verify a round is sent to."""
        return f"{self._round(name)}/ceremony/verify"

    def uploads(self, name: str) -> str:
        """Return the address of what a team handed in for a round."""
        return f"{self._round(name)}/uploads"

    def archive(self, name: str, upload: int) -> str:
        """Return the address of an upload's archive."""
        return f"{self.uploads(name)}/{upload}/archive"

    def ledger(self, name: str, page: int = 1) -> str:
        """Return the address of a page of a round's ledger."""
        return _query(f"{self._round(name)}/ledger", {"page": str(page) if page != 1 else None})

    def images(self) -> str:
        """Return the address of the images' versions."""
        return "/images"

    def file(self, name: str, file: str) -> str:
        """Return the address of a published document of a round."""
        return f"{self._round(name)}/files/{quote(file, safe='')}"

    def record(self, name: str, submission: str, file: str) -> str:
        """Return the address of a record, given its file's name."""
        return f"{self._round(name)}/records/{quote(submission, safe='')}/{quote(file, safe='')}"

    def csv(self, name: str) -> str:
        """Return the address of a round's board as CSV."""
        return f"{self._round(name)}/board.csv"

    def json(self, name: str) -> str:
        """Return the address of a round's board as JSON."""
        return f"{self._round(name)}/board.json"

    def _round(self, name: str) -> str:
        return f"/rounds/{quote(name, safe='')}"


class StaticLinks(Links):
    """Addresses in a static export of one round, relative to a page of it.

    Args:
        at: path of the page below the export's folder, with `/`.
        first: the metric of `index.html`.
        records: names of submissions whose records are in the export.
        compared: pairs of submissions that have a page, each in one order.
    """

    static = True

    def __init__(
        self,
        at: str,
        first: str,
        records: frozenset[str] = frozenset(),
        compared: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        self.at, self.first = at, first
        self.records, self.compared = records, compared

    def style(self) -> str:
        """Return the address of the style sheet."""
        return self._to("static/style.css")

    def rounds(self) -> None:
        """Return None: an export holds one round."""

    def board(
        self,
        name: str,
        *,
        metric: str | None = None,
        sort: str | None = None,
        order: str | None = None,
        matching: str | None = None,
        page: int = 1,
    ) -> str | None:
        """Return the address of the board; sorted otherwise or filtered it is not there."""
        if sort or order or matching:
            return None
        return self._to(self.board_file(metric or self.first, page))

    def board_file(self, metric: str, page: int) -> str:
        """Return where the board of a metric lies in the export."""
        numbered = f"-{page}" if page != 1 else ""
        if metric == self.first:
            return f"index{numbered}.html"
        return f"metric-{slug(metric)}{numbered}.html"

    def submission(self, name: str, submission: str) -> str:
        """Return the address of a submission's page."""
        return self._to(f"submissions/{submission}.html")

    def compare(self, name: str, first: str | None = None, second: str | None = None) -> str | None:
        """Return the address of a comparison, if the export has it; without names, of the list."""
        if first is None or second is None:
            return self._to("compare/index.html") if self.compared else None
        for pair in ((first, second), (second, first)):
            if pair in self.compared:
                return self._to(self.compare_file(*pair))
        return None

    @staticmethod
    def compare_file(first: str, second: str) -> str:
        """Return where a comparison lies in the export."""
        return f"compare/{first}~{second}.html"

    def ceremony(self, name: str) -> str:
        """Return the address of the round's ceremony."""
        return self._to("ceremony.html")

    def verify(self, name: str) -> None:
        """Return None: an export runs no program; its page says the command."""

    def ledger(self, name: str, page: int = 1) -> str:
        """Return the address of a page of the ledger."""
        return self._to(f"ledger-{page}.html" if page != 1 else "ledger.html")

    def images(self) -> None:
        """Return None: images belong to the server."""

    def file(self, name: str, file: str) -> str:
        """Return the address of a published document."""
        return self._to(f"files/{file}")

    def record(self, name: str, submission: str, file: str) -> str | None:
        """Return the address of a record, if the export has it."""
        return self._to(f"records/{submission}/{file}") if submission in self.records else None

    def csv(self, name: str) -> str:
        """Return the address of the board as CSV."""
        return self._to("board.csv")

    def json(self, name: str) -> str:
        """Return the address of the board as JSON."""
        return self._to("board.json")

    def _to(self, path: str) -> str:
        return quote(posixpath.relpath(path, posixpath.dirname(self.at) or "."), safe="/~")


def slug(text: str) -> str:
    """Return a file's name for any text, different for different texts."""
    short = _PLAIN.sub("-", text).strip("-.")[:40]
    return f"{short}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _query(path: str, given: dict[str, str | None]) -> str:
    kept = {key: value for key, value in given.items() if value is not None}
    return f"{path}?{urlencode(kept)}" if kept else path
