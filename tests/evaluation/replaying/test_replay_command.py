"""`seedlock replay`: what must match, what is compared, what is said."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.file_digests import digest_of
from seedlock.evaluation.recording.record import load
from tests.evaluation.replaying.replays import CLEAN, DRIFTING, record, seedlock
from tests.interpreter import environment


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recorded run of CLEAN, which no test changes."""
    return record(tmp_path_factory.mktemp("clean"), CLEAN, "--metric", "loss:min").parent


@pytest.fixture(scope="module")
def drifting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recorded run of DRIFTING, which no test changes."""
    return record(tmp_path_factory.mktemp("drifting"), DRIFTING, "--metric", "loss:min").parent


@pytest.fixture
def folder(clean: Path, tmp_path: Path) -> Path:
    """A copy of `clean` at another place."""
    shutil.copytree(clean, tmp_path / "copy")
    return tmp_path / "copy"


def replay(folder: Path, *options: str, **variables: str) -> tuple[int, dict[str, Any]]:
    """Replay the record; return the exit status and the result."""
    done = seedlock(folder, "replay", "run.json", "--json", *options, **variables)
    assert done.out, done.err
    result = json.loads(done.out)
    assert result["exit_status"] == done.status
    return done.status, result


def change(folder: Path, **keys: Any) -> None:
    """Change keys of the record."""
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


def test_a_clean_run_is_replayed_bit_for_bit(folder: Path) -> None:
    """At another place; outputs, trace and metrics are equal, and the replay has its record."""
    done = seedlock(folder, "replay", "run.json")

    assert done.status == 0, done.out + done.err
    assert done.out.startswith("IDENTICAL: ")
    assert "outputs: 2 files equal" in done.out
    assert "trace: 3 results equal" in done.out
    assert "metric loss: " in done.out and ", equal" in done.out
    made = load(folder / "run-replay-1" / "record.json")
    recorded = load(folder / "run.json")
    for key in ("seed", "command", "settings", "environment", "outputs"):
        assert made[key] == recorded[key]
    assert made["source"]["digest"] == recorded["source"]["digest"]
    assert made["metrics"]["declared"] == recorded["metrics"]["declared"]
    result = json.loads((folder / "run-replay-1" / "replay.json").read_text())
    assert result["record_sha256"] == digest_of(folder / "run.json").digest


def test_what_seedlock_left_there_is_no_source(folder: Path) -> None:
    """Replays, bundles and other records beside a program don't make the next replay fail; a new
    file of the author's does."""
    assert replay(folder)[0] == 0
    assert seedlock(folder, "bundle", "run.json", "-o", "run.tar.gz").status == 0
    seedlock(folder, "run", "--seed", "8", "--record", "b.json", "--", sys.executable, "train.py")
    assert (folder / "b").is_dir()
    assert replay(folder)[0] == 0

    (folder / "numpy.py").touch()
    status, result = replay(folder)

    assert status == 78
    assert [each["what"] for each in result["mismatches"]] == ["source", "source numpy.py"]


def test_what_shows_a_record_is_no_source(folder: Path) -> None:
    """Pages, crates and statements that seedlock made of it; one that was changed since, or is made
    of nothing that is here, is named with what to do."""
    for words in (
        ("show", "run.json", "--html", "shown.html"),
        ("export", "run.json", "--ro-crate", "crate", "--in-toto", "statement.json"),
    ):
        assert seedlock(folder, *words).status == 0
    assert (folder / "crate" / "output" / "weights.npy").is_file()
    assert replay(folder)[0] == 0

    (folder / "crate" / "output" / "weights.npy").write_bytes(b"other")
    (folder / "statement.json").write_text(json.dumps({"_type": "a statement"}))
    page = folder / "shown.html"
    page.write_text(page.read_text().replace("DONE", "GOOD", 1))
    done = seedlock(folder, "replay", "run.json")

    assert done.status == 78
    for name in ("shown.html", "statement.json", "crate/output/weights.npy"):
        assert f"source {name}: expected absent, got sha256:" in done.out
    assert "crate/ro-crate-metadata.json" not in done.out
    (cure,) = [each for each in done.lines if each.startswith("cure: ")]
    assert cure.startswith(
        "cure: move what is new since the run (expected absent) out of its source"
    )


