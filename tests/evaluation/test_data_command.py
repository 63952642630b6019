"""`seedlock data`: what it prints, its exit statuses, and what it never prints."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seedlock.evaluation.data.data_lock import declared
from tests.evaluation.data.conftest import BODY
from tests.evaluation.data.server import Page, Server
from tests.evaluation.data.test_archives import FILES, tarred
from tests.interpreter import Done, environment, run

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")

Command = Callable[..., Done]


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(name="data")
def _data(tmp_path: Path) -> Command:
    """`seedlock data` in a folder of its own, with a cache of its own."""

    def command(*arguments: str, status: int = 0) -> Done:
        done = run(
            [SEEDLOCK, "data", *arguments], cwd=tmp_path, check=False,
            REPRO_DATA_CACHE=str(tmp_path / "cache"),
        )  # fmt: skip
        assert done.status == status, (done.out, done.err)
        assert "Traceback" not in done.err
        return done

    return command


def test_from_add_to_verify(data: Command, server: Server, tmp_path: Path) -> None:
    """What an author does, and what an organiser does after it."""
    server.pages["/digits.npz"] = Page(BODY)
    server.pages["/images.tar.gz"] = Page(tarred(tmp_path / "a", *FILES.items()).read_bytes())
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "weights").write_text("weights")

    added = data("add", "digits", server.url("/digits.npz"), "--licence", "cc-by-4.0")
    data("add", "images", server.url("/images.tar.gz"), "--kind", "folder")
    data("add", "weights", "folder/weights")
    data("add", "mounted", f"mount:{tmp_path}/folder")
    listed = data("list")
    assert data("verify", status=1).err.count("seedlock data: weights: not there") == 1
    fetched = data("fetch")
    verified = data("verify")
    as_json = json.loads(data("verify", "digits", "weights", "--json").out)

    assert added.out.startswith(f"digits: file of {len(BODY)} bytes, sha256:")
    assert [each.licence for each in declared(tmp_path / "data.lock")][:2] == [
        "CC-BY-4.0",
        "unknown",
    ]
    assert declared(tmp_path / "data.lock")[2].source == "file:folder/weights"
    assert [line.split()[:2] for line in listed.lines] == [
        ["name", "kind"], ["digits", "file"], ["images", "folder"], ["weights", "file"],
        ["mounted", "folder"],
    ]  # fmt: skip
    assert fetched.out == verified.out
    assert [line.split(":")[0] for line in fetched.lines] == [
        "digits", "images", "weights", "mounted",
    ]  # fmt: skip
    assert fetched.err == verified.err == ""
    assert as_json["lock"] == "data.lock"
    assert [(each["name"], each["verified"], each["problem"]) for each in as_json["sets"]] == [
        ("digits", True, None), ("weights", True, None),
    ]  # fmt: skip
    assert Path(as_json["sets"][0]["path"]).read_bytes() == BODY


def test_a_mismatch(data: Command, server: Server, tmp_path: Path) -> None:
    """Status 1, expected and got named; the other sets come, and nothing that was there changes."""
    server.pages["/a"] = Page(BODY)
    server.pages["/b"] = Page(b"b")
    data("add", "a", server.url("/a"))
    data("add", "b", server.url("/b"))
    lock = (tmp_path / "data.lock").read_bytes()
    for path in (tmp_path / "cache" / "sha256").iterdir():
        path.unlink()
    server.pages["/a"] = Page(BODY[:-1] + b"x")

    done = data("fetch", status=1)
    as_json = json.loads(data("fetch", "--json", status=1).out)

    assert done.out.startswith("b: verified")
    assert done.err.startswith("seedlock data: a: expected sha256:")
    assert ", got sha256:" in done.err
    assert done.err.endswith("[docs/messages.md#data-mismatch]\n")
    assert [each["verified"] for each in as_json["sets"]] == [False, True]
    assert "got sha256:" in as_json["sets"][0]["problem"]
    assert (tmp_path / "data.lock").read_bytes() == lock
    assert len(os.listdir(tmp_path / "cache" / "sha256")) == 1


def test_verify_at_a_folder(data: Command, tmp_path: Path) -> None:
    """As a run has them; the cache does not count."""
    (tmp_path / "a").write_text("a")
    data("add", "a", "a")

    data("verify", "--at", ".")
    (tmp_path / "a").write_text("b")
    data("verify", "--at", ".", status=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "../x", "a"], "NAME '../x'; allowed"),
        (["add", "x", "a", "--licence", "mine"], "--licence 'mine'; allowed"),
        (["add", "x", "ftp://me:hush@h/x"], "FROM: it is no such address"),
        (["add", "x", "http://example.org/x"], "FROM: it is no such address (http)"),
        (["add", "x", "https://h/x", "--kind", "folder"], "is no archive"),
        (["add", "x", "https://h/x", "--kind", "link"], "invalid choice"),
        (["add", "a", "a"], "a is in data.lock already"),
        (["add", "x", "a", "--lock", "no/data.lock"], "there is no such folder"),
        (["fetch", "b"], "b is not in data.lock; allowed: a"),
        (["verify", "b"], "b is not in data.lock; allowed: a"),
        ([], "usage: seedlock data [-h] COMMAND"),
    ],
)
def test_wrong_usage(data: Command, tmp_path: Path, arguments: list[str], said: str) -> None:
    """Status 2, and nothing is changed."""
    (tmp_path / "a").write_text("a")
    data("add", "a", "a")
    before = (tmp_path / "data.lock").read_bytes()

    done = data(*arguments, status=2)

    assert said in done.err
    assert "hush" not in done.err
    assert (tmp_path / "data.lock").read_bytes() == before


@pytest.mark.parametrize("command", [["add", "x", "a"], ["fetch"], ["verify"], ["list"]])
def test_a_bad_lock_file(data: Command, tmp_path: Path, command: list[str]) -> None:
    """Status 78 and one line, from every command."""
    (tmp_path / "a").write_text("a")
    (tmp_path / "data.lock").write_text("version = 3\n")

    done = data(*command, status=78)

    assert done.err.count("\n") == 1
    assert done.err.endswith("[docs/messages.md#bad-data-lock]\n")
    assert (tmp_path / "data.lock").read_text() == "version = 3\n"


@pytest.mark.parametrize("name", ["none", "unreadable"])
def test_what_is_not_there(data: Command, tmp_path: Path, name: str) -> None:
    """Status 1 and one line."""
    (tmp_path / "unreadable").symlink_to("unreadable")

    done = data("add", "x", name, status=1)

    assert done.err.count("\n") == 1
    assert not (tmp_path / "data.lock").exists()


@pytest.mark.parametrize("fault", ["none", "404", "cut", "other", "closed"])
def test_secrets_are_never_printed(data: Command, server: Server, fault: str) -> None:
    """Neither when all goes well nor when anything fails; data.lock keeps the address."""
    server.pages["/a"] = Page(BODY)
    url = server.url("/a", "me:hush@") + "?token=hush#hush"
    outputs = [data("add", "a", url)]
    assert "note: the address has a password or a query" in outputs[0].err
    (cached,) = Path(json.loads(data("fetch", "--json").out)["sets"][0]["path"]).parent.iterdir()
    if fault != "none":
        cached.unlink()
    if fault == "404":
        server.pages["/a"] = Page(b"", status=404)
    elif fault == "cut":
        server.pages["/a"] = Page(BODY, cuts=[0])
    elif fault == "other":
        server.pages["/a"] = Page(b"other")
    elif fault == "closed":
        server.close()
        server.close = lambda: None  # type: ignore[method-assign]
    status = 0 if fault == "none" else 1
    outputs += [data("fetch", status=status), data("fetch", "--json", status=status)]
    if fault == "none":
        outputs += [data("list"), data("list", "--json"), data("verify", "--json")]
        assert "***" in outputs[3].out

    for done in outputs:
        assert "hush" not in done.out + done.err


def test_control_characters_of_strangers(data: Command, tmp_path: Path) -> None:
    """A file's name does not move the cursor."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a\x1b[2J").symlink_to("/etc/hostname")

    done = data("add", "x", "d", status=1)

    assert "\x1b" not in done.err


