"""The packages that the organiser's half needs and the half inside does not."""

from __future__ import annotations

from importlib.util import find_spec

from seedlock.errors import ExtraMissing

PACKAGES = {"jinja2": "jinja2", "rich": "rich"}
"""Modules and their packages, without which `seedlock verify` does not start. h5py is used where
it is there; xxhash is asked for by the traces."""

MANIFEST = {
    "cyclonedx": "cyclonedx-python-lib",
    "jsonschema": "cyclonedx-python-lib[json-validation]",
    "packaging": "packaging",
}
"""The same for `seedlock manifest`. They are not in the image: none is there for the frameworks."""


def require(packages: dict[str, str] = PACKAGES) -> None:
    """Make sure that packages are there.

    Args:
        packages: names of modules, and of the packages that bring them.

    Raises:
        ExtraMissing: one is not.
    """
    missing = [package for module, package in packages.items() if find_spec(module) is None]
    if missing:
        raise ExtraMissing(
            f"{' and '.join(missing)} not installed; needed: {', '.join(packages.values())}; "
            "say pip install 'seedlock[evaluation]'"
        )
