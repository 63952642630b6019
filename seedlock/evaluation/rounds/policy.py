"""A round's policy: what is fixed before anybody hands in, and never changed (docs/rounds.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.recording.metrics import Metric
from seedlock.evaluation.rounds.beacon import MOST_ROUNDS, PUBLIC_KEY, SCHEME, Network
from seedlock.evaluation.rounds.canonical import canonical, moment, sha256, stamp
from seedlock.evaluation.sealing.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

DERIVATION = "seedlock hidden seed 1"
"""The way from secret, beacon and root to seeds (hidden_seeds.py). A policy binds it."""

NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

MOST_SEEDS = 10_000
MOST_RETRIES = 100

TRAINERS = ("organiser", "authors")
"""Who trains: then the seeds stay hidden until the reveal, or are published with the draw."""

FAILED = ("worst", "apart")
"""How a seed under which a submission failed counts: as the worst value, or listed by itself."""

INDEPENDENT, PAIRED = "independent", "paired"
COMPARE = (INDEPENDENT, PAIRED)
"""Whether the runs of two submissions under one seed are compared as any two, or as belonging
together. A policy that does not say is `independent`, and has the digest that it always had."""

NAMED, PSEUDONYMS = "named", "pseudonyms"
PRIVATE = (NAMED, PSEUDONYMS)
"""How a round's published files call a private submission: by the name in its submission.toml, or
by a part of its digest. A policy that does not say is `named`, and has the digest that it always
had."""

PSEUDONYM = re.compile(r"private-[0-9a-f]{12}", re.IGNORECASE)

SAMPLE = """\
name = "sample-2026"
seeds = 5                                # each submission is trained under so many
deadline = 2026-12-01T12:00:00Z          # for handing in
reveal_by = 2027-03-01T12:00:00Z         # void if the secret is not revealed by then
retries = 2                              # new attempts after a failure of the machine
level = "strict"                         # or "portable"
train = "organiser"                      # or "authors": the seeds are published with the draw
private = "named"                        # or "pseudonyms", for private submissions

[beacon]                                 # or, above the tables, beacon = "none"
network = "quicknet"
round = 34442213                         # one that comes after the deadline

[image]                                  # leave it out if authors bring any image
name = "conference/repro-base"
lock = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

[data]                                   # digests as data.lock has them
digits = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

[metrics.accuracy]
direction = "max"                        # or "min"
unit = ""

[limits]                                 # of each run; a submission's own may be smaller
memory = "8g"
processors = "2"
time = "1h"

