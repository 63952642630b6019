"""Data that lies in an installed package, whose bytes are pinned."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path


class OtherBytes(Exception):
    """A file of a package is not the one that the references were trained on."""


def packaged(package: str, name: str, sha256: str) -> bytes:
    """Return the bytes of a file of an installed package, without importing the package.

    Args:
        package: name of the package, as in an import statement.
        name: the file's path below the package's folder.
        sha256: digest that its bytes must have, 64 hexadecimal digits.

    Raises:
        OtherBytes: the package or its file is not there, or has other bytes.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise OtherBytes(f"{package} is not installed, so {package}/{name} can't be read")
    path = Path(found.origin).parent / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OtherBytes(f"{package}/{name} can't be read: {error}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise OtherBytes(
            f"{package}/{name} has SHA-256 {digest}, but the reference models were trained on"
            f" {sha256}; install {package} as version-lock/ pins it, or, where the lock has moved"
            " it, pin the new digest and measure the reference anew"
        )
    return content
