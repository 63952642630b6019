"""Start seedlock in every interpreter made from the one whose standard-library folder has this.

The image links this file from /usr/lib/python3.11. It finds seedlock beside itself, where the
link points, so a virtual environment that has never heard of seedlock is locked too; then the
user's own sitecustomize runs, if there is one further down on sys.path.
"""

import os
import sys
from _frozen_importlib import module_from_spec  # importlib.util would cost every start 2 ms
from _frozen_importlib_external import PathFinder


def start_seedlock() -> None:
    """Activate the seedlock that this file belongs to; end the process if that fails."""
    try:
        if "seedlock" not in sys.modules:
            package = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
            spec = PathFinder.find_spec("seedlock", [os.path.dirname(package)])
            if spec is None or spec.loader is None:
                raise ImportError(f"no package in {package}")
            sys.modules["seedlock"] = module_from_spec(spec)
            spec.loader.exec_module(sys.modules["seedlock"])
        from seedlock.startup import activate

        activate()
    except BaseException as problem:  # noqa: BLE001 - Python would swallow it and run unseeded
        text = " ".join(f"{type(problem).__name__}: {problem}".split())
        os.write(
            2,
            f"seedlock: it could not be imported: {text}; reinstall it or unset REPRO_SEED "
            "[docs/messages.md#broken-install]\n".encode(errors="replace"),
        )
        os._exit(78)


def run_users_sitecustomize() -> None:
    """Import the sitecustomize that this one hides, as if this one were not there."""
    here = os.path.dirname(__file__)
    rest = sys.path[sys.path.index(here) + 1 :] if here in sys.path else []
    spec = PathFinder.find_spec(__name__, rest)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules[__name__] = module
        spec.loader.exec_module(module)


if "REPRO_SEED" in os.environ:
    start_seedlock()
run_users_sitecustomize()
