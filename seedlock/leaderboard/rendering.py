"""Pages from the templates beside this file; the server and the static export share them.

Everything that a stranger says is escaped, a page loads nothing but the style sheet and runs no
script. Equal views give equal bytes: an export is verified by rendering it anew.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

import seedlock
from seedlock.leaderboard import number_text

if TYPE_CHECKING:
    from seedlock.leaderboard.links import Links

FOLDER = files("seedlock.leaderboard") / "templates"


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


def style_sheet() -> bytes:
    """Return the style sheet."""
    return (files("seedlock.leaderboard") / "static" / "style.css").read_bytes()
