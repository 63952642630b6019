"""Servers for the browser: their rounds, on either database, and somebody's own window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from seedlock.evaluation.rounds import steps
from tests.leaderboard import handing_in
from tests.leaderboard.large_round import METRICS, Shape, make
from tests.leaderboard.served import Served

DONE, TRAINING, OPEN = "winter-2026", "spring-2026", "summer-2099"

WIDE, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)

PATIENCE = 20_000
"""Milliseconds for a page, on a machine with other work."""

FEW = Shape(12, 8, DONE)


def rounds(folder: Path) -> dict[str, Path]:
    """Make a round that is revealed, one in training, and one that takes submissions."""
    make(folder / DONE, FEW)
    make(folder / TRAINING, replace(FEW, name=TRAINING, waiting=40, revealed=False))
    now = datetime.now(timezone.utc).replace(microsecond=0)
    policy = folder / "open.toml"
    policy.write_text(replace(FEW, name=OPEN, deadline=now + timedelta(days=30)).policy())
    steps.open_round(folder / OPEN, policy, now)
    return {name: folder / name for name in (DONE, TRAINING, OPEN)}


def submission(folder: Path, name: str, visibility: str) -> Path:
    """Make a submission's folder."""
    return handing_in.submission(
        folder / name, name, visibility, "import seedlock\n", metrics=METRICS
    )


@contextmanager
def window(
    browser: Browser, served: Served, *, scripts: bool = False, dark: bool = False,
    phone: bool = False,
) -> Iterator[Page]:  # fmt: skip
    """Open a window of somebody who has nothing of the others' cookies.

    Args:
        browser: Chromium.
        served: the server.
        scripts: pages may run any; they have none, and only axe-core needs it.
        dark: the system's colours are dark.
        phone: 360 px wide.
    """
    context: BrowserContext = browser.new_context(
        base_url=served.url, java_script_enabled=scripts, viewport=PHONE if phone else WIDE,
        color_scheme="dark" if dark else "light", reduced_motion="reduce",
    )  # fmt: skip
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    try:
        yield page
    finally:
        context.close()


def sign_in(page: Page, token: str) -> None:
    """Sign in as people do."""
    page.goto("/sign-in")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
