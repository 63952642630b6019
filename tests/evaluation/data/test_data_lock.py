"""data.lock: what it may hold, what is said otherwise, and how a set is added."""

from __future__ import annotations

import multiprocessing
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedlock.errors import BadDataLock
from seedlock.evaluation.data import sources
from seedlock.evaluation.data.data_lock import DataSet, add, check_name, declared

DIGEST = "0123456789abcdef" * 4

GOOD = f"""\
# Who reads this file keeps its comments.
version = 1

[data.digits]
sha256 = "{DIGEST}"
kind = "file"
size = 123456   # bytes
licence = "CC0-1.0"
from = "https://example.org/digits.npz"

[data."vgg.keras"]
sha256 = "{DIGEST[::-1]}"
kind = "folder"
size = 0
licence = "unknown"
from = "mount:weights"
"""


def locked(folder: Path, text: str | bytes) -> Path:
    """Write a data.lock."""
    path = folder / "data.lock"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problem(path: Path) -> str:
    """Return what is said about a bad file."""
    with pytest.raises(BadDataLock) as found:
        declared(path)
    text = str(found.value)
    assert text.isprintable()
    assert text.endswith("[docs/messages.md#bad-data-lock]")
    return text


def test_a_good_file(tmp_path: Path) -> None:
    """Each set with all that is declared; relative sources start at the lock file's folder."""
    digits, weights = declared(locked(tmp_path, GOOD))

    assert digits == DataSet(
        "digits", DIGEST, "file", 123456, "CC0-1.0", "https://example.org/digits.npz"
    )
    assert digits.digest == f"sha256:{DIGEST}"
    assert (weights.name, weights.kind, weights.size) == ("vgg.keras", "folder", 0)
    assert sources.local(weights.source, weights.beside) == tmp_path / "weights"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version = 1", "version = 2", "version is 2; allowed: 1"),
        ("version = 1", "version = true", "version is True"),
        ("version = 1", "", "version is missing"),
        ("version = 1", "version = 1\nsets = 3", "unknown key 'sets'"),
        ("version = 1", "version = 1\ndata = 3\n[other]", "no TOML"),
        ("kind = \"file\"", "kind = \"file\"\ncolour = 3", "unknown key 'colour'"),
        ("kind = \"file\"", "", "kind is missing"),
        ("kind = \"file\"", "kind = \"link\"", "kind is 'link'; allowed: file or folder"),
        ("kind = \"file\"", "kind = [\"file\"]", "kind is a list"),
        (DIGEST, DIGEST[:-1], "allowed: 64 hexadecimal digits"),
        (DIGEST, DIGEST.upper(), "allowed: 64 hexadecimal digits"),
        (DIGEST, "sha256:" + DIGEST, "allowed: 64 hexadecimal digits"),
        ("= 123456", "= -1", "size is -1"),
        ("= 123456", "= 1.5", "size is 1.5"),
        ("= 123456", "= true", "size is True"),
        ("= 123456", "= 0x" + "f" * 5000, "size is a int"),
        ("= 123456", "= " + "1" * 5000, "no TOML"),
        ("= 123456", "= " + "[" * 5000, "nested too deeply"),
        ("CC0-1.0", "Beerware-ish", "licence is 'Beerware-ish'"),
        ("CC0-1.0", "(" * 190 + "MIT", "licence is"),
        ("CC0-1.0", "__import__('os')", "licence is"),
        ("https://", "ftp://", "from: it is no such address"),
        ("https://", "http://", "from: it is no such address (http)"),
        ("\"https://example.org/digits.npz\"", "3", "from is no text"),
        ("[data.digits]", "[data.'../digits']", "the name '../digits'; allowed"),
        ("[data.digits]", "[data.'..']", "the name '..'; allowed"),
        ("[data.digits]", "[data.'a/b']", "the name 'a/b'; allowed"),
        ("[data.digits]", "[data.'']", "the name ''; allowed"),
        ("[data.digits]", "[data.\"a\\u0000\"]", "the name 'a?'; allowed"),
        ("[data.digits]", "[data.\"\\u001b[2J\"]", "the name '?[2J'; allowed"),
        ("[data.digits]", f"[data.{'a' * 65}]", "the name"),
        ("[data.digits]", "[data.\"vgg.keras\"]", "no TOML"),
        ("[data.digits]", "[data.\"VGG.keras\"]", "two sets named"),
        ("[data.digits]", "[data.vgg.keras]", "unknown key"),
        ("[data.digits]", "[[data.digits]]", "data.digits is a list"),
    ],
)  # fmt: skip
def test_faults_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    """What, given, allowed."""
    assert old in GOOD

    assert said in problem(locked(tmp_path, GOOD.replace(old, new, 1)))


def test_files_that_are_none(tmp_path: Path) -> None:
    """Nothing is waited for, and nothing huge is read."""
    os.mkfifo(tmp_path / "pipe")

    assert "not there" in problem(tmp_path / "none")
    assert "allowed: a file" in problem(tmp_path)
    assert "allowed: a file" in problem(tmp_path / "pipe")
    assert "at most" in problem(locked(tmp_path, "#" * (1 << 21)))
    assert "no UTF-8" in problem(locked(tmp_path, b"version = 1 # \xff"))


