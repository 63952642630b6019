"""The committed page about the lock is that of the stored reference, and so of the locks."""

from __future__ import annotations

import json
from pathlib import Path

from seedlock.evaluation.reference.lock_words import BAD


def test_the_page_is_of_the_stored_reference(lock: Path) -> None:
    """A reference has its page, the page names the digests of the locks that it is about, and no
    lock is there whose models fail without a reason."""
    stored = lock / "reference/cpu"
    page, reference = stored / "what-changed.md", stored / "reference.json"

    assert page.exists() == reference.exists()
    if reference.exists():
        text = page.read_text()
        for digest in json.loads(reference.read_text())["lock"].values():
            assert digest in text
        assert not any(f"**{each}**" in text for each in BAD) or "for this reason: " in text
