"""A download: whole, cut off and gone on with, and what a server may send instead."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from seedlock.errors import DataMismatch, DataUnavailable
from seedlock.evaluation.data.downloading import PIECE, download

from .conftest import BODY
from .server import Page, Server

SECRETS = "me:hush@"
QUERY = "?token=hush"


def test_a_whole_file(server: Server, tmp_path: Path) -> None:
    """One request, each byte announced once."""
    server.pages["/a"] = Page(BODY)
    counts: list[int] = []

    download(server.url("/a"), tmp_path / "part", len(BODY), counts.append)

    assert (tmp_path / "part").read_bytes() == BODY
    assert sum(counts) == len(BODY)
    assert server.asked == [("/a", None)]


@pytest.mark.parametrize("size", [len(BODY), None])
def test_a_connection_that_breaks_is_taken_up(
    server: Server, tmp_path: Path, size: int | None
) -> None:
    """With a range, from the byte that is missing."""
    server.pages["/a"] = Page(BODY, cuts=[6 * PIECE, 3 * PIECE + 5, None])
    counts: list[int] = []

    download(server.url("/a"), tmp_path / "part", size, counts.append)

    assert (tmp_path / "part").read_bytes() == BODY
    assert [asked for _, asked in server.asked] == [
        None, f"bytes={6 * PIECE}-", f"bytes={9 * PIECE}-",
    ]  # fmt: skip
    assert sum(counts) == len(BODY)


def test_what_was_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    """A later call goes on where an earlier one stopped."""
    server.pages["/a"] = Page(BODY, cuts=[6 * PIECE, 0, None])
    with pytest.raises(DataUnavailable, match=f"{6 * PIECE} bytes are kept; say it again"):
        download(server.url("/a"), tmp_path / "part", len(BODY))

    download(server.url("/a"), tmp_path / "part", len(BODY))

    assert (tmp_path / "part").read_bytes() == BODY
    assert server.asked[-1] == ("/a", f"bytes={6 * PIECE}-")


def test_a_finished_download_asks_for_nothing(server: Server, tmp_path: Path) -> None:
    """Where the length is declared nobody need be asked; else the server says that it is all."""
    server.pages["/a"] = Page(BODY)
    (tmp_path / "part").write_bytes(BODY)

    download(server.url("/a"), tmp_path / "part", len(BODY))
    assert server.asked == []
    download(server.url("/a"), tmp_path / "part", None)

    assert server.asked == [("/a", f"bytes={len(BODY)}-")]
    assert (tmp_path / "part").read_bytes() == BODY


@pytest.mark.parametrize("shift", [1, -1])
def test_another_range_is_not_appended(server: Server, tmp_path: Path, shift: int) -> None:
    """A server that can't count is asked for all of it."""
    server.pages["/a"] = Page(BODY, shift=shift)
    (tmp_path / "part").write_bytes(BODY[:1000])

    download(server.url("/a"), tmp_path / "part", len(BODY))

    assert (tmp_path / "part").read_bytes() == BODY


def test_a_server_without_ranges(server: Server, tmp_path: Path) -> None:
    """All comes again, and what was there is dropped, also from the count."""
    server.pages["/a"] = Page(BODY, ranges=False)
    (tmp_path / "part").write_bytes(b"x" * 1000)
    counts: list[int] = []

    download(server.url("/a"), tmp_path / "part", len(BODY), counts.append)

    assert (tmp_path / "part").read_bytes() == BODY
    assert sum(counts) == len(BODY)


@pytest.mark.parametrize("size", [len(BODY), None])
def test_a_file_that_became_shorter(server: Server, tmp_path: Path, size: int | None) -> None:
    """The range does not exist any more: begun anew, and the caller compares."""
    server.pages["/a"] = Page(BODY[:500])
    (tmp_path / "part").write_bytes(b"x" * 1000)

    download(server.url("/a"), tmp_path / "part", size)

    assert (tmp_path / "part").read_bytes() == BODY[:500]


def test_more_than_declared_is_not_taken(server: Server, tmp_path: Path) -> None:
    """A file that never ends would fill the disk."""
    server.pages["/a"] = Page(BODY)

    with pytest.raises(DataMismatch, match="expected 1000 bytes, got more"):
        download(server.url("/a"), tmp_path / "part", 1000)

    assert (tmp_path / "part").stat().st_size <= 1000


def test_a_part_that_is_too_long_is_dropped(server: Server, tmp_path: Path) -> None:
    """It is of another file."""
    server.pages["/a"] = Page(BODY)
    (tmp_path / "part").write_bytes(BODY + b"x")

    download(server.url("/a"), tmp_path / "part", len(BODY))

    assert (tmp_path / "part").read_bytes() == BODY


