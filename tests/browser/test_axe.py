"""axe-core finds what is planted, so that its silence means something."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.browser import axe

GOOD = """<!doctype html><html lang="en"><head><title>Title</title></head>
<body><main><h1>Heading</h1><p style="color: {color}; background: #fff">Some words.</p></main></body></html>
"""  # noqa: E501


def test_a_page_without_faults_has_none(browser: Browser) -> None:
    """Nothing is made up."""
    page = browser.new_page()
    page.set_content(GOOD.format(color="#222"))

    assert axe.faults(page) == []
    page.close()


def test_a_planted_fault_is_found(browser: Browser) -> None:
    """Words that many can't read on their ground."""
    page = browser.new_page()
    page.set_content(GOOD.format(color="#ccc"))

    (fault,) = axe.faults(page)
    assert fault.startswith("serious: color-contrast")
    page.close()