[scores]
failed = "worst"                         # or "apart"
"""
"""What the errors and the documents show."""


@dataclass(frozen=True)
class Policy:
    """A round's policy, all defaults written out.

    Attributes:
        name: of letters, digits, dots, dashes and underscores.
        seeds: how many each submission is trained under.
        deadline: for handing in, UTC.
        reveal_by: the round is void if its secret is not revealed by then, UTC.
        retries: new attempts after failures of the machine, 0 to 100.
        level: `strict` or `portable`.
        train: one of `TRAINERS`.
        network: whose beacon the draw waits for, or None.
        beacon_round: which of its rounds, or None.
        image: `name`, and `lock` or None; None where any image will do.
        data: digests of the declared sets by their names.
        metrics: the ones that count.
        limits: of each run.
        failed: one of `FAILED`.
        spot_checks: part of the authors' records that is replayed, as a decimal number.
        compare: one of `COMPARE`.
        private: one of `PRIVATE`.
    """

    name: str
    seeds: int
    deadline: datetime
    reveal_by: datetime
    retries: int
    level: str
    train: str
    network: Network | None
    beacon_round: int | None
    image: Mapping[str, str | None] | None
    data: Mapping[str, str]
    metrics: tuple[Metric, ...]
    limits: Limits
    failed: str
    spot_checks: str
    compare: str = INDEPENDENT
    private: str = NAMED

    @property
    def pseudonyms(self) -> bool:
        """Whether private submissions have pseudonyms in all that is published."""
        return self.private == PSEUDONYMS

    def published_name(self, name: str, digest: str, visibility: str) -> str:
        """Return how the round's files call a submission.

        A pseudonym is made of the digest, which is published beside it and does not lead back to
        the name: it is that of all files, the program among them.

        Args:
            name: in its submission.toml.
            digest: of its folder, `sha256:` and 64 hexadecimal digits.
            visibility: `public` or `private`.
        """
        if not self.pseudonyms or visibility == "public":
            return name
        return f"private-{digest.removeprefix('sha256:')[:12]}"

    @property
    def published(self) -> bool:
        """Whether the seeds are published with the draw."""
        return self.train == "authors"

    @property
    def beacon_time(self) -> datetime | None:
        """When the beacon's round comes, or None without one."""
        if self.network is None or self.beacon_round is None:
            return None
        return self.network.time_of(self.beacon_round)

    def as_dict(self) -> dict[str, Any]:
        """Return it JSON-ready, without numbers that have a fraction."""
        beacon = None
        scores = {"failed": self.failed}
        if self.compare != INDEPENDENT:
            scores["compare"] = self.compare
        if self.network is not None:
            beacon = {**self.network.as_dict(), "round": self.beacon_round}
        private = {} if self.private == NAMED else {"private": self.private}
        return {
            **private,
            "name": self.name,
            "seeds": self.seeds,
            "deadline": stamp(self.deadline),
            "reveal_by": stamp(self.reveal_by),
            "retries": self.retries,
            "level": self.level,
            "train": self.train,
            "derivation": DERIVATION,
            "beacon": beacon,
            "image": None if self.image is None else dict(self.image),
            "data": dict(self.data),
            "metrics": {
                each.name: {"direction": each.direction, "unit": each.unit} for each in self.metrics
            },
            "limits": {
                "memory": self.limits.memory,
                "processors": _decimal(self.limits.processors),
                "processes": self.limits.processes,
                "seconds": _decimal(self.limits.seconds),
                "disk": self.limits.disk,
            },
            "scores": scores,
            "spot_checks": self.spot_checks,
        }

    @property
    def canonical(self) -> bytes:
        """The policy's bytes, which the commitment binds."""
        return canonical(self.as_dict())

    @property
    def digest(self) -> str:
        """Their SHA-256."""
        return sha256(self.canonical)


def from_dict(content: Mapping[str, Any]) -> Policy:
    """Return the policy that `as_dict` described.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, OverflowError: it is none.
    """
    beacon, limits = content["beacon"], content["limits"]
    network = None
    if beacon is not None:
        if beacon["scheme"] != SCHEME:
            raise ValueError(beacon["scheme"])
        network = Network(
            beacon["name"], beacon["public_key"], beacon["genesis"], beacon["period"]
        )  # fmt: skip
    found = Policy(
        content["name"], content["seeds"], moment(content["deadline"]),
        moment(content["reveal_by"]), content["retries"], content["level"], content["train"],
        network, None if beacon is None else beacon["round"], content["image"], content["data"],
        tuple(
            Metric(name, each["direction"], each["unit"])
            for name, each in content["metrics"].items()
        ),
        Limits(
            limits["memory"], float(limits["processors"]), limits["processes"],
            float(limits["seconds"]), limits["disk"],
        ),
        content["scores"]["failed"], content["spot_checks"],
        content["scores"].get("compare", INDEPENDENT), content.get("private", NAMED),
    )  # fmt: skip
    whole = [found.seeds, found.retries, *(each for each in (found.beacon_round,) if each)]
    if any(type(each) is not int or each < 0 for each in whole) or found.seeds < 1:
        raise ValueError("numbers")
    if not NAMES.fullmatch(found.name) or found.retries > MOST_RETRIES:
        raise ValueError("name")
    if found.compare not in COMPARE:
        raise ValueError("compare")
    if found.private not in PRIVATE or (found.pseudonyms and found.published):
        raise ValueError("private")
    if found.seeds > MOST_SEEDS or (found.beacon_round or 0) > MOST_ROUNDS:
        raise ValueError("numbers")
    if network is not None and not PUBLIC_KEY.fullmatch(network.public_key):
        raise ValueError("public key")
    if found.beacon_time is not None:
        stamp(found.beacon_time)
    if found.canonical != canonical(content):
        raise ValueError("policy")
    return found


def _decimal(number: float) -> str:
    return f"{number:.3f}".rstrip("0").rstrip(".")