def test_a_changed_source_is_named_and_refused(folder: Path) -> None:
    """With what was expected and got; nothing is started. With --anyway the first line that does
    something else is named."""
    text = CLEAN.replace("random.rand(4)\n", "random.rand(4) + (step == 2) * 1e-9\n")
    (folder / "train.py").write_text(text)

    status, result = replay(folder)
    assert status == 78
    assert result["verdict"] == "NOT MATCHING"
    assert "source train.py" in [each["what"] for each in result["mismatches"]]
    assert not (folder / "run-replay-1").exists()
    done = seedlock(folder, "replay", "run.json")
    assert "source train.py: expected sha256:" in done.out and ", got sha256:" in done.out
    assert "--source DIR" in done.out and "--anyway" in done.out
    status, result = replay(folder, "--anyway")

    assert status == 1
    assert result["verdict"] == "DIFFERENT"
    assert result["divergence"]["index"] == 2
    assert result["divergence"]["at"] == "train.py:5"
    assert {each["file"] for each in result["findings"]} == {"metrics.jsonl", "weights.npy"}


def test_what_is_not_repeatable_is_different_with_step_and_line(
    drifting: Path, tmp_path: Path
) -> None:
    """The fault is in step 1: the first result that differs is there, and the draw is named."""
    shutil.copytree(drifting, tmp_path / "copy")

    done = seedlock(tmp_path / "copy", "replay", "run.json")

    assert done.status == 1, done.out + done.err
    assert done.out.startswith("DIFFERENT: ")
    assert "checkpoint weights" in done.out
    assert "at train.py:7: seedlock.checkpoint" in done.out
    assert "os.urandom draws from the system at train.py:6" in done.out
    assert "output weights.npy" in done.out
    assert "metric loss: recorded " in done.out


CLOCK = """\
import json, os, time, numpy
rng = numpy.random.default_rng(time.time_ns())
with open(os.environ["REPRO_OUTPUT"] + "/metrics.json", "w") as file:
    json.dump({"loss": float(rng.random())}, file)
"""


def test_what_parts_before_any_result_is_named_with_the_next_command(tmp_path: Path) -> None:
    """NumPy alone leaves no results in a trace: that they are equal is not said, the seed event
    that differs is named, and the command that shows more of it does so where it is typed."""
    folder = record(tmp_path / "a", CLOCK, "--metric", "loss:min").parent

    done = seedlock(folder, "replay", "run.json")

    assert (done.status, done.lines[0].split(":")[0]) == (1, "DIFFERENT"), done.err
    assert "results equal" not in done.out
    assert "no result in it to compare" in done.out
    assert "the traces part at event 0 of the first process, step 0: seed" in done.out
    (line,) = [each for each in done.lines if each.startswith("next: seedlock diff run/run ")]
    again = seedlock(folder, *line.removeprefix("next: seedlock ").split())
    assert again.status == 1
    assert "train.py:2: rng = numpy.random.default_rng(time.time_ns())" in again.out


@pytest.mark.parametrize(
    ("tolerance", "status"), [("loss=0.01", 3), ("loss=1%", 3), ("loss=1e-12", 1), ("loss=0%", 1)]
)
def test_tolerances(drifting: Path, tmp_path: Path, tolerance: str, status: int) -> None:
    """Near enough is WITHIN TOLERANCE, never IDENTICAL; otherwise DIFFERENT."""
    shutil.copytree(drifting, tmp_path / "copy")

    found, result = replay(tmp_path / "copy", "--tolerance", tolerance)

    assert found == status
    assert result["verdict"] == {3: "WITHIN TOLERANCE", 1: "DIFFERENT"}[status]
    assert not result["traces_equal"] and result["findings"]


def test_a_metric_without_a_tolerance_must_be_equal(tmp_path: Path) -> None:
    """A tolerance of one metric forgives no other."""
    program = DRIFTING + "seedlock.log_metric('other', weights[0])\n"
    folder = record(tmp_path / "a", program).parent

    status, result = replay(folder, "--tolerance", "loss=1%")

    assert status == 1
    within = {each["name"]: each["within"] for each in result["metrics"]}
    assert within == {"loss": True, "other": False}


