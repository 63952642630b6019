"""Self-contained HTML pages from the templates beside this file.

Everything that a submission says is escaped; a page loads nothing and runs no script.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def render(
    template: str, filters: Mapping[str, Callable[..., Any]] | None = None, **values: Any
) -> str:
    """Return a page.

    Args:
        template: file in the folder of templates.
        filters: functions by the names under which the template applies them.
        values: what the template calls by name; one that is missing is an error.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    folder = files("seedlock.evaluation") / "templates"
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(lambda name: (folder / name).read_text("utf-8")),
    )
    environment.filters.update(filters or {})
    return environment.get_template(template).render(**values)