def _start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [SEEDLOCK, "data", *arguments], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(REPRO_DATA_CACHE=str(tmp_path / "cache")),
    )  # fmt: skip


@pytest.mark.parametrize("command", ["add", "fetch"])
def test_ctrl_c(data: Command, server: Server, tmp_path: Path, command: str) -> None:
    """Status 130, no traceback, nothing half under a final name; the download goes on later."""
    server.pages["/a"] = Page(BODY)
    data("add", "a", server.url("/a"))
    (cached,) = (tmp_path / "cache" / "sha256").iterdir()
    cached.unlink()
    before = (tmp_path / "data.lock").read_bytes()
    gate = threading.Event()
    server.pages["/a"].gate = gate

    arguments = ("add", "b", server.url("/a")) if command == "add" else ("fetch",)
    process = _start(tmp_path, *arguments)
    assert server.reached.wait(600)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    gate.set()

    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert (tmp_path / "data.lock").read_bytes() == before
    assert list((tmp_path / "cache" / "sha256").iterdir()) == []
    assert {path.suffix for path in (tmp_path / "cache" / "partial").iterdir()} <= {
        ".lock",
        ".part",
    }
    data("fetch")


def test_a_bar_on_a_terminal(data: Command, server: Server, tmp_path: Path) -> None:
    """Who waits sees what goes on; stdout has the results only."""
    server.pages["/a"] = Page(BODY)
    data("add", "digits", server.url("/a"))
    (cached,) = (tmp_path / "cache" / "sha256").iterdir()
    cached.unlink()
    ours, theirs = pty.openpty()

    done = subprocess.run(
        [SEEDLOCK, "data", "fetch"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, text=True,
        env=environment(REPRO_DATA_CACHE=str(tmp_path / "cache"), TERM="xterm", COLUMNS="100"),
        check=True,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 1 << 16):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)

    assert b"digits: downloading" in shown
    assert b"digits: verifying" in shown
    assert done.stdout.startswith("digits: verified")
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("command", ["", "add", "fetch", "verify", "list"])
def test_help_tells_the_exit_statuses(data: Command, command: str) -> None:
    """Of each command."""
    done = data(*([command] if command else []), "--help")

    for status in ("0", "1", "2", "74", "78", "130"):
        assert f"\n{status:>5}  " in done.out


def test_without_its_packages(tmp_path: Path) -> None:
    """One line that names them and the cure."""
    (tmp_path / "hide.py").write_text(
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'pooch' else find(name, *a)\n"
        "from seedlock.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )

    done = run([sys.executable, str(tmp_path / "hide.py"), "data", "list"], check=False)

    assert done.status == 78
    assert done.err.startswith("seedlock: pooch not installed")


def test_a_command_line_stays_quick() -> None:
    """Packages of the organiser's half are imported when they are needed."""
    code = (
        "import sys; from seedlock.cli import _parser; _parser();"
        "heavy = {'pooch', 'requests', 'packaging', 'rich', 'tomllib', 'ssl'};"
        "print(*sorted(heavy & {*sys.modules}))"
    )

    assert run([sys.executable, "-c", code]).out == "\n"