def test_outputs_that_changed_since_are_compared_by_digest(folder: Path) -> None:
    """The record counts, not what lies beside it; without the recorded run's files the replay is
    still judged."""
    (folder / "run" / "run" / "output" / "weights.npy").write_bytes(b"other")
    assert replay(folder)[0] == 0
    shutil.rmtree(folder / "run")
    status, result = replay(folder)

    assert status == 0
    assert result["files"] == 2


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"status": "running"}, None),
        ({"outcome": {"class": "limit", "exit_status": -15, "reasons": [], "notes": []}}, "limit"),
        ({"processes": []}, "no report"),
    ],
)
def test_a_record_that_proves_nothing_is_not_comparable(
    folder: Path, keys: dict[str, Any], said: str | None
) -> None:
    """Killed, over its limit, not known to be locked: status 4, and never IDENTICAL."""
    if keys == {"status": "running"}:
        content = json.loads((folder / "run.json").read_text())
        del content["outcome"]
        (folder / "run.json").write_text(json.dumps(content))
    change(folder, **keys)

    status, result = replay(folder)

    assert status == 4
    assert said is None or said in result["reasons"][0]


def test_a_run_that_left_nothing_is_not_comparable(tmp_path: Path) -> None:
    """An equal exit status alone is no repetition."""
    status, result = replay(record(tmp_path / "a", "pass").parent)

    assert (status, result["verdict"]) == (4, "NOT COMPARABLE")
    assert "nothing to compare" in result["reasons"][0]


def test_lock_python_and_derivation_must_match(folder: Path) -> None:
    """Each is named with expected and got."""
    content = json.loads((folder / "run.json").read_text())
    host = {**content["host"], "python": "3.9.1"}
    change(folder, lock={"sha256": "0" * 64, "drift": {}}, host=host, scheme="seedlock/0")

    status, result = replay(folder)

    assert status == 78
    found = {each["what"]: each["expected"] for each in result["mismatches"]}
    assert found == {"lock": "0" * 64, "Python": "3.9.1", "derivation of seeds": "seedlock/0"}


def test_declared_data_must_match(folder: Path, tmp_path: Path) -> None:
    """Absent, other, right."""
    declared = {
        "name": "digits", "size": 1, "kind": "file", "licence": "CC0-1.0",
        "sha256": "sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
        "verified_before": True, "verified_after": True,
    }  # fmt: skip
    change(folder, data=[declared])
    data = tmp_path / "sets"
    data.mkdir()

    found = [replay(folder)]
    (data / "digits").write_text("2")
    found.append(replay(folder, "--data", str(data)))
    (data / "digits").write_text("1")
    found.append(replay(folder, REPRO_DATA=str(data)))

    assert [status for status, _ in found] == [78, 78, 0]
    assert found[0][1]["mismatches"][0] == {
        "what": "data digits", "expected": declared["sha256"], "got": "absent",
    }  # fmt: skip


def test_the_recorded_variables_count_and_no_others(tmp_path: Path) -> None:
    """Threads and policies are those of the record, whatever this shell says."""
    program = "import os, seedlock; seedlock.log_metric('n', os.environ.get('OMP_NUM_THREADS', 9))"
    program = program.replace("os.environ.get", "int(os.environ.get").replace("9))", "9)))")
    (tmp_path / "train.py").write_text(program)
    words = ("run", "--seed", "7", "--record", "run.json", "--", sys.executable, "train.py")
    assert seedlock(tmp_path, *words, OMP_NUM_THREADS="3", REPRO_USER_SEEDS="keep").status == 0

    status, _ = replay(tmp_path, OMP_NUM_THREADS="5", REPRO_LEVEL="seed", MKL_NUM_THREADS="2")

    assert status == 0
    made = load(tmp_path / "run-replay-1" / "record.json")
    assert made["environment"]["OMP_NUM_THREADS"] == "3"
    assert "MKL_NUM_THREADS" not in made["environment"]
    assert (made["level"], made["settings"]["user_seeds"]) == ("strict", "keep")


def test_a_failure_is_replayed_too(tmp_path: Path) -> None:
    """The same exception after the same results is IDENTICAL; another end is DIFFERENT, with the
    last lines."""
    folder = record(tmp_path / "a", CLEAN + "raise SystemExit(3)\n").parent
    assert replay(folder)[0] == 0

    (folder / "train.py").write_text(CLEAN + "raise ValueError('here')\n")
    done = seedlock(folder, "replay", "run.json", "--anyway")

    assert done.status == 1
    assert "exit status: recorded 3, now 1" in done.out
    assert "ValueError: here" in done.out


