"""Apache MXNet 1.9.1, its last release (docs/static_site/src/pages/api/faq/env_var.md there)."""

from __future__ import annotations

import re
import sys
from _thread import _local
from itertools import count

from seedlock.adapters import LOCKED_LEVELS, Adapter, chosen, threads_held
from seedlock.callers import author
from seedlock.derivation import STREAMS, derive
from seedlock.patching import replace
from seedlock.settings import STRICT
from seedlock.stand_ins import own

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

READ_ANEW = "MXNet's generators can't be read here, for {}: state_dict() seeds them anew"
ITERATOR = (
    "what {} has drawn is not in state_dict(): its generators can't be read, and begin anew with it"
)
AT_ONCE = "MNISTIter"
"""The iterator that draws only as it is made (src/io/iter_mnist.cc)."""

CPU_BUILD = "mxnet runs on the CPU in this image for CUDA: it is the build without CUDA"
"""Why, says version-lock/README.md: the CUDA builds of 1.9.1 have no code for GPUs after Ampere."""


class MxnetAdapter(Adapter):
    """Seed the generators of all devices, which 1.9.1 starts at 0 (src/resource.cc) in each
    thread.

    MXNet has no way to read their state. In the build that is locked they are found in memory
    (`mxnet_generators`), which is too dear for a digest in each report. In any other `state` seeds
    them anew, from the last seed and by hash, and returns that seed: a run that takes its state at
    the same points then draws the same numbers, interrupted or not.
    """

    name = "mxnet"
    entrances = ("mxnet.random", "mxnet.io.io", "mxnet.gluon.data.dataloader")
    readable = False

    def __init__(self) -> None:
        self._seed: int | None = None
        self._threads = _Thread()
        self._policy: UserSeeds
        self._iterators: dict[str, None] = {}
        self._trouble: str | None = ""  # nobody has tried

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
        self._policy = policy
        if module.__name__ == "mxnet.random":
            replace(module, "seed", lambda original: self._mixing(original, module, policy))
        elif module.__name__ == "mxnet.io.io":
            for name, value in list(vars(module).items()):
                if getattr(value, "__qualname__", "") == CREATOR:
                    replace(
                        module, name, lambda original: _seeding(original, policy, self._iterators)
                    )
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
        for name in self._iterators:
            self._policy.gap(ITERATOR.format(name))
        if self._in_memory(module):
            from seedlock.adapters import mxnet_generators

            return mxnet_generators.read(module)
        last = self._threads.seed
        if last is None:
            last = self._seed
        if last is None:
            return None
        self.seed(module, derive(last, "child", "mxnet", "state", bits=BITS))
        return {"seed": self._seed}

    def restore(self, module: Any, state: Any) -> None:
        if "engines" not in state:
            self.seed(module, state["seed"])
            return
        if not self._in_memory(module):
            from seedlock.errors import BadState

            raise BadState(
                f"MXNet's generators can't be put into the state here, for {self._trouble}; "
                "resume in the environment that wrote it"
            )
        from seedlock.adapters import mxnet_generators

        mxnet_generators.write(module, state)

    def gaps(self, settings: Settings) -> list[str]:
        gaps = [
            "MXNet's generators are read for state_dict() only: no digest of them",
            "MXNet has generators of its own in each thread, which start at 0 in threads that the "
            "program starts: call mx.random.seed there; state_dict() holds those of its thread",
        ]
        if settings.level in LOCKED_LEVELS:
            gaps.append(
                "MXNet's determinism flag reaches convolution and pooling only; 21 of its GPU "
                "operator files use atomic additions"
            )
        if settings.least_driver is not None and not _on_gpus():
            gaps.append(CPU_BUILD)
        return gaps

    def _in_memory(self, module: Any) -> bool:
        if self._trouble == "":
            from seedlock.adapters import mxnet_generators

            self._trouble = mxnet_generators.trouble(module)
        if self._trouble is not None:
            self._policy.gap(READ_ANEW.format(self._trouble))
        return self._trouble is None

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


def _seeding(original: Any, policy: UserSeeds, drawing: dict[str, None]) -> Any:
    seeds = dict(SEED_PARAMETER.findall(original.__doc__))
    called = f"mxnet.io.{original.__name__}"
    # Only these take seed_aug; ImageRecordIter_v1 says so too, and does not look at it.
    hears = "seed_aug" in seeds and not called.endswith("_v1")

    def creator(*args: Any, **kwargs: Any) -> Any:
        augments = any(map(AUGMENTS.match, kwargs))
        if original.__name__ != AT_ONCE and (augments or kwargs.get("shuffle")):
            drawing[called] = None
        if augments:
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
