"""REPRO_READS=list: which files a report says were read."""

from __future__ import annotations

import json
from pathlib import Path

from tests.interpreter import python

PROGRAM = """
import os, pathlib, multiprocessing, sys
import numpy
folder = pathlib.Path(sys.argv[1])
(folder / "read.txt").read_text()
os.close(os.open(folder / "low.bin", os.O_RDONLY))
numpy.load(folder / "array.npy")
open(folder / "log.txt", "a").close()
open(folder / "both.txt", "r+").close()
(folder / "own.txt").write_text("mine"); (folder / "own.txt").read_text()
try: open(folder / "missing.txt")
except FileNotFoundError: pass
os.listdir(folder)
open("/proc/self/stat").close()
def child(): open(folder / "child.txt").close()
process = multiprocessing.get_context("fork").Process(target=child)
process.start(); process.join()
"""


def test_the_report_names_what_was_read(tmp_path: Path) -> None:
    """Not what was written, looked for or belongs to Python; each process for itself."""
    import numpy

    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("read.txt", "low.bin", "both.txt", "child.txt", "log.txt"):
        (folder / name).write_text("text")
    numpy.save(folder / "array.npy", numpy.arange(3))
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)

    python(
        str(script), str(folder),
        REPRO_SEED="7", REPRO_REPORT=str(tmp_path / "r"), REPRO_READS="list",
    )  # fmt: skip

    reports = [json.loads(path.read_text()) for path in (tmp_path / "r").glob("*.json")]
    first = next(each for each in reports if each["process"]["lineage"] == "")
    child = next(each for each in reports if each is not first)
    here = f"{folder}/"
    names = [each.removeprefix(here) for each in first["reads"]["files"] if here in each]
    assert names == ["array.npy", "both.txt", "low.bin", "read.txt"]
    assert str(script) in first["reads"]["files"]
    assert first["reads"]["more"] == 0
    assert child["reads"]["files"] == [str(folder / "child.txt")]
    assert not any("site-packages" in each for each in first["reads"]["files"])


def test_without_it_nothing_is_noted(tmp_path: Path) -> None:
    """No audit hook, which would cost each call."""
    python("-c", "open('/etc/hostname').close()", REPRO_SEED="7", REPRO_REPORT=str(tmp_path))

    report = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert "reads" not in report
    assert report["usage"]["peak_memory_bytes"] > 1 << 20
