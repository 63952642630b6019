"""Programs that work against what runs them: what they gain, and what is said of them.

docs/threat-model.md has the whole table; what stands there as caught is caught here or where the
page says.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from seedlock.evaluation.recording.record import load
from seedlock.evaluation.scores.standings import of_round
from tests.evaluation.evaluating.made_round import GOOD, SEALED, make
from tests.evaluation.replaying.replays import seedlock

METRIC = """
import json, os, random, sys
reports, output = os.environ["REPRO_REPORT"], os.environ["REPRO_OUTPUT"]
def say(value):
    with open(output + "/metrics.json", "w") as file:
        json.dump({"loss": value}, file)
"""

SPOILING = {
    "a pipe as a report": "os.mkfifo(reports + '/x.json')",
    "a pipe as a trace": "os.mkfifo(reports + '/x.trace.jsonl')",
    "an endless report": "os.symlink('/dev/zero', reports + '/x.json')",
    "a deep report": "open(reports + '/x.json', 'w').write('[' * 200000)",
    "a report of another shape": (
        "open(reports + '/x.json', 'w').write('{\"process\": {}, \"reads\": 5}')"
    ),
    "a broken trace": "open(reports + '/x.trace.jsonl', 'w').write('nothing\\n')",
    "a link to nowhere": "os.symlink('nowhere', output + '/x')",
    "its report is gone": (
        "import posix; [os.unlink(reports + '/' + each) for each in os.listdir(reports)]; "
        "posix._exit(0)"
    ),
}
"""What would keep its reader waiting, or have it fall over, so that the machine seems to have
failed and the run gets another attempt, or is left out."""

KILLING = "os.kill(os.getppid(), 9); import time; time.sleep(60)"

LOOKING = """
def refused(attempt):
    try:
        attempt()
    except OSError:
        return True
    return False
ways = (
    lambda: open(sys.argv[0], "a"),
    lambda: os.listdir({round!r}),
    lambda: open(os.path.dirname(output.rstrip("/")) + "/forged.json", "w"),
    lambda: os.rename(output, output + "-other"),
)
say(sum(not refused(way) for way in ways))
"""
"""Tries to see the round's folder, which holds the secret; to change its source, to leave a file
beside its results, to put other results in their place."""


def test_no_spoilt_file_gets_a_run_another_attempt(bwrap: str, tmp_path: Path) -> None:
    """Whatever a program leaves where it may write, its run fails as the author's, once; other
    runs, and the board, are whole, and a sealed program sees and changes nothing of them."""
    names = {f"spoil-{number}": code for number, code in enumerate(SPOILING.values())}
    names["killing"] = KILLING
    programs = {name: f"{METRIC}say(0.5)\n{code}\n" for name, code in names.items()}
    looking = METRIC + LOOKING.replace("{round!r}", repr(str(tmp_path / "round")))
    made = make(tmp_path, {"good": GOOD, "looking": looking, **programs}, seeds=1)

    done = made.evaluate(*SEALED, "--jobs", "2")

    ends = made.ends()
    assert ends.pop("good") == ends.pop("looking") == [(0, 1, "done")], done.err
    assert ends == {name: [(0, 1, "author-failure")] for name in programs}, done.err
    classes = {name: made.record(name, 0)["outcome"]["class"] for name in programs}
    assert classes.pop("killing") == "author-failure"
    assert set(classes.values()) == {"not-locked"}
    assert made.record("looking", 0)["metrics"]["final"] == {"loss": 0.0}
    assert made.left() == []
    made.verify()
    board = of_round(made.folder)
    assert board.complete and board.content["problems"] == []


def recorded(folder: Path, code: str, *flags: str) -> tuple[int, list[str]]:
    """Record a run of a program; return the exit status and the outcome's reasons."""
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text(METRIC + code)
    words = ("run", "--seed", "7", "--record", "run.json", "--metric", "loss:min", "--")
    done = seedlock(folder, *words, sys.executable, *flags, "train.py")
    return done.status, load(folder / "run.json")["outcome"]["reasons"]


def test_an_innocent_child_does_not_stand_for_a_program_that_bypasses_seedlock(
    tmp_path: Path,
) -> None:
    """Started with -S the program is not locked, whatever other Python it starts."""
    code = "import subprocess; subprocess.run([sys.executable, '-c', 'pass']); say(0.5)"

    status, reasons = recorded(tmp_path, code, "-S")

    assert status == 70
    assert reasons[0].startswith("the command's own process left no report")


HIDING = """
from seedlock import reporting
described = reporting.describe
def clean(lock, status):
    return {**described(lock, status), "gaps": [], "entropy": []}
reporting.describe = clean
say(int.from_bytes(os.urandom(4), "big"))
"""


def test_a_report_that_hides_a_draw_is_shown_by_a_replay(tmp_path: Path) -> None:
    """seedlock is in the program's own process, which can change it; its results can't be."""
    status, _ = recorded(tmp_path, HIDING)
    record = load(tmp_path / "run.json")

    replayed = seedlock(tmp_path, "replay", "run.json")

    assert status == 0 and record["processes"][0]["entropy"] == []
    assert replayed.status == 1
    assert "DIFFERENT" in replayed.out and "metrics.json, loss" in replayed.out


UNDOING = """
from seedlock import user_seeds
user_seeds.UserSeeds.choose = lambda self, library, seed, *rest, **named: seed
random.seed(42)
say(random.random())
"""


def test_a_seed_that_the_program_frees_from_the_lock_is_deaf(tmp_path: Path) -> None:
    """Nothing shows in one run; another seed shows it."""
    (tmp_path / "train.py").write_text(METRIC + UNDOING)

    done = seedlock(
        tmp_path, "verify", "--trace", "off", "--output", "runs", "--", sys.executable, "train.py"
    )

    assert done.status == 3
    assert "SEED-DEAF" in done.out


INVENTING = """
seed = int(os.environ["REPRO_SEED"])
say({7: 0.01, 8: 0.02}.get(seed, 0.9))
"""


def test_an_invented_result_is_repeated(tmp_path: Path) -> None:
    """A limit that the threat model names: who computes nothing repeats and hears the seed. What
    was learned for seeds that everybody knows is worth nothing under hidden ones."""
    (tmp_path / "train.py").write_text(METRIC + INVENTING)

    done = seedlock(
        tmp_path, "verify", "--trace", "off", "--output", "runs", "--json", "--", sys.executable,
        "train.py",
    )  # fmt: skip

    assert done.status == 0
    verdicts = json.loads(done.out)["verdicts"]
    assert set(verdicts.values()) == {"REPEATABLE", "HEARS THE SEED"}
