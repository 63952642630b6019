"""Pages from the templates beside this file; the server and the static export share them.

Everything that a stranger says is escaped, a page loads nothing but the style sheet and runs no
script. Equal views give equal bytes: an export is verified by rendering it anew.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

import seedlock
from seedlock.evaluation import number_text

if TYPE_CHECKING:
    from seedlock.leaderboard.links import Links

FOLDER = files("seedlock.leaderboard") / "templates"

CODE = Path(seedlock.__file__).parent

FOLDERS = (
    "evaluation", "evaluation/recording", "evaluation/rounds", "evaluation/scores",
    "evaluation/spot_checks", "leaderboard", "leaderboard/static", "leaderboard/templates",
)  # fmt: skip
"""In which the code lies that pages are made by."""


def render(template: str, view: Any, links: Links, viewer: Any = None, **values: Any) -> str:
    """Return a page.

    Args:
        template: file in the folder of templates.
        view: what the page shows.
        links: where pages lie.
        viewer: who is signed in, with `role` and `team`; None for everybody else.
        values: what else the template calls by name; one that is missing is an error.
    """
    made = environment().get_template(template)
    return made.render(view=view, links=links, viewer=viewer, **values)


@lru_cache
def environment() -> Environment:
    """Return what all pages are rendered with."""
    found = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(lambda name: (FOLDER / name).read_text("utf-8")),
    )
    found.filters["plain"] = number_text.plain
    found.filters["duration"] = number_text.duration
    found.globals["versions"] = versions()
    return found


def versions() -> str:
    """Return what made the pages, which decides their bytes."""
    return f"seedlock {seedlock.__version__}, charts by Matplotlib {version('matplotlib')}"


@lru_cache
def made_by() -> str:
    """Return what made the files of an export: versions, and a digest of the code and templates
    that decide their bytes, since two commits can have one version."""
    whole = hashlib.sha256()
    for each in code():
        name, raw = str(each.relative_to(CODE)), each.read_bytes()
        whole.update(f"{name} {len(raw)}\n".encode() + raw)
    return f"{versions()}, code {whole.hexdigest()[:16]}"


def code() -> list[Path]:
    """Return the files that `made_by` digests: all that a page or table of an export is made by."""
    found = [path for folder in FOLDERS for path in sorted((CODE / folder).glob("*"))]
    return [
        path for path in found
        if path.suffix in (".py", ".html", ".css") and not path.name.endswith("_command.py")
    ]  # fmt: skip


def style_sheet() -> bytes:
    """Return the style sheet."""
    return (files("seedlock.leaderboard") / "static" / "style.css").read_bytes()
