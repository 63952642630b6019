"""Standings of whole rounds, from their folders."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from seedlock.errors import BadRound
from seedlock.evaluation.rounds import steps
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.scores.standings import (
    Label,
    Standings,
    build,
    from_bytes,
    from_dict,
    of_round,
)
from tests.evaluation.rounds import made_rounds
from tests.evaluation.rounds.made_rounds import NO_BEACON, POLICY, Ledger, entry
from tests.evaluation.scores.made_results import AUTHORS, End, content, finish, made, put
from tests.leaderboard.example_standings import FILE, SEEDS, example, policy, submission
from tests.leaderboard.example_standings import POLICY as EXAMPLE

GOOD: dict[str, tuple[str, list[End]]] = {
    "alpha": ("public", [0.91, 0.92, 0.93, 0.94]),
    "beta": ("private", [0.71, 0.72, 0.70, 0.73]),
}


def of(found: Standings, name: str) -> dict[str, Any]:
    """Return a submission's entry."""
    return next(each for each in found.as_dict()["submissions"] if each["name"] == name)


def score(found: Standings, name: str) -> dict[str, Any]:
    """Return its score in the metric of the made rounds."""
    mine: dict[str, Any] = of(found, name)["scores"]["accuracy"]
    return mine


def with_rule(text: str) -> str:
    """Return the policy without a beacon, with its own [scores]."""
    return f"{NO_BEACON}\n[scores]\n{text}\n"


def test_the_example_is_what_the_code_writes() -> None:
    """Pages are drawn from it in tests; run tests.leaderboard.example_standings to write it."""
    assert FILE.read_bytes() == example().as_bytes()
    assert from_bytes(FILE.read_bytes()) == example()


def test_a_round_to_its_end(tmp_path: Path) -> None:
    """Every value, count and place, and the seeds once they are revealed."""
    made(tmp_path / "round", GOOD, reveal=True)

    found = of_round(tmp_path / "round", verdict="PROVEN")

    content = found.as_dict()
    assert (content["round"], content["trained_by"]) == ("made-2026", "organiser")
    assert (content["complete"], content["revealed"], content["verdict"]) == (True, True, "PROVEN")
    assert len(content["seeds"]) == 4 and all(isinstance(each, str) for each in content["seeds"])
    assert content["problems"] == []
    assert content["rule"]["failed"] == "worst"
    alpha, beta = of(found, "alpha"), of(found, "beta")
    assert (alpha["planned"], alpha["ok"], alpha["failed"], alpha["waiting"]) == (4, 4, 0, 0)
    assert alpha["verification"] == "run-by-organisers"
    assert alpha["hardware"] == "Tested Processor 9000, 2 processors"
    assert alpha["runtime"]["mean"] == 11.5
    assert alpha["runs"][2]["metrics"] == {"accuracy": 0.93}
    assert score(found, "alpha")["values"] == [0.91, 0.92, 0.93, 0.94]
    assert (score(found, "alpha")["rank"], score(found, "beta")["rank"]) == ([1, 1], [2, 2])
    assert (score(found, "alpha")["group"], score(found, "beta")["group"]) == (1, 2)
    assert content["comparisons"]["accuracy"]["told_apart"] == [["alpha", "beta"]]
    assert beta["attempts"] == 4


def test_a_private_submission_shows_numbers_only(tmp_path: Path) -> None:
    """No path, no reason, no machine; its values and the hashes that the ledger has anyway."""
    made(tmp_path / "round", {**GOOD, "beta": ("private", [0.7, "author-failure", 0.7, "limit"])})

    found = of(of_round(tmp_path / "round"), "beta")

    assert found["hardware"] is None
    for run in found["runs"]:
        assert run["record"] is None and "reasons" not in run
    text = json.dumps(found)
    assert "because" not in text and "runs/" not in text and "Processor" not in text
    public = of(of_round(tmp_path / "round"), "alpha")
    assert public["runs"][0]["record"] == "runs/alpha/0-1.json"


