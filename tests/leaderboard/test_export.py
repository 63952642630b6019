"""`seedlock board export`: what is in it, what is not, and what a failure leaves."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from seedlock.errors import BadExport, BadRound
from seedlock.evaluation.rounds.ceremony import Round
from tests.evaluation.rounds.made_rounds import forms_of
from tests.interpreter import environment
from tests.leaderboard.exported import UNSPOKEN, export, made

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")


class Addresses(HTMLParser):
    """Collect what a page points to and loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses of a tag."""
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            if name in ("href", "src", "action", "xlink:href", "data", "poster") and value:
                self.found.append(value)


@pytest.fixture(scope="module", name="round_folder")
def _round_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("revealed") / "round").folder


@pytest.fixture(scope="module", name="site")
def _site(round_folder: Path) -> Path:
    return export(round_folder, round_folder.parent / "site")


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


def test_what_is_in_an_export(site: Path) -> None:
    """Pages, tables, documents, and records of public submissions alone."""
    names = set(contents(site))

    assert {"index.html", "ceremony.html", "ledger.html", "board.json", "board.csv", "README.txt",
            "SHA256SUMS", "files/ledger.jsonl", "files/reveal.json"} <= names  # fmt: skip
    assert {name for name in names if name.startswith("records/")} == {
        f"records/{of}/{index}-1.json" for of in ("ours", "second") for index in range(3)
    }
    done = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=site,
                          capture_output=True, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"")


def test_every_link_leads_to_a_file_of_the_export(site: Path) -> None:
    """By relative addresses, so that the pages are the same from a disk and from any server; none
    loads or names another site."""
    pages = {name: raw.decode() for name, raw in contents(site).items() if name.endswith(".html")}
    parsed = {}
    for name, text in pages.items():
        parsed[name] = Addresses()
        parsed[name].feed(text)
    linked = set()
    for name, each in parsed.items():
        for address in each.found:
            parts = urlsplit(address)
            if address == "data:,":
                continue  # no icon is asked for
            assert not parts.scheme and not parts.netloc and not address.startswith("/"), address
            place = os.path.normpath(os.path.join(os.path.dirname(name), unquote(parts.path)))
            target = place if parts.path else name
            assert (site / target).is_file(), f"{name}: {address}"
            assert not parts.query
            assert not parts.fragment or parts.fragment in parsed[target].ids
            linked.add(target)

    assert set(pages) <= linked | {"index.html"}  # each page can be reached
    assert {"board.csv", "board.json"} <= linked
    outside = re.compile(r"(?:https?:)?//|url\((?!#)|@import|<script|style=")
    for name, text in {**pages, "style": (site / "static" / "style.css").read_text()}.items():
        without = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not outside.search(without), (name, outside.search(without))


def test_nothing_of_a_private_submission_but_name_digest_and_scores(site: Path) -> None:
    """Every byte is searched for what its record says; its public neighbours' records are there."""
    for name, raw in contents(site).items():
        assert UNSPOKEN.encode() not in raw.lower(), name

    board = json.loads((site / "board.json").read_bytes())
    (private,) = (each for each in board["submissions"] if each["visibility"] == "private")
    assert private["scores"]["accuracy"]["values"] == [0.6, 0.61, None]
    assert private["hardware"] is None
    assert {run["record"] for run in private["runs"]} == {None}


def test_a_ledger_that_tells_why_a_private_run_failed_is_not_exported(tmp_path: Path) -> None:
    """Its reasons can't be taken out of the chain, so the whole is refused, and nothing written;
    what the organiser says in words of their own may be read."""
    telling = made(tmp_path / "telling" / "round", reasons=f"{UNSPOKEN}.py changed")
    spoken = ("rejected by the organiser", "it ended without a record", "Slurm says TIMEOUT; node1")

    with pytest.raises(BadExport, match="private"):
        export(telling.folder, tmp_path / "site")

    assert not (tmp_path / "site").exists()
    for number, reason in enumerate(spoken):
        plain = made(tmp_path / f"plain-{number}" / "round", reasons=reason)
        assert export(plain.folder, tmp_path / "site").is_dir()


