"""Sets on their way into the cache: verified, read-only, one process at a time."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from seedlock.errors import DataMismatch, DataUnavailable
from seedlock.evaluation.data import sources
from seedlock.evaluation.data.caching import Cache
from seedlock.evaluation.data.data_lock import DataSet
from seedlock.evaluation.data.fetching import Silence, fetch, take
from seedlock.evaluation.file_digests import digest_of

from .conftest import BODY, a_file, listing
from .server import Page, Server
from .test_archives import FILES, tarred, zipped


def a_folder(folder: Path, source: str) -> DataSet:
    """Make a folder of the archives' files and return its set."""
    for name, body in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    found = digest_of(folder)
    sha256 = found.digest.removeprefix("sha256:")
    return DataSet("images", sha256, "folder", found.size, "CC0-1.0", source, folder.parent)


def test_a_file_from_the_web(server: Server, cache: Cache) -> None:
    """It lies by its digest, read-only, nothing else is left, and it is not asked for again."""
    server.pages["/a"] = Page(BODY)
    data = a_file(server.url("/a"))

    place = fetch(data, cache)

    assert place == cache.folder / "sha256" / data.sha256
    assert place.read_bytes() == BODY
    assert stat.S_IMODE(place.stat().st_mode) == 0o444
    assert listing(cache.folder) == ["partial", "sha256", f"sha256/{data.sha256}"]
    assert fetch(data, cache) == place
    assert len(server.asked) == 1


@pytest.mark.parametrize("ending", [".tar.gz", ".tgz", ".zip"])
def test_a_folder_from_an_archive(
    server: Server, cache: Cache, tmp_path: Path, ending: str
) -> None:
    """The digest is the folder's, so it does not matter how it was packed."""
    make = zipped if ending == ".zip" else tarred
    packed = make(tmp_path / "packed", *FILES.items())
    server.pages[f"/a{ending}"] = Page(packed.read_bytes())
    data = a_folder(tmp_path / "images", server.url(f"/a{ending}"))

    place = fetch(data, cache)

    assert digest_of(place) == digest_of(tmp_path / "images")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (place, *place.rglob("*"))}
    assert modes == {0o444, 0o555}
    assert listing(cache.folder / "partial") == []


def test_an_archive_stays_one_where_the_kind_is_file(server: Server, cache: Cache) -> None:
    """Only kind folder unpacks."""
    server.pages["/a.zip"] = Page(BODY)

    assert fetch(a_file(server.url("/a.zip")), cache).read_bytes() == BODY


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_from_this_machine(cache: Cache, tmp_path: Path, kind: str) -> None:
    """A copy, which a change of the original does not reach; links are followed as in a digest."""
    data = a_folder(tmp_path / "images", "file:images")
    (tmp_path / "images" / "a.txt").rename(tmp_path / "images" / "other")
    (tmp_path / "images" / "a.txt").symlink_to("other")
    if kind == "file":
        data = replace(a_file("file:images/a.txt", b"a"), beside=tmp_path)
    else:
        found = digest_of(tmp_path / "images")
        data = replace(data, sha256=found.digest[7:], size=found.size)

    place = fetch(data, cache)
    (tmp_path / "images" / "other").write_text("changed")

    assert digest_of(place).digest == data.digest
    assert not [path for path in (place, *place.rglob("*")) if path.is_symlink()]


def test_what_is_mounted_is_only_looked_at(cache: Cache, tmp_path: Path) -> None:
    """It is used where it lies, and keeps its mode."""
    data = a_folder(tmp_path / "images", "mount:images")

    assert fetch(data, cache) == tmp_path / "images"
    assert (tmp_path / "images" / "a.txt").stat().st_mode & 0o200
    assert not cache.folder.exists()
    (tmp_path / "images" / "a.txt").write_text("b")
    with pytest.raises(DataMismatch, match=r"expected sha256:.* got sha256:"):
        fetch(data, cache)
    with pytest.raises(DataUnavailable, match="is not there"):
        fetch(replace(data, source="mount:nowhere"), cache)


