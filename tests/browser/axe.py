"""axe-core, which finds faults of accessibility: one version of npm's, known by its hash."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests.interpreter import REPOSITORY

if TYPE_CHECKING:
    from playwright.sync_api import Page

VERSION = "4.14.1"
INTEGRITY = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)
"""SHA-512 of the package, base64, as npm's `dist.integrity` has it."""

GRAVE = ("serious", "critical")
"""Impacts that no page may have."""

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

RUN = "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})"


@cache
def program() -> str:
    """Return axe-core's source, from build/ or fetched into it.

    Raises:
        AssertionError: the package is not the one that was chosen.
    """
    folder = REPOSITORY / "build" / "axe"
    package = folder / f"axe-core-{VERSION}.tgz"
    if not package.exists():
        if shutil.which("npm") is None:
            pytest.skip("npm, which fetches axe-core, is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        words = ["npm", "pack", "--silent", f"--pack-destination={folder}", f"axe-core@{VERSION}"]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    assert found == INTEGRITY, f"{package} is another file than the one that was chosen"
    with tarfile.open(package) as archive:
        source = archive.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()


def faults(page: Page) -> list[str]:
    """Return the serious and critical faults of a page, each as a line that names the elements."""
    page.evaluate(program())
    found: dict[str, Any] = page.evaluate(RUN, RULES)
    return [
        f"{each['impact']}: {each['id']}: {each['help']}: "
        + "; ".join(str(node["target"]) for node in each["nodes"][:5])
        for each in found["violations"]
        if each["impact"] in GRAVE
    ]
