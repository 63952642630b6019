"""verdict.py and advice.py: what is said of which comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.advice import NO_RANDOM_NUMBER, advice, constant_seeds
from seedlock.evaluation.comparison import Comparison
from seedlock.evaluation.findings import ADVISORY, DIFFERENCE, KEY_ORDER, TIME_STAMP, Finding
from seedlock.evaluation.records import Records
from seedlock.evaluation.runs import FAILED, FINISHED, INTERRUPTED, TIMED_OUT, Run
from seedlock.evaluation.verdict import Verdict, judge, without_comparison
from tests.evaluation.test_records import report


def event(kind: str = "step", index: int = 5, **more: Any) -> dict[str, Any]:
    """Return a divergence."""
    return {
        "kind": kind, "index": index, "place": "", "step": 2, "op": "SGD.step", "at": "a.py:3",
        "causes": [], **more,
    }  # fmt: skip


def pair(**fields: Any) -> Comparison:
    """Return a comparison of runs with five results."""
    return Comparison("A-1", "A-2", **{"results": 5, **fields})


def finding(kind: str, file: str = "r.json", where: str = "loss") -> Finding:
    """Return a finding."""
    return Finding(file, where, kind, "1", "2")


EQUAL = pair()
OTHER = pair(divergence=event(), result=event())

GOOD = ("good", "REPEATABLE", "HEARS THE SEED")
CHANCE = ("not repeatable", "NOT REPEATABLE", "UNKNOWN")
BOTH = ("not repeatable", "NOT REPEATABLE", "SEED-DEAF")

CASES: dict[str, tuple[list[Comparison], Comparison, tuple[str, str, str]]] = {
    "good": ([EQUAL], OTHER, GOOD),
    "deaf": ([EQUAL], EQUAL, ("seed-deaf", "REPEATABLE", "SEED-DEAF")),
    "one of three replicates differs": (
        [EQUAL, pair(divergence=event(index=9), result=event(index=9))],
        OTHER,
        CHANCE,
    ),
    "the seed can't be told from chance": ([OTHER], OTHER, CHANCE),
    "a metric that was equal twice by chance": (
        [pair(findings=[finding(DIFFERENCE, where="loss")])],
        pair(findings=[finding(DIFFERENCE, where="loss"), finding(DIFFERENCE, where="accuracy")]),
        CHANCE,
    ),
    "chance changes another file": (
        [pair(findings=[finding(DIFFERENCE, "a")])],
        pair(findings=[finding(DIFFERENCE, "a"), finding(DIFFERENCE, "b")]),
        CHANCE,
    ),
    "a seed by a clock without a result": (
        [pair(divergence=event("seed"))], OTHER, CHANCE
    ),
    "entropy without a result": (
        [pair(divergence=event("entropy"))], OTHER, GOOD
    ),
    "a file": (
        [pair(findings=[finding(DIFFERENCE)])], EQUAL, BOTH
    ),
    "key order": (
        [pair(findings=[finding(KEY_ORDER)])], OTHER, CHANCE
    ),
    "a time stamp": (
        [pair(findings=[finding(TIME_STAMP)])], OTHER, GOOD
    ),
    "a time stamp only under the other seed": (
        [EQUAL], pair(findings=[finding(TIME_STAMP)]), ("seed-deaf", "REPEATABLE", "SEED-DEAF")
    ),
    "what was printed": (
        [pair(findings=[finding(ADVISORY)])], OTHER, GOOD
    ),
    "a trace that is cut": (
        [pair(divergence=event(cut=True), result=event(cut=True))],
        OTHER,
        ("invalid", "UNKNOWN", "UNKNOWN"),
    ),
    "a trace that is cut, and a file": (
        [pair(divergence=event(cut=True), findings=[finding(DIFFERENCE)])], OTHER, CHANCE
    ),
    "nothing to compare": (
        [pair(results=0)], pair(results=0), ("invalid", "UNKNOWN", "UNKNOWN")
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_verdicts(case: str) -> None:
    """Which comparisons give which verdict."""
    replicates, other, expected = CASES[case]

    verdict = judge(replicates, other)

    assert (verdict.outcome, verdict.repeatable, verdict.seed) == expected


def test_nothing_is_said_to_hear_the_seed_that_does_not_repeat() -> None:
    """And the reason stands beside it, with what to do."""
    for replicates, other, (_, repeatable, seed) in CASES.values():
        verdict = judge(replicates, other)

        assert (verdict.repeatable, verdict.seed) == (repeatable, seed)
        if verdict.repeatable == "NOT REPEATABLE":
            assert verdict.seed != "HEARS THE SEED"
            assert verdict.seed == "SEED-DEAF" or "verify again" in verdict.reasons[0]


def test_every_outcome_has_an_exit_status_of_its_own() -> None:
    """0 for the good one only; 2 and 78 stand for what was not started."""
    outcomes = ("good", "not repeatable", "seed-deaf", "invalid", "failed", "interrupted")

    assert [Verdict(each).exit_status for each in outcomes] == [0, 1, 3, 4, 5, 130]


def made(status: str, exit_status: int | None = 0) -> Run:
    """Return a run that ended so."""
    run = Run("A-1", 7, Path("/nowhere"), [], {})
    run.status, run.exit_status = status, exit_status
    return run


@pytest.mark.parametrize(
    ("runs", "faults", "outcome", "reason"),
    [
        ([made(FINISHED), made(FAILED, 3)], [], "failed", "exit status 3"),
        ([made(FAILED, -9)], ["no report"], "failed", "signal 9"),
        ([made(FAILED, None)], [], "failed", "could not be started"),
        ([made(TIMED_OUT, -15)], [], "failed", "timeout"),
        ([made(INTERRUPTED, -15), made(FAILED, 1)], [], "interrupted", "interrupted"),
        ([made(FINISHED), made(FINISHED)], ["A-2: no report"], "invalid", "A-2: no report"),
    ],
)
def test_runs_that_are_not_compared(
    runs: list[Run], faults: list[str], outcome: str, reason: str
) -> None:
    """Failed, timed out, interrupted and invalid runs are never said to be repeatable."""
    verdict = without_comparison(runs, faults)

    assert verdict is not None
    assert verdict.outcome == outcome
    assert reason in verdict.reasons[0]
    assert verdict.repeatable == verdict.seed == "UNKNOWN"


def test_whole_runs_are_compared() -> None:
    """And only those."""
    assert without_comparison([made(FINISHED)], []) is None


def records(folder: Path, **more: Any) -> Records:
    """Return the records of a run with one report."""
    report(folder, "1-a", **more)
    return Records(folder)


def test_the_constant_seed_is_named(tmp_path: Path) -> None:
    """With file, line and value; without one it is said that no random number is used."""
    sites = [
        {"where": "a.py:3", "function": "torch.manual_seed", "policy": policy, "given": ["42"]}
        for policy in ("fixed", "mix")
    ]

    (found,) = constant_seeds(records(tmp_path, user_seeds=sites))

    assert found.startswith("a.py:3: torch.manual_seed(42)")
    (tmp_path / "1-a.json").unlink()
    assert constant_seeds(records(tmp_path)) == [NO_RANDOM_NUMBER]


def test_advice_names_lines(tmp_path: Path) -> None:
    """Causes of the divergence, seeds by a clock and gaps by scheduling, in this order, and only
    where a run is not repeatable; draws from the system if there is nothing likelier."""
    cause = {"text": "a race", "evidence": "index_add", "cure": "sort", "guess": True}
    found = records(
        tmp_path,
        gaps=[
            "b.py:4 seeds with a clock: random.seed(17)",
            "c.py:5: depends on scheduling",
            "else",
        ],
        entropy=[
            {"where": "d.py:6", "function": "os.urandom", "policy": "system"},
            {"where": "e.py:7", "function": "importlib._bootstrap._find", "policy": "system"},
        ],
    )
    differing = pair(result=event(causes=[cause]))

    texts = advice(judge([differing], OTHER), [differing], None, found)

    assert [text[:6] for text in texts] == ["a.py:3", "b.py:4", "c.py:5"]
    assert "perhaps: a race (index_add); sort" in texts[0]
    assert advice(judge([EQUAL], OTHER), [EQUAL], None, found) == []

    named = {**cause, "text": "a clock is given as seed"}
    clock = pair(result=event(at="b.py:4", causes=[named]))
    texts = advice(judge([clock], OTHER), [clock], None, found)
    assert [text[:6] for text in texts] == ["b.py:4", "c.py:5"]

    (tmp_path / "bare").mkdir()
    bare = records(
        tmp_path / "bare",
        entropy=[{"where": "d.py:6", "function": "os.urandom", "policy": "system"}],
    )
    plain = pair(result=event())
    (text,) = advice(judge([plain], OTHER), [plain], None, bare)
    assert text.startswith("d.py:6 draws from the system")


def test_advice_on_files(tmp_path: Path) -> None:
    """A time stamp is to be left out, keys are to be sorted, and clocks are seen."""
    clock = Finding("r.json", "loss", DIFFERENCE, "1", "2", "both look like a clock's time")
    differing = pair(findings=[finding(TIME_STAMP, "t"), finding(KEY_ORDER, "k"), clock])

    texts = advice(judge([differing], OTHER), [differing], None, records(tmp_path))

    assert ["leave it out" in text for text in texts] == [True, False, True]
    assert "sort_keys=True" in texts[1]
