"""Every error that seedlock raises, each with a slug into docs/messages.md."""

from __future__ import annotations


class SeedlockError(Exception):
    """A condition under which a run must not go on.

    The text is one line that says what is wrong, what was given, what is allowed and how to
    cure it; `slug` names the section of docs/messages.md that explains it.
    """

    slug = "seedlock-error"

    def __str__(self) -> str:
        return f"{super().__str__()} [docs/messages.md#{self.slug}]"


class BadSetting(SeedlockError):
    """A REPRO_* variable has a value that is not allowed."""

    def __init__(self, name: str, given: str, allowed: str, cure: str, slug: str) -> None:
        super().__init__(f"{name} is '{printable(given)}'; allowed: {allowed}; {cure}")
        self.slug = slug


class Drift(SeedlockError):
    """An installed framework is not the version that the lock names."""

    slug = "drift"


class Unsupported(SeedlockError):
    """An installed framework is outside the range of versions its adapter was written for."""

    slug = "unsupported-version"


class NotPortable(SeedlockError):
    """The processor lacks instructions that level portable takes for granted."""

    slug = "not-portable"


class OldDriver(SeedlockError):
    """NVIDIA's driver is older than the image's CUDA needs."""

    slug = "old-driver"


class AdapterFailed(SeedlockError):
    """An adapter could not do what it promises."""

    slug = "adapter-failed"


class NotLocked(SeedlockError):
    """The explicit API was asked for something that needs a seed, and none is in force."""

    slug = "not-locked"


class BadState(SeedlockError):
    """A state given to `load_state_dict` does not fit this process, or none can be read now."""

    slug = "bad-state"


class UserSeedRefused(SeedlockError, ValueError):
    """User code set a seed of its own under REPRO_USER_SEEDS=refuse."""

    slug = "user-seed"


class EntropyLocked(SeedlockError, RuntimeError):
    """User code asked for what must stay unpredictable under REPRO_ENTROPY=lock."""

    slug = "entropy-locked"


class Undigestible(SeedlockError, TypeError):
    """A value has no content that a digest could be made of."""

    slug = "undigestible"


class BadTrace(SeedlockError):
    """A trace is missing or can't be read."""

    slug = "unreadable-trace"


class NotComparable(SeedlockError):
    """Two traces were not taken in the same way."""

    slug = "not-comparable"


class BadDataLock(SeedlockError):
    """A data.lock can't be read or holds what is not allowed."""

    slug = "bad-data-lock"


class DataMismatch(SeedlockError):
    """Data is not what the data.lock says."""

    slug = "data-mismatch"


class DataUnavailable(SeedlockError):
    """Declared data is not there, or can't be had from where it is said to come from."""

    slug = "data-unavailable"


class ExtraMissing(SeedlockError):
    """A package of the organiser's half is not installed."""

    slug = "missing-extra"


class SourceTooLarge(SeedlockError):
    """A folder holds more than a program's source."""

    slug = "source-too-large"


class BadMetric(SeedlockError):
    """A declared metric is not `NAME:DIRECTION`."""

    slug = "bad-metric"


class BadRecord(SeedlockError):
    """A file is no record of a run, or one of another format."""

    slug = "bad-record"


class BadSubmission(SeedlockError):
    """A submission's file is missing or says what is not allowed."""

    slug = "bad-submission"


class NoEngine(SeedlockError):
    """No container engine answers."""

    slug = "no-engine"


class NoSuchImage(SeedlockError):
    """The container engine does not hold an image."""

    slug = "no-such-image"


class NotReproBase(SeedlockError):
    """An image is not conference/repro-base, nor built on it."""

    slug = "not-a-repro-base"


class BadManifest(SeedlockError):
    """A file is not a bill of materials that `seedlock manifest` wrote."""

    slug = "not-a-manifest"


class BadLock(SeedlockError):
    """A lock file is missing or has a line that no lock has."""

    slug = "unreadable-lock"


class NotSealed(SeedlockError):
    """A promise of a sealed run can't be kept here."""

    slug = "not-sealed"


class BadBundle(SeedlockError):
    """A file is no bundle, or not the one that was made."""

    slug = "bad-bundle"


class NotFrozen(SeedlockError):
    """A submission is none of those that a round froze, or not what it was then."""

    slug = "not-frozen"


class NoSlurm(SeedlockError):
    """Slurm's commands are not here, or it does not answer."""

    slug = "no-slurm"


class NotMatching(SeedlockError):
    """What is here is not what a record says."""

    slug = "replay-mismatch"


class BadCluster(SeedlockError):
    """What was said of a Kubernetes cluster can't stand in a manifest."""

    slug = "bad-cluster"


class BadKey(SeedlockError):
    """A key with which records are signed can't be made or used."""

    slug = "bad-key"


class BadSignature(SeedlockError):
    """A record's signature is missing, or is not one of this record."""

    slug = "bad-signature"


class BadPolicy(SeedlockError):
    """A round's policy is missing or says what is not allowed."""

    slug = "bad-policy"


class BadBeacon(SeedlockError):
    """A value is not what a beacon's network signed for the round that a policy declares."""

    slug = "bad-beacon"


class BadRound(SeedlockError):
    """A round's folder does not hold what a step needs, or holds what it must not."""

    slug = "bad-round"


class BadExport(SeedlockError):
    """A folder is no exported board, or can't become one."""

    slug = "bad-export"


class BadPassphrase(SeedlockError):
    """A round's secret can't be opened with the passphrase that was given, or without one."""

    slug = "bad-passphrase"


class BadLedger(SeedlockError):
    """What should be a round's ledger is none, or one of something else."""

    slug = "bad-ledger"


class LedgerUnavailable(SeedlockError):
    """The database of a ledger does not answer, or refuses."""

    slug = "ledger-unavailable"


class LostLease(SeedlockError):
    """A worker reports on a run that it no longer holds."""

    slug = "lost-lease"


class BadServer(SeedlockError):
    """A leaderboard's server can't be started as it was asked for."""

    slug = "bad-server"


class DatabaseUnavailable(SeedlockError):
    """The database of a leaderboard does not answer, or refuses."""

    slug = "database-unavailable"


class HashSeedNotTaken(SeedlockError):
    """The interpreter was started again for PYTHONHASHSEED and still has another one."""

    slug = "hash-seed"


def printable(text: str, limit: int = 40) -> str:
    """Return `text` as at most `limit` printable ASCII characters, others as `?` per UTF-8 byte.

    entrypoint.sh does the same with `tr` and `cut`: one bad value, one line from every door.
    """
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character that stands for no byte, as JSON may hold it
        raw = text.encode("utf-8", "replace")
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in raw)[:limit]
