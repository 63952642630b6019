"""Scores of a round: what a few seeds show, and what they can't (docs/scores.md)."""
