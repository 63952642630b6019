"""seedlock: one outside seed decides every random number of a training run.

`REPRO_SEED=7 python train.py` needs no import. `import seedlock` gives explicit control; it
loads nothing else until a name is used.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seedlock.api import (
        checkpoint,
        derive,
        digest,
        fixed,
        isolate,
        load_state_dict,
        lock,
        log_metric,
        report,
        rng,
        state_dict,
    )

    seed: int | None

__version__ = "0.1.0"
__all__ = [
    "checkpoint",
    "derive",
    "digest",
    "fixed",
    "isolate",
    "load_state_dict",
    "lock",
    "log_metric",
    "report",
    "rng",
    "seed",
    "state_dict",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'seedlock' has no attribute {name!r}")
    from seedlock import api

    return api.root_seed() if name == "seed" else getattr(api, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