@pytest.mark.parametrize("body", [BODY[:-1], BODY[:-1] + b"x", b""])
def test_a_mismatch_leaves_nothing(server: Server, cache: Cache, body: bytes) -> None:
    """Expected and got are named; another set in the cache stays."""
    server.pages["/a"] = Page(body)
    server.pages["/good"] = Page(b"good")
    good = fetch(a_file(server.url("/good"), b"good"), cache)
    data = a_file(server.url("/a"))

    with pytest.raises(DataMismatch) as problem:
        fetch(data, cache)

    assert f"expected {data.digest} (file of {len(BODY)} bytes), got sha256:" in str(problem.value)
    assert f"(file of {len(body)} bytes)" in str(problem.value)
    assert listing(cache.folder) == ["partial", "sha256", f"sha256/{good.name}"]
    assert good.read_bytes() == b"good"


@pytest.mark.parametrize("fault", ["content", "broken", "traversal"])
def test_an_archive_that_does_not_fit_leaves_nothing(
    server: Server, cache: Cache, tmp_path: Path, fault: str
) -> None:
    """Nor does what was unpacked of it."""
    packed = tarred(
        tmp_path / "packed", *FILES.items(), ("../x" if fault == "traversal" else "x", b"")
    )
    body = packed.read_bytes()
    server.pages["/a.tgz"] = Page(body[:-100] if fault == "broken" else body)
    data = a_folder(tmp_path / "images", server.url("/a.tgz"))

    with pytest.raises(DataMismatch):
        fetch(data, cache)

    assert listing(cache.folder) == ["partial"]


def test_a_bad_entry_in_the_cache_is_named_and_stays(server: Server, cache: Cache) -> None:
    """It is not trusted because it is there, and not replaced without a word."""
    server.pages["/a"] = Page(BODY)
    data = a_file(server.url("/a"))
    place = fetch(data, cache)
    place.chmod(0o644)
    place.write_bytes(b"changed")

    with pytest.raises(DataMismatch, match=f"remove {place} to fetch it again"):
        fetch(data, cache)

    assert place.read_bytes() == b"changed"
    place.unlink()
    assert fetch(data, cache).read_bytes() == BODY


def test_a_part_of_another_file_is_dropped(server: Server, cache: Cache) -> None:
    """Gone on with, the bytes are wrong; then it is begun anew, once."""
    server.pages["/a"] = Page(b"x" * 100_000 + BODY[100_000:], cuts=[100_000, 0])
    data = a_file(server.url("/a"))
    with pytest.raises(DataUnavailable):
        fetch(data, cache)
    server.pages["/a"] = Page(BODY)

    assert fetch(data, cache).read_bytes() == BODY
    assert [asked is None for _, asked in server.asked][-2:] == [False, True]


