"""The handbook's build: `make docs`. The pages are Markdown that is read without it as well."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "seedlock"
author = "the seedlock project"
html_title = "seedlock"

extensions = ["myst_parser"]

# The root of the repository is the source, so that pages outside of docs/ are pages too and links
# between all of them are checked.
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "examples/**.md",
    "version-lock/**.md",
    "benchmarks/README.md",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
exclude_patterns = ["build", "tests", "seedlock", ".*", "**/__pycache__"]

# Anchors as GitHub makes them.
myst_heading_anchors = 6
myst_enable_extensions: list[str] = []

html_theme = "furo"
# Whoever reads the pages asks nobody else for anything: a test looks for addresses in them.
html_theme_options: dict[str, list[str]] = {"top_of_page_buttons": []}
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
# One commit gives the same bytes: no date.
html_last_updated_fmt = None

pygments_style = "friendly"
pygments_dark_style = "github-dark"

# For `make docs-links` only, which asks the network.
linkcheck_anchors = False
linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_ignore = [r"https?://(127\.0\.0\.1|localhost|(\w+\.)*example(\.org|\.com)?)(:\d+)?(/|$)"]


def setup(app: Sphinx) -> None:
    """Let the lists of links in docs/index.md be the contents of the sidebar."""
    app.connect("source-read", add_contents)


def add_contents(_app: Sphinx, page: str, source: list[str]) -> None:
    """Add a table of contents per section of the index, which stays a list of links for readers of
    the file itself. A page that is in none of them is an error of the build."""
    if page != root_doc:
        return
    for section in re.split(r"^## ", source[0], flags=re.MULTILINE)[1:]:
        title = section.splitlines()[0]
        links = re.findall(r"^- \[([^]]+)\]\(([^)#]+)\.md\)", section, re.MULTILINE)
        places = [
            f"{name} </{posixpath.normpath(posixpath.join('docs', place))}>"
            for name, place in links
        ]
        listed = "\n".join(places)
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{listed}\n```\n"
