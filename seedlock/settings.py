"""Every REPRO_* variable as one documented constant, and the environment read into `Settings`.

On the start-up path: imports nothing, not even `__future__` (0.1 ms), hence quoted annotations.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SEED = "REPRO_SEED"
"""Root seed: a decimal integer from 0 to 2**64 - 1. Unset: seedlock leaves Python untouched."""

LEVEL = "REPRO_LEVEL"
"""How much is locked: `seed` (seeds only), `warn` (determinism flags in their warning form),
`strict` (an operation without a deterministic form is an error) or `portable` (strict, with threads
and instruction sets fixed). Default: strict. `watch`: nothing, with a report and a trace."""

THREADS = "REPRO_THREADS"
"""Threads of each library at level portable, where their number is part of the result. Unset: 4,
or 1 where they spin. At other levels the machine decides, and a value is refused."""

STREAMS = "REPRO_STREAMS"
"""`derived`: each library's seed comes from the root seed by hash. `same`: each library's main
generator gets the root seed itself, as the usual helpers do (root seeds below 2**32 only)."""

REPORT = "REPRO_REPORT"
"""Folder that gets one JSON report per process. Unset: no report is written."""

LOCK = "REPRO_LOCK"
"""`refuse`: a framework that is not the locked version, or outside its adapter's range, ends
the run at level strict. `warn`: it becomes a gap in the report."""

LOCK_FILE = "REPRO_LOCK_FILE"
"""File with the locked versions, lines `name==version`. The image sets it. Unset: the file
`repro-lock.txt` in the interpreter's `sys.prefix`, if there is one."""

TF32 = "REPRO_TF32"
"""`keep`: TensorFloat-32 as each framework has it (repeatable on one GPU model). `off`: off
everywhere, so that GPU generations come closer (at the levels warn, strict and portable)."""

USER_SEEDS = "REPRO_USER_SEEDS"
"""What becomes of a seed that the program sets itself. `mix`: the outside seed decides it too,
and equal seeds stay equal. `keep`: it counts as written. `refuse`: setting one is an error."""

ENTROPY = "REPRO_ENTROPY"
"""What os.urandom, secrets, random.SystemRandom, uuid1, uuid4 and names of temporary files draw
from. `count`: the system, counted in the report. `lock`: the root seed; TLS is refused then."""

ENTROPY_ALLOW = "REPRO_ENTROPY_ALLOW"
"""What REPRO_ENTROPY=lock must not refuse: `ssl`. Unset: nothing."""

TRACE = "REPRO_TRACE"
"""`step`: write a trace of seeds, batches and optimizer steps beside the report. `op`: of the
frameworks' operations as well (docs/trace.md). Needs REPRO_REPORT. Unset: no trace."""

TRACE_STEPS = "REPRO_TRACE_STEPS"
"""Steps for which REPRO_TRACE=op writes operations, as `12:14`, the second not. Unset: all."""

TRACE_VALUES = "REPRO_TRACE_VALUES"
"""MiB of results per process that a trace keeps beside their digests, in the steps for which it
writes operations. Unset: 256 with REPRO_TRACE_STEPS, else 0."""

READS = "REPRO_READS"
"""`list`: the report names the files that the process opened for reading, outside the
interpreter's own folders (seedlock/reads.py). Needs REPRO_REPORT. Unset: it does not."""

DATA_CACHE = "REPRO_DATA_CACHE"
"""Folder of `seedlock data`, organiser's only. Unset: `seedlock/data` in the user's cache."""

PASSPHRASE_FILE = "REPRO_PASSPHRASE_FILE"
"""File with the passphrase of a round's secret, organiser's only. Unset: it is asked for."""

BOARD, BOARD_TOKEN_FILE = "REPRO_BOARD", "REPRO_BOARD_TOKEN_FILE"
"""Address of a leaderboard's server, and file with the token for it, for the commands that ask one.
Unset: `--server URL`; `seedlock/token` in the user's configuration."""

LEAST_DRIVER = "REPRO_LEAST_DRIVER"
"""Least version of NVIDIA's driver for the image's CUDA, which sets it. Unset: not looked at."""

LINEAGE = "_SEEDLOCK_LINEAGE"
"""Internal: place of a process in the family, from its parent (seedlock/lineage.py)."""

PARENT = "_SEEDLOCK_PARENT"
"""Internal: `PID NAME=VALUE`, the process that gave the place and the rank variable that its
environment held at that time, if any: an inherited one does not make a child a rank."""

RANKS = ("RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID")
"""Variables in which launchers say a process's rank: torchrun, Open MPI, PMIx, MPICH, Slurm."""

LOCAL_RANKS = ("LOCAL_RANK", "NODE_RANK")
"""Those in which Lightning's own launcher does: the rank on a machine, and which machine."""

RESTARTED = "_SEEDLOCK_RESTARTED"
"""Internal: process id of the interpreter that was started again for PYTHONHASHSEED. An exec
keeps the id; a child that inherits the variable has another one."""

RUN_SEED = "_SEEDLOCK_RUN_SEED"
"""Internal: REPRO_SEED as it was given to a command that runs outside of the lock itself."""

