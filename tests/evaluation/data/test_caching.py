"""Where the cache is, and what becomes of what lies in the way."""

from __future__ import annotations

from pathlib import Path

from seedlock.evaluation.data.caching import Cache, default, discard


def test_where_it_is(tmp_path: Path) -> None:
    """REPRO_DATA_CACHE, else the user's cache folder; a relative one of those does not count."""
    home = Path("~").expanduser()

    assert default({"REPRO_DATA_CACHE": str(tmp_path)}).folder == tmp_path
    assert default({"REPRO_DATA_CACHE": "here"}).folder == Path.cwd() / "here"
    assert default({"XDG_CACHE_HOME": "/x"}).folder == Path("/x/seedlock/data")
    for environ in ({}, {"XDG_CACHE_HOME": "x"}, {"REPRO_DATA_CACHE": "", "XDG_CACHE_HOME": ""}):
        assert default(environ).folder == home / ".cache" / "seedlock" / "data"


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    """What was being unpacked is of no use; what was downloaded is."""
    cache = Cache(tmp_path)
    with cache.alone("https://h/a", lambda: None) as to:
        pass
    to.new.mkdir()
    (to.new / "half").touch()
    (to.new / "read-only").mkdir(mode=0o555)
    to.part.write_text("some")

    with cache.alone("https://h/a", lambda: None) as again:
        assert again == to
        assert not to.new.exists()

    assert to.part.read_text() == "some"


def test_who_comes_second_finds_the_first_copy(tmp_path: Path) -> None:
    """Two sources of one folder: the first stays, the second's copy goes."""
    cache = Cache(tmp_path / "cache")
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
        (tmp_path / number / "a").touch()

    first = cache.keep(tmp_path / "1", "sha256:" + "0" * 64)
    inode = first.stat().st_ino
    second = cache.keep(tmp_path / "2", "sha256:" + "0" * 64)

    assert first == second
    assert second.stat().st_ino == inode
    assert not (tmp_path / "1").exists()
    assert not (tmp_path / "2").exists()


def test_discard(tmp_path: Path) -> None:
    """Files, read-only folders, links but not what they lead to, and nothing at all."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to("kept")
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "folder" / "sub" / "file").touch()
    (tmp_path / "folder" / "sub").chmod(0o555)

    for name in ("link", "folder", "none"):
        discard(tmp_path / name)

    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