def test_failed_seeds_count_as_the_worst(tmp_path: Path) -> None:
    """The worst of all submissions; there is no interval of such a mean, and that is said."""
    ends: dict[str, tuple[str, list[End]]] = {
        **GOOD, "gamma": ("public", [0.95, "author-failure", 0.96, "limit"]),
        "delta": ("public", ["metrics", "not-locked", "changed", "limit"]),
    }  # fmt: skip
    made(tmp_path / "round", ends)

    found = of_round(tmp_path / "round")

    assert found.complete
    gamma = score(found, "gamma")
    assert gamma["values"] == [0.95, None, 0.96, None]
    assert gamma["counted"] == [0.95, 0.70, 0.96, 0.70]
    assert gamma["mean"] == pytest.approx(0.8275)
    assert (gamma["low"], gamma["high"], gamma["notes"]) == (None, None, ["substituted"])
    assert (gamma["done_only"]["n"], gamma["done_only"]["mean"]) == (2, pytest.approx(0.955))
    assert (of(found, "gamma")["ok"], of(found, "gamma")["failed"]) == (2, 2)
    assert (score(found, "delta")["mean"], of(found, "delta")["failed"]) == (0.70, 4)
    assert found.as_dict()["comparisons"]["accuracy"]["worst"] == 0.70


def test_failed_seeds_apart(tmp_path: Path) -> None:
    """The mean is of the others, and how many failed stands beside it; comparisons are on the
    seeds that both have."""
    ends: dict[str, tuple[str, list[End]]] = {
        **GOOD, "gamma": ("public", [0.95, "author-failure", 0.96, 0.97]),
        "delta": ("public", ["limit"] * 4),
    }  # fmt: skip
    made(tmp_path / "round", ends, with_rule('failed = "apart"'))

    found = of_round(tmp_path / "round")

    gamma, delta = score(found, "gamma"), score(found, "delta")
    assert (gamma["n"], gamma["mean"], gamma["substituted"]) == (3, pytest.approx(0.96), 0)
    assert gamma["low"] is not None
    assert of(found, "gamma")["failed"] == 1
    assert (delta["n"], delta["mean"], delta["rank"], delta["group"]) == (0, None, None, None)
    assert [each["name"] for each in found.ordered("accuracy")][-1] == "delta"
    assert found.as_dict()["comparisons"]["accuracy"]["ranked"] == 3
    assert found.as_dict()["comparisons"]["accuracy"]["undecidable_pairs"] == 2


def test_what_waits_makes_a_board_incomplete(tmp_path: Path) -> None:
    """Queued and running seeds have no value, and the standings say so."""
    made(tmp_path / "round", {**GOOD, "gamma": ("public", [0.95, None, 0.96, 0.97])})

    found = of_round(tmp_path / "round")

    assert not found.complete
    gamma = of(found, "gamma")
    assert (gamma["ok"], gamma["waiting"], gamma["runs"][1]["state"]) == (3, 1, "waiting")
    assert gamma["attempts"] == 4
    assert score(found, "gamma")["counted"] == [0.95, 0.96, 0.97]