HASH_SEED_NOTE = "_SEEDLOCK_HASH_SEED"
"""Internal: `seed streams PYTHONHASHSEED`, noted by whoever derived the third from the others."""

NAMES = (b"REPRO_", b"_SEEDLOCK_", b"PYTHONHASHSEED", *map(str.encode, (*RANKS, *LOCAL_RANKS)))
"""With what every name of a variable begins that `Settings` reads."""

MAX_SEED, MAX_SAME_SEED = 2**64 - 1, 2**32 - 1
WATCH, PORTABLE = "watch", "portable"
STRICT = ("strict", PORTABLE)
"""Levels at which what holds at strict holds; nothing compares a level with the word itself."""
LEVELS, USER_SEED_POLICIES = ("seed", "warn", *STRICT, WATCH), ("mix", "keep", "refuse")
MAX_THREADS, DEFAULT_THREADS, WINDOW_MIB = 1024, "4", 256
STREAM_MODES, TRACE_MODES = ("derived", "same"), ("step", "op")
LOCK_MODES, TF32_MODES = ("refuse", "warn"), ("keep", "off")
ENTROPY_MODES, ENTROPY_ALLOWED = ("count", "lock"), ("ssl",)

SEED_ALLOWED = f"a decimal integer from 0 to {MAX_SEED} without sign, spaces or leading zeros"
LEAST_DRIVER_ALLOWED = "a version of NVIDIA's driver: numbers with dots between them"
TF32_AT_SEED_ALLOWED = "keep at levels seed and watch, which set no flags"
THREADS_ALLOWED = "a decimal integer from 1 to 1024 without sign, spaces or leading zeros"
SAME_SEED_ALLOWED = "a seed from 0 to 4294967295 when REPRO_STREAMS is same"


class Settings:
    """What the environment asks for, checked. Immutable.

    Attributes:
        seed: root seed, 0 to 2**64 - 1.
        level: one of `LEVELS`.
        threads: threads of each library, 1 to 1024, at level portable; else None.
        spinning_threads: those of OpenBLAS, OpenMP and MKL: 1 unless asked for.
        streams: one of `STREAM_MODES`.
        lock: one of `LOCK_MODES`.
        tf32: one of `TF32_MODES`.
        report: folder for reports, or None.
        lock_file: file with the locked versions, or None for the default place.
        hash_seed: PYTHONHASHSEED as it stood, since user code may write its own over it.
        user_seeds: one of `USER_SEED_POLICIES`.
        entropy: one of `ENTROPY_MODES`.
        entropy_allow: one of `ENTROPY_ALLOWED`, or None.
        trace: one of `TRACE_MODES`, or None.
        trace_steps: first step and first step no longer, or None for all.
        trace_values: MiB of results to keep.
        reads: whether the report names the files that were read.
        least_driver: least version of NVIDIA's driver, or None where it does not matter.
        lineage: place in the family of processes as the parent gave it, empty without one.
        giver: id of the process that gave the place, empty without one.
        rank: rank among the processes of one job as a launcher says it that is no locked Python
            process, which says it in `lineage`; else None.

    Raises:
        BadSetting: a value is not allowed.
    """

    if TYPE_CHECKING:
        seed: int
        level: str
        threads: int | None
        spinning_threads: int | None
        streams: str
        lock: str
        tf32: str
        report: str | None
        lock_file: str | None
        hash_seed: str | None
        user_seeds: str
        entropy: str
        entropy_allow: str | None
        trace: str | None
        trace_steps: tuple[int, int] | None
        trace_values: int
        reads: bool
        least_driver: str | None
        lineage: str
        giver: str
        rank: str | None

    def __init__(self, environ: "Mapping[str, str]") -> None:
        put = self.__dict__
        put["seed"] = parse_seed(environ[SEED])
        put["level"] = _choice(environ, LEVEL, LEVELS, "strict", "bad-level")
        put["threads"], put["spinning_threads"] = _threads(environ, self.level)
        put["streams"] = _choice(environ, STREAMS, STREAM_MODES, "derived", "bad-streams")
        put["lock"] = _choice(environ, LOCK, LOCK_MODES, "refuse", "bad-lock")
        put["tf32"] = _choice(environ, TF32, TF32_MODES, "keep", "bad-tf32")
        put["report"] = environ.get(REPORT) or None
        put["lock_file"] = environ.get(LOCK_FILE) or None
        put["hash_seed"] = environ.get("PYTHONHASHSEED")
        policy = _choice(environ, USER_SEEDS, USER_SEED_POLICIES, "mix", "bad-user-seeds")
        put["user_seeds"] = policy
        put["entropy"] = _choice(environ, ENTROPY, ENTROPY_MODES, "count", "bad-entropy")
        allow = _choice(environ, ENTROPY_ALLOW, ENTROPY_ALLOWED, "ssl", "bad-entropy")
        put["entropy_allow"] = allow if ENTROPY_ALLOW in environ else None
        traced = TRACE in environ or TRACE_STEPS in environ or TRACE_VALUES in environ
        trace, steps, values = _traced(environ, self.report) if traced else (None, None, 0)
        put["trace"] = trace
        put["trace_steps"] = steps
        put["trace_values"] = values
        put["reads"] = READS in environ
        if READS in environ:
            _choice(environ, READS, ("list",), "list", "bad-reads")
            if self.report is None:
                cure = f"set {REPORT} to a folder, or unset {READS}"
                _refuse(READS, "list", f"with {REPORT} only", cure, "bad-reads")
        put["least_driver"] = environ.get(LEAST_DRIVER)
        put["lineage"] = environ.get(LINEAGE, "")
        giver, _, inherited = environ.get(PARENT, "").partition(" ")
        put["giver"] = giver
        given = rank_variable(environ)
        put["rank"] = given.partition("=")[2] if given and given != inherited else None
        if self.streams == "same" and self.seed > MAX_SAME_SEED:
            cure = "take a smaller seed or leave REPRO_STREAMS unset"
            _refuse(SEED, environ[SEED], SAME_SEED_ALLOWED, cure, "bad-streams")
        if self.tf32 == "off" and self.level in ("seed", WATCH):
            cure = "choose level warn or strict, or leave REPRO_TF32 unset"
            _refuse(TF32, "off", TF32_AT_SEED_ALLOWED, cure, "bad-tf32")
        least = self.least_driver
        if least is not None and not (least.isascii() and all(map(str.isdigit, least.split(".")))):
            cure = f"set it like {LEAST_DRIVER}=525.60.13 or unset it"
            _refuse(LEAST_DRIVER, least, LEAST_DRIVER_ALLOWED, cure, "bad-driver")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Settings are immutable: cannot set {name}")

    def as_dict(self) -> "dict[str, object]":
        """Return the settings by the names of their attributes."""
        return {**self.__dict__}