def test_a_working_folder_below_the_source(tmp_path: Path) -> None:
    """`--source ..`: the replay runs where the run ran."""
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "train.py").write_text(CLEAN)
    words = ("run", "--seed", "7", "--record", "run.json", "--source", "..", "--")
    assert seedlock(inner, *words, sys.executable, "../train.py").status == 0

    assert replay(inner)[0] == 0
    again = ("replay", "inner/run.json", "--source", ".", "--output", "again")
    assert seedlock(tmp_path, *again).status == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tolerance", "loss"), "allowed: METRIC="),
        (("--tolerance", "loss=-1"), "allowed: METRIC="),
        (("--tolerance", "gain=1"), "the record has loss"),
        (("--image",), "a run without one"),
        (("--timeout", "soon"), "a number of seconds"),
        (("--output", "."), "is not empty"),
        (("--source", "nowhere"), "no such folder"),
        (("--mount", "/:/data"), "with an image only"),
    ],
)
def test_bad_options_start_nothing(clean: Path, options: tuple[str, ...], said: str) -> None:
    """One line, status 2."""
    done = seedlock(clean, "replay", "run.json", *options)

    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    "keys",
    [
        {"command": ["\0"]},
        {"command": ["\ud800"]},
        {"environment": {"LD_PRELOAD": "x.so"}},
        {"environment": {"OMP_\n": "1"}},
        {"environment": {"OMP_A": "\0"}},
        {"settings": {"level": "bogus"}},
        {"settings": {"level": 7}},
    ],
)
def test_a_mangled_record_starts_nothing(folder: Path, keys: dict[str, Any]) -> None:
    """One clear line, no traceback."""
    change(folder, **keys)

    done = seedlock(folder, "replay", "run.json", "--anyway")

    assert done.status == 78
    assert "allowed: " in done.err and "Traceback" not in done.err
    assert not (folder / "run-replay-1" / "run").exists()


def test_the_image_of_a_record_must_be_there(folder: Path) -> None:
    """Without an engine: named, refused; --here runs without it."""
    image = {"name": "conference/x", "id": "sha256:" + "0" * 64, "lock_sha256": None}
    change(folder, image=image)

    status, result = replay(folder, DOCKER="no-such-engine")
    assert status == 78
    assert result["mismatches"][0]["what"] == "image"
    assert "no container engine" in result["mismatches"][0]["got"]
    assert replay(folder, "--anyway", DOCKER="no-such-engine")[0] == 78
    status, result = replay(folder, "--here")

    assert status == 0
    assert "was in an image" in result["notes"][0]


def test_ctrl_c(tmp_path: Path) -> None:
    """Status 130, and the replay's record says interrupted."""
    folder = record(tmp_path / "a", CLEAN).parent
    (folder / "train.py").write_text("import pathlib, time\npathlib.Path('../go').touch()\n"
                                     "time.sleep(60)")  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "seedlock", "replay", "run.json", "--anyway"], cwd=folder,
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    while not (tmp_path / "go").exists():
        assert process.poll() is None
        time.sleep(0.01)

    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()

    assert process.returncode == 130
    assert out.startswith("INTERRUPTED")
    made = load(folder / "run-replay-1" / "record.json")
    assert made["outcome"]["class"] == "interrupted"


TORCH = """\
import os, torch
torch.manual_seed(42)
model = torch.nn.Linear(8, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(3):
    {}
    optimizer.zero_grad()
    model(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
torch.save(model.state_dict(), os.environ["REPRO_OUTPUT"] + "/model.pt")
"""


def test_torch(tmp_path: Path) -> None:
    """A training is replayed; a seed that the program sets anew in step 2 is found there."""
    folder = record(tmp_path / "a", TORCH.format("pass")).parent
    assert replay(folder)[0] == 0

    (folder / "train.py").write_text(TORCH.format("step == 2 and torch.manual_seed(43)"))
    status, result = replay(folder, "--anyway")

    assert status == 1
    assert result["divergence"]["step"] == 2
    assert result["divergence"]["second"]["at"] == "train.py:6"
    assert result["divergence"]["second"]["kind"] == "seed"
    assert any(each["file"] == "model.pt" for each in result["findings"])
