"""Signing in with a token, and out."""

from __future__ import annotations

from tests.leaderboard.conftest import Site, bearer


def test_a_token_signs_in(site: Site) -> None:
    """And the interface knows its role."""
    token = site.token("author", "Blue")
    site.sign_in(token)
    answer = site.client.get("/api/v1/me", headers=bearer(token))

    assert answer.json() == {"role": "author", "team": "Blue", "round": None, "token": 1}