def test_the_machine_fails(tmp_path: Path) -> None:
    """Attempts are counted; a seed lost after all retries has no value under any rule."""
    this = made_rounds.drawn(tmp_path / "round", NO_BEACON.replace("retries = 2", "retries = 1"))
    ours, theirs = made_rounds.ENTRIES
    ledger = Ledger(this)
    for index in range(3):
        finish(ledger, this, theirs, index, 0.5)
    finish(ledger, this, ours, 0, 0.6)
    finish(ledger, this, ours, 1, "infrastructure", following=2)
    finish(ledger, this, ours, 1, 0.7, attempt=2)
    finish(ledger, this, ours, 2, "infrastructure", following=2)
    finish(ledger, this, ours, 2, "infrastructure", attempt=2, status="running")
    ledger.write(this.folder)

    found = of_round(this.folder)

    mine = of(found, "ours")
    assert (mine["ok"], mine["failed"], mine["infrastructure"], mine["waiting"]) == (2, 0, 1, 0)
    assert mine["attempts"] == 5
    assert (mine["runs"][1]["attempt"], mine["runs"][2]["state"]) == (2, "infrastructure")
    assert score(found, "ours")["counted"] == [0.6, 0.7]
    assert found.complete


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (lambda path: path.unlink(), "is not here"),
        (lambda path: path.write_bytes(path.read_bytes() + b" "), "is another file"),
        (lambda path: path.write_bytes(b""), "is another file"),
    ],
)
def test_a_record_that_is_not_the_ledgers(tmp_path: Path, done: Any, said: str) -> None:
    """Its value is gone, never guessed; the run stays, the board is incomplete and says why."""
    this = made(tmp_path / "round", GOOD)
    done(this.folder / "runs" / "alpha" / "1-1.json")

    found = of_round(this.folder)

    assert not found.complete
    (problem,) = found.as_dict()["problems"]
    assert problem.startswith("alpha, seed index 1: its record ") and said in problem
    assert of(found, "alpha")["runs"][1]["state"] == "done"
    assert (of(found, "alpha")["ok"], of(found, "alpha")["unread"]) == (4, 1)
    assert score(found, "alpha")["values"] == [0.91, None, 0.93, 0.94]
    assert score(found, "alpha")["notes"] == ["unread"]


