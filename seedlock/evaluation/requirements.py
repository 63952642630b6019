"""The packages that the organiser's half needs and the half inside does not."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from seedlock.errors import ExtraMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES = ("jinja2", "rich")
"""Without them `seedlock verify` does not start. h5py is used where it is there; xxhash is asked
for by the traces."""

RECORD_PACKAGES = (*PACKAGES, "jsonschema")
"""Without them nothing that writes or reads records starts."""

EXPORT_PACKAGES = (*RECORD_PACKAGES, "in_toto_attestation", "rocrate")
"""Without them `seedlock export` does not start."""

DATA_PACKAGES = ("packaging", "pooch", "requests", "rich")
"""Without them `seedlock data` does not start."""


def require(packages: Sequence[str] = PACKAGES) -> None:
    """Make sure that the packages are there.

    Raises:
        ExtraMissing: one is not.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise ExtraMissing(
            f"{' and '.join(missing)} not installed; needed: {', '.join(packages)}; "
            "say pip install 'seedlock[evaluation]'"
        )
