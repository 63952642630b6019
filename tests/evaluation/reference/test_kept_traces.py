"""Traces in one small file, and back."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from seedlock.evaluation import traces
from seedlock.evaluation.reference import kept_traces
from seedlock.evaluation.reference.reference_errors import BadReference
from tests.evaluation.made_traces import child, event, op, step, write_process

LARGE = 1 << 20


def unpacked(folder: Path, kept: kept_traces.Kept, **limits: int) -> traces.Run:
    """Return what a packed file holds."""
    return kept_traces.unpack(kept.content, "some.gz", folder / "unpacked", "", **limits)


def test_there_and_back(tmp_path: Path) -> None:
    """Processes, places and events come back, with the end of each."""
    reports = tmp_path / "reports"
    write_process(reports, [child("0"), step(0), step(1)])
    write_process(reports, [step(0, "11"), event("place", text="0/task.1"), step(1)],
                  place="0", pid=101)  # fmt: skip

    run = unpacked(tmp_path, kept_traces.pack(reports, None, LARGE))

    assert [each.name for each in run.streams] == ["", "0", "0/task.1"]
    assert run.events == traces.Run(reports).events == 5
    assert all(each.ended for each in run.processes)


def test_equal_runs_give_equal_bytes(tmp_path: Path) -> None:
    """Process ids, folders and where packages lie are not in the file."""
    contents = set()
    for pid, home in ((100, "/one"), (200, "/another/home")):
        reports = tmp_path / str(pid)
        at = f"{home}/lib/python3.11/site-packages/some/module.py:7"
        write_process(
            reports, [step(0), step(1, at=at), step(2, at=f"{home}/x.py:{pid}")], pid=pid, cwd=home
        )
        contents.add(kept_traces.pack(reports, None, LARGE).content)

    assert len(contents) == 1
    content = contents.pop()
    assert content[4:8] == bytes(4)  # the time (RFC 1952, 2.3)
    text = gzip.decompress(content).decode()
    assert "home" not in text and "/one" not in text
    assert '"at":"site-packages/some/module.py"' in text and '"at":"x.py"' in text


def test_what_the_system_gave_is_left_out(tmp_path: Path) -> None:
    """Draws from the system differ from run to run, and names of packages with the lock."""
    reports = tmp_path / "reports"
    events = [event("entropy", digest="11" * 16), event("listing", digest="22" * 16), step(0)]
    write_process(reports, events)

    kept = kept_traces.pack(reports, None, LARGE)

    assert (kept.events, kept.whole) == (1, True)


def test_only_the_first_steps(tmp_path: Path) -> None:
    """Events of later steps are left out, when it is packed and when it is read."""
    reports = tmp_path / "reports"
    write_process(reports, [op(0), op(1), op(2), op(3)], steps=[0, 3])

    kept = kept_traces.pack(reports, 3, LARGE)
    run = unpacked(tmp_path, kept, until=2)

    assert (kept.events, kept.whole) == (3, True)
    assert run.events == 2
    assert run.processes[0].header["steps"] == [0, 2]


def test_what_is_too_large_is_cut(tmp_path: Path) -> None:
    """A file stays below its limit, and says that it is not whole."""
    reports = tmp_path / "reports"
    write_process(reports, [op(0, digest=f"{number:032x}") for number in range(5000)])

    kept = kept_traces.pack(reports, None, 4096)

    assert len(kept.content) <= 4096
    assert not kept.whole and 0 < kept.events < 5000
    assert unpacked(tmp_path, kept, most=7).events == 7


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b""), gzip.compress(b"no JSON\n"), gzip.compress(b"[]\n"),
     gzip.compress(b'{"kind":"step","step":0}\n'), gzip.compress(b'{"kind":"trace"}\n')[:-9],
     gzip.compress(b"[" * 100_000)],
    # Bytes of gzip hold the moment, and two workers of pytest must call a test the same.
    ids=["empty", "no gzip", "nothing in it", "no JSON", "a list", "a step", "cut off", "deep"],
)  # fmt: skip
def test_what_is_no_trace(tmp_path: Path, content: bytes) -> None:
    """Anything else is refused, with the file's name."""
    with pytest.raises(BadReference, match=r"some\.gz holds no traces"):
        kept_traces.unpack(content, "some.gz", tmp_path / "unpacked", "")


def test_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file that unpacks to a large one is refused."""
    monkeypatch.setattr(kept_traces, "LARGEST_READ", 1 << 16)
    bomb = gzip.compress(b'{"kind":"trace","steps":null}\n' + b" " * (1 << 17))

    with pytest.raises(BadReference, match="more than"):
        kept_traces.unpack(bomb, "some.gz", tmp_path / "unpacked", "")