UNLIKE: list[tuple[dict[str, Any], str]] = [
    ({"seed": 5}, "under another seed"),
    ({"level": "portable"}, "another level"),
    ({"submission": entry("beta")}, "of another submission"),
    ({"outcome": {"class": "limit", "reasons": []}}, "ended otherwise"),
    ({"status": "running"}, "goes on"),
    ({"format": "other"}, "another format"),
    ({"round": {"seed_index": 1, "attempt": 1}}, "another run"),
    ({"metrics": {"declared": [], "final": {"accuracy": 0.9}}}, "does not declare"),
    ({"metrics": "none"}, "no record"),
    ({"usage": None}, "no record"),
    *(
        ({"metrics": {"declared": [{"name": "accuracy", "direction": "max"}], "final": final}},
         "without a number")
        for final in ({}, {"accuracy": "NaN"}, {"accuracy": True}, {"accuracy": None})
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "said"), UNLIKE)
def test_a_record_of_another_run(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """Though its hash is the ledger's: an organiser may have mixed up files."""
    this = made_rounds.drawn(tmp_path / "round", NO_BEACON, [entry("alpha")])
    ledger = Ledger(this, [entry("alpha")])
    finish(ledger, this, entry("alpha"), 0, 0.9, **changes)
    ledger.write(this.folder)
    steps.reveal_round(this, None, made_rounds.REVEALED)

    found = of_round(this.folder)

    (problem,) = found.as_dict()["problems"]
    assert said in problem
    assert score(found, "alpha")["n"] == 0


def test_no_number_is_never_infinite(tmp_path: Path) -> None:
    """JSON that some readers take for NaN or infinity is no record."""
    this = made(tmp_path / "round", {"alpha": ("public", [1.0])})
    path = this.folder / "runs" / "alpha" / "0-1.json"
    for word in (b"NaN", b"Infinity", b"1e999"):
        raw = path.read_bytes().replace(b'"accuracy": 1.0', b'"accuracy": ' + word)
        events = made_rounds.read_events(this.folder)
        (this.folder / f"{word.decode()}.json").write_bytes(raw)
        events[-1]["content"].update(
            record=f"{word.decode()}.json",
            record_sha256=hashlib.sha256(raw).hexdigest(),
        )
        made_rounds.chain(events)
        made_rounds.write_events(this.folder, events)

        assert not of_round(this.folder).complete


def test_a_ledger_that_was_changed_has_no_standings(tmp_path: Path) -> None:
    """What can't be trusted is not shown at all."""
    this = made(tmp_path / "round", GOOD)
    path = this.folder / "ledger.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"limit"', b'"done"').replace(b"0-1", b"0-2", 1))

    with pytest.raises(BadRound, match="was changed"):
        of_round(this.folder)


def test_before_there_is_anything(tmp_path: Path) -> None:
    """Nothing frozen, nothing drawn, no ledger: nothing is complete."""
    this = made_rounds.opened(tmp_path / "round")
    opened = of_round(this.folder)
    assert opened.as_dict()["submissions"] == []
    assert not opened.complete
    assert not opened.as_dict()["comparisons"]["accuracy"]["decidable"]

    steps.freeze_round(this, made_rounds.ENTRIES, made_rounds.FROZEN)
    frozen = of_round(this.folder)

    assert not frozen.complete
    assert [each["waiting"] for each in frozen.as_dict()["submissions"]] == [3, 3]
    assert (frozen.as_dict()["seeds"], frozen.as_dict()["revealed"]) == (None, False)
    assert all(each["attempts"] == 0 for each in frozen.as_dict()["submissions"])


def test_hidden_seeds_stay_hidden(tmp_path: Path) -> None:
    """The organiser's folder has the secret and records with the seeds; standings have neither."""
    this = made(tmp_path / "round", GOOD)

    found = of_round(this.folder)

    assert found.as_dict()["seeds"] is None
    for seed in this.seeds():
        assert str(seed).encode() not in found.as_bytes()


def test_labels_say_how_far_values_were_checked(tmp_path: Path) -> None:
    """By replays that others returned."""
    this = made(tmp_path / "round", GOOD)
    digest = entry("alpha")["digest"]

    found = of_round(this.folder, {digest: Label("replayed-identical")})

    assert of(found, "alpha")["verification"] == "replayed-identical"
    assert of(found, "beta")["verification"] == "run-by-organisers"
    with pytest.raises(ValueError, match="good"):
        Label("good")


def test_three_seeds_decide_nothing(tmp_path: Path) -> None:
    """However far apart: one group, and the reason."""
    made(tmp_path / "round", {"a": ("public", [0.1, 0.2, 0.3]), "b": ("public", [0.7, 0.8, 0.9])})

    found = of_round(tmp_path / "round")

    told = found.as_dict()["comparisons"]["accuracy"]
    assert (told["decidable"], told["told_apart"]) == (False, [])
    assert told["why"].startswith("not decidable with 3 common seeds")
    assert [score(found, each)["rank"] for each in "ab"] == [[1, 2], [1, 2]]
    assert score(found, "a")["tied_with"] == ["b"]


def test_pairs_where_the_policy_declares_them(tmp_path: Path) -> None:
    """A small difference under every seed is found if runs under one seed belong together."""
    shared = [0.1, 0.9, 0.4, 0.7, 0.2, 0.6]
    ends: dict[str, tuple[str, list[End]]] = {
        "a": ("public", [each + 0.01 + index / 1000 for index, each in enumerate(shared)]),
        "b": ("public", list(shared)),
    }
    made(tmp_path / "alone", ends)
    made(tmp_path / "pairs", ends, with_rule('compare = "paired"'))

    alone, pairs = of_round(tmp_path / "alone"), of_round(tmp_path / "pairs")

    assert alone.as_dict()["comparisons"]["accuracy"]["told_apart"] == []
    assert pairs.as_dict()["comparisons"]["accuracy"]["told_apart"] == [["a", "b"]]
    assert pairs.as_dict()["rule"]["compare"] == "paired"
    assert "paired t-test" in pairs.as_dict()["rule"]["method"]


def test_less_is_better() -> None:
    """Order, worst value and places go by the metric's direction."""
    found = example()
    names = [each["name"] for each in found.ordered("loss")]
    means = [of(found, name)["scores"]["loss"]["mean"] for name in names]

    assert means == sorted(means)
    assert found.as_dict()["comparisons"]["loss"]["worst"] == 0.65
    assert of(found, "wide-mlp")["scores"]["loss"]["rank"][0] == 1
    assert of(found, "hidden-linear")["scores"]["loss"]["rank"][0] > 1


@pytest.mark.parametrize("rule", ["worst", "apart"])
def test_all_failed(rule: str) -> None:
    """A round without one value has no worst one."""
    rules = policy(made_policy(rule))
    found = build(rules, [submission("a", "public", ["limit"] * 5)])

    assert found.complete
    mine = of(found, "a")
    assert (mine["ok"], mine["failed"], mine["runtime"]) == (0, 5, None)
    assert mine["scores"]["accuracy"]["mean"] is None


def made_policy(rule: str) -> bytes:
    """Return the example's policy with another rule for failed seeds."""
    return EXAMPLE.replace(b'failed = "worst"', f'failed = "{rule}"'.encode())


def test_a_large_board_lists_no_half_million_pairs() -> None:
    """Counts and the threshold say the same, and the file stays small."""
    values = [(0.5 + index / 100, 0.3) for index in range(5)]
    many = [submission(f"s{number}", "public", [*values]) for number in range(150)]

    found = build(policy(), many, seeds=SEEDS)

    told = found.as_dict()["comparisons"]["accuracy"]
    assert (told["told_apart"], told["told_apart_count"], told["pairs"]) == (None, 0, 11_175)
    mine = of(found, "s7")["scores"]["accuracy"]
    assert (mine["tied"], len(mine["tied_with"]), mine["group"]) == (149, 20, 1)


@pytest.mark.parametrize("bad", [{}, {"format": "seedlock-standings", "version": 2}])
def test_other_files_are_no_standings(bad: dict[str, Any]) -> None:
    """Nor those of another version, or with a key missing."""
    with pytest.raises(BadRound, match="allowed: seedlock-standings version 1"):
        from_dict(bad)
    with pytest.raises(BadRound, match="lack rule"):
        from_dict({key: value for key, value in example().as_dict().items() if key != "rule"})
    for raw in (b"[]", b"{", b'{"format": NaN}'):
        with pytest.raises(BadRound, match="no JSON object"):
            from_bytes(raw)


def returned(tmp_path: Path, **changes: Any) -> Path:
    """Return the folder of a round that its authors trained."""
    entries = [entry("alpha"), entry("beta")]
    this = made_rounds.drawn(tmp_path / "round", AUTHORS, entries)
    for each in entries:
        for index, seed in enumerate(this.seeds()):
            what = content(each, index, 1, seed, 0.5 + index / 10)
            what.pop("round")
            own = {"submission": None, "source": {"digest": each["digest"]}}
            put(this.folder, f"runs/{each['name']}/{index}-1.json", {**what, **own, **changes})
    return this.folder


def spot_check(folder: Path, standings: dict[str, tuple[str, list[str]]], number: int = 1) -> None:
    """Write a spot check's result: standing, and a verdict for each record, by submission."""
    this = Round(folder)
    submissions = []
    for name, (standing, verdicts) in standings.items():
        records = []
        for index, verdict in enumerate(verdicts):
            raw = (folder / "runs" / name / f"{index}-1.json").read_bytes()
            records.append({
                "record": f"{index}.json", "seed_index": index, "class": "done", "faults": [],
                "sha256": f"sha256:{hashlib.sha256(raw).hexdigest()}",
                "chosen": bool(verdict), "verdict": verdict or None, "reasons": [],
            })  # fmt: skip
        faults = ["no record for seed index 2"] if standing == "refused" else []
        submissions.append({
            "name": name, "digest": entry(name)["digest"], "standing": standing,
            "faults": faults, "records": records,
        })  # fmt: skip
    path = folder / ("spot-check.json" if number == 1 else f"spot-check-{number}.json")
    path.write_text(json.dumps({
        "format": "seedlock-spot-check", "version": 1, "draw": this.digest("draw"),
        "policy": this.policy.digest, "fraction": "1/2", "submissions": submissions,
    }))  # fmt: skip


def test_authors_train(tmp_path: Path) -> None:
    """Their records count as returned, and say so until some were replayed."""
    folder = returned(tmp_path)

    found = of_round(folder)

    assert found.as_dict()["trained_by"] == "authors"
    assert found.as_dict()["seeds"] is not None
    assert found.complete
    assert of(found, "alpha")["verification"] == "self-reported"
    assert score(found, "alpha")["values"] == [0.5, 0.6, 0.7]
    assert of(found, "alpha")["runs"][0]["record_sha256"] is not None


def test_spot_checks_are_levels_of_verification(tmp_path: Path) -> None:
    """One replay within tolerance makes that the level; a mark is never taken back."""
    folder = returned(tmp_path)
    spot_check(folder, {
        "alpha": ("passed", ["IDENTICAL", "WITHIN TOLERANCE", ""]),
        "beta": ("marked", ["DIFFERENT", "", ""]),
    })  # fmt: skip
    spot_check(folder, {
        "alpha": ("passed", ["IDENTICAL", "", ""]), "beta": ("passed", ["", "IDENTICAL", ""]),
    }, number=2)  # fmt: skip

    found = of_round(folder, {entry("beta")["digest"]: Label("replayed-identical")})

    assert of(found, "alpha")["verification"] == "replayed-within-tolerance"
    assert of(found, "beta")["verification"] == "marked"


def test_what_could_not_be_replayed_is_not_verified(tmp_path: Path) -> None:
    """Unchecked is no pass."""
    folder = returned(tmp_path)
    spot_check(folder, {
        "alpha": ("unchecked", ["NOT MATCHING", "", ""]), "beta": ("passed", ["IDENTICAL"] * 3),
    })  # fmt: skip

    found = of_round(folder)

    assert of(found, "alpha")["verification"] == "self-reported"
    assert of(found, "beta")["verification"] == "replayed-identical"


def test_a_refused_submission_has_failed(tmp_path: Path) -> None:
    """None of its records is the round's."""
    folder = returned(tmp_path)
    spot_check(folder, {"alpha": ("refused", ["", ""]), "beta": ("passed", ["IDENTICAL"] * 3)})

    alpha = of(of_round(folder), "alpha")

    assert (alpha["failed"], alpha["runs"][0]["class"]) == (3, "refused")
    assert alpha["runs"][0]["reasons"] == ["no record for seed index 2"]


def test_a_record_that_a_spot_check_took_is_not_replaced(tmp_path: Path) -> None:
    """By one that was returned later, however good."""
    folder = returned(tmp_path)
    spot_check(folder, {each: ("passed", ["IDENTICAL"] * 3) for each in ("alpha", "beta")})
    path = folder / "runs" / "alpha" / "0-1.json"
    path.write_bytes(path.read_bytes().replace(b'"accuracy": 0.5', b'"accuracy": 0.9'))

    found = of_round(folder)

    assert not found.complete
    assert "is another file" in found.as_dict()["problems"][0]
    path.unlink()
    assert "is not here" in of_round(folder).as_dict()["problems"][0]


def test_authors_records_of_another_seed(tmp_path: Path) -> None:
    """Whatever they were named."""
    found = of_round(returned(tmp_path, seed=3))

    assert len(found.as_dict()["problems"]) == 6
    assert score(found, "alpha")["n"] == 0


def test_a_spot_check_of_another_draw(tmp_path: Path) -> None:
    """Is none of this round."""
    folder = returned(tmp_path)
    spot_check(folder, {"alpha": ("passed", ["IDENTICAL"] * 3)})
    path = folder / "spot-check.json"
    path.write_text(path.read_text().replace('"draw": "sha256:', '"draw": "sha256:0'))

    with pytest.raises(BadRound, match="another draw"):
        of_round(folder)


def test_hardware_that_differs_is_named() -> None:
    """A runtime of two machines is none of either."""
    found = of(example(), "conv-b")

    assert found["hardware"].startswith("mixed: ")
    assert found["runtime"]["n"] == 5


def test_a_policy_with_a_beacon_too(tmp_path: Path) -> None:
    """The round of the other tests, to its end."""
    made_rounds.revealed(tmp_path / "round", POLICY)

    found = of_round(tmp_path / "round")

    assert found.complete
    assert of(found, "ours")["attempts"] == 4
