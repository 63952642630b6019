"""Tests of seedlock.leaderboard.api."""
