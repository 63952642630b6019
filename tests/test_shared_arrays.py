"""shared_arrays.py: memory that processes share is a gap with the line that makes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.interpreter import python, reports

WAYS = {
    "RawArray": "processes.RawArray('d', 1)",
    "RawValue": "processes.RawValue('d')",
    "Array": "processes.Array('d', 1)",
    "Value": "processes.get_context('spawn').Value('d')",
    "sharedctypes": "__import__('multiprocessing.sharedctypes').sharedctypes.RawArray('d', 1)",
    "SharedMemory": "SharedMemory(create=True, size=8).unlink()",
}

BEGIN = (
    "import multiprocessing as processes\nfrom multiprocessing.shared_memory import SharedMemory\n"
)


def gaps(code: str, folder: Path) -> list[str]:
    """Return the gaps of a program about memory."""
    (folder / "program.py").write_text(code)
    python("program.py", cwd=folder, REPRO_SEED="7", REPRO_REPORT=str(folder / "reports"))
    report = reports(folder / "reports")[0]
    return [each for each in report["gaps"] if "shares memory between processes" in each]


@pytest.mark.parametrize("way", WAYS)
def test_the_authors_line_is_named(way: str, tmp_path: Path) -> None:
    """Once, whichever function makes it and however often."""
    (gap,) = gaps(f"{BEGIN}for _ in range(2):\n    {WAYS[way]}\n", tmp_path)

    assert gap.startswith(f"{tmp_path / 'program.py'}:4 ")


def test_what_a_library_shares_is_its_own_business(tmp_path: Path) -> None:
    """It takes care of the order in which it is written to."""
    code = "\n".join(WAYS.values())

    assert gaps(f"{BEGIN}exec(compile({code!r}, {json.__file__!r}, 'exec'))\n", tmp_path) == []