def test_a_folder_from_the_web_is_an_archive(tmp_path: Path) -> None:
    """Else there would be nothing to unpack."""
    text = GOOD.replace('kind = "file"', 'kind = "folder"')

    assert "addresses that end in .tar.gz, .tgz, .zip" in problem(locked(tmp_path, text))
    assert declared(locked(tmp_path, text.replace("digits.npz", "digits.zip?x=1")))


@pytest.mark.parametrize(
    "source", ["http://me:hush@h/a", "https://me:hush@h:hush/a", "hush", "x:hush"]
)
def test_a_bad_address_is_not_repeated(tmp_path: Path, source: str) -> None:
    """It may hold a password."""
    text = GOOD.replace("https://example.org/digits.npz", source)

    assert "hush" not in problem(locked(tmp_path, text))


def test_add_keeps_what_is_there(tmp_path: Path) -> None:
    """Comments, order, line ends and the file's mode; the new set comes last."""
    path = locked(tmp_path, GOOD.replace("\n", "\r\n"))
    path.chmod(0o640)
    new = DataSet("b.zip", DIGEST, "file", 3, "LicenseRef-own", 'file:a"b\\c')

    add(path, new)

    assert path.read_bytes().startswith(GOOD.replace("\n", "\r\n").rstrip().encode())
    assert [data.name for data in declared(path)] == ["digits", "vgg.keras", "b.zip"]
    assert declared(path)[2] == new
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["data.lock"]


def test_add_makes_the_file_and_follows_a_link(tmp_path: Path) -> None:
    """A new file has the version; a link stays one."""
    (tmp_path / "real").mkdir()
    (tmp_path / "data.lock").symlink_to("real/data.lock")

    add(tmp_path / "data.lock", DataSet("a", DIGEST, "file", 3, "unknown", "file:a"))

    assert (tmp_path / "data.lock").is_symlink()
    assert (tmp_path / "real" / "data.lock").read_text().startswith("version = 1\n\n[data.a]\n")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (GOOD, "digits"), (GOOD, "DIGITS"), (GOOD, "../x"), ("version = 2", "a"), ("[", "a"),
        ("version = 1\ndata = {}", "a"),
    ],
)  # fmt: skip
def test_add_touches_no_file_that_it_refuses(tmp_path: Path, text: str, name: str) -> None:
    """A name that is taken or is none, a bad file, one that can't be appended to."""
    path = locked(tmp_path, text)

    with pytest.raises(BadDataLock):
        add(path, DataSet(name, DIGEST, "file", 3, "unknown", "file:a"))

    assert path.read_text() == text
    assert os.listdir(tmp_path) == ["data.lock"]


def _add(path: Path, first: int) -> None:
    for number in range(first, first + 10):
        add(path, DataSet(f"set-{number}", DIGEST, "file", 3, "unknown", "file:a"))


def test_adding_at_the_same_time_loses_nothing(tmp_path: Path) -> None:
    """One after the other."""
    path = tmp_path / "data.lock"
    context = multiprocessing.get_context("fork")
    adders = [context.Process(target=_add, args=(path, first)) for first in range(0, 40, 10)]
    for adder in adders:
        adder.start()
    for adder in adders:
        adder.join()

    assert {data.name for data in declared(path)} == {f"set-{number}" for number in range(40)}


WATCHED = {
    "exec", "import", "os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen",
    "socket.connect", "socket.getaddrinfo", "os.remove", "os.rename", "os.mkdir", "shutil.rmtree",
}  # fmt: skip
seen: list[str] | None = None


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if seen is not None and (
        event in WATCHED or (event == "open" and arguments[1] not in ("r", "rb"))
    ):
        seen.append(f"{event} {arguments}")


sys.addaudithook(_audit)

PIECES = st.sampled_from(
    [
        "[", "]", "[[", "]]", "{", "}", '"', "'", '"""', "=", "\n", "#", ".", ",", "\\", "\\u0000",
        "\x00", "\x7f", "\ufeff", "..", "/", "true", "nan", "-0", "1e999", "2026-11-22", "[data.x]",
        "[data]", "version = 1", "$(id)", "{{", "%s", "file:", "https://me:hush@h/", "é", "💥",
        "(" * 300, "[" * 3000, "a.b.c = 1\n", "__import__('os').system('id')", "9" * 5000,
    ]
) | st.text(max_size=5)  # fmt: skip


@given(
    st.lists(
        st.tuples(st.integers(0, len(GOOD)), st.integers(0, 30), PIECES), min_size=1, max_size=4
    )
)
@settings(max_examples=2 * settings().max_examples)
def test_mutated_files(tmp_path: Path, changes: list[tuple[int, int, str]]) -> None:
    """Each gives a clear error or sets that are in order; nothing is executed or written."""
    global seen
    declared(locked(tmp_path, GOOD))  # whatever is imported late
    text = GOOD
    for start, length, piece in changes:
        text = text[:start] + piece + text[start + length :]
    path = locked(tmp_path, text.encode(errors="surrogatepass"))

    seen = []
    try:
        sets = declared(path)
    except BadDataLock as found:
        sets = []
        assert str(found).isprintable()
        assert len(str(found)) < 1000
    finally:
        events, seen = seen, None

    assert events == []
    for data in sets:
        assert check_name(data.name)
        assert len(data.sha256) == 64
        sources.check(data.source)
