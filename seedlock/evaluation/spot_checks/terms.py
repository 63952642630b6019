"""What a round says of its runs, as far as a returned record can be compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.evaluation.recording.metrics import Metric
    from seedlock.evaluation.sealing.limits import Limits


@dataclass(frozen=True)
class Entry:
    """A frozen submission, and where it lies here.

    Attributes:
        name, digest: as frozen.
        folder: where it is; absolute.
        files: names of its files, which its digest is of.
        command: its words.
        metrics: the declared ones.
        signing_key: public half of its author's key, or None.
        limits: of its runs.
        data: digests of the data that it declares, by name.
        data_lock: name of the file below its folder that pins them, or None.
    """

    name: str
    digest: str
    folder: Path
    files: frozenset[str]
    command: tuple[str, ...]
    metrics: tuple[Metric, ...]
    signing_key: str | None
    limits: Limits
    data: Mapping[str, str]
    data_lock: Path | None


@dataclass(frozen=True)
class Terms:
    """The round's terms.

    Attributes:
        draw: digest of draw.json.
        policy: digest of the policy.
        level: of its runs.
        seeds: the drawn ones, by their index.
        frozen: the submissions by their digests.
        data: digests of the round's data by name; empty where it names none.
        lock: SHA-256 of the lock file that runs have, in hexadecimal digits, or None.
        secret: the round's, from which the lots are drawn.
        salt: the beacon's randomness and the Merkle root.
    """

    draw: str
    policy: str
    level: str
    seeds: tuple[int, ...]
    frozen: Mapping[str, Entry]
    data: Mapping[str, str]
    lock: str | None
    secret: bytes
    salt: bytes
