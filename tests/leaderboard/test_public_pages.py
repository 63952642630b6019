"""The server's pages for everybody."""

from __future__ import annotations

import asyncio
import gzip
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from seedlock.evaluation.rounds import steps, verification
from seedlock.evaluation.rounds.canonical import from_seconds, stamp
from seedlock.evaluation.rounds.claims import Finding
from seedlock.leaderboard import verifying
from seedlock.leaderboard.configuration import Limits
from seedlock.leaderboard.pages import opened as opened_round
from seedlock.leaderboard.pages.page_cache import PageCache, pack
from seedlock.leaderboard.problems import contradictory
from tests.leaderboard import large_round
from tests.leaderboard.conftest import START, Site

NAME = "sample-2026"

PAGES = ("", "/submissions/conv-1", "/compare", "/ceremony", "/ledger",
         "/compare?a=conv-1&b=deep-1", "?metric=loss&sort=name&order=down&filter=a")  # fmt: skip


STATES = tuple(f'class="word {word}"' for word in ("open", "closed", "void"))


@pytest.fixture(name="made", scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A round of nine submissions under three seeds, revealed; two of them are private."""
    folder = tmp_path_factory.mktemp("public") / NAME
    large_round.make(folder, large_round.Shape(11, 4, NAME))
    return folder


@pytest.fixture(name="board")
def _board(site: Site, made: Path) -> Site:
    """A server with that round."""
    return opened(site, made)


def opened(site: Site, made: Path) -> Site:
    """Give a server a round, and return it."""
    shutil.copytree(made, place(site), ignore=shutil.ignore_patterns("private"))
    refresh(site)
    return site


def place(site: Site, name: str = NAME) -> Path:
    """Return the folder of a round on a server."""
    return site.configuration.folder / "rounds" / name


def refresh(site: Site, name: str = NAME) -> None:
    """Have the server work a round out anew, as after a publication."""
    site.app.state.rounds.refresh(name, site.clock.now)


def private_of(site: Site) -> str:
    """Return the name of a private submission."""
    board = site.client.get(f"/rounds/{NAME}/board.json").json()
    return next(str(each["name"]) for each in board["submissions"]
                if each["visibility"] == "private")  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_there_for_everybody(board: Site, path: str) -> None:
    """Without a token each page is shown, with its policy, and sets no cookie."""
    answer = board.client.get(f"/rounds/{NAME}{path}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers
    assert f'href="/rounds/{NAME}' in answer.text


@pytest.mark.parametrize(
    "path",
    ["/rounds/none", "/rounds/none/ceremony", f"/rounds/{NAME}/submissions/nobody",
     f"/rounds/{NAME}?metric=none", f"/rounds/{NAME}?page=9", f"/rounds/{NAME}/ledger?page=99",
     "/rounds/none/board.csv", f"/rounds/{NAME}/files/none.json",
     f"/rounds/{NAME}/records/conv-1/9-9.json"],
)  # fmt: skip
def test_what_is_not_there_is_a_page_that_says_so(board: Site, path: str) -> None:
    """A round, submission, metric or page that is not there is a 404 with a page."""
    answer = board.client.get(path)

    assert answer.status_code == 404
    assert "<h1>Not Found</h1>" in answer.text


@pytest.mark.parametrize(
    "query",
    ["sort=name%27--", "order=sideways", "page=0", "page=x", f"filter={'a' * 201}",
     f"metric={'a' * 201}"],
)  # fmt: skip
def test_queries_that_can_not_be_are_refused(board: Site, query: str) -> None:
    """What no link of the page asks for is a 422 that says what is allowed."""
    assert board.client.get(f"/rounds/{NAME}?{query}").status_code == 422


def test_a_filter_is_no_query_language(board: Site) -> None:
    """SQL and markup in a filter match no name, and come back as text."""
    answer = board.client.get(f"/rounds/{NAME}", params={"filter": "'; DROP TABLE x; <script>"})

    assert answer.status_code == 200
    assert "No submission matches." in answer.text and "<script" not in answer.text


def test_a_page_that_did_not_change_is_not_sent_again(board: Site) -> None:
    """A browser that has a page is told so; one that takes gzip gets the same page smaller."""
    address = f"/rounds/{NAME}"
    plain = board.client.get(address, headers={"Accept-Encoding": "identity"})
    packed = board.client.get(address, headers={"Accept-Encoding": "br, gzip"})

    assert plain.headers["cache-control"] == "no-cache"
    assert packed.headers["content-encoding"] == "gzip" and packed.content == plain.content
    for answer, takes in ((plain, "identity"), (packed, "gzip")):
        tags = {"If-None-Match": f'"x", W/{answer.headers["etag"]}', "Accept-Encoding": takes}
        again = board.client.get(address, headers=tags)
        assert (again.status_code, again.content) == (304, b"")
    assert plain.headers["etag"] != packed.headers["etag"]
    refused = board.client.get(address, headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


def test_a_page_is_never_older_than_its_round(site: Site, made: Path) -> None:
    """With each file that is published its pages change, kept ones too."""
    shutil.copytree(made, place(site), ignore=shutil.ignore_patterns("private", "reveal.json"))
    refresh(site)
    paths = [f"/rounds/{NAME}{path}" for path in PAGES]
    before = [site.client.get(path) for path in paths]
    assert all("All 44 runs have ended; not revealed yet." in each.text for each in before)

    shutil.copy(made / "reveal.json", place(site) / ".reveal.json.tmp")
    (place(site) / ".reveal.json.tmp").rename(place(site) / "reveal.json")
    refresh(site)

    for path, old in zip(paths, before, strict=True):
        new = site.client.get(path, headers={"If-None-Match": old.headers["etag"]})
        assert new.status_code == 200, path
        assert f"Revealed {stamp(large_round.DEADLINE + large_round.REVEALED)}." in new.text, path


def test_a_round_goes_through_its_states(site: Site, tmp_path: Path) -> None:
    """Open, closed and void follow from the server's clock alone, on pages that were kept."""
    start = from_seconds(int(START))
    policy = tmp_path / "policy.toml"
    policy.write_text(
        f'name = "{NAME}"\nseeds = 3\nbeacon = "none"\n'
        f"deadline = {(start + timedelta(days=1)).isoformat()}\n"
        f"reveal_by = {(start + timedelta(days=9)).isoformat()}\n"
        '[metrics.accuracy]\ndirection = "max"\n'
    )
    place(site).mkdir()
    steps.open_round(place(site), policy, start)
    refresh(site)

    seen = []
    for days in (0, 1, 9):
        page = site.client.get(f"/rounds/{NAME}").text
        assert "Nothing is frozen yet" in page
        rounds = site.client.get("/").text
        words = [word for word in STATES if all(word in each for each in (page, rounds))]
        seen += words
        site.clock.pass_by(days * 86400 + 1)

    assert seen == [STATES[0], STATES[0], STATES[1]]
    assert STATES[2] in site.client.get(f"/rounds/{NAME}").text
    assert "none of them counts" in site.client.get(f"/rounds/{NAME}").text


def test_a_private_submission_shows_scores_only(board: Site) -> None:
    """Name, scores and how runs ended; no hardware, reason, record or curve, on no page."""
    name = private_of(board)
    page = board.client.get(f"/rounds/{NAME}/submissions/{name}").text
    public_page = board.client.get(f"/rounds/{NAME}/submissions/conv-1").text

    assert "<dt>Mean</dt>" in page and ">private<" in page
    for told in ("<dt>Hardware</dt>", "Course of the runs", "/records/", 'aria-label="Record of'):
        assert told not in page and told in public_page, told
    record = board.client.get(f"/rounds/{NAME}/records/{name}/0-1.json")
    assert record.status_code in (403, 404)


def test_a_ledger_that_tells_of_private_runs_is_not_offered(site: Site, made: Path) -> None:
    """Where reasons of private submissions stand in the ledger's file, the page has no link to it
    and shows its events without them."""
    opened(site, made)
    private = private_of(site)
    told = site.client.get(f"/rounds/{NAME}/files/ledger.jsonl").status_code
    page = site.client.get(f"/rounds/{NAME}/ledger?page=1").text

    assert ("/files/ledger.jsonl" in page) == (told == 200)
    row = next(each for each in page.split("<tr>") if f">{private}<" in each)
    assert "the program ended with status" not in row


def test_records_are_hidden_until_the_reveal(site: Site, made: Path) -> None:
    """Before the reveal no page links a record or draws its curves: records hold their seeds."""
    shutil.copytree(made, place(site), ignore=shutil.ignore_patterns("private", "reveal.json"))
    refresh(site)
    page = site.client.get(f"/rounds/{NAME}/submissions/conv-1").text

    assert "/records/" not in page and "Course of the runs" not in page
    assert "Its value" not in page
    organiser = site.sign_in(site.token("organiser"))
    assert "/records/" in organiser.get(f"/rounds/{NAME}/submissions/conv-1").text
    # And what the organiser saw is nobody else's page.
    assert "/records/" not in site.client.get(f"/rounds/{NAME}/submissions/conv-1").text


def test_who_is_signed_in_gets_pages_of_their_own(board: Site) -> None:
    """Pages of signed-in visitors are kept nowhere, and are no other visitor's."""
    organiser = board.sign_in(board.token("organiser"))

    for path in ("/", f"/rounds/{NAME}", "/images"):
        mine, others = organiser.get(path), board.client.get(path)
        assert mine.headers["cache-control"] == "no-store"
        assert "Account: organiser" in mine.text and "Account" not in others.text
        assert "Sign in" in others.text


def test_verifying_is_open_to_all_and_shows_its_findings(board: Site) -> None:
    """The button needs no token, changes nothing, and its findings are those of the command."""
    page = board.client.get(f"/rounds/{NAME}/ceremony").text
    assert f'<form method="post" action="/rounds/{NAME}/ceremony/verify">' in page
    files = {path: path.read_bytes() for path in place(board).rglob("*") if path.is_file()}

    answer = board.client.post(f"/rounds/{NAME}/ceremony/verify")

    assert answer.status_code == 200
    assert 'class="word CONDITIONAL"' in answer.text
    assert "44 records, each under the seed of its index" in answer.text
    assert files == {path: path.read_bytes() for path in place(board).rglob("*") if path.is_file()}
    foreign = board.client.post(
        f"/rounds/{NAME}/ceremony/verify", headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403


def test_a_changed_file_is_found_by_the_button(board: Site) -> None:
    """What was changed behind the server's back is named."""
    board.client.post(f"/rounds/{NAME}/ceremony/verify")
    frozen = place(board) / "freeze.json"
    frozen.with_suffix(".new").write_bytes(
        frozen.read_bytes().replace(b'"early": false', b'"early": true')
    )
    frozen.with_suffix(".new").rename(frozen)

    answer = board.client.post(f"/rounds/{NAME}/ceremony/verify")

    assert answer.status_code == 200 and 'class="word WRONG"' in answer.text
    assert "draw.json was written for another freeze.json" in answer.text
    assert "This document does not fit the others" in answer.text
    assert str(place(board)) not in answer.text


def test_page_and_interface_share_what_was_found(
    board: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round is verified once for both, and both say when another verification is under way."""
    asked: list[Path] = []

    def counted(folder: Path, at: datetime, seen: verification.Seen) -> list[Finding]:
        asked.append(folder)
        return verification.verify(folder, at, seen)

    monkeypatch.setattr(verifying, "verify", counted)
    page, interface = f"/rounds/{NAME}/ceremony/verify", f"/api/v1/rounds/{NAME}/verify"

    with board.app.state.verifier._one:
        busy = [board.client.post(each) for each in (page, interface)]
    done = [board.client.post(each).status_code for each in (page, interface, page)]

    assert [(each.status_code, each.headers["retry-after"]) for each in busy] == [(503, "30")] * 2
    assert (done, len(asked)) == ([200] * 3, 1)


@pytest.mark.parametrize("path", ["/rounds/{}/ceremony/verify", "/api/v1/rounds/{}/verify"])
def test_verifying_is_limited(tmp_path: Path, made: Path, path: str) -> None:
    """Nobody keeps the server busy with it, on a page or in the interface."""
    site = opened(Site(tmp_path / "board", limits=Limits(costly_rate=0.01, costly_burst=2)), made)
    answers = [site.client.post(path.format(NAME)) for _ in range(3)]
    site.database.close()

    assert [each.status_code for each in answers] == [200, 200, 429]


def test_downloads_are_files_with_plain_names(board: Site) -> None:
    """Numbers, documents and public records come as attachments."""
    for path, kind in (
        ("board.csv", "text/csv"), ("board.json", "application/json"),
        ("files/opening.json", "application/json"), ("records/conv-1/0-1.json", "application/json"),
    ):  # fmt: skip
        answer = board.client.get(f"/rounds/{NAME}/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert board.client.get(f"/rounds/{NAME}/board.csv").text.startswith("metric,direction,")


def test_a_page_is_made_once_however_many_ask(board: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Visitors who come together, and later ones, are served from one rendering."""
    made: list[str] = []
    load = opened_round.load

    def counted(folder: Path, now: int) -> opened_round.Opened:
        made.append(folder.name)
        return load(folder, now)

    monkeypatch.setattr(opened_round, "load", counted)

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(board.app)
        async with httpx.AsyncClient(
            transport=transport, base_url=board.configuration.url
        ) as asked:
            return await asyncio.gather(*(asked.get(f"/rounds/{NAME}") for _ in range(30)))

    answers = asyncio.run(ask())

    assert {each.status_code for each in answers} == {200}
    assert len({each.text for each in answers}) == 1
    assert made == [NAME]


def test_the_cache_has_a_bound() -> None:
    """Beyond so many bytes the page that was not asked for longest is forgotten."""
    made: list[int] = []
    size = pack("x" * 1000).size

    async def ask() -> None:
        cache = PageCache(most=3 * size)
        for number in (1, 2, 3, 1, 4, 1, 2):

            def make(number: int = number) -> str:
                made.append(number)
                return "x" * 1000

            kept = await cache.get(number, make)
            assert gzip.decompress(kept.compressed) == kept.body

    asyncio.run(ask())

    assert made == [1, 2, 3, 4, 2]


def test_a_page_that_fails_is_not_kept(board: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong once is tried again by the next visitor."""
    load = opened_round.load
    answers = []

    def broken(*_values: object) -> None:
        raise contradictory()

    for found in (broken, load):
        monkeypatch.setattr(opened_round, "load", found)
        answers.append(board.client.get(f"/rounds/{NAME}").status_code)

    assert answers == [503, 200]
