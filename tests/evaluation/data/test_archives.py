"""Archives of strangers: what is unpacked, and what is refused."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from seedlock.evaluation.data import archives
from seedlock.evaluation.data.archives import BadArchive, unpack

FILES = {"a.txt": b"a", "deep/er/b.txt": b"b" * 3_000_000, "deep/c": b""}


def tarred(path: Path, *members: tarfile.TarInfo | tuple[str, bytes]) -> Path:
    """Make a .tar.gz."""
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                info.mode = 0o6777
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def zipped(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    """Make a .zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return path


def special(kind: bytes, target: str = "", name: str = "bad") -> tarfile.TarInfo:
    """Return a link or a device."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


@pytest.mark.parametrize("ending", [".tar.gz", ".tgz", ".zip"])
def test_files_and_folders_are_unpacked(tmp_path: Path, ending: str) -> None:
    """With no mode or owner of the archive's, each byte announced."""
    make = zipped if ending == ".zip" else tarred
    archive = make(tmp_path / "a", *FILES.items())
    counts: list[int] = []

    unpack(archive, ending, tmp_path / "new", 3_000_001, counts.append)

    assert contents(tmp_path / "new") == FILES
    assert sum(counts) == 3_000_001
    assert not (tmp_path / "new" / "a.txt").stat().st_mode & (stat.S_ISUID | stat.S_IXUSR)


def test_names_as_tar_and_zip_write_them(tmp_path: Path) -> None:
    """`./` before a name, and entries for folders."""
    folder = tarfile.TarInfo("./x")
    folder.type = tarfile.DIRTYPE
    unpack(tarred(tmp_path / "a", folder, ("./x/y", b"1")), ".tgz", tmp_path / "tar", 1)
    unpack(zipped(tmp_path / "b", ("x/", b""), ("x/y", b"1")), ".zip", tmp_path / "zip", 1)

    assert contents(tmp_path / "tar") == contents(tmp_path / "zip") == {"x/y": b"1"}


@pytest.mark.parametrize(
    "name", ["../bad", "/bad", "a/../../bad", "a/..", "..", "back\\slash", "line\nbreak"]
)
@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
def test_names_that_lead_out_are_refused(tmp_path: Path, ending: str, name: str) -> None:
    """Nothing is written beside the folder."""
    make = zipped if ending == ".zip" else tarred
    archive = make(tmp_path / "a", ("good", b"1"), (name, b"2"))

    with pytest.raises(BadArchive, match=r"leads out|allowed: names"):
        unpack(archive, ending, tmp_path / "new", None)

    assert {path.name for path in tmp_path.rglob("*")} == {"a", "new", "good"}


@pytest.mark.parametrize(
    "entry",
    [
        special(tarfile.SYMTYPE, "/etc/hostname"), special(tarfile.SYMTYPE, "good"),
        special(tarfile.LNKTYPE, "good"), special(tarfile.LNKTYPE, "/etc/hostname"),
        special(tarfile.FIFOTYPE), special(tarfile.CHRTYPE), special(tarfile.BLKTYPE),
    ],
    ids=lambda entry: f"{entry.type!r}{entry.linkname}",
)  # fmt: skip
def test_links_and_devices_are_refused(tmp_path: Path, entry: tarfile.TarInfo) -> None:
    """What follows could be written through them."""
    archive = tarred(tmp_path / "a", ("good", b"1"), entry, ("bad/x", b"2"))

    with pytest.raises(BadArchive, match="'bad' is a link or a device"):
        unpack(archive, ".tar.gz", tmp_path / "new", None)

    assert contents(tmp_path / "new") == {"good": b"1"}


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    """They are files with a mode of their own."""
    link = zipfile.ZipInfo("bad")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16

    with pytest.raises(BadArchive, match="'bad' is a link or a device"):
        unpack(zipped(tmp_path / "a", (link, b"/etc/hostname")), ".zip", tmp_path / "new", None)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([("a", b"1"), ("a", b"2")], "'a' is in it twice"),
        ([("a", b"1"), ("./a", b"2")], "'./a' is in it twice"),
        ([("a", b"1"), ("a/b", b"2")], "a file and a folder"),
        ([("a/b", b"1"), ("a", b"2")], "'a' is in it twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_for_two_things(
    tmp_path: Path, entries: list[tuple[str, bytes]], said: str
) -> None:
    """Which of them counts is not decided by the order."""
    for make, ending in ((tarred, ".tgz"), (zipped, ".zip")):
        with pytest.raises(BadArchive, match=said):
            unpack(make(tmp_path / "a", *entries), ending, tmp_path / ending, None)