def test_before_the_reveal_no_byte_leads_to_a_seed(tmp_path: Path) -> None:
    """Records hold their seeds, so none is in the export; nor is the secret, in any spelling."""
    this = made(tmp_path / "round", revealed=False)
    site = export(this.folder, tmp_path / "site")
    secret = json.loads((this.folder / "private" / "secret.json").read_bytes())["secret"]
    spelled = forms_of(bytes.fromhex(secret))
    for seed in this.seeds():
        spelled += [str(seed).encode(), f"{seed:x}".encode(), f"{seed:016x}".encode()]
        spelled += [seed.to_bytes(8, order) for order in ("big", "little")]

    for name, raw in contents(site).items():
        for each in spelled:
            assert each not in raw, (name, each)
    assert not (site / "records").exists()
    assert json.loads((site / "board.json").read_bytes())["seeds"] is None


def test_equal_rounds_have_equal_exports(round_folder: Path, site: Path, tmp_path: Path) -> None:
    """Byte for byte, wherever the round lies and in whatever process it is exported."""
    program = (
        "import sys, pathlib\n"
        "from tests.leaderboard.exported import export\n"
        "export(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))"
    )
    words = [sys.executable, "-c", program, str(round_folder), str(tmp_path / "again")]
    subprocess.run(words, env=environment(PYTHONHASHSEED="3", TZ="Asia/Tokyo"), check=True)

    assert contents(tmp_path / "again") == contents(site)


STOPPED = """
import os, pathlib, resource, signal, sys
from seedlock.leaderboard import export_pages
from tests.leaderboard.exported import export
documents, number = export_pages.documents, int(sys.argv[3])
def stopping(*given):
    for each, document in enumerate(documents(*given)):
        if each == number:
            os.kill(os.getpid(), signal.SIGKILL)
        yield document
export_pages.documents = stopping
export(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
"""


def test_a_killed_export_leaves_the_old_one(round_folder: Path, tmp_path: Path) -> None:
    """Whole; the next one clears what the killed one had made."""
    target = export(round_folder, tmp_path / "site", records=False)
    before = contents(target)
    words = [sys.executable, "-c", STOPPED, str(round_folder), str(target)]
    for number in ("0", "7"):
        done = subprocess.run([*words, number], env=environment(), check=False)

        assert done.returncode == -signal.SIGKILL
        assert contents(target) == before
        assert [each.name for each in tmp_path.iterdir() if each != target] == [".site.new"]

    (tmp_path / ".site.new" / "stray").touch()
    after = contents(export(round_folder, target))
    assert after != before and "stray" not in after
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_leaves_the_old_one(round_folder: Path, tmp_path: Path) -> None:
    """Status 74, the file's name, and nothing beside the old export."""
    target = export(round_folder, tmp_path / "site")
    before = contents(target)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run(
        [SEEDLOCK, "board", "export", str(round_folder), "-o", str(target)],
        env=environment(), preexec_fn=limit, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 74
    assert "make room" in done.stderr and ".site.new" in done.stderr
    assert contents(target) == before
    assert list(tmp_path.iterdir()) == [target]


def test_somebody_elses_folder_is_not_replaced(round_folder: Path, tmp_path: Path) -> None:
    """Only an export is; an empty folder is taken, a link is not followed."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("years of work")
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    (tmp_path / "empty").mkdir()

    for name in ("theirs", "link"):
        with pytest.raises(BadExport, match="no exported board"):
            export(round_folder, tmp_path / name)

    assert (tmp_path / "theirs" / "thesis.txt").read_text() == "years of work"
    assert (export(round_folder, tmp_path / "empty") / "index.html").is_file()


def test_a_round_that_was_changed_is_not_exported(tmp_path: Path) -> None:
    """The line says what; nothing is written."""
    this = made(tmp_path / "round")
    path = this.folder / "runs" / "ours" / "1-1.json"
    path.write_bytes(path.read_bytes().replace(b"0.51", b"0.91"))

    with pytest.raises(BadRound, match="another file than the ledger says"):
        export(this.folder, tmp_path / "site")

    assert not (tmp_path / "site").exists()


def test_a_round_without_runs(tmp_path: Path) -> None:
    """A board can be exported from the opening on."""
    this = made(tmp_path / "round", revealed=False)
    for name in ("freeze.json", "draw.json", "ledger.jsonl"):
        (this.folder / name).unlink()

    site = export(this.folder, tmp_path / "site")

    assert "Nothing is frozen yet" in (site / "index.html").read_text()
    assert Round(site / "files").policy.name == "made-2026"
