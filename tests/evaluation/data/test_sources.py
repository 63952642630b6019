"""Where data may come from, and what of an address may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedlock.evaluation.data import sources


@pytest.mark.parametrize(
    "source",
    [
        "https://example.org/a.npz", "https://user:secret@example.org:8443/a?token=secret",
        "HTTPS://example.org/a", "http://localhost:8000/a", "http://127.0.0.1/a",
        "http://127.3.2.1/a", "http://[::1]/a", "https://[2001:db8::1]/a", "file:data/a.npz",
        "file:/data/a.npz", "file:///data/a.npz", "mount:/data/imagenet", "mount:here",
    ],
)  # fmt: skip
def test_what_is_allowed(source: str) -> None:
    """https, file and mount; plain http to this machine only."""
    sources.check(source)


@pytest.mark.parametrize(
    "source",
    [
        "", "digits", "/data/a.npz", "http://example.org/a", "http://10.0.0.1/a", "ftp://h/a",
        "http://localhost.example.org/a", "http://127.0.0.1@example.org/a", "https://", "https:a",
        "https:///a", "https://h:port/a", "https://[::1/a", "http://2130706433/a", "file:",
        "file://host/a", "file://", "mount:", "s3://bucket/a", "javascript:alert(1)",
        "https://h/a b", "https://h/\u00e9", "https://h/\n", "file:a%00b",
        "https://h/" + "a" * 2000,
    ],
)  # fmt: skip
def test_what_is_refused(source: str) -> None:
    """The text says nothing of the source, which may hold a password."""
    with pytest.raises(sources.BadSource) as problem:
        sources.check(source)

    assert not source or source not in str(problem.value)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("https://h/a", "https://h/a"),
        ("https://me:secret@h:8443/a", "https://***@h:8443/a"),
        ("https://secret@h/a", "https://***@h/a"),
        ("https://h/a?token=secret&x=1", "https://h/a?***"),
        ("https://h/a#secret", "https://h/a#***"),
        ("https://me:secret@[::1]:8/a?secret", "https://***@[::1]:8/a?***"),
        ("https://h:secret/a", "***"),
        ("file:a%20b", "file:a%20b"),
    ],
)
def test_secrets_are_not_shown(source: str, shown: str) -> None:
    """User, password, query and fragment may be secrets."""
    assert sources.shown(source) == shown
    assert sources.has_secret(source) == ("secret" in source)


def test_paths_there_and_back(tmp_path: Path) -> None:
    """Any path a shell can name has a source in ASCII, from which the same path comes."""
    for name in (
        "plain",
        "with blank",
        "50%",
        "é",
        "a#b?c",
        b"latin-\xe9".decode(errors="surrogateescape"),
    ):
        source = sources.from_path(name)
        sources.check(source)

        assert sources.local(source, tmp_path) == tmp_path / name
    assert sources.local("file:///data/a", tmp_path) == Path("/data/a")
    assert sources.local("mount:/data/a", tmp_path) == Path("/data/a")


def test_archives_are_known_by_their_address() -> None:
    """By the end of the path, whatever the query."""
    assert sources.archive("https://h/a.tar.gz?download=1") == ".tar.gz"
    assert sources.archive("https://h/A.ZIP") == ".zip"
    assert sources.archive("https://h/a.npz?x=.zip") is None
