"""Pinned data and weights: declared, fetched, verified and given to a run (docs/data.md)."""
