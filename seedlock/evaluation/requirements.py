"""The packages that the organiser's half needs and the half inside does not.

Each table has the names of modules, and of the packages that bring them.
"""

from __future__ import annotations

from importlib.util import find_spec

from seedlock.errors import ExtraMissing

PACKAGES = {"jinja2": "jinja2", "rich": "rich"}
"""Without them `seedlock verify` does not start. h5py is used where it is there; xxhash is asked
for by the traces."""

RECORD = {**PACKAGES, "jsonschema": "jsonschema"}
"""Without them nothing that writes or reads records starts."""

EXPORT = {**RECORD, "in_toto_attestation": "in-toto-attestation", "rocrate": "rocrate"}
"""Without them `seedlock export` does not start."""

DATA = {each: each for each in ("packaging", "pooch", "requests", "rich")}
"""Without them `seedlock data` does not start."""

ROUND = {**RECORD, "cryptography": "cryptography", "drand_verify": "drand-verify"}
"""Without them `seedlock round` does not start."""

LEDGER = {**RECORD, "sqlalchemy": "sqlalchemy"}
"""Without them `seedlock evaluate`, `seedlock status` and `seedlock ledger` do not start. psycopg
is asked for by a ledger in PostgreSQL."""

SCORES = {**RECORD, "numpy": "numpy", "scipy": "scipy"}
"""Without them `seedlock board show` does not start."""

PAGES = {**SCORES, "matplotlib": "matplotlib"}
"""Without them `seedlock board export` does not start."""

CLIENT = {**RECORD, "requests": "requests"}
"""Without them nothing that asks a leaderboard's server starts."""

SERVER = {
    **PAGES, **ROUND, **LEDGER, "fastapi": "fastapi", "python_multipart": "python-multipart",
    "uvicorn": "uvicorn",
}  # fmt: skip
"""Without them `seedlock serve` does not start."""

MANIFEST = {
    "cyclonedx": "cyclonedx-python-lib",
    "jsonschema": "jsonschema",
    "packaging": "packaging",
}
"""Without them `seedlock manifest` does not start. The first two are not in the image."""

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
        extras = "evaluation,leaderboard" if "matplotlib" in packages else "evaluation"
        raise ExtraMissing(
            f"{' and '.join(missing)} not installed; needed: {', '.join(packages.values())}; "
            f"say pip install 'seedlock[{extras}]'{cure}"
        )
