"""XLA_FLAGS: what TensorFlow and JAX need in it, and how the user's own flags are kept."""

from __future__ import annotations

from seedlock.settings import PORTABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seedlock.settings import Settings

XLA = "--xla_gpu_deterministic_ops=true --xla_gpu_autotune_level=0"
"""Excludes nondeterministic operations, and autotuning, which picks another kernel in another
run. jaxlib 0.10.2 and TensorFlow 2.21.0 both know the two flags; an XLA that doesn't ends the
process with "Unknown flag in XLA_FLAGS"."""

XLA_PORTABLE = " ".join(
    (
        # Compiles for x86-64-v3 on newer processors too.
        "--xla_cpu_max_isa=AVX2",
        # No RSQRTPS, whose bits are the processor maker's choice (codegen/intrinsic/rsqrt.cc).
        "--xla_cpu_enable_platform_dependent_math=false",
        # No YNNPACK: it divides long sums by the caches, also with the flag above, which asks it
        # for consistent arithmetic. Eigen does too, and can be told of others (seedlock/eigen.py).
        "--xla_cpu_experimental_ynn_fusion_type=",
    )
)
"""jaxlib 0.10.2 and TensorFlow 2.21.0 know all three."""


def xla(settings: Settings) -> str:
    """Return the flags that XLA needs at levels strict and portable."""
    return f"{XLA} {XLA_PORTABLE}" if settings.level == PORTABLE else XLA


def merged(given: str, wanted: str) -> str:
    """Return XLA_FLAGS with the user's flags kept and ours last, where XLA lets them win.

    A flag that stands in both is written once, with our value. Where the user names a file, as
    XLA allows, its flags are taken out of it.
    """
    ours = wanted.split()
    names = {flag.split("=")[0] for flag in ours}
    kept = [flag for flag in flags(given) if flag.split("=")[0] not in names]
    return " ".join(kept + ours)


def flags(given: str) -> list[str]:
    """Return the flags in a value of XLA_FLAGS, or in the file that it names.

    Raises:
        OSError: the file can't be read.
    """
    # parse_flags_from_env.cc in XLA: what does not begin with a dash names a file.
    if given.strip() and not given.strip().startswith("-"):
        with open(given.strip(), encoding="utf-8") as file:
            given = file.read()
    return given.split()