def rank_variable(environ: "Mapping[str, str]") -> str:
    """Return the rank variable in force as `NAME=VALUE`, empty without one."""
    found = next((f"{name}={environ[name]}" for name in RANKS if name in environ), "")
    rank, machine = (environ.get(name, "0") for name in LOCAL_RANKS)
    if found or LOCAL_RANKS[0] not in environ or not (_number(rank) and _number(machine)):
        return found
    return f"{LOCAL_RANKS[0]}={int(machine) << 16 | int(rank)}"


def parse_seed(text: str) -> int:
    """Return the root seed written in `text`, one spelling per seed.

    Raises:
        BadSetting: `text` is not a canonical decimal integer from 0 to 2**64 - 1.
    """
    canonical = text.isascii() and text.isdigit() and (text == "0" or text[0] != "0")
    if not canonical or len(text) > 20 or int(text) > MAX_SEED:
        _refuse(SEED, text, SEED_ALLOWED, "set it like REPRO_SEED=7", "bad-seed")
    return int(text)


def _traced(
    environ: "Mapping[str, str]", report: "str | None"
) -> "tuple[str | None, tuple[int, int] | None, int]":
    mode = _choice(environ, TRACE, TRACE_MODES, "step", "bad-trace")
    steps = environ.get(TRACE_STEPS, "")
    values = environ.get(TRACE_VALUES, str(WINDOW_MIB) if steps else "0")
    first, _, end = steps.partition(":")
    if steps and not (_number(first) and _number(end) and int(first) < int(end)):
        allowed = "two step numbers, the second larger and not included, as 12:14"
        _refuse(TRACE_STEPS, steps, allowed, f"set it like {TRACE_STEPS}=12:14", "bad-trace")
    if not _number(values):
        allowed = "a number of MiB, 0 or more"
        _refuse(TRACE_VALUES, values, allowed, f"set it like {TRACE_VALUES}=256", "bad-trace")
    if TRACE not in environ:
        return None, None, 0
    if report is None:
        cure = f"set {REPORT} to a folder, which gets the trace too, or unset {TRACE}"
        _refuse(TRACE, mode, f"with {REPORT} only", cure, "bad-trace")
    return mode, (int(first), int(end)) if steps else None, int(values)


def _threads(environ: "Mapping[str, str]", level: str) -> "tuple[int | None, int | None]":
    text = environ.get(THREADS)
    if text is None:
        return (int(DEFAULT_THREADS), 1) if level == PORTABLE else (None, None)
    if not _number(text) or text[0] == "0" or int(text) > MAX_THREADS:
        cure = f"set it like {THREADS}={DEFAULT_THREADS} or unset it"
        _refuse(THREADS, text, THREADS_ALLOWED, cure, "bad-threads")
    if level != PORTABLE:
        cure = f"set {LEVEL}={PORTABLE} or unset it"
        _refuse(THREADS, text, "a number at level portable only", cure, "bad-threads")
    return int(text), int(text)


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _choice(
    environ: "Mapping[str, str]", name: str, allowed: "tuple[str, ...]", default: str, slug: str
) -> str:
    value = environ.get(name, default)
    if value not in allowed:
        _refuse(name, value, ", ".join(allowed), f"set it like {name}={default} or unset it", slug)
    return value


def _refuse(name: str, given: str, allowed: str, cure: str, slug: str) -> None:
    from seedlock.errors import BadSetting

    raise BadSetting(name, given, allowed, cure, slug)
