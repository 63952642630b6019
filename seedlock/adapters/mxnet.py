"""Apache MXNet 1.9.1, its last release (docs/static_site/src/pages/api/faq/env_var.md there)."""

from __future__ import annotations

import re
import sys
from _thread import _local
from itertools import count

from seedlock.adapters.base import LOCKED_LEVELS, Adapter, chosen, threads_held
from seedlock.callers import author
from seedlock.derivation import STREAMS, derive
from seedlock.patching import replace
from seedlock.settings import STRICT
from seedlock.user_seeds import own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds


BITS = STREAMS["mxnet"]

CREATOR = "_make_io_iterator.<locals>.creator"
"""What makes a data iterator written in C++, one for each kind (1.9.1, io/io.py)."""

SEED_PARAMETER = re.compile(r"^(\w*seed\w*) : (int or None|int)\b", re.MULTILINE)
"""A seed among the parameters in an iterator's documentation, which MXNet writes from the C++."""

INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
"""What may be an integer for the C++ half, which gets all parameters as text."""


AUGMENTS = re.compile(r"rand|max_")
"""Names of an image iterator's parameters that ask for random augmentations."""

DEAF = (
    "{} draws its augmentations from generators that take no seed: they are the same under each "
    "root seed"
)
REPEATS = (
    "{} was made without seed_aug, which leaves its augmentations to the scheduling of its "
    "threads, and was given one: MXNet then draws the same augmentations in each batch"
)

CPU_BUILD = "mxnet runs on the CPU in this image for CUDA: it is the build without CUDA"
"""Why, says version-lock/README.md: the CUDA builds of 1.9.1 have no code for GPUs after Ampere."""


class MxnetAdapter(Adapter):
    """Seed the generators of all devices, which 1.9.1 starts at 0 (src/resource.cc) in each
    thread.

    Their state can't be read. `state` therefore seeds them anew, from the last seed and by hash,
    and returns that seed: a run that takes its state at the same points draws the same numbers,
    interrupted or not.
    """

    name = "mxnet"
    entrances = ("mxnet.random", "mxnet.io.io", "mxnet.gluon.data.dataloader")
    readable = False

    def __init__(self) -> None:
        self._seed: int | None = None
        self._threads = _Thread()

    def environment(self, settings: Settings) -> dict[str, str]:
        variables = {
            "MXNET_CUDNN_AUTOTUNE_DEFAULT": "0",  # measures kernels and picks the fastest
        }
        if settings.level in STRICT:
            # Reaches convolution, deconvolution and pooling (three files of 1.9.1).
            variables["MXNET_ENFORCE_DETERMINISM"] = "1"
        if settings.spinning_threads is not None:
            variables["MXNET_OMP_MAX_THREADS"] = str(settings.spinning_threads)
            # Measures at the import which operators to spread over threads.
            variables["MXNET_USE_OPERATOR_TUNING"] = "0"
        if settings.tf32 == "off":
            variables["MXNET_CUDA_ALLOW_TENSOR_CORE"] = "0"
        return chosen(settings, variables)

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        if module.__name__ == "mxnet.random":
            replace(module, "seed", lambda original: self._mixing(original, module, policy))
        elif module.__name__ == "mxnet.io.io":
            for name, value in list(vars(module).items()):
                if getattr(value, "__qualname__", "") == CREATOR:
                    replace(module, name, lambda original: _seeding(original, policy))
        else:
            replace(module, "ThreadPool", lambda original: _reported(original, policy))
            replace(module, "_thread_worker_initializer", self._seeding_threads)

    def seed(self, module: Any, seed: int) -> None:
        self._seed = seed
        module.random.seed(seed)

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        pass

    def flags(self, module: Any) -> dict[str, object]:
        return threads_held()

    def state(self, module: Any) -> object:
        last = self._threads.seed
        if last is None:
            last = self._seed
        if last is None:
            return None
        self.seed(module, derive(last, "child", "mxnet", "state", bits=BITS))
        return {"seed": self._seed}

    def restore(self, module: Any, state: Any) -> None:
        self.seed(module, state["seed"])

    def gaps(self, settings: Settings) -> list[str]:
        gaps = [
            "MXNet's generators can't be read: no digest, and state_dict() seeds them anew",
            "MXNet has generators of its own in each thread, which start at 0 in threads that the "
            "program starts: call mx.random.seed there",
        ]
        if settings.level in LOCKED_LEVELS:
            gaps.append(
                "MXNet's determinism flag reaches convolution and pooling only; 21 of its GPU "
                "operator files use atomic additions"
            )
        if settings.least_driver is not None and not _on_gpus():
            gaps.append(CPU_BUILD)
        return gaps

    def _mixing(self, original: Any, module: Any, policy: UserSeeds) -> Any:
        def seed(seed_state: Any, ctx: Any = "all") -> None:
            used = seed_state
            if isinstance(seed_state, module.integer_types):
                mixed = policy.choose("mxnet", seed_state, BITS, "mxnet.random.seed")
                used = int(seed_state) if mixed is None else mixed
            original(used, ctx)
            self._threads.seed = used

        return seed

    def _seeding_threads(self, original: Any) -> Any:
        threads = count()

        def _thread_worker_initializer(*args: Any) -> None:
            original(*args)
            if self._seed is not None:
                with own():
                    sys.modules["mxnet"].random.seed(
                        derive(self._seed, "child", "mxnet", "thread", next(threads), bits=BITS)
                    )

        return _thread_worker_initializer


def _on_gpus() -> bool:
    enabled: bool = sys.modules["mxnet.runtime"].Features().is_enabled("CUDA")
    return enabled


class _Thread(_local):
    """The seed of this thread's generators, if it was set here."""

    seed: int | None = None


def _seeding(original: Any, policy: UserSeeds) -> Any:
    seeds = dict(SEED_PARAMETER.findall(original.__doc__))
    called = f"mxnet.io.{original.__name__}"
    # Only these take seed_aug; ImageRecordIter_v1 says so too, and does not look at it.
    hears = "seed_aug" in seeds and not called.endswith("_v1")

    def creator(*args: Any, **kwargs: Any) -> Any:
        if any(map(AUGMENTS.match, kwargs)):
            if not hears:
                policy.gap(DEAF.format(called))
            elif kwargs.get("seed_aug") is None:
                policy.gap(REPEATS.format(called))
        for name, kind in seeds.items():
            given = kwargs.get(name)
            if name not in kwargs or (given is None and kind == "int or None"):
                if not policy.watches:
                    kwargs[name] = policy.unseeded("mxnet", BITS, called)
            elif fits(str(given)):
                mixed = policy.choose("mxnet", int(str(given)), BITS, called, False)
                kwargs[name] = given if mixed is None else mixed
        return original(*args, **kwargs)

    return creator if seeds else original


def fits(text: str) -> bool:
    """Tell whether MXNet's C++ half takes `text` for a 32-bit integer."""
    return INTEGER.fullmatch(text) is not None and -(2**31) <= int(text) < 2**31


def _reported(original: Any, policy: UserSeeds) -> Any:
    def thread_pool(*args: Any, **kwargs: Any) -> Any:
        frame, _ = author(2)
        policy.gap(
            f"{frame.f_code.co_filename}:{frame.f_lineno} makes a gluon DataLoader with "
            "thread_pool=True: what its threads draw depends on scheduling"
        )
        return original(*args, **kwargs)

    return thread_pool


adapter = MxnetAdapter()
