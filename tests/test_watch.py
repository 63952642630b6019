"""Level watch: the program runs as it would without seedlock, and everything is written down."""

from __future__ import annotations

from pathlib import Path

from seedlock.startup import NOTHING_LOCKED
from tests.interpreter import python, reports
from tests.traces import events

SEEDED = (
    "import random, numpy as np, torch\n"
    "random.seed(1); np.random.seed(2); torch.manual_seed(3)\n"
    "print(random.random(), np.random.rand(), np.random.default_rng(4).random(), torch.rand(1))\n"
    "print(torch.Generator().initial_seed(), torch.are_deterministic_algorithms_enabled())\n"
)


def test_nothing_is_locked() -> None:
    """Seeds count as written, defaults stay defaults, no flag is set."""
    plain = python("-c", SEEDED)

    assert python("-c", SEEDED, REPRO_SEED="7", REPRO_LEVEL="watch").lines == plain.lines


def test_a_block_of_fixed_seeds_holds_nothing() -> None:
    """What it seeds goes on from there, as it does without a seed in force."""
    code = (
        "import random, seedlock, numpy as np\n"
        "with seedlock.fixed(): random.seed(1); np.random.seed(2)\n"
        "print(random.random(), np.random.rand())"
    )
    plain = python("-c", code)

    assert python("-c", code, REPRO_SEED="7", REPRO_LEVEL="watch").lines == plain.lines


def test_what_nobody_seeds_varies() -> None:
    """The global generators start from the system, as they do without seedlock."""
    code = "import random, numpy as np; print(random.random(), np.random.rand())"
    draws = {python("-c", code, REPRO_SEED="7", REPRO_LEVEL="watch").out for _ in range(2)}

    assert len({line.split()[0] for line in draws}) == 2
    assert len({line.split()[1] for line in draws}) == 2


def test_the_report_says_so(tmp_path: Path) -> None:
    """A watched run can't pass for a locked one, and its children are watched too."""
    code = (
        "import subprocess, sys\n"
        "command = [sys.executable, '-c', 'import os; print(os.environ.get(\"PYTHONHASHSEED\"))']\n"
        "print(subprocess.run(command, capture_output=True, text=True).stdout)\n"
    )
    done = python("-c", code, REPRO_SEED="7", REPRO_LEVEL="watch", REPRO_REPORT=str(tmp_path))

    assert done.lines[0] == "None"
    found = reports(tmp_path)
    assert len(found) == 2
    for report in found:
        assert report["gaps"][0] == NOTHING_LOCKED
        assert report["seeds"] == {}


def test_what_a_lock_would_decide_is_in_the_trace(tmp_path: Path) -> None:
    """The seed that a generator got from the system, the line that asked, the system's bytes."""
    program = tmp_path / "program.py"
    program.write_text(
        "import os, time, random\n"
        "import numpy as np, numpy.random\n"
        "a = np.random.default_rng().random()\n"
        "random.seed(time.time_ns())\n"
        "os.urandom(8)\n"
    )
    found = []
    for name in ("one", "two"):
        folder = tmp_path / name
        python(
            str(program), cwd=tmp_path, REPRO_SEED="7", REPRO_LEVEL="watch", REPRO_TRACE="step",
            REPRO_REPORT=str(folder),
        )  # fmt: skip
        found.append([each for each in events(folder) if each["at"] != "program.py:2"])

    one, two = found
    assert [(each["kind"], each["at"]) for each in one] == [
        ("unseeded", "program.py:3"),
        ("seed", "program.py:4"),
        ("entropy", "program.py:5"),
    ]
    for first, second in zip(one, two, strict=True):
        assert first != second


def test_watching_from_inside_says_so_too() -> None:
    """seedlock.lock(7, "watch") can't pass for a lock either."""
    code = "import seedlock; seedlock.lock(7, 'watch'); print(seedlock.report()['gaps'][0])"

    assert python("-c", code).lines == [NOTHING_LOCKED]
