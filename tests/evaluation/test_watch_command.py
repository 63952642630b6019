"""`seedlock watch` as a person uses it: records and a log in, a verdict and a status out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seedlock import cli
from seedlock.cli import main
from seedlock.errors import SeedlockError
from seedlock.evaluation.watch.expectation import BadExpectation
from seedlock.evaluation.watch.expected_values import of_records, of_round
from seedlock.startup import EXIT_CONFIG
from tests.evaluation.made_records import made, written
from tests.evaluation.scores.made_results import End
from tests.evaluation.scores.made_results import made as made_round
from tests.evaluation.watch.test_watcher import VALUES, noisy
from tests.interpreter import REPOSITORY, Done, run


def seeds(folder: Path) -> list[str]:
    """Return the paths of records of five seeds."""
    return written(folder, *(made(seed, value) for seed, value in enumerate(VALUES, 1)))


def log(folder: Path, *levels: float) -> str:
    """Return the path of a log with forty days at each level."""
    path = folder / "log.jsonl"
    values = [value for place, level in enumerate(levels) for value in noisy(40, level, place)]
    lines = [{"day": f"d{day}", "acc": value} for day, value in enumerate(values, 1)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


LAST: list[str] = []
"""What was refused last; a process would have said it and ended."""


def ended(*words: str) -> int:
    """Run a command here and return its status, also where it is refused."""
    options = cli._parser().parse_args(words)
    try:
        return int(options.command(options))
    except SeedlockError as refusal:
        LAST.append(str(refusal))
        return EXIT_CONFIG


def watch(*words: str) -> Done:
    """Run the command in a process of its own, as where it ends with a refusal."""
    return run([sys.executable, "-m", "seedlock", "watch", *words], check=False)


def test_a_log_in_and_outside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0 and 1; the records come before the log; page and JSON say the same."""
    expect = ["--expect", *seeds(tmp_path)]
    page = tmp_path / "page.html"
    options = ["--metric", "accuracy=acc", "--time-field", "day"]

    assert main(["watch", *options, *expect, log(tmp_path, 0.932)]) == 0
    assert capsys.readouterr().out.startswith("INSIDE: ")
    left = log(tmp_path, 0.932, 0.88)
    assert main(["watch", left, *options, *expect, "--html", str(page)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("LEFT: ") and "(d" in out and "note: " not in out
    assert "LEFT" in page.read_text()
    assert main(["watch", *options, "--json", *expect, "--", left]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["log"]["range"]) == ("LEFT", [0.0, 1.0])
    assert found["expected"]["seeds"] == ["1", "2", "3", "4", "5"]


def test_one_record_needs_a_width(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said that one value has no spread, and what to give."""
    one, path = written(tmp_path, made())[0], log(tmp_path, 0.9)

    refused = watch("--expect", one, path)

    assert refused.status == 78 and refused.err.count("\n") == 1
    assert "one value of accuracy has no spread" in refused.err
    for width in (["--sd", "0.01"], ["--tolerance", "0.05"]):
        assert main(["watch", "--metric", "accuracy=acc", *width, "--expect", one, path]) == 0
        assert "INSIDE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 1}, "a second record of seed 1"),
        ({"outcome": {"class": "limit", "exit_status": 1, "reasons": [], "notes": []}}, "is limit"),
        ({"level": "seed"}, "in level"),
        ({"lock": None, "scheme": "x"}, "in lock, scheme"),
        ({"metrics": {"declared": [], "final": {}, "series": {}}}, "has no metric accuracy"),
        ({"source": {"revision": None, "digest": f"sha256:{'0' * 64}", "dirty": [], "files": 1,
                     "changed": []}}, "in source"),
    ],
    ids=["seed", "class", "level", "lock", "metric", "source"],
)  # fmt: skip
def test_what_is_no_further_model_is_refused(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    """A record that could not be one more draw from the same recipe."""
    paths = written(tmp_path, made(1, 0.9), {**made(2, 0.91), **changes})

    with pytest.raises(BadExpectation, match=said) as refusal:
        of_records([Path(each) for each in paths], None)

    assert "allowed: " in str(refusal.value) and "\n" not in str(refusal.value)
    if said.startswith("in "):
        assert of_records([Path(each) for each in paths], None, anyway=True).notes


def test_what_can_not_be_watched_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 78 for files, 2 for the command line, one line each and no traceback."""
    expect = ["--expect", *seeds(tmp_path)]
    (tmp_path / "empty").write_text("")
    (tmp_path / "short").write_text('{"accuracy": 1}\n')
    (tmp_path / "high").write_text('{"accuracy": 1.5}\n')
    for words, status, said in [
        ([*expect, "none.jsonl"], 78, "bad-log"),
        ([*expect, str(tmp_path / "empty")], 78, "has no value of accuracy in 0 lines"),
        ([*expect, seeds(tmp_path)[0]], 78, "bad-log"),
        ([*expect, str(tmp_path / "short"), "--every", "2"], 78, "fewer than --every 2"),
        ([*expect, str(tmp_path / "high")], 78, "outside the range"),
        (["--expect", str(tmp_path), "x"], 78, "bad-round"),
        (["--expect", "x"], 2, "no log is named"),
        ([*expect, "x", "--confidence", "1"], 2, "--confidence is '1'"),
        ([*expect, "x", "--range", "1:0"], 2, "--range is '1:0'"),
        ([*expect, "x", "--every", "0"], 2, "--every is '0'"),
        ([*expect, "x", "--sd", "nan"], 2, "--sd is 'nan'"),
        ([*expect, "x", "--sd", "1e308"], 2, "--sd is '1e308'"),
        ([*expect, "x", "--false-alarm", "1e-320"], 2, "--false-alarm is '1e-320'"),
        ([*expect, "x", "--range=-1e308:1e308"], 2, "--range is '-1e308:1e308'"),
        ([*expect, "x", "--every", "9" * 5000], 2, "--every is '9"),
    ]:
        got, err = ended("watch", *words), capsys.readouterr().err or LAST[-1]

        assert (got, err.count("\n")) == (status, err.endswith("\n")), err
        assert said in err and "allowed: " in err


def test_a_page_that_can_not_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 74, which no verdict has, and the name that was given."""
    page = tmp_path / "none" / "page.html"
    words = ["--metric", "accuracy=acc", "--html", str(page)]

    assert main(["watch", *words, "--expect", *seeds(tmp_path), log(tmp_path, 0.932)]) == 74
    assert f"seedlock watch: '{page}' can't be written: " in capsys.readouterr().err


def test_standard_input_and_what_log_metric_writes(tmp_path: Path) -> None:
    """A program's own metrics.jsonl, piped; the first alarm ends it if that was asked for."""
    path = tmp_path / "metrics.jsonl"
    lines = [{"name": "accuracy", "value": value, "step": 1} for value in noisy(200, 0.88)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    with path.open() as file:
        done = subprocess.run(
            [sys.executable, "-m", "seedlock", "watch", "--expect", *seeds(tmp_path), "-",
             "--json", "--until-left"],
            stdin=file, capture_output=True, text=True, check=False, cwd=REPOSITORY,
        )  # fmt: skip

    found = json.loads(done.stdout)
    assert done.returncode == 1 and found["log"]["values"] < 100


def test_ctrl_c_ends_a_log_that_is_followed(tmp_path: Path) -> None:
    """With where it stands; an alarm came as soon as there was one."""
    path = log(tmp_path, 0.932, 0.86)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "seedlock", "watch", "--expect", *seeds(tmp_path),
         "--metric", "accuracy=acc", "--follow", "--", path],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    first = process.stdout.readline()
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert "changed within itself, below (worse)" in first
    assert "LEFT: " in out and err == "" and process.returncode == 1


def test_nothing_heavy_at_help() -> None:
    """Neither command costs `seedlock --help` a library."""
    program = (
        "import sys, seedlock.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'scipy', 'jinja2', 'jsonschema', 'tomllib'} & set(sys.modules)))"
    )
    done = run([sys.executable, "-c", program])

    assert done.out.strip().endswith("[]")


def test_a_round_says_what_is_expected(tmp_path: Path) -> None:
    """Values of a submission's seeds, by the round's own standings; a failed one is said."""
    ends: dict[str, tuple[str, list[End]]] = {
        "alpha": ("public", [0.91, 0.92, "author-failure"]),
        "beta": ("private", ["limit", "limit", "limit"]),
    }
    made_round(tmp_path / "round", ends, reveal=True)

    found = of_round(tmp_path / "round", "alpha", None)

    assert (found.metric, found.direction, found.values) == ("accuracy", "max", [0.91, 0.92])
    assert found.seeds is not None and len(found.seeds) == 2
    assert found.notes == ["1 of 3 seeds of the round have no value"]
    for submission, metric in ((None, None), ("gamma", None), ("alpha", "x"), ("beta", None)):
        with pytest.raises(BadExpectation, match="allowed: "):
            of_round(tmp_path / "round", submission, metric)