def test_without_a_length_a_cut_is_noticed(server: Server, tmp_path: Path) -> None:
    """The declared size says what the server does not."""
    server.pages["/a"] = Page(BODY, cuts=[100_000, None], length=False)

    download(server.url("/a"), tmp_path / "part", len(BODY))

    assert (tmp_path / "part").read_bytes() == BODY


def test_bytes_come_as_they_lie_there(server: Server, tmp_path: Path) -> None:
    """Some servers call a .gz file an encoding; unpacked it would have another digest."""
    server.pages["/a.gz"] = Page(BODY, headers={"Content-Encoding": "gzip"})

    download(server.url("/a.gz"), tmp_path / "part", len(BODY))

    assert (tmp_path / "part").read_bytes() == BODY


def test_a_redirect_is_followed(server: Server, tmp_path: Path) -> None:
    """As archives of data do."""
    server.pages["/a"] = Page(b"", status=302, headers={"Location": "/b"})
    server.pages["/b"] = Page(BODY, cuts=[PIECE, None])

    download(server.url("/a"), tmp_path / "part", len(BODY))

    assert (tmp_path / "part").read_bytes() == BODY


@pytest.mark.parametrize(
    "target", ["http://example.org/hush", "ftp://h/hush", "file:///etc/hush", "http://[hush"]
)
def test_a_redirect_to_elsewhere_is_refused(server: Server, tmp_path: Path, target: str) -> None:
    """Not to plain http of another machine, and not to this one's files."""
    server.pages["/a"] = Page(b"", status=302, headers={"Location": target})

    with pytest.raises(DataUnavailable) as problem:
        download(server.url("/a"), tmp_path / "part", len(BODY))

    assert "sends us on to an address that is not allowed" in str(problem.value)
    assert "hush" not in str(problem.value)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (Page(b"", status=404), "the server says 404 Not Found"),
        (Page(b"", status=503), "the server says 503"),
        (Page(BODY, cuts=[0]), "no connection, or it broke off"),
    ],
)
def test_errors_hold_no_secret(server: Server, tmp_path: Path, page: Page, said: str) -> None:
    """What requests itself would say has the whole address."""
    server.pages["/a"] = page

    with pytest.raises(DataUnavailable) as problem:
        download(server.url("/a", SECRETS) + QUERY, tmp_path / "part", len(BODY))

    assert said in str(problem.value)
    assert "/a?***" in str(problem.value)
    assert "hush" not in str(problem.value)
    assert problem.value.__suppress_context__ or problem.value.__context__ is None


def test_nobody_answers(server: Server, tmp_path: Path) -> None:
    """No connection is no traceback."""
    url = server.url("/a", SECRETS)
    server.close()

    with pytest.raises(DataUnavailable, match="no connection") as problem:
        download(url, tmp_path / "part", None)

    assert "hush" not in str(problem.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody vouches for is refused; REQUESTS_CA_BUNDLE vouches."""
    certificate = tmp_path / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=seedlock", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", certificate,
         "-out", tmp_path / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    with certificate.open("a") as both:
        both.write((tmp_path / "certificate.pem").read_text())
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    server = Server(certificate)
    server.pages["/a"] = Page(BODY, cuts=[PIECE, None])

    with pytest.raises(DataUnavailable, match="certificate is not trusted; REQUESTS_CA_BUNDLE"):
        download(server.url("/a"), tmp_path / "part", len(BODY))
    assert os.path.getsize(tmp_path / "part") == 0
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "certificate.pem"))
    download(server.url("/a"), tmp_path / "part", len(BODY))
    server.close()

    assert (tmp_path / "part").read_bytes() == BODY
    assert server.asked == [("/a", None), ("/a", f"bytes={PIECE}-")]


@pytest.mark.parametrize("length", [True, False])
def test_an_archive_larger_than_what_is_declared_is_not_taken(
    server: Server, tmp_path: Path, length: bool
) -> None:
    """Nothing of it where its length is announced, else no more than the bound."""
    server.pages["/a.zip"] = Page(bytes(300_000), length=length)
    part = tmp_path / "part"

    with pytest.raises(DataMismatch, match="more than 100000 bytes for an archive"):
        download(server.url("/a.zip"), part, None, most=100_000)

    assert part.stat().st_size <= (0 if length else 100_000)
    download(server.url("/a.zip"), part, None, most=300_000)
