"""The packages that the organiser's half needs and the half inside does not."""

from __future__ import annotations

from importlib.util import find_spec

from seedlock.errors import ExtraMissing

PACKAGES = {"jinja2": "jinja2", "rich": "rich"}
"""Modules and their packages, without which `seedlock verify` does not start. h5py is used where
it is there; xxhash is asked for by the traces."""

MANIFEST = {
    "cyclonedx": "cyclonedx-python-lib",
    "jsonschema": "jsonschema",
    "packaging": "packaging",
}
"""The same for `seedlock manifest`. The first two are not in the image."""

OUTSIDE = "; for an image, run seedlock manifest IMAGE outside of it"


def require(packages: dict[str, str] = PACKAGES, cure: str = "") -> None:
    """Make sure that packages are there.

    Args:
        packages: names of modules, and of the packages that bring them.
        cure: another one than to install them, as the end of a line.

    Raises:
        ExtraMissing: one is not.
    """
    missing = [package for module, package in packages.items() if find_spec(module) is None]
    if missing:
        raise ExtraMissing(
            f"{' and '.join(missing)} not installed; needed: {', '.join(packages.values())}; "
            f"say pip install 'seedlock[evaluation]'{cure}"
        )
