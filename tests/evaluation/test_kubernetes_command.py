"""`seedlock kubernetes`: from a round to manifests, and from a volume to the ledger."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from seedlock.evaluation.engines.kubernetes import VERSION
from seedlock.evaluation.engines.kubernetes_volume import take
from seedlock.evaluation.recording import source
from seedlock.evaluation.rounds import steps
from seedlock.evaluation.rounds.ceremony import Round
from tests.evaluation.engines.pods import in_a_pod, reachable, submission
from tests.evaluation.spot_checks.authors_round import at, seedlock
from tests.evaluation.test_writing import synchronised
from tests.interpreter import Done

IMAGE = f"registry.example/repro-base@sha256:{'ab' * 32}"

POLICY = """\
name = "cluster-2023"
seeds = 3
deadline = 2023-08-23T15:00:00Z
retries = 1
beacon = "none"
[metrics.loss]
direction = "min"
"""


class Site:
    """A round, a submission and the volume of a cluster."""

    def __init__(self, folder: Path) -> None:
        self.round, self.volume = folder / "round", folder / "volume"
        self.mine, self.manifest = folder / "mine", folder / "jobs.json"
        self.volume.mkdir()
        submission(self.mine, "mine")
        (folder / "policy.toml").write_text(POLICY)
        this = steps.open_round(self.round, folder / "policy.toml", at("12:00:00"))
        digest = source.look(self.mine).digest
        frozen = {"name": "mine", "digest": digest, "visibility": "private"}
        steps.freeze_round(this, [frozen], at("15:10:00"))
        steps.draw_round(this, None, at("16:00:00"))
        self.seeds = this.seeds()

    def call(self, *words: str | Path) -> Done:
        """The command, for the one submission."""
        return seedlock("kubernetes", self.round, self.mine, "--volume", self.volume, *words)

    def write(self, *words: str | Path) -> Done:
        """Write manifests."""
        named = ("--image", IMAGE, "--claim", "rounds", "--manifest", self.manifest)
        return self.call(*named, *words)

    def events(self) -> list[dict[str, Any]]:
        """Ends of attempts in the exported ledger, without those of runs that were only leased."""
        lines = map(json.loads, (self.round / "ledger.jsonl").read_text().splitlines())
        return [each for each in lines if each["kind"] == "ended"
                and each["content"]["state"] != "queued"]  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site."""
    return Site(tmp_path)


def test_results_of_pods_come_into_the_ledger(bwrap: str, site: Site) -> None:
    """Written, carried out in sandboxes in the place of a cluster, collected: a run that ended
    well, one that its author's program ended, and one whose first try left no whole record. What
    has no result yet stays queued, and collecting again does nothing twice."""
    assert site.write().status == 0
    reachable(site.volume)
    _, secret, job = json.loads(site.manifest.read_text())["items"]
    pod = job["spec"]["template"]["spec"]
    for tried, wanted, status in (("0-0", "0", 0), ("1-0", "3", 42)):
        done = in_a_pod(bwrap, pod, secret, site.volume, tried, WANTED=wanted)
        assert done.status == status, done.err
    (site.volume / "results" / "mine" / "2-0" / "record.json").write_text('{"status": "running"')

    first = site.call("--collect")
    assert first.status == 75, first.err
    assert first.out == "2 attempts ended, 1 runs have no result yet\n"
    assert in_a_pod(bwrap, pod, secret, site.volume, "2-1").status == 0
    second = site.call("--collect")
    assert second.status == 0, second.err
    assert site.call("--collect").out == "0 attempts ended, 0 runs have no result yet\n"

    ended = {(each["seed_index"], each["attempt"]): each["content"]["class"]
             for each in site.events()}  # fmt: skip
    assert ended == {
        (0, 1): "done", (1, 1): "author-failure", (2, 1): "infrastructure", (2, 2): "done",
    }  # fmt: skip
    assert seedlock("ledger", "verify", site.round).status == 0
    record = json.loads((site.round / "runs" / "mine" / "2-2.json").read_text())
    assert record["seed"] == site.seeds[2]