def _fetching(server: Server, folder: Path, body: bytes) -> subprocess.Popen[str]:
    """Start a process that fetches /a and prints where it lies."""
    code = (
        "import sys; from pathlib import Path\n"
        "from seedlock.evaluation.data.caching import Cache\n"
        "from seedlock.evaluation.data.data_lock import DataSet\n"
        "from seedlock.evaluation.data.fetching import fetch\n"
        "url, sha256, size, folder = sys.argv[1:]\n"
        "data = DataSet('a', sha256, 'file', int(size), 'unknown', url)\n"
        "print(fetch(data, Cache(Path(folder))))\n"
    )
    data = a_file(server.url("/a"), body)
    return subprocess.Popen(
        [sys.executable, "-c", code, data.source, data.sha256, str(data.size), str(folder)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_fetching_one_set_at_the_same_time(server: Server, cache: Cache) -> None:
    """One downloads, the others wait and find it."""
    gate = threading.Event()
    server.pages["/a"] = Page(BODY, gate=gate)
    processes = [_fetching(server, cache.folder, BODY) for _ in range(3)]
    assert server.reached.wait(600)
    waited = threading.Event()

    class Waiting(Silence):
        def begin(self, what: str, whole: int | None) -> None:
            if what.startswith("waiting"):
                waited.set()

    own = threading.Thread(target=fetch, args=(a_file(server.url("/a")), cache, Waiting()))
    own.start()
    assert waited.wait(600)
    gate.set()
    own.join()
    places = [process.communicate()[0].strip() for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert set(places) == {str(cache.place(a_file("")))}
    assert len(server.asked) == 1


def test_a_killed_download_goes_on(server: Server, cache: Cache) -> None:
    """The lock goes with the process, what came stays under a name that says so."""
    server.pages["/a"] = Page(BODY, gate=threading.Event())
    process = _fetching(server, cache.folder, BODY)
    assert server.reached.wait(600)
    (part,) = _until_there(cache.folder / "partial")
    process.send_signal(signal.SIGKILL)
    process.wait()
    server.pages["/a"].gate.set()  # type: ignore[union-attr]
    kept = part.stat().st_size
    assert kept > 0

    place = fetch(a_file(server.url("/a")), cache)

    assert place.read_bytes() == BODY
    assert server.asked[-1][1] == f"bytes={kept}-"
    assert listing(cache.folder / "partial") == []


def _until_there(folder: Path) -> list[Path]:
    """Wait until a download has brought something: the server has sent all but the last byte."""
    import time

    while True:
        found = [path for path in folder.glob("*.part") if path.stat().st_size]
        if found:
            return found
        time.sleep(0.01)


def test_take_says_what_is_there(server: Server, cache: Cache, tmp_path: Path) -> None:
    """Digest, size and kind; what was downloaded stays in the cache."""
    server.pages["/a"] = Page(BODY)
    data = a_folder(tmp_path / "images", "file:images")

    found = take(server.url("/a"), None, tmp_path, cache)
    folder = take("file:images", None, tmp_path, cache)

    assert (found.digest, found.size, found.kind) == (a_file("").digest, len(BODY), "file")
    assert (folder.digest, folder.kind) == (data.digest, "folder")
    assert listing(cache.folder) == ["partial", "sha256", f"sha256/{a_file('').sha256}"]
    fetch(a_file(server.url("/a")), cache)
    assert len(server.asked) == 1
    with pytest.raises(DataMismatch, match="expected a file, got a folder"):
        take("file:images", "file", tmp_path, cache)


def test_take_unpacks(server: Server, cache: Cache, tmp_path: Path) -> None:
    """With kind folder, the digest is that of what is in the archive."""
    server.pages["/a.zip"] = Page(zipped(tmp_path / "a", *FILES.items()).read_bytes())
    data = a_folder(tmp_path / "images", server.url("/a.zip"))

    found = take(data.source, "folder", tmp_path, cache)

    assert (found.digest, found.kind) == (data.digest, "folder")
    assert cache.place(data).is_dir()


@pytest.mark.parametrize("name", ["pipe", "nothing", "folder-with-pipe", "out"])
def test_what_is_no_data(cache: Cache, tmp_path: Path, name: str) -> None:
    """Nothing waits for ever, nothing outside is copied, nothing is left."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder-with-pipe").mkdir()
    os.mkfifo(tmp_path / "folder-with-pipe" / "pipe")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to("/etc/hostname")
    kind = "folder" if name in ("folder-with-pipe", "out") else "file"
    data = DataSet("a", "0" * 64, kind, 0, "unknown", sources.from_path(name), tmp_path)

    with pytest.raises((DataMismatch, DataUnavailable)):
        fetch(data, cache)
    with pytest.raises((DataMismatch, DataUnavailable)):
        take(data.source, None, tmp_path, cache)

    assert listing(cache.folder) == ["partial"]
