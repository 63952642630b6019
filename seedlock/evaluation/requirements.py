"""The packages that the organiser's half needs and the half inside does not."""

from __future__ import annotations

from importlib.util import find_spec

from seedlock.errors import ExtraMissing

PACKAGES = ("jinja2", "jsonschema", "rich")
"""Without them no command of this half starts. h5py is used where it is there; xxhash is asked
for by the traces."""


def require(*more: str) -> None:
    """Make sure that the packages are there.

    Args:
        more: what a single command needs besides.

    Raises:
        ExtraMissing: one is not.
    """
    missing = [name for name in (*PACKAGES, *more) if find_spec(name) is None]
    if missing:
        raise ExtraMissing(
            f"{' and '.join(missing)} not installed; needed: {', '.join((*PACKAGES, *more))}; "
            "say pip install 'seedlock[evaluation]'"
        )