def test_jobs_that_are_over_leave_nothing_open(site: Site) -> None:
    """With --over, a run without a record failed by the machine, as often as the policy allows."""
    assert site.write().status == 0

    done = site.call("--collect", "--over")

    assert done.status == 0, done.err
    assert done.out == "6 attempts ended, 0 runs have no result yet\n"
    assert {each["content"]["class"] for each in site.events()} == {"infrastructure"}


def test_nothing_is_collected_after_the_reveal(site: Site) -> None:
    """Its events would not be those that the reveal names."""
    steps.reveal_round(Round(site.round), None, at("17:00:00"))

    done = site.call("--collect", "--over")

    assert done.status == 78 and "was revealed" in done.err
    assert not (site.round / "ledger.db").exists()


def test_manifests_hold_the_seeds_and_are_nobody_elses(site: Site) -> None:
    """Mode 0600, valid one by one, the submission's files in the volume, a folder for each try; a
    second call does not write over them."""
    done = site.write("--parallel", "3", "--namespace", "rounds")
    assert done.status == 0, done.err

    assert stat.S_IMODE(site.manifest.stat().st_mode) == 0o600
    items = json.loads(site.manifest.read_text())["items"]
    for each in items:
        kubernetes_validate.validate(each, VERSION, strict=True)
    assert source.look(site.volume / "submissions" / "mine").digest == source.look(site.mine).digest
    tries = sorted(path.name for path in (site.volume / "results" / "mine").iterdir())
    assert tries == [f"{index}-{failed}" for index in range(3) for failed in range(2)]
    assert site.write().status == 2
    assert all(str(seed) not in done.out + done.err for seed in site.seeds)


def test_what_is_not_allowed_writes_nothing(site: Site) -> None:
    """No image, a tag, a number that is none, a submission that was not frozen."""
    for words in (
        ("--image", "repro-base:latest"), ("--parallel", "0"), ("--user", "0"), ("--gpus", "x"),
    ):  # fmt: skip
        assert site.write(*words).status in (2, 78)
    assert site.call("--claim", "rounds", "--manifest", site.manifest).status == 2
    (site.mine / "train.py").write_text("print()")
    done = site.write()

    assert done.status == 78 and "not-frozen" in done.err
    assert not site.manifest.exists()
    assert not any(site.volume.iterdir())


def test_what_is_taken_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files first, then the record with its name: the ledger's row comes after them."""
    folder = tmp_path / "volume" / "results" / "mine" / "0-0"
    (folder / "run").mkdir(parents=True)
    (folder / "run" / "weights").write_text("1")
    (folder / "record.json").write_text("{}")
    place, record = tmp_path / "runs" / "0-1", tmp_path / "runs" / "0-1.json"
    seen = synchronised(monkeypatch)
    monkeypatch.setattr(os, "sync", lambda: seen.extend(place.iterdir()))

    assert take(tmp_path / "volume", "mine", "0-0", place, record)

    assert seen == [place / "weights", record.with_suffix(".tmp"), record.parent]


def test_no_link_of_a_strangers_is_followed(tmp_path: Path) -> None:
    """What runs in a pod may leave links, pipes and folders in the place of files."""
    folder = tmp_path / "volume" / "results" / "mine" / "0-0"
    (folder / "run").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").write_text("secret")
    (folder / "run" / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "run" / "pipe")
    to = tmp_path / "runs" / "0-1", tmp_path / "runs" / "0-1.json"
    for make in (
        lambda path: path.symlink_to(tmp_path / "secret" / "file"), os.mkfifo, os.mkdir,
    ):  # fmt: skip
        make(folder / "record.json")
        assert not take(tmp_path / "volume", "mine", "0-0", *to)
        (folder / "record.json").rename(tmp_path / f"was-{len(list(tmp_path.iterdir()))}")
    (folder / "record.json").write_text("{}")

    assert take(tmp_path / "volume", "mine", "0-0", *to)
    assert (to[0] / "link").is_symlink() and not (to[0] / "pipe").exists()
    (folder / "run").rename(folder / "moved")
    (folder / "run").symlink_to(tmp_path / "secret")
    assert take(tmp_path / "volume", "mine", "0-0", *to)
    assert not to[0].exists()