@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
def test_no_more_is_unpacked_than_declared(tmp_path: Path, ending: str) -> None:
    """A small archive can hold a large file."""
    make = zipped if ending == ".zip" else tarred
    archive = make(tmp_path / "a", ("zeros", bytes(50 << 20)))
    assert archive.stat().st_size < 1 << 20

    with pytest.raises(BadArchive, match="more than the 1000 bytes that are declared"):
        unpack(archive, ending, tmp_path / "new", 1000)

    assert (tmp_path / "new" / "zeros").stat().st_size <= 2 << 20


def test_a_huge_header_is_not_taken_into_memory(tmp_path: Path) -> None:
    """tarfile would read a name of any length."""
    info = special(tarfile.GNUTYPE_LONGNAME, name="././@LongLink")
    info.size = 100 << 20
    with gzip.open(tmp_path / "a", "wb") as stream:
        stream.write(info.tobuf(tarfile.GNU_FORMAT))
        stream.write(bytes(1 << 20))

    with pytest.raises(BadArchive, match=f"a header of {100 << 20} bytes"):
        unpack(tmp_path / "a", ".tgz", tmp_path / "new", None)


@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
def test_broken_archives(tmp_path: Path, ending: str) -> None:
    """Cut at each of many lengths, one byte changed, or no archive at all: one clear error each."""
    make = zipped if ending == ".zip" else tarred
    good = make(tmp_path / "a", *FILES.items()).read_bytes()
    broken = [good[:length] for length in range(0, len(good) - 1, max(1, len(good) // 60))]
    broken += [
        good[:at] + bytes([good[at] ^ 255]) + good[at + 1 :]
        for at in range(0, len(good), max(1, len(good) // 60))
    ]
    broken += [b"no archive", gzip.compress(b"no tar" * 1000)]
    refused = 0
    for number, body in enumerate(broken):
        (tmp_path / "b").write_bytes(body)
        folder = tmp_path / str(number)
        try:
            unpack(tmp_path / "b", ending, folder, 4_000_000)
        except BadArchive as problem:
            refused += 1
            assert str(problem).isprintable()

    assert refused > 60


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    """There is no password to ask for."""
    body = bytearray(zipped(tmp_path / "a", ("a", b"1")).read_bytes())
    body[body.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a").write_bytes(body)

    with pytest.raises(BadArchive, match="'a' is encrypted"):
        unpack(tmp_path / "a", ".zip", tmp_path / "new", None)


def written(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
def test_a_bomb_without_a_declared_size_is_refused(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From `FROM` bytes on, what is `RATIO` times the archive; nothing beyond is written."""
    monkeypatch.setattr(archives, "FROM", 4 << 20)
    make = zipped if ending == ".zip" else tarred
    bomb = make(tmp_path / "a", *((f"{n}", bytes(8 << 20)) for n in range(4)))
    most = max(4 << 20, archives.RATIO * bomb.stat().st_size)
    assert most < 32 << 20

    with pytest.raises(BadArchive, match=r"more than 200 times its size; .*file:PATH"):
        unpack(bomb, ending, tmp_path / "new", None)

    assert written(tmp_path / "new") <= most
    unpack(bomb, ending, tmp_path / "declared", 32 << 20)
    small = make(tmp_path / "b", ("x", bytes(3 << 20)))
    unpack(small, ending, tmp_path / "small", None)


@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
def test_too_many_files_are_refused(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Empty ones too, which no declared size bounds; and too many folders in one name."""
    monkeypatch.setattr(archives, "MOST", 3)
    make = zipped if ending == ".zip" else tarred
    unpack(make(tmp_path / "a", *((f"{n}", b"") for n in range(3))), ending, tmp_path / "x", 0)

    with pytest.raises(BadArchive, match="more than 3 files and folders"):
        unpack(make(tmp_path / "b", *((f"{n}", b"") for n in range(4))), ending, tmp_path / "y", 0)
    assert len(list((tmp_path / "y").iterdir())) == 3
    deep = make(tmp_path / "c", ("a/" * 100 + "b", b""))
    with pytest.raises(BadArchive, match="more than 100 folders deep"):
        unpack(deep, ending, tmp_path / "z", 0)
